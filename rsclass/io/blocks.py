"""From windows in any order to the blocks of a file in theirs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid
from rsclass.core.types import Mask, Window

__all__ = ["BlockBuffer"]


class BlockBuffer:
    """Gathers windows until whole blocks can go out in raster order.

    What goes out depends on the pixels alone, not on the size or order of the windows. Only blocks
    that are unfinished, or wait for an earlier one, are held: with windows that come row by row,
    those of one row of windows.

    Parameters
    ----------
    grid : TileGrid
        The file's blocks.
    count : int
        Bands.
    dtype : dtype
    """

    def __init__(self, grid: TileGrid, count: int, dtype: np.dtype[Any]) -> None:
        self._grid = grid
        self._count = count
        self._dtype = dtype
        self._open: dict[int, tuple[NDArray[Any], Mask]] = {}
        self._complete: dict[int, NDArray[Any]] = {}
        self._next = 0

    @property
    def finished(self) -> bool:
        """Whether every pixel came and every block went out."""
        return self._next == len(self._grid)

    @property
    def missing(self) -> int:
        """Pixels that have not come yet."""
        absent = 0
        for i in range(self._next, len(self._grid)):
            if i in self._open:
                absent += int((~self._open[i][1]).sum())
            elif i not in self._complete:
                absent += self._window(i).pixels
        return absent

    def add(self, window: Window, data: NDArray[Any]) -> Iterator[tuple[Window, NDArray[Any]]]:
        """Take ``data`` (bands, height, width) and give out each block whose turn has come.

        Raises
        ------
        ValueError
            A pixel of ``window`` came before.
        """
        grid = self._grid
        for r in range(window.row // grid.tile_height, -(-window.row_end // grid.tile_height)):
            for c in range(window.col // grid.tile_width, -(-window.col_end // grid.tile_width)):
                self._put(r * grid.cols + c, window, data)
        while self._next in self._complete:
            block = self._complete.pop(self._next)
            yield self._window(self._next), block
            self._next += 1

    def _window(self, i: int) -> Window:
        return self._grid.window(*divmod(i, self._grid.cols))

    def _put(self, i: int, window: Window, data: NDArray[Any]) -> None:
        block = self._window(i)
        row, col = max(block.row, window.row), max(block.col, window.col)
        shared = Window(
            row,
            col,
            min(block.row_end, window.row_end) - row,
            min(block.col_end, window.col_end) - col,
        )
        if i < self._next or i in self._complete:
            raise ValueError(f"{shared} was written before.")
        if i not in self._open:
            self._open[i] = (
                np.empty((self._count, block.height, block.width), self._dtype),
                np.zeros((block.height, block.width), np.bool_),
            )
        values, present = self._open[i]
        here = shared.inside(block)
        if present[here].any():
            raise ValueError(f"{shared} was written before.")
        rows, cols = shared.inside(window)
        values[:, here[0], here[1]] = data[:, rows, cols]
        present[here] = True
        if present.all():
            self._complete[i] = self._open.pop(i)[0]

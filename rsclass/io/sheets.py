"""Bands of one file, read and laid under the grid of a stack."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import split
from rsclass.core.types import Mask, Window
from rsclass.errors import DataError, UnreadableRasterError
from rsclass.io.grids import Placement
from rsclass.io.handles import Handles, is_remote, reading_env, sentence
from rsclass.io.names import shown_name
from rsclass.io.rasters import Layer, RasterFile
from rsclass.io.validity import NodataRule, check_magnitude, valid_pixels

# Of the file: a coarse resolution must not take more memory than a fine one.
_PIXELS_AT_ONCE = 2**20
# Seconds before each further try to read a remote file.
_REMOTE_PAUSES = (0.1, 0.5)

Pixels = tuple[NDArray[Any], Mask]


def reading_dtype(dtype: str, name: str) -> np.dtype[Any]:
    """The type in which a stored type is read.

    Raises
    ------
    DataError
        It is complex.
    """
    if dtype.startswith("complex"):
        raise DataError(
            f"{name} holds complex numbers ({dtype}); write their modulus or angle as a real band "
            "first."
        )
    small = {"float16": "float32", "int8": "int16", "bool": "uint8"}
    return np.dtype(small.get(dtype, dtype))


@dataclass(frozen=True, slots=True)
class BadBlock:
    """A stored block that could not be decoded: the file and the block in the file's pixels."""

    file: str
    window: Window


@dataclass(frozen=True, slots=True)
class Sheet:
    """Bands of one type of one file, as they lie under the grid of a stack.

    Parameters
    ----------
    file : RasterFile
    layers : tuple of Layer
    positions : tuple of int
        Of the layers among the bands of the stack.
    dtype : dtype
        In which they are read.
    rules : tuple of NodataRule
    placement : Placement
    """

    file: RasterFile
    layers: tuple[Layer, ...]
    positions: tuple[int, ...]
    dtype: np.dtype[Any]
    rules: tuple[NodataRule, ...]
    placement: Placement

    def read(self, window: Window, handles: Handles, bad: set[BadBlock] | None) -> Pixels:
        """Values (bands, height, width) and validity of a window of the stack.

        Blocks that cannot be decoded are invalid and added to ``bad``; None: they raise.
        """
        down, across = self.placement.scale
        side = max(math.isqrt(int(_PIXELS_AT_ONCE / (down * across))), 1)
        if down * across <= 1 or max(window.height, window.width) <= side:
            return self._laid(window, handles, bad)
        values = np.empty((len(self.layers), window.height, window.width), dtype=self.dtype)
        valid: Mask = np.empty((window.height, window.width), dtype=np.bool_)
        for part in split(window, side):
            rows, cols = part.inside(window)
            values[:, rows, cols], valid[rows, cols] = self._laid(part, handles, bad)
        return values, valid

    def _laid(self, window: Window, handles: Handles, bad: set[BadBlock] | None) -> Pixels:
        if self.placement.factor is None:
            return self._nearest(window, handles, bad)
        down, across = self.placement.factor
        source = Window(
            window.row * down + round(self.placement.shift[0]),
            window.col * across + round(self.placement.shift[1]),
            window.height * down,
            window.width * across,
        )
        values, valid = self._padded(source, handles, bad)
        if (down, across) == (1, 1):
            return values, valid
        cells = (window.height, down, window.width, across)
        means = values.reshape(len(values), *cells).mean(axis=(2, 4), dtype=np.float64)
        if self.dtype.kind != "f":
            means = np.rint(means)
        whole: Mask = np.asarray(valid.reshape(cells).all(axis=(1, 3)))
        return means.astype(self.dtype), whole

    def _nearest(self, window: Window, handles: Handles, bad: set[BadBlock] | None) -> Pixels:
        rows = self.placement.rows(window.row, window.height)
        cols = self.placement.cols(window.col, window.width)
        source = Window(
            int(rows[0]), int(cols[0]), int(rows[-1] - rows[0]) + 1, int(cols[-1] - cols[0]) + 1
        )
        values, valid = self._padded(source, handles, bad)
        take = np.ix_(rows - rows[0], cols - cols[0])
        return values[:, take[0], take[1]], valid[take]

    def _padded(self, window: Window, handles: Handles, bad: set[BadBlock] | None) -> Pixels:
        """The file's own pixels; invalid where ``window`` passes its edges."""
        row, col = max(window.row, 0), max(window.col, 0)
        row_end = min(window.row_end, self.file.height)
        col_end = min(window.col_end, self.file.width)
        part = Window(row, col, max(row_end - row, 0), max(col_end - col, 0))
        if part == window:
            return self._stored(part, handles, bad)
        values = np.zeros((len(self.layers), window.height, window.width), dtype=self.dtype)
        valid: Mask = np.zeros((window.height, window.width), dtype=np.bool_)
        if part.pixels:
            rows, cols = part.inside(window)
            values[:, rows, cols], valid[rows, cols] = self._stored(part, handles, bad)
        return values, valid

    def _stored(self, window: Window, handles: Handles, bad: set[BadBlock] | None) -> Pixels:
        try:
            return self._decoded(window, handles)
        except UnreadableRasterError:
            if bad is None:
                raise
        values = np.zeros((len(self.layers), window.height, window.width), dtype=self.dtype)
        valid: Mask = np.zeros((window.height, window.width), dtype=np.bool_)
        for block in self._blocks(window):
            rows, cols = block.inside(window)
            try:
                values[:, rows, cols], valid[rows, cols] = self._decoded(block, handles)
            except UnreadableRasterError:
                bad.add(BadBlock(self.file.name, self._whole_block(block)))
        return values, valid

    def _blocks(self, window: Window) -> Iterator[Window]:
        high, wide = self.file.block
        for top in range(window.row // high * high, window.row_end, high):
            for left in range(window.col // wide * wide, window.col_end, wide):
                row, col = max(top, window.row), max(left, window.col)
                yield Window(
                    row,
                    col,
                    min(top + high, window.row_end) - row,
                    min(left + wide, window.col_end) - col,
                )

    def _whole_block(self, part: Window) -> Window:
        high, wide = self.file.block
        row, col = part.row // high * high, part.col // wide * wide
        return Window(row, col, min(high, self.file.height - row), min(wide, self.file.width - col))

    def _decoded(self, window: Window, handles: Handles) -> Pixels:
        pauses = _REMOTE_PAUSES if is_remote(self.file.name) else ()
        for pause in pauses:
            try:
                return self._decoded_once(window, handles)
            except UnreadableRasterError:
                time.sleep(pause)
                # GDAL keeps a body that was cut off; only a handle opened past it reads anew.
                handles.renew(self.file.name)
        return self._decoded_once(window, handles)

    def _decoded_once(self, window: Window, handles: Handles) -> Pixels:
        span = ((window.row, window.row_end), (window.col, window.col_end))
        try:
            with reading_env():
                dataset = handles.get(self.file.name)
                numbers = [layer.number for layer in self.layers]
                values = dataset.read(numbers, window=span, out_dtype=self.dtype)
                masks = [
                    dataset.read_masks(number, window=span) for number in self._mask_numbers()
                ] + [dataset.read(number, window=span) for number in self.file.alpha]
        except UnreadableRasterError:
            raise
        except Exception as error:  # GDAL raises more than rasterio's own classes
            raise self._unreadable(window, sentence(error)) from error
        if values.shape != (len(self.layers), window.height, window.width):
            raise self._unreadable(window, f"a block of shape {values.shape} came back.")
        valid = valid_pixels(values, self.rules, masks)
        check_magnitude(values, valid, self.file.name)
        return values, valid

    def _mask_numbers(self) -> list[int]:
        numbers = [layer.number for layer in self.layers if layer.has_mask]
        return numbers[:1] if self.file.shared_mask else numbers

    def _unreadable(self, window: Window, reason: str) -> UnreadableRasterError:
        return UnreadableRasterError(
            f"{shown_name(self.file.name)} cannot be decoded in {window} ({reason.rstrip('.')}); "
            "get a sound copy, or pass --on-bad-tile nodata to leave such blocks out.",
            path=self.file.name,
            window=tuple(window),
        )

"""A sieve over a class map that may be larger than memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid
from rsclass.core.seams import OpenPatches
from rsclass.core.sieve import Finding, Sieve, Sieving
from rsclass.core.types import Window
from rsclass.run.memory import require
from rsclass.run.ordered import ordered_map
from rsclass.run.pools import open_pool
from rsclass.run.settings import Running

__all__ = ["BYTES_PER_PIXEL", "find_masters", "sieve_block"]

Read = Callable[[Window], NDArray[np.uint16]]
"""The values of a window; called from several threads."""

BYTES_PER_PIXEL = 64.0
"""Working memory of a tile: labels, their sets, and who lies beside whom in a noisy map."""

_SIDE = 512
_OPEN_PER_PIXEL = 0.25  # patches for each pixel along the tiles' sides, in a noisy map
_BYTES_PER_OPEN = 120
_KEPT = 128 * 2**20
"""What libraries keep after the first pass, which the plan of the last one counts as used."""


def sieve_block(height: int, width: int, running: Running) -> int:
    """Side of the tiles: small enough for the workers, large enough for few open patches.

    Raises
    ------
    MemoryLimitError
        No size is both.
    """

    def needed(side: int) -> int:
        return _tile_bytes(side) * running.workers + _open_bytes(height, width, side)

    side = max(math.ceil(running.tile / _SIDE), 1) * _SIDE
    if needed(side) > running.max_mem / 2:
        side = min((_SIDE * 2**i for i in range(8)), key=needed)
    require(
        running,
        _KEPT + _tile_bytes(side) + _open_bytes(height, width, side),
        "raise it, or cut the map into parts",
    )
    return side


def _tile_bytes(side: int) -> int:
    return int(side**2 * BYTES_PER_PIXEL)


def _open_bytes(height: int, width: int, side: int) -> int:
    along = (math.ceil(height / side) - 1) * width + (math.ceil(width / side) - 1) * height
    return int(2 * along * _OPEN_PER_PIXEL * _BYTES_PER_OPEN)


def find_masters(
    rule: Sieve,
    grid: TileGrid,
    weights: NDArray[np.int64],
    read: Read,
    running: Running,
) -> Sieving:
    """Look at all tiles, some of them again, until every patch knows where it goes.

    Parameters
    ----------
    rule : Sieve
    grid : TileGrid
    weights : int64 array (height,)
        What a pixel of each row counts.
    read : callable
    running : Running

    Returns
    -------
    Sieving
        Ready to solve each tile for its new values.
    """
    sieving = Sieving(rule, grid, weights)
    ahead = 2 * running.workers
    with open_pool(running) as executor:

        def every(function: Callable[..., Any], items: Iterable[Any]) -> Iterable[Any]:
            tasks = list(items)
            for done, result in enumerate(ordered_map(executor, function, tasks, ahead), 1):
                yield result
                if running.progress is not None:
                    running.progress(done, len(tasks), "following patches")

        for survey in every(partial(_survey, sieving, read), list(grid)):
            sieving.add(survey)
        sieving.join()
        while sieving.pending:
            tiles = sieving.pending
            found = every(partial(_finding, sieving, read), tiles)
            sieving.spread(dict(zip(tiles, found, strict=True)))
    return sieving


def _survey(sieving: Sieving, read: Read, window: Window) -> OpenPatches:
    return sieving.survey(window, read(window))


def _finding(sieving: Sieving, read: Read, tile: int) -> Finding:
    window = sieving.grid.window(*divmod(tile, sieving.grid.cols))
    return sieving.solve(tile, read(window))[1]

"""How much of the memory limit is left, and how the work is cut to fit it."""

from __future__ import annotations

import ctypes
import math
from contextlib import suppress
from dataclasses import dataclass

import psutil

from rsclass.core import compiling
from rsclass.errors import MemoryLimitError
from rsclass.run.settings import Running

MIB = 2**20

RESERVE = 80 * MIB
"""Kept for the compressor and Python's own comings and goings."""

TO_COME = 96 * MIB
"""Taken by the first compiled loop, and by GDAL's cache while the first blocks are read."""


def resident(limit: int = 0) -> int:
    """Bytes that this process occupies, and those that it soon will without further ado.

    Where they are more than a small part of ``limit``, freed memory is handed back first.
    """
    to_come = RESERVE + (0 if compiling.loaded() else TO_COME)
    if _occupied() + to_come > limit // 4:
        _return_freed()
    return _occupied() + to_come


def _occupied() -> int:
    return int(psutil.Process().memory_info().rss)


@dataclass(frozen=True, slots=True)
class WorkPlan:
    """How a pass over the scene is cut.

    Parameters
    ----------
    tile_height, tile_width : int
        Pixels of one unit of work; multiples of ``side``, or the whole width.
    ahead : int
        Units under way at once.
    unit_bytes : int
        Memory of one unit.
    spare_bytes : int
        What is left of the limit: room for decoded blocks.
    """

    tile_height: int
    tile_width: int
    ahead: int
    unit_bytes: int
    spare_bytes: int


def _return_freed() -> None:
    """Hand memory that was freed back to the system, where the C library keeps it (glibc)."""
    with suppress(OSError, TypeError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def require(running: Running, needed: int, advice: str) -> None:
    """Make sure that ``needed`` bytes more fit the memory limit.

    Raises
    ------
    MemoryLimitError
        They do not; ``advice`` says what would help.
    """
    whole = resident(running.max_mem) + needed
    if whole > running.max_mem:
        raise MemoryLimitError(
            f"this work needs at least {math.ceil(whole / MIB)} MiB, but --max-mem allows "
            f"{running.max_mem // MIB} MiB; {advice}.",
            needed=whole,
        )


def plan_work(
    running: Running,
    *,
    height: int,
    width: int,
    side: int,
    bytes_per_pixel: float,
    fixed_bytes: int = 0,
    striped: bool = False,
    stored: tuple[int, int] = (1, 1),
    low: bool = False,
) -> WorkPlan:
    """Cut a scene into units that fit the memory limit.

    Parameters
    ----------
    side : int
        Units are multiples of this, so that sums are formed over the same blocks in every plan.
    bytes_per_pixel : float
        Working memory for one pixel of a unit, everything counted.
    fixed_bytes : int
        Memory that the work holds besides its units.
    striped : bool
        Rows are stored whole: units as wide as the scene decode each strip once.
    stored : (int, int)
        Height and width of the blocks in which the scene is stored; units are no smaller, so that
        each is decoded once.
    low : bool
        Units are one block high, so that rows of the output are complete as early as can be.

    Raises
    ------
    MemoryLimitError
        Not even one unit of ``side`` x ``side`` pixels fits.
    """
    free = running.max_mem - resident(running.max_mem) - fixed_bytes
    tile_height = tile_width = max(math.ceil(running.tile / side), 1) * side
    if striped or low:
        tile_height = side
    if striped:
        tile_width = width
    elif stored[0] < height or stored[1] < width:
        tile_height = max(tile_height, math.ceil(stored[0] / side) * side)
        tile_width = max(tile_width, math.ceil(stored[1] / side) * side)
    tile_height = min(tile_height, math.ceil(height / side) * side)
    workers = running.workers

    def unit_bytes() -> int:
        return int(min(tile_height, height) * min(tile_width, width) * bytes_per_pixel)

    while unit_bytes() * workers > free and (tile_height > side or tile_width > side):
        if tile_width > side and (tile_width >= tile_height or tile_height == side):
            tile_width = max(math.ceil(tile_width / 2 / side), 1) * side
        else:
            tile_height = max(math.ceil(tile_height / 2 / side), 1) * side
    require(running, fixed_bytes + unit_bytes(), "raise it or use fewer bands")
    ahead = max(1, min(2 * workers, free // max(unit_bytes(), 1)))
    spare = free - ahead * unit_bytes()
    return WorkPlan(tile_height, tile_width, ahead, unit_bytes(), int(spare))

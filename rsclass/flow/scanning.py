"""A look at every pixel of maps that share a grid, tile by tile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid, canonical_side
from rsclass.core.ground import Ground
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError
from rsclass.io.class_map import ClassMap
from rsclass.io.nearest import NearestMap
from rsclass.io.overlap import Placed, overlap
from rsclass.run.memory import plan_work
from rsclass.run.ordered import ordered_map
from rsclass.run.pools import open_pool
from rsclass.run.settings import Running

__all__ = [
    "ClassSizes",
    "LaidOver",
    "Readable",
    "class_sizes",
    "laid_over",
    "positions",
    "refuse_unknown",
    "scan",
]

R = TypeVar("R")
_BYTES_PER_PIXEL = 96.0  # measured: 83 to draw places, 59 to compare, 19 to count


class Readable(Protocol):
    """What has values in the windows of a map; 0 is no class."""

    def read(self, window: Window) -> Labels: ...  # noqa: D102


@dataclass(frozen=True)
class LaidOver:
    """A map read by the windows of another one on the same grid; 0 where it does not reach.

    Parameters
    ----------
    class_map : ClassMap
    common, own : Window
        The part that both have, in the pixels of the other map and in its own.
    """

    class_map: ClassMap
    common: Window
    own: Window

    @classmethod
    def on(cls, first: Placed, other: ClassMap) -> LaidOver:
        """Lay ``other`` over ``first``.

        Raises
        ------
        DataError
            Their pixels do not coincide, or they lie apart.
        """
        return cls(other, *overlap(first, other))

    def read(self, window: Window) -> Labels:
        """The values (height, width) of a window of the other map."""
        out: Labels = np.zeros((window.height, window.width), dtype=np.int32)
        row, col = max(window.row, self.common.row), max(window.col, self.common.col)
        height = min(window.row_end, self.common.row_end) - row
        width = min(window.col_end, self.common.col_end) - col
        if height > 0 and width > 0:
            shared = Window(row, col, height, width)
            down, right = self.own.row - self.common.row, self.own.col - self.common.col
            out[shared.inside(window)] = self.class_map.read(
                Window(row + down, col + right, height, width)
            )
        return out


def laid_over(first: Placed, other: ClassMap) -> tuple[LaidOver | NearestMap, list[str]]:
    """``other`` on the pixels of ``first``, and what is to be said if it has others of its own.

    Raises
    ------
    DataError
        The grids differ, and one of the maps does not tell where it lies.
    """
    try:
        return LaidOver.on(first, other), []
    except DataError:
        nearest = NearestMap(other, first.georef)
    note = (
        f"{other.name} lies on another grid than {first.name}; each pixel of the map is compared "
        "with the reference pixel below its center (nearest neighbor)."
    )
    return nearest, [note]


def scan(
    first: ClassMap,
    others: Sequence[Readable],
    work: Callable[..., R],
    running: Running,
    message: str,
    *,
    bytes_per_pixel: float = _BYTES_PER_PIXEL,
) -> Iterator[R]:
    """``work(window, values of the first map, values of the next, ...)`` of every tile, in order.

    Parameters
    ----------
    first : ClassMap
        Its values are an int32 array (height, width), 0 is no class; so are the others'.
    others : sequence of LaidOver, or of whatever else is read by the windows of the first
    work : callable
        Travels to the workers.
    message : str
        What progress is called.
    bytes_per_pixel : float
        Memory that reading and ``work`` take together.
    """
    plan = plan_work(
        running,
        height=first.height,
        width=first.width,
        side=canonical_side(4),
        bytes_per_pixel=bytes_per_pixel,
        striped=first.source.striped,
    )
    grid = TileGrid(first.height, first.width, plan.tile_height, plan.tile_width)
    task = _Task((first, *others), work)
    with open_pool(running) as executor:
        for done, result in enumerate(ordered_map(executor, task, grid, plan.ahead), 1):
            yield result
            if running.progress is not None:
                running.progress(done, len(grid), message)


@dataclass(frozen=True)
class _Task:
    maps: tuple[Readable, ...]
    work: Callable[..., Any]

    def __call__(self, window: Window) -> Any:
        return self.work(window, *(m.read(window) for m in self.maps))


def positions(values: Sequence[int]) -> Labels:
    """A table from each value that a map can hold to its position in ``values``; -1 for others."""
    table: Labels = np.full(2**16, -1, dtype=np.int32)
    table[list(values)] = np.arange(len(values))
    return table


@dataclass(frozen=True)
class ClassSizes:
    """How large the classes of a map are.

    Parameters
    ----------
    pixels, weights : int64 arrays (classes,)
        Weights as those of :class:`rsclass.core.ground.Ground`.
    ground : Ground
    """

    pixels: NDArray[np.int64]
    weights: NDArray[np.int64]
    ground: Ground

    def hectares(self, weight: float) -> float:
        """Of a weight; NaN where the ground is not known."""
        unit = self.ground.hectares(1)
        return float("nan") if unit is None else float(weight) * unit


def class_sizes(class_map: ClassMap, running: Running) -> ClassSizes:
    """Count every pixel of a map, at full resolution and in 64 bits."""
    ground = class_map.ground
    count = _Count(class_map, positions(class_map.legend.values), ground)
    total = np.zeros((2, len(class_map.legend)), dtype=np.int64)
    for part in scan(class_map, [], count, running, "counting"):
        total += part
    return ClassSizes(total[0], total[1], ground)


@dataclass(frozen=True)
class _Count:
    class_map: ClassMap
    position: Labels
    ground: Ground

    def __call__(self, window: Window, values: Labels) -> NDArray[np.int64]:
        at = self.position[values]
        refuse_unknown(self.class_map, values, at)
        n = len(self.class_map.legend)
        if self.ground.even:
            pixels = np.bincount(at[at >= 0], minlength=n)
            return np.stack([pixels, pixels])
        total = np.zeros((2, n), dtype=np.int64)
        for row, weight in zip(at, self.ground.weights[window.row :].tolist(), strict=False):
            pixels = np.bincount(row[row >= 0], minlength=n)
            total += np.stack([pixels, pixels * weight])
        return total


def refuse_unknown(class_map: ClassMap, values: Labels, at: Labels) -> None:
    """Make sure that every value other than 0 has a position.

    Raises
    ------
    DataError
        The map holds values that its legend lacks.
    """
    strange = np.unique(values[(at < 0) & (values != 0)])
    if len(strange):
        raise DataError(
            f"{class_map.path} holds values that its legend lacks, such as {strange[0]}; it was "
            "changed since it was made. Remove the legend files beside it, or make it again.",
            values=strange.tolist(),
        )

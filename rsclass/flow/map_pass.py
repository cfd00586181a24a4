"""One pass over a class map that changes and counts its pixels, block by block."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid, canonical_side
from rsclass.core.ground import Ground
from rsclass.core.legend import Legend
from rsclass.core.transitions import Transitions
from rsclass.core.types import Float, Labels, Window
from rsclass.errors import DataError
from rsclass.io.class_map import ClassMap
from rsclass.io.sink import class_dtype
from rsclass.run.memory import plan_work
from rsclass.run.ordered import ordered_map
from rsclass.run.pools import open_pool
from rsclass.run.settings import Running

__all__ = ["Around", "Change", "change_map"]


@dataclass(frozen=True)
class Around:
    """A part of a class map and what surrounds it.

    Parameters
    ----------
    values : int32 array (height, width)
        Values of ``window``; 0 is no class.
    window : Window
        ``core`` and the halo around it, cut at the map's edges.
    core : Window
        The part to be answered for.
    """

    values: Labels
    window: Window
    core: Window

    def cut(self, values: NDArray[Any]) -> NDArray[Any]:
        """The part of an array laid over ``window`` that covers ``core``."""
        return values[self.core.inside(self.window)]


Change = Callable[[Around], Labels]
"""From a part of a map to the new values (height, width) of its core, as int32."""


@dataclass(frozen=True)
class _Piece:
    """What a worker found in one window."""

    window: Window
    values: NDArray[Any]
    moves: Transitions
    weights: NDArray[np.int64]


@dataclass(frozen=True)
class _Worker:
    """Reads, changes and counts windows; travels to the workers."""

    class_map: ClassMap
    change: Change
    values: tuple[int, ...]
    halo: int
    ground: Ground

    def __call__(self, core: Window) -> _Piece:
        class_map = self.class_map
        window = core.grow(self.halo, class_map.height, class_map.width)
        around = Around(class_map.read(window), window, core)
        before = around.cut(around.values)
        after = self.change(around)
        if after.shape != before.shape:
            raise ValueError(f"{core} was answered with an array {after.shape}")
        moves = Transitions.of(before, after)
        self._check(moves)
        dtype = class_dtype(max(self.values))
        return _Piece(core, after.astype(dtype), moves, self._weights(moves, after, core))

    def _check(self, moves: Transitions) -> None:
        unknown = sorted({*moves.before.tolist()} - {0, *self.class_map.legend.values})
        if unknown:
            raise DataError(
                f"{self.class_map.path} holds the values {', '.join(map(str, unknown))}, which its "
                "legend does not have; it was changed since it was made. Remove the legend files "
                "beside it, or make it again.",
                values=unknown,
            )
        strange = sorted({*moves.after.tolist()} - {0, *self.values})
        if strange:
            raise ValueError(f"the new values {strange} are not in the new legend")

    def _weights(self, moves: Transitions, after: Labels, core: Window) -> NDArray[np.int64]:
        """What the pixels of each new class weigh on the ground."""
        if self.ground.even:
            return moves.counts_after(self.values)
        rows = self.ground.weights[core.row : core.row_end, None]
        # Sums of whole numbers below 2**53, which float64 holds exactly.
        total = np.bincount(after.ravel(), np.broadcast_to(rows, after.shape).ravel())
        whole = np.zeros(max(self.values) + 1, dtype=np.int64)
        whole[: len(total)] = total
        return whole[list(self.values)]


def change_map(
    class_map: ClassMap,
    change: Change,
    legend: Legend,
    write: Callable[[Window, NDArray[Any]], None],
    *,
    halo: int,
    block: int,
    bytes_per_pixel: float,
    running: Running,
    message: str,
) -> tuple[Transitions, Float]:
    """Give every pixel of a map its new value; ``write`` is called from this thread, row by row.

    Parameters are those of :func:`rsclass.flow.derive.derive_map`.

    Returns
    -------
    Transitions
        Pixels by value before and after.
    float64 array (classes,)
        Hectares of every class of ``legend``; NaN where unknown.
    """
    side = canonical_side(class_map.dtype.itemsize)
    unit = math.lcm(side, block)
    around = ((unit + 2 * halo) / unit) ** 2
    item = class_map.dtype.itemsize
    plan = plan_work(
        running,
        height=class_map.height,
        width=class_map.width,
        side=unit,
        # Stored values, their validity, values before and after, keys of both for the counts, and
        # weights where pixels differ in size.
        bytes_per_pixel=around * (2 * item + 6 + bytes_per_pixel)
        + (24 if class_map.ground.even else 40),
        # Rows of blocks wait in the sink until they are complete.
        fixed_bytes=2 * unit * class_map.width,
        striped=class_map.source.striped and halo == 0,
        low=True,
    )
    grid = TileGrid(class_map.height, class_map.width, plan.tile_height, plan.tile_width)
    worker = _Worker(class_map, change, legend.values, halo, class_map.ground)
    nothing = np.zeros(0, dtype=np.int64)
    moves = Transitions(nothing, nothing, nothing)
    weights = np.zeros(len(legend), dtype=np.int64)
    with open_pool(running) as executor:
        for done, piece in enumerate(ordered_map(executor, worker, grid, plan.ahead), 1):
            write(piece.window, piece.values)
            moves += piece.moves
            weights += piece.weights
            if running.progress is not None:
                running.progress(done, len(grid), message)
    return moves, class_map.ground.of_weights(weights)

"""The pixels of a map that a reference sample can be drawn from, by stratum."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rsclass.core.design import WHOLE, Stratum
from rsclass.core.legend import Legend
from rsclass.core.planning import allocate, units_for_error
from rsclass.core.selection import Places, SmallestKeys, SystematicGrid, thin
from rsclass.core.types import Float, Labels, Window
from rsclass.errors import UsageError
from rsclass.flow.scanning import LaidOver, class_sizes, positions, refuse_unknown, scan
from rsclass.io.class_map import ClassMap
from rsclass.io.metric import in_meters
from rsclass.run.settings import Running

__all__ = ["Frame"]

_MORE_CANDIDATES = 8
_MOST_CANDIDATES = 2_000_000


class Frame:
    """The pixels that can be drawn.

    Parameters
    ----------
    class_map : ClassMap
    layers : list of LaidOver
        A raster of strata, or nothing.
    design : str
        A key of :data:`rsclass.core.design.DESIGNS`.
    running : Running
    """

    def __init__(
        self, class_map: ClassMap, layers: list[LaidOver], design: str, running: Running
    ) -> None:
        self.class_map, self.layers, self.running = class_map, layers, running
        self.legend: Legend | None = None
        if design == "stratified":
            self.legend = layers[0].class_map.legend if layers else class_map.legend
        self.work = _Strata(
            class_map,
            positions(class_map.legend.values),
            None if self.legend is None else positions(self.legend.values),
        )
        self.grid = design == "systematic"
        self.sizes = self._sizes()

    def _sizes(self) -> NDArray[np.int64]:
        """Pixels of each stratum."""
        if not self.layers:
            pixels = class_sizes(self.class_map, self.running).pixels
            return pixels if self.legend is not None else pixels.sum(keepdims=True)
        count = partial(_count_strata, self.work, len(self.names()))
        return sum(
            scan(self.class_map, self.layers, count, self.running, "counting"),
            np.zeros(len(self.names()), dtype=np.int64),
        )

    def names(self) -> tuple[str, ...]:
        """Of the strata."""
        return (WHOLE,) if self.legend is None else self.legend.names

    def strata(self, drawn: NDArray[np.int64]) -> tuple[Stratum, ...]:
        """The strata with what was drawn of each."""
        values = (0,) if self.legend is None else self.legend.values
        rows = zip(values, self.names(), self.sizes, drawn, strict=True)
        return tuple(Stratum(v, name, int(size), int(units)) for v, name, size, units in rows)

    def wanted(
        self, allocation: str, n: int | None, standard_error: float, users: Float, least: int
    ) -> NDArray[np.int64]:
        """Units of each stratum."""
        if n is None:
            n = units_for_error(self.sizes, users, standard_error)
        if self.legend is None:
            return np.minimum(n, self.sizes)
        return allocate(n, self.sizes, allocation, users=users, least=least)

    def draw(
        self, wanted: NDArray[np.int64], seed: int, min_distance: float
    ) -> tuple[Places, list[str]]:
        """The places, in random order, and what is to be said of them."""
        if min_distance:
            _meters(self.class_map, Places.none())  # before all is read
        if not min_distance or self.grid:
            places = self._drawn(wanted, seed)
            return self._apart(places, wanted, min_distance) if min_distance else (places, [])
        ahead = np.minimum(_MORE_CANDIDATES * wanted + 500, self.sizes)
        while True:
            candidates = self._drawn(np.where(wanted > 0, ahead, 0), seed)
            places, notes = self._apart(candidates, wanted, min_distance)
            found = np.bincount(places.strata, minlength=len(wanted))
            short = (found < wanted) & (ahead < self.sizes)
            ahead = np.where(short, np.minimum(_MORE_CANDIDATES * ahead, self.sizes), ahead)
            if not short.any() or ahead.sum() > _MOST_CANDIDATES:
                return places, notes

    def _drawn(self, wanted: NDArray[np.int64], seed: int) -> Places:
        drawing: SystematicGrid | SmallestKeys = SmallestKeys(wanted, seed)
        if self.grid:
            drawing = SystematicGrid(int(wanted.sum()), int(self.sizes.sum()), seed)
        task = partial(_candidates, self.work, drawing)
        for found in scan(self.class_map, self.layers, task, self.running, "drawing"):
            drawing.add(found)
        return drawing.places.in_random_order()

    def _apart(
        self, places: Places, wanted: NDArray[np.int64], distance: float
    ) -> tuple[Places, list[str]]:
        placed = _meters(self.class_map, places)
        most = np.full_like(wanted, len(places)) if self.grid else wanted
        kept = places.take(np.sort(thin(places, *placed, distance, most)))
        found = np.bincount(kept.strata, minlength=len(wanted))
        lacking = [
            f"{name} {have:,} of {need:,}"
            for name, have, need in zip(self.names(), found, wanted, strict=True)
            if have < need
        ]
        notes = [
            f"points that keep {distance:g} m from each other are not quite a random sample; "
            "standard errors are given as if they were."
        ]
        if lacking and not self.grid:
            notes.append(f"fewer points fit at {distance:g} m: {'; '.join(lacking)}.")
        return kept.in_random_order(), notes


def _meters(class_map: ClassMap, places: Places) -> tuple[Float, Float]:
    placed = in_meters(class_map.georef, class_map.height, places.rows, places.cols)
    if placed is None:
        raise UsageError(
            f"--min-distance is in meters, and {class_map.name} does not tell how large its pixels "
            "are; assign its coordinate system."
        )
    return placed


@dataclass(frozen=True)
class _Strata:
    """Finds the stratum of every pixel of a tile; -1 where the map has no class."""

    class_map: ClassMap
    classes: Labels
    strata: Labels | None

    def __call__(self, mapped: Labels, layers: tuple[Labels, ...]) -> Labels:
        at = self.classes[mapped]
        refuse_unknown(self.class_map, mapped, at)
        if self.strata is None:
            return np.minimum(at, 0)
        if not layers:
            return at
        return np.where(at >= 0, self.strata[layers[0]], -1)


def _candidates(
    work: _Strata,
    drawing: SmallestKeys | SystematicGrid,
    window: Window,
    mapped: Labels,
    *layers: Labels,
) -> Places:
    return drawing.candidates(window, work(mapped, layers), mapped)


def _count_strata(
    work: _Strata, n: int, window: Window, mapped: Labels, *layers: Labels
) -> NDArray[np.int64]:
    at = work(mapped, layers)
    return np.bincount(at[at >= 0], minlength=n)

"""``rsclass sample``: reference places for a map, drawn by a design that its assessment knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.design import DESIGNS, WHOLE, Design, Stratum
from rsclass.core.legend import Legend
from rsclass.core.naming import ClassNames, told
from rsclass.core.planning import ALLOCATIONS, allocate, units_for_error
from rsclass.core.selection import Places, SmallestKeys, SystematicGrid, thin
from rsclass.core.types import Float, Labels, Window
from rsclass.errors import DataError, UsageError
from rsclass.flow.scanning import LaidOver, class_sizes, positions, refuse_unknown, scan
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.metric import in_meters
from rsclass.io.samples import write_sample
from rsclass.io.target import Target
from rsclass.report.texts import counted
from rsclass.run.settings import Running

__all__ = ["EXPECTED", "Sampled", "plan_sample"]

EXPECTED = 0.8
"""User's accuracy that is expected where nobody says more."""

_MORE_CANDIDATES = 8
_MOST_CANDIDATES = 2_000_000


@dataclass(frozen=True)
class Sampled:
    """A reference sample that was drawn and written.

    Attributes
    ----------
    path : Path
        A GeoPackage whose column ``reference`` waits to be filled.
    design : Design
    error : float
        Expected standard error of the overall accuracy.
    warnings : list of str
    """

    path: Path
    design: Design
    error: float
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "path": str(self.path),
            "files": {"sample": str(self.path)},
            "design": self.design.kind,
            "allocation": self.design.allocation or None,
            "units": self.design.units,
            "seed": self.design.seed,
            "min_distance": self.design.min_distance,
            "expected_standard_error": None if np.isnan(self.error) else self.error,
            "strata": [
                {
                    "value": stratum.value,
                    "name": stratum.name,
                    "pixels": stratum.pixels,
                    "units": stratum.units,
                }
                for stratum in self.design.strata
            ],
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        strata = self.design.strata
        lines = [f"{counted(self.design.units, 'point', 'points')}: {self.design.title}."]
        if self.design.strata_from:
            width = max(len(stratum.name) for stratum in strata)
            lines += [
                f"  {s.name:<{width}}  {s.units:>6,} of {counted(s.pixels, 'pixel', 'pixels')}"
                for s in strata
            ]
        if not np.isnan(self.error):
            lines.append(
                f"Expected standard error of the overall accuracy: {self.error:.4f}. Fill the "
                "column 'reference', then run 'rsclass assess'."
            )
        return "\n".join([*lines, f"  sample  {self.path}"])

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(s.name)}</td><td>{s.units:,}</td><td>{s.pixels:,}</td></tr>"
            for s in self.design.strata
        )
        return (
            f"<p>{escape(str(self.path))}</p><table><tr><th>stratum</th><th>units</th>"
            f"<th>pixels</th></tr>{rows}</table>"
        )


def plan_sample(
    class_map: str | Path,
    out: str | Path | None = None,
    *,
    design: str = "stratified",
    allocation: str = "proportional",
    n: int | None = None,
    standard_error: float = 0.02,
    expected: float | Mapping[str, float] = EXPECTED,
    least: int = 50,
    min_distance: float = 0.0,
    strata: str | Path | None = None,
    hide_class: bool = False,
    seed: int = 0,
    overwrite: bool = False,
    running: Running | None = None,
) -> Sampled:
    """Draw reference places over a whole map and write them as points to be labelled.

    Each place is a pixel; nodata is never drawn. A pixel is drawn or not by its row, its column
    and ``seed``, so that the sample does not depend on tiles or threads.

    Parameters
    ----------
    class_map : path
        Class map of any software.
    out : path, optional
        GeoPackage; ``<map>_sample.gpkg`` beside the map by default.
    design : {"stratified", "simple", "systematic"}
        Within each map class at random, over the whole map at random, or on a square grid of
        pixels with a random start.
    allocation : {"proportional", "equal", "neyman"}
        How units are shared out among strata: by size, the same for all, or by size and expected
        spread.
    n : int, optional
        Points; by default as many as ``standard_error`` needs.
    standard_error : float, default=0.02
        Wanted for the overall accuracy; see :func:`rsclass.core.planning.units_for_error`.
    expected : float or mapping of class to float, default=0.8
        User's accuracies to plan with.
    least : int, default=50
        Points of every stratum that has as many pixels.
    min_distance : float, default=0
        Least distance between points in meters; with it, fewer may fit than wanted.
    strata : path, optional
        Raster on the map's pixels whose values are the strata, instead of the map classes.
    hide_class : bool, default=False
        Leave the map class, stratum and weight out of the points, so that whoever labels them does
        not see what the map says.
    seed : int, default=0
    overwrite : bool, default=False
    running : Running, optional
        Memory and threads; never changes the sample.

    Returns
    -------
    Sampled

    Raises
    ------
    UsageError
        The design, the allocation or a number is impossible.
    DataError
        The map cannot be read as a class map, or holds fewer pixels than a sample needs.
    OutputError
        The output exists or cannot be written.
    """
    running = running or Running()
    _check(design, allocation, n, min_distance, strata)
    with open_class_map(class_map, report=running.progress) as opened:
        path = Path(out) if out is not None else _default(opened)
        others = [] if strata is None else [open_class_map(strata, report=running.progress)]
        inputs = [file for m in (opened, *others) for file in m.inputs]
        with Target(path, inputs, overwrite=overwrite, belongings=()) as target:
            layers = [LaidOver.on(opened, other) for other in others]
            frame = _Frame(opened, layers, design, running)
            users = _expected(expected, frame.names(), opened.legend)
            wanted = frame.wanted(allocation, n, standard_error, users, least)
            places, notes = frame.draw(wanted, seed, min_distance)
            if not len(places):
                raise DataError(
                    f"no point falls into {opened.name}; ask for more points or another seed."
                )
            drawn = np.bincount(places.strata, minlength=len(wanted))
            made = Design(
                design,
                frame.strata(drawn),
                opened.name,
                _strata_from(design, others),
                seed,
                min_distance,
                allocation if design == "stratified" else "",
            )
            names = opened.legend.names
            at = positions(opened.legend.values)[places.values]
            write_sample(
                target, places, made, opened.georef, [names[i] for i in at], blind=hide_class
            )
    notes += _few(made, n, design)
    return Sampled(target.path, made, _error(made, users), [*opened.warnings, *notes])


def _check(
    design: str, allocation: str, n: int | None, min_distance: float, strata: str | Path | None
) -> None:
    if design not in DESIGNS:
        raise UsageError(f"no design is named {design!r}; known are {', '.join(DESIGNS)}.")
    if allocation not in ALLOCATIONS:
        raise UsageError(
            f"no allocation is named {allocation!r}; known are {', '.join(ALLOCATIONS)}."
        )
    if n is not None and n < 1:
        raise UsageError(f"a sample of {n} points is none; ask for 1 or more.")
    if not min_distance >= 0:
        raise UsageError(f"a least distance of {min_distance:g} m is impossible; give 0 or more.")
    if strata is not None and design != "stratified":
        raise UsageError(f"a {design} sample has no strata; leave out --strata or --design.")


def _default(class_map: ClassMap) -> Path:
    return class_map.path.with_name(f"{class_map.path.stem}_sample.gpkg")


def _strata_from(design: str, others: list[ClassMap]) -> str:
    if design != "stratified":
        return ""
    return others[0].name if others else "map classes"


class _Frame:
    """The pixels that can be drawn, by stratum."""

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
        placed = in_meters(self.class_map.georef, self.class_map.height, places.rows, places.cols)
        if placed is None:
            raise UsageError(
                f"--min-distance is in meters, and {self.class_map.name} does not tell how large "
                "its pixels are; assign its coordinate system."
            )
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


def _expected(
    expected: float | Mapping[str, float], strata: tuple[str, ...], legend: Legend
) -> Float:
    """Expected accuracy in each stratum."""
    if not isinstance(expected, Mapping):
        return np.full(len(strata), float(expected))
    given = dict(expected)
    users = np.full(len(strata), float(given.pop("", EXPECTED)))
    if given and strata != legend.names:
        raise UsageError(
            "accuracies can be expected class by class where the strata are the map classes; "
            "give one for all, --expected 0.8."
        )
    names = ClassNames(legend)
    unknown = [label for label in given if names.find(label) is None]
    if unknown:
        raise UsageError(
            f"--expected names {told(unknown)}, which is no class of the map; its classes are "
            f"{names.described()}."
        )
    for label, value in given.items():
        users[names.find(label)] = float(value)
    return users


def _error(design: Design, users: Float) -> float:
    """Expected standard error of the overall accuracy; NaN where a stratum has no unit."""
    sizes = np.array([stratum.pixels for stratum in design.strata], dtype=np.float64)
    units = np.array([stratum.units for stratum in design.strata])
    present = sizes > 0
    if (units[present] == 0).any():
        return float("nan")
    weight = sizes[present] / sizes.sum()
    return float(np.sqrt((weight**2 * (users * (1 - users))[present] / units[present]).sum()))


def _few(design: Design, n: int | None, kind: str) -> list[str]:
    """What is to be said of the number of points."""
    notes = []
    if n is not None and design.units > n and kind == "stratified":
        notes.append(
            f"{design.units:,} points instead of {n:,}: every class gets its least number; lower "
            "--min-per-class for fewer."
        )
    single = [s.name for s in design.strata if s.pixels and s.units < 2]
    if single and kind == "stratified":
        notes.append(
            f"strata with fewer than two points have no standard error: {told(single)}; raise "
            "--min-per-class or -n."
        )
    return notes

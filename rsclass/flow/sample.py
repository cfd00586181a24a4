"""``rsclass sample``: reference places for a map, drawn by a design that its assessment knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from rsclass.core.design import DESIGNS, Design
from rsclass.core.legend import Legend
from rsclass.core.naming import ClassNames, told
from rsclass.core.planning import ALLOCATIONS
from rsclass.core.types import Float
from rsclass.errors import DataError, UsageError
from rsclass.flow.frame import Frame
from rsclass.flow.scanning import LaidOver, positions
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.samples import write_sample
from rsclass.io.target import Target
from rsclass.report.texts import counted
from rsclass.run.settings import Running

__all__ = ["EXPECTED", "Sampled", "plan_sample"]

EXPECTED = 0.8
"""User's accuracy that is expected where nobody says more."""


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
        path = _default(opened) if out is None else _geopackage(Path(out))
        others = [] if strata is None else [open_class_map(strata, report=running.progress)]
        inputs = [file for m in (opened, *others) for file in m.inputs]
        with Target(path, inputs, overwrite=overwrite, belongings=()) as target:
            layers = [LaidOver.on(opened, other) for other in others]
            frame = Frame(opened, layers, design, running)
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


def _geopackage(path: Path) -> Path:
    if path.suffix.lower() != ".gpkg":
        raise UsageError(f"a sample is written as a GeoPackage; name it {path.stem}.gpkg.")
    return path


def _strata_from(design: str, others: list[ClassMap]) -> str:
    if design != "stratified":
        return ""
    return others[0].name if others else "map classes"


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

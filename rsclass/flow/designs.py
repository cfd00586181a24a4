"""By which design a reference stands for the whole map, and what is estimated from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.confusion import Confusion
from rsclass.core.crosstab import Crosstab
from rsclass.core.design import DESIGNS, WHOLE
from rsclass.core.estimates import StratifiedSample
from rsclass.core.naming import ClassNames, told
from rsclass.core.types import Float
from rsclass.errors import DataError
from rsclass.flow.pairs import Pairs, Strata
from rsclass.flow.scanning import ClassSizes
from rsclass.io.class_map import ClassMap

__all__ = ["CENSUS", "UNKNOWN", "Basis", "Matched", "basis_of"]

UNKNOWN, CENSUS = "unknown", "census"
_MOST_CLASSES = 200
"""Beyond it, a table of strata, reference and map classes would take gigabytes."""


@dataclass(frozen=True)
class Matched:
    """Units whose labels are classes.

    Parameters
    ----------
    names : tuple of str
        Of the classes of map and reference.
    values : tuple of (int or None)
        Of these classes in the map.
    units : Crosstab
    reference, mapped : int64 arrays (combinations,)
        Positions in ``names`` of the labels and values of ``units``.
    pixels : int64 array (classes,)
        Of the whole map.
    """

    names: tuple[str, ...]
    values: tuple[int | None, ...]
    units: Crosstab
    reference: NDArray[np.int64]
    mapped: NDArray[np.int64]
    pixels: NDArray[np.int64]

    def matrix(self, parts: NDArray[np.int64]) -> Confusion:
        """Sums of what each combination holds, by reference class and map class."""
        n = len(self.names)
        total = np.zeros((n, n), dtype=np.int64)
        np.add.at(total, (self.reference, self.mapped), parts)
        return Confusion(total, self.names)


@dataclass(frozen=True)
class Basis:
    """What the figures of an assessment rest on.

    Parameters
    ----------
    kind : str
        A key of ``DESIGNS``, ``"census"`` or ``"unknown"``.
    source : {"recorded", "assumed", "complete", "none"}
        Who says so.
    told : str
        In words.
    sample : StratifiedSample or None
        None where nothing can be estimated, or need be.
    warnings : tuple of str
    """

    kind: str
    source: str
    told: str
    sample: StratifiedSample | None = None
    warnings: tuple[str, ...] = ()


def basis_of(
    class_map: ClassMap, pairs: Pairs, matched: Matched, sizes: ClassSizes, assumed: str | None
) -> Basis:
    """Find out by which design the units were drawn, and make a sample of them.

    Parameters
    ----------
    assumed : str or None
        The design that the user vouches for.

    Raises
    ------
    DataError
        A stratum has no known size.
    """
    if pairs.complete and assumed is None:
        return Basis(CENSUS, "complete", "every pixel of the map has a label: nothing is estimated")
    recorded = pairs.design
    kind = assumed or (recorded.kind if recorded else None)
    if kind is None and pairs.strata:
        kind = "stratified"
    if kind is None:
        return Basis(UNKNOWN, "none", "unknown", warnings=(_unknown(pairs),))
    if len(matched.names) > _MOST_CLASSES:
        return Basis(
            UNKNOWN,
            "none",
            "unknown",
            warnings=(
                f"standard errors are not computed for more than {_MOST_CLASSES} classes; merge "
                "classes first.",
            ),
        )
    source = "recorded" if recorded else "assumed"
    notes = _doubts(pairs, kind)
    sample, strata_told = _sample(class_map, pairs, matched, sizes, kind)
    notes += _about_strata(class_map, sample)
    return Basis(kind, source, f"{DESIGNS[kind]}{strata_told}, {source}", sample, tuple(notes))


def _sample(
    class_map: ClassMap, pairs: Pairs, matched: Matched, sizes: ClassSizes, kind: str
) -> tuple[StratifiedSample, str]:
    """The units by stratum, and what the strata are."""
    if kind != "stratified":
        whole = int(matched.pixels.sum())
        zeros = np.zeros(len(matched.reference), dtype=np.int64)
        return _stratified(matched, zeros, [whole], (WHOLE,), sizes), ""
    if not pairs.strata:
        return _by_map(matched, sizes), " within map classes"
    strata = _with_sizes(pairs.strata, class_map, matched)
    numbers = sorted(strata)
    at = np.searchsorted(numbers, matched.units.strata)
    if _are_map_classes(at, [strata[n][1] for n in numbers], matched):
        return _by_map(matched, sizes), " within map classes"
    names = tuple(strata[n][0] for n in numbers)
    pixels = [strata[n][1] for n in numbers]
    told_as = f" within {len(names)} strata that are not the map classes"
    return _stratified(matched, at, pixels, names, sizes), told_as


def _with_sizes(
    strata: Strata, class_map: ClassMap, matched: Matched
) -> dict[int, tuple[str, int]]:
    """Strata of known size; those named like map classes have the size of these."""
    classes = ClassNames(class_map.legend)
    of_value = {v: int(n) for v, n in zip(matched.values, matched.pixels, strict=True)}
    known: dict[int, tuple[str, int]] = {}
    lacking = []
    for number, (name, pixels) in strata.items():
        if pixels is None:
            at = classes.find(name)
            pixels = None if at is None else of_value.get(class_map.legend.values[at], 0)
        if pixels is None:
            lacking.append(name)
        else:
            known[number] = name, pixels
    if lacking:
        raise DataError(
            f"how large the strata {told(lacking)} are is not known, as they are no classes of "
            f"{class_map.name}; give them as a raster with --strata."
        )
    return known


def _are_map_classes(at: NDArray[np.integer], pixels: list[int], matched: Matched) -> bool:
    """Whether each stratum is one map class of the same size."""
    pairs = {*zip(at.tolist(), matched.mapped.tolist(), strict=True)}
    strata, classes = ({pair[i] for pair in pairs} for i in (0, 1))
    return len(pairs) == len(strata) == len(classes) and all(
        pixels[h] == matched.pixels[k] for h, k in pairs
    )


def _by_map(matched: Matched, sizes: ClassSizes) -> StratifiedSample:
    return _stratified(
        matched, matched.mapped, matched.pixels.tolist(), matched.names, sizes, by_map=True
    )


def _stratified(
    matched: Matched,
    stratum: NDArray[np.integer],
    pixels: list[int],
    names: tuple[str, ...],
    sizes: ClassSizes,
    *,
    by_map: bool = False,
) -> StratifiedSample:
    n = len(matched.names)
    place = stratum, matched.reference, matched.mapped
    units = matched.units

    def table(parts: NDArray[np.int64]) -> NDArray[np.int64]:
        total = np.zeros((len(names), n, n), dtype=np.int64)
        np.add.at(total, place, parts)
        return total

    areas: tuple[Float, Float] | None = None
    if not sizes.ground.even:
        mean = units.areas.sum() / units.total
        areas = table(units.areas) / mean, table(units.squares) / mean**2
    return StratifiedSample(
        table(units.units),
        np.array(pixels, dtype=np.int64),
        matched.names,
        names,
        # Olofsson et al. leave out the finite-population factor.
        finite=not by_map,
        by_map=by_map,
        areas=areas,
    )


def _unknown(pairs: Pairs) -> str:
    drawn = {
        "points": "points",
        "shapes": "pixels of polygons and lines",
        "raster": "labelled pixels",
        "table": "lines of the table",
    }[pairs.kind]
    return (
        f"how the {drawn} of {pairs.name} were drawn is not known: the accuracies describe these "
        "units alone, and neither intervals nor true areas can be given. If they are a random "
        "sample, say so with --assume-design simple or stratified."
    )


def _doubts(pairs: Pairs, kind: str) -> list[str]:
    notes = []
    recorded = pairs.design
    if pairs.kind == "shapes":
        notes.append(
            "pixels of one polygon are alike: taken for a random sample, as assumed, they make "
            "intervals too narrow."
        )
    if pairs.kind == "raster":
        notes.append(
            "neighboring pixels are alike: taken for a random sample, as assumed, they make "
            "intervals too narrow."
        )
    if kind == "systematic":
        notes.append(
            "standard errors of a systematic sample are those of a simple random one, which are "
            "usually somewhat too large."
        )
    if recorded is not None and recorded.min_distance:
        notes.append(
            f"points were kept {recorded.min_distance:g} m apart; standard errors are given as if "
            "they were not."
        )
    missing = pairs.skipped.get("without a label", 0)
    if recorded is not None and missing:
        notes.append(
            f"{missing:,} of {recorded.units:,} points have no label; the others stand for them, "
            "which is right only if labels are missing by chance."
        )
    return notes


def _about_strata(class_map: ClassMap, sample: StratifiedSample) -> list[str]:
    notes = []
    if sample.unsampled:
        left = int(sample.sizes[sample.units == 0].sum())
        notes.append(
            f"no unit of the reference lies in {told(sample.unsampled)}: {left:,} of "
            f"{int(sample.sizes.sum()):,} pixels of {class_map.name} are left out of all estimates."
        )
    if sample.single:
        notes.append(
            f"only one unit of the reference lies in {told(sample.single)}, which leaves standard "
            "errors that depend on it unknown."
        )
    return notes

"""Which classes of a map may well be one, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.separability import confusion_bounds
from rsclass.core.types import Float

__all__ = ["POOR", "SAME_HUE", "SEPARABLE", "SMALL", "Merger", "mergers"]

POOR = 1.0
"""Jeffries-Matusita distance (0 to 2) below which classes are better taken as one."""

SEPARABLE = 1.9
"""Jeffries-Matusita distance from which two classes count as told apart."""

SMALL = 0.01
"""Share of the classified pixels below which a class is small."""

SAME_HUE = 2.0
"""Spectral angle in degrees below which two spectra differ in brightness alone."""


@dataclass(frozen=True, slots=True)
class Merger:
    """Two classes that may be one.

    Parameters
    ----------
    one, other : int
        Places of the classes, the lower first.
    reasons : tuple of str
        Sentences.
    loss : float
        Part of the sum of squares between all classes that a merger gives up.
    """

    one: int
    other: int
    reasons: tuple[str, ...]
    loss: float


def mergers(
    names: Sequence[str],
    count: NDArray[np.int64],
    tables: Mapping[str, Float],
    losses: Float,
) -> list[Merger]:
    """Pairs of classes to merge, the least separable first.

    A pair is listed when its Jeffries-Matusita distance is poor, when both have spectra of one
    shape, or when one of them is small and the other is what it can least be told from.

    Parameters
    ----------
    names : sequence of str
        Of the classes.
    count : int64 array (classes,)
        Pixels.
    tables : mapping
        Of :class:`rsclass.core.separability.Separability`.
    losses : float64 array (classes, classes)
        Of :func:`rsclass.core.tree.merge_losses`.
    """
    jm, angle = tables["jm"], tables["angle"]
    share = count / max(int(count.sum()), 1)
    small = map(int, np.flatnonzero(share < SMALL))
    nearest = {i: _nearest(i, jm, tables["euclid"]) for i in small}
    found = []
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            reasons = [
                *_confused(float(tables["bhattacharyya"][i, j]), float(jm[i, j])),
                *_alike(float(angle[i, j])),
                *(
                    f"{names[a]} covers but {share[a]:.2%} of the map, and of all classes "
                    f"{names[b]} is the nearest to it"
                    for a, b in ((i, j), (j, i))
                    if nearest.get(a) == b and not jm[a, b] >= SEPARABLE
                ),
            ]
            if reasons:
                found.append(Merger(i, j, tuple(reasons), float(losses[i, j])))
    # Where a distance is unknown, a class without spread, the pair comes last.
    return sorted(found, key=lambda m: (np.nan_to_num(jm[m.one, m.other], nan=9.0), m.loss))


def _confused(bhattacharyya: float, jm: float) -> list[str]:
    if not jm < POOR:
        return []
    low, high = confusion_bounds(bhattacharyya)
    return [
        f"their Jeffries-Matusita distance is {jm:.2f} of 2: were they equally frequent, even the "
        f"best classifier would confuse {low:.0%} to {high:.0%} of their pixels"
    ]


def _alike(angle: float) -> list[str]:
    if not angle < SAME_HUE:
        return []
    return [
        f"their spectra have the same shape ({angle:.1f} degrees apart) and differ in brightness, "
        "as one cover may in sun and shade"
    ]


def _nearest(i: int, jm: Float, euclid: Float) -> int | None:
    """The class that ``i`` can least be told from."""
    distance = jm[i] if np.isfinite(np.delete(jm[i], i)).any() else euclid[i]
    others = np.where(np.arange(len(distance)) == i, np.nan, distance)
    return int(np.nanargmin(others)) if np.isfinite(others).any() else None

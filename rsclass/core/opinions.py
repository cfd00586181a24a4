"""What a mean spectrum tells of the ground below: a cover, how surely, and on what evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rsclass.core.covers import COVERS, ROLES, index_values
from rsclass.core.types import Band, Float

__all__ = ["LEAST_CONFIDENCE", "Opinion", "Units", "opinions", "units_of"]

LEAST_CONFIDENCE = 0.5
"""Below it a cluster is called unknown."""

_ALIKE = 10.0
"""Spectral angle in degrees at which the likeness to a typical spectrum is 1 / e."""

_NOT_REFLECTANCE = 0.6
"""What is left of a confidence where values are numbers of a detector, with light of the air."""

BRIGHTNESS = "brightness"
_VISIBLE = ("blue", "green", "red")


@dataclass(frozen=True, slots=True)
class _Rule:
    """How well a value fits: 0 at ``zero``, 1 at ``one``, straight between and level beyond."""

    name: str
    zero: float
    one: float

    def fit(self, value: float) -> float:
        return float(np.clip((value - self.zero) / (self.one - self.zero), 0.0, 1.0))

    def __str__(self) -> str:
        return f"{self.name} {'above' if self.one > self.zero else 'below'} {self.one:g}"


# What each cover is known by; of these the worst fit counts. The first is indispensable.
_RULES: dict[str, tuple[_Rule, ...]] = {
    "water": (
        _Rule("NDWI", -0.1, 0.15),
        _Rule("NDVI", 0.25, 0.05),
        _Rule("MNDWI", 0.05, 0.3),
        _Rule(BRIGHTNESS, 0.35, 0.2),
    ),
    "vegetation": (_Rule("NDVI", 0.3, 0.5), _Rule("NDWI", -0.2, -0.35)),
    "bare soil": (
        _Rule("NDBI", -0.1, 0.08),
        _Rule("NDVI", 0.4, 0.25),
        _Rule("MNDWI", -0.1, -0.3),
        _Rule("redness", 0.1, 0.22),
    ),
    "built-up": (
        _Rule("NDBI", -0.25, -0.08),
        _Rule("NDVI", 0.4, 0.25),
        _Rule("MNDWI", 0.1, -0.08),
        _Rule("redness", 0.35, 0.22),
    ),
    "snow": (
        _Rule("MNDWI", 0.3, 0.5),
        _Rule("NDVI", 0.2, 0.05),
        _Rule("NDWI", 0.4, 0.25),
        _Rule(BRIGHTNESS, 0.3, 0.5),
    ),
    "cloud": (
        _Rule(BRIGHTNESS, 0.2, 0.4),
        _Rule("NDVI", 0.3, 0.2),
        _Rule("MNDWI", 0.5, 0.35),
        _Rule("redness", 0.2, 0.1),
    ),
}


@dataclass(frozen=True, slots=True)
class Units:
    """What the values of a scene are.

    Parameters
    ----------
    known : bool
        They are reflectances, 0 to 1.
    trust : float
        Share of the confidence that is left; 0 where indices mean nothing.
    note : str
        In a sentence.
    """

    known: bool
    trust: float
    note: str


def units_of(means: Float) -> Units:
    """Tell what the values of bands between 400 and 2500 nm are, from their range.

    Parameters
    ----------
    means : float64 array (classes, bands)
        Means of the classes, physical units as the file tells them; NaN where unknown.
    """
    known = means[np.isfinite(means)]
    if known.size == 0:
        return Units(False, 0.0, "no mean spectrum is known")
    low, high = float(known.min()), float(known.max())
    if low < -0.05 * high or high <= 0:
        return Units(False, 0.0, f"values from {low:.3g} to {high:.3g} are no reflectances")
    if high <= 1.6:
        return Units(True, 1.0, "values are reflectances")
    if high <= 255:
        return Units(
            False,
            _NOT_REFLECTANCE,
            f"values up to {high:.3g} are digital numbers and no reflectances, so that indices are "
            "off; confidences are lowered",
        )
    return Units(
        False,
        1.0,
        f"values up to {high:.4g} are taken as reflectances times an unknown factor; brightness "
        "is not judged",
    )


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a mean spectrum looks like.

    Parameters
    ----------
    cover : str or None
        The likeliest of ``COVERS``; None where that is not clear enough.
    confidence : float
        Of the likeliest one, 0 to 1: its score, times its share of its own and the next score.
    scores : dict of str to float
        Of every cover that could be judged, the best first: the root of how well the indices fit
        times the likeness to the nearest typical spectrum.
    evidence : tuple of str
        Sentences without their points.
    """

    cover: str | None
    confidence: float
    scores: dict[str, float]
    evidence: tuple[str, ...]


def opinions(
    means: Float, bands: Sequence[Band], least: float = LEAST_CONFIDENCE
) -> tuple[list[Opinion], Units]:
    """Judge the mean spectrum of every class.

    Parameters
    ----------
    means : float64 array (classes, bands)
        Physical units; NaN for a class without pixels.
    bands : sequence of Band
        Their roles tell what is what.
    least : float
        Confidence below which a class stays unknown.

    Returns
    -------
    list of Opinion
        One for each class.
    Units
        What the values are.
    """
    place: dict[str, int] = {}
    for i, band in enumerate(bands):
        role = "nir" if band.role == "nir08" else band.role
        if role in ROLES and (role not in place or band.role == role):
            place[role] = i
    lacking = [role for role in ("red", "nir") if role not in place]
    if lacking:
        why = f"no band is known to be {' or '.join(lacking)}"
        units = Units(False, 0.0, f"{why}, so that spectra cannot be judged")
        return [Opinion(None, 0.0, {}, (why,)) for _ in means], units
    units = units_of(means[:, list(place.values())])
    found = []
    for mean in means:
        spectrum = {role: float(mean[i]) for role, i in place.items()}
        found.append(_opinion(spectrum, units, least))
    return found, units


def _opinion(spectrum: Mapping[str, float], units: Units, least: float) -> Opinion:
    if not all(map(math.isfinite, spectrum.values())):
        return Opinion(None, 0.0, {}, ("the class has no pixel",))
    if units.trust == 0:
        return Opinion(None, 0.0, {}, (units.note,))
    values = index_values(spectrum)
    if units.known and all(role in spectrum for role in _VISIBLE):
        values[BRIGHTNESS] = sum(spectrum[role] for role in _VISIBLE) / len(_VISIBLE)
    fits = {cover: fit for cover in COVERS if (fit := _fit(cover, values)) is not None}
    angles = {cover: _nearest(cover, spectrum) for cover in fits}
    likeness = {cover: math.exp(-((angle / _ALIKE) ** 2)) for cover, (angle, _) in angles.items()}
    scores = {cover: math.sqrt(fits[cover] * likeness[cover]) for cover in fits}
    scores = dict(sorted(scores.items(), key=lambda item: -item[1]))
    evidence = [", ".join(f"{name} {value:.2f}" for name, value in values.items())]
    if not scores:
        return Opinion(None, 0.0, {}, (*evidence, "no cover can be judged by these bands"))
    ranked = [*scores.items(), ("nothing else", 0.0)]
    (best, score), (second, next_score) = ranked[:2]
    confidence = units.trust * (score**2 / (score + next_score) if score else 0.0)
    by_angle = sorted(angles.items(), key=lambda item: item[1][0])[:2]
    evidence.append(
        "nearest typical spectra: "
        + ", ".join(f"{variety} ({angle:.1f} degrees)" for _, (angle, variety) in by_angle)
    )
    if score:
        rules = ", ".join(str(rule) for rule in _RULES[best] if rule.name in values)
        evidence.append(f"{best} asks for {rules}: fits to {fits[best]:.0%}")
        if next_score > 0:
            evidence.append(f"next {second}, {next_score:.2f} against {score:.2f}")
    return Opinion(best if confidence >= least else None, confidence, scores, tuple(evidence))


def _fit(cover: str, values: Mapping[str, float]) -> float | None:
    """The worst fit of the cover's rules; None where the indispensable one cannot be judged."""
    first, *others = _RULES[cover]
    if first.name not in values:
        return None
    return min(rule.fit(values[rule.name]) for rule in (first, *others) if rule.name in values)


def _nearest(cover: str, spectrum: Mapping[str, float]) -> tuple[float, str]:
    """Spectral angle in degrees to the nearest variety of a cover, and its name."""
    return min(
        (_angle(spectrum, dict(zip(ROLES, typical, strict=True))), variety)
        for variety, typical in COVERS[cover].spectra.items()
    )


def _angle(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    product = math.fsum(one[role] * other[role] for role in one)
    lengths = [
        math.sqrt(math.fsum(spectrum[role] ** 2 for role in one)) for spectrum in (one, other)
    ]
    cosine = product / (lengths[0] * lengths[1]) if all(lengths) else 0.0
    return math.degrees(math.acos(min(max(cosine, -1.0), 1.0)))

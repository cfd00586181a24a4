"""The accuracy of a map and the areas of its classes, with intervals where the sample allows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rsclass.core.confusion import Confusion, Kappa, known
from rsclass.core.estimates import Estimate, StratifiedSample
from rsclass.core.types import Float

__all__ = ["Accuracy", "ClassAccuracy", "Figure"]


class Figure(NamedTuple):
    """A number with its standard error and the ends of its interval; NaN where unknown."""

    value: float
    error: float = math.nan
    low: float = math.nan
    high: float = math.nan

    @property
    def margin(self) -> float:
        """Half the width of the interval before it was cut."""
        return max(self.high - self.value, self.value - self.low)

    def to_dict(self) -> dict[str, float | None]:
        """As JSON-able values; None where unknown."""
        return {key: known(number) for key, number in self._asdict().items()}


@dataclass(frozen=True)
class ClassAccuracy:
    """One class of the map and the reference.

    Parameters
    ----------
    name : str
    value : int or None
        In the map; None for a class that only the reference has.
    reference_units, map_units : int
        Units of the sample that are of the class in the reference, and in the map.
    users, producers : Figure
    f1, iou : float
    mapped_pixels : int
        Of the whole map.
    mapped_share, mapped_hectares : float
    area_share, area_hectares : Figure
        Of the class as it really is; NaN where the design of the sample is unknown.
    """

    name: str
    value: int | None
    reference_units: int
    map_units: int
    users: Figure
    producers: Figure
    f1: float
    iou: float
    mapped_pixels: int
    mapped_share: float
    mapped_hectares: float
    area_share: Figure
    area_hectares: Figure

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            key: item.to_dict()
            if isinstance(item, Figure)
            else known(item)
            if isinstance(item, float)
            else item
            for key, item in self.__dict__.items()
        }


@dataclass(frozen=True)
class Accuracy:
    """How right a map is.

    Parameters
    ----------
    values : tuple of (int or None)
        Of the classes in the map; None for a class that only the reference has.
    confusion : Confusion
        Units of the reference.
    mapped_pixels : int64 array (classes,)
        Of the whole map.
    mapped_hectares : float64 array (classes,)
        NaN where unknown.
    sample : StratifiedSample or None
        The same units by stratum, where their design is known; then accuracies are those of the
        whole map, else those of the units alone.
    census : Confusion or None
        The same matrix in areas, where the units are all pixels of the map; then nothing is
        estimated.
    hectares : float
        Of the part of the map that the sample speaks of; NaN where unknown.
    confidence : float
        Of the intervals.
    """

    values: tuple[int | None, ...]
    confusion: Confusion
    mapped_pixels: NDArray[np.int64]
    mapped_hectares: Float
    sample: StratifiedSample | None = None
    census: Confusion | None = None
    hectares: float = math.nan
    confidence: float = 0.95

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes."""
        return self.confusion.names

    @cached_property
    def matrix(self) -> Confusion:
        """What agreement is computed from: shares of the area if the design is known, or units."""
        return self.confusion if self.sample is None else self.sample.confusion

    @property
    def overall(self) -> Figure:
        """Overall accuracy."""
        if self.sample is None:
            return Figure(self.confusion.overall)
        return self._figures(self.sample.overall)[0]

    @property
    def users(self) -> list[Figure]:
        """User's accuracy of each class."""
        if self.sample is None:
            return [Figure(float(v)) for v in self.confusion.users]
        return self._figures(self.sample.users)

    @property
    def producers(self) -> list[Figure]:
        """Producer's accuracy of each class."""
        if self.sample is None:
            return [Figure(float(v)) for v in self.confusion.producers]
        return self._figures(self.sample.producers)

    @property
    def area_shares(self) -> list[Figure]:
        """Share of the area that each class really covers; NaN where the design is unknown."""
        if self.census is not None:
            return [Figure(float(v)) for v in self.census.shares.sum(axis=1)]
        if self.sample is None:
            return [Figure(math.nan)] * len(self.names)
        return self._figures(self.sample.areas_of_reference)

    @property
    def kappa(self) -> Kappa:
        """Cohen's kappa; its variance is known for a simple random sample alone."""
        simple = self.sample is None or len(self.sample.strata) == 1
        return self.confusion.kappa if simple else self.matrix.kappa

    @property
    def mean_f1(self) -> float:
        """Mean over the classes of which it is defined."""
        return _mean(self.matrix.f1)

    @property
    def mean_iou(self) -> float:
        """Mean over the classes of which it is defined."""
        return _mean(self.matrix.iou)

    @property
    def classes(self) -> list[ClassAccuracy]:
        """Every class with all that is known of it."""
        total = max(int(self.mapped_pixels.sum()), 1)
        users, producers, shares = self.users, self.producers, self.area_shares
        f1, iou = self.matrix.f1, self.matrix.iou
        return [
            ClassAccuracy(
                name,
                self.values[i],
                int(self.confusion.reference_totals[i]),
                int(self.confusion.map_totals[i]),
                users[i],
                producers[i],
                float(f1[i]),
                float(iou[i]),
                int(self.mapped_pixels[i]),
                int(self.mapped_pixels[i]) / total,
                float(self.mapped_hectares[i]),
                shares[i],
                Figure(*(number * self.hectares for number in shares[i])),
            )
            for i, name in enumerate(self.names)
        ]

    def _figures(self, estimate: Estimate) -> list[Figure]:
        low, high = estimate.interval(self.confidence)
        parts = (estimate.value, estimate.error, np.maximum(low, 0.0), np.minimum(high, 1.0))
        return [Figure(*map(float, row)) for row in np.stack(list(map(np.atleast_1d, parts)), 1)]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values; None is undefined or unknown."""
        matrix, kappa = self.matrix, self.kappa
        shares = None if self.sample is None else matrix.counts.tolist()
        return {
            "confidence": self.confidence,
            "units": int(self.confusion.n),
            "overall": self.overall.to_dict(),
            "kappa": {"value": known(kappa.value), "error": known(kappa.error)},
            "f1": known(self.mean_f1),
            "iou": known(self.mean_iou),
            "quantity": known(matrix.quantity),
            "allocation": known(matrix.allocation),
            "exchange": known(matrix.exchange),
            "shift": known(matrix.shift),
            "classes": [one.to_dict() for one in self.classes],
            "confusion": {
                "rows": "reference",
                "columns": "map",
                "classes": list(self.names),
                "units": self.confusion.counts.tolist(),
                "area_shares": shares,
            },
        }


def _mean(values: Float) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else math.nan

"""Accuracy and area of a whole map, estimated from a probability sample, with standard errors.

One estimator serves every design. A unit (a pixel) of stratum h stands for ``N_h / n_h`` pixels,
and each quantity is a ratio ``R`` of two totals ``Y`` and ``X``: the variance of ``R`` is that of
the total of ``y - R x`` over the strata, divided by ``X**2``. A simple random sample has one
stratum. With the map classes as strata the formulas become those of Olofsson et al.; with other
strata they are those of Stehman, who keeps the finite-population factor ``1 - n_h / N_h`` that
Olofsson et al. leave out. Where pixels differ in size, as in degrees, each counts by its area.

References
----------
Olofsson, P. et al. (2013), Remote Sensing of Environment 129, 122-131,
doi:10.1016/j.rse.2012.10.031.
Olofsson, P. et al. (2014), Remote Sensing of Environment 148, 42-57,
doi:10.1016/j.rse.2014.02.015.
Stehman, S. V. (2014), International Journal of Remote Sensing 35, 4923-4939,
doi:10.1080/01431161.2014.930207.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsclass.core.confusion import Confusion, ratio
from rsclass.core.types import Float, Mask
from rsclass.errors import DataError, UsageError

__all__ = ["Estimate", "StratifiedSample", "normal_quantile"]


def normal_quantile(confidence: float) -> float:
    """Half the width of a two-sided interval in standard errors: 1.96 at 0.95.

    Rounded to three decimals as in printed tables, so that published intervals are met.
    """
    if not 0 < confidence < 1:
        raise UsageError(f"a confidence of {confidence:g} is not between 0 and 1; 0.95 is usual.")
    return round(NormalDist().inv_cdf((1 + confidence) / 2), 3)


@dataclass(frozen=True, eq=False)
class Estimate:
    """Estimated values and their standard errors.

    Parameters
    ----------
    value, error : float64 arrays of one shape
        NaN where undefined: a class that the sample does not meet, a stratum with one unit.
    """

    value: Float
    error: Float

    def margin(self, confidence: float = 0.95) -> Float:
        """Half the width of the interval."""
        width: Float = normal_quantile(confidence) * self.error
        return width

    def interval(self, confidence: float = 0.95) -> tuple[Float, Float]:
        """Lower and upper end; shares of the whole are not cut at 0 and 1."""
        margin = self.margin(confidence)
        return self.value - margin, self.value + margin

    def __mul__(self, factor: float) -> Estimate:
        return Estimate(self.value * factor, self.error * factor)


@dataclass(frozen=True, eq=False)
class StratifiedSample:
    """Units of known reference and map class, drawn at random within strata.

    Parameters
    ----------
    counts : int array (strata, reference classes, map classes)
        Units of the sample.
    sizes : int array (strata,)
        Pixels of the whole map in each stratum. Strata without a unit of the sample are left out,
        and the estimates speak of the rest: see ``unsampled``.
    names : tuple of str
        Of the classes.
    strata : tuple of str
        Of the strata.
    finite : bool, default=True
        Apply the finite-population factor.
    by_map : bool, default=False
        The strata are the map classes in the same order.
    areas : tuple of 2 float64 arrays (strata, reference classes, map classes), optional
        Sums of the units' areas and of their squares, in any unit, where pixels differ in size.

    Raises
    ------
    DataError
        The shapes do not fit, a stratum is smaller than its sample, or there is no unit.
    """

    counts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    names: tuple[str, ...]
    strata: tuple[str, ...]
    finite: bool = True
    by_map: bool = False
    areas: tuple[Float, Float] | None = None

    def __post_init__(self) -> None:
        n, classes = len(self.strata), len(self.names)
        if self.counts.shape != (n, classes, classes) or self.sizes.shape != (n,):
            raise DataError(
                f"a sample in {n} strata and {classes} classes needs counts of the shape "
                f"{(n, classes, classes)} and {n} sizes, not {self.counts.shape} and "
                f"{len(self.sizes)}."
            )
        if self.by_map and n != classes:
            raise DataError(f"{n} strata are not the {classes} classes of the map.")
        small = np.flatnonzero(self.units > self.sizes)
        if len(small):
            h = int(small[0])
            raise DataError(
                f"stratum {self.strata[h]!r} has {self.sizes[h]:,} pixels and "
                f"{self.units[h]:,} units of the sample; the sample is of another map or its "
                "strata are mixed up."
            )
        if not self.units.any():
            raise DataError("the sample has no unit; nothing can be estimated.")

    @cached_property
    def units(self) -> NDArray[np.int64]:
        """Units of the sample in each stratum."""
        total: NDArray[np.int64] = self.counts.sum(axis=(1, 2))
        return total

    @property
    def unsampled(self) -> tuple[str, ...]:
        """Strata that have pixels but no unit of the sample."""
        missed = (self.units == 0) & (self.sizes > 0)
        return tuple(name for name, is_missed in zip(self.strata, missed, strict=True) if is_missed)

    @property
    def single(self) -> tuple[str, ...]:
        """Strata with one unit, of which no variance can be known."""
        alone = (self.units == 1) & ~self._complete
        return tuple(name for name, is_alone in zip(self.strata, alone, strict=True) if is_alone)

    # -- accuracy ---------------------------------------------------------------------------

    @cached_property
    def overall(self) -> Estimate:
        """Overall accuracy."""
        return self._ratio(np.eye(len(self.names)), np.ones(self._shape))

    @cached_property
    def users(self) -> Estimate:
        """User's accuracy of each map class."""
        return self._each(lambda k: (_cell(self._shape, k, k), _column(self._shape, k)))

    @cached_property
    def producers(self) -> Estimate:
        """Producer's accuracy of each reference class."""
        return self._each(lambda k: (_cell(self._shape, k, k), _column(self._shape, k).T))

    @cached_property
    def areas_of_reference(self) -> Estimate:
        """Share of the whole area that each class really covers."""
        whole = np.ones(self._shape)
        return self._each(lambda k: (_column(self._shape, k).T, whole))

    @cached_property
    def cells(self) -> Estimate:
        """Share of the whole area in each cell (reference classes, map classes)."""
        n, whole = len(self.names), np.ones(self._shape)
        flat = [self._ratio(_cell(self._shape, i, j), whole) for i in range(n) for j in range(n)]
        return Estimate(
            np.reshape([e.value for e in flat], self._shape),
            np.reshape([e.error for e in flat], self._shape),
        )

    @cached_property
    def confusion(self) -> Confusion:
        """The confusion matrix in shares of the whole area."""
        first = self._moments[0]
        shares = np.einsum("h,hij->ij", self._weight, first)
        return Confusion(shares / shares.sum(), self.names)

    # -- the estimator ----------------------------------------------------------------------

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.names), len(self.names)

    @cached_property
    def _moments(self) -> tuple[Float, Float]:
        """Sums of the units' weights and of their squares, in each stratum and cell."""
        if self.areas is not None:
            return self.areas
        counts = self.counts.astype(np.float64)
        return counts, counts

    @cached_property
    def _weight(self) -> Float:
        """How many pixels a unit of each stratum stands for."""
        return np.nan_to_num(ratio(self.sizes, self.units))

    @property
    def _complete(self) -> Mask:
        """Strata of which every pixel is in the sample."""
        whole: Mask = (self.units == self.sizes) & self.finite
        return whole

    def _each(self, parts: Callable[[int], tuple[Float, Float]]) -> Estimate:
        found = [self._ratio(*parts(k)) for k in range(len(self.names))]
        return Estimate(np.array([e.value for e in found]), np.array([e.error for e in found]))

    def _ratio(self, y: Float, x: Float) -> Estimate:
        """The ratio of the totals of ``y`` and ``x``, which each cell gives to its units."""
        below = self._total(x)
        if below == 0:
            return Estimate(np.array(math.nan), np.array(math.nan))
        value = self._total(y) / below
        error = math.sqrt(self._variance(y - value * x)) / below
        return Estimate(np.array(value), np.array(error))

    def _total(self, cell: Float) -> float:
        return float(self._weight @ np.einsum("hij,ij->h", self._moments[0], cell))

    def _variance(self, cell: Float) -> float:
        """Of the total over all pixels of what ``cell`` gives to each unit."""
        first, second = self._moments
        n = self.units
        mean = ratio(np.einsum("hij,ij->h", first, cell), n)
        square = ratio(np.einsum("hij,ij->h", second, cell**2), n)
        spread = np.maximum(square - mean**2, 0) * ratio(n, n - 1)
        if self.finite:
            spread = spread * (1 - ratio(n, self.sizes))
        share = self.sizes.astype(np.float64) ** 2 * ratio(spread, n)
        share[self._complete | (n == 0) | ~self._touched(cell)] = 0
        return float(share.sum())

    def _touched(self, cell: Float) -> Mask:
        """Strata in which ``cell`` can give a unit anything but 0."""
        columns = (cell != 0).any(axis=0)
        return columns if self.by_map else np.full(len(self.strata), bool(columns.any()))


def _cell(shape: tuple[int, int], i: int, j: int) -> Float:
    chosen = np.zeros(shape)
    chosen[i, j] = 1
    return chosen


def _column(shape: tuple[int, int], j: int) -> Float:
    chosen = np.zeros(shape)
    chosen[:, j] = 1
    return chosen


def stratified_sample(
    stratum: NDArray[np.integer],
    reference: NDArray[np.integer],
    mapped: NDArray[np.integer],
    sizes: ArrayLike,
    names: tuple[str, ...],
    strata: tuple[str, ...],
    *,
    finite: bool = True,
    by_map: bool = False,
    area: Float | None = None,
) -> StratifiedSample:
    """Count single units into a :class:`StratifiedSample`.

    Parameters
    ----------
    stratum, reference, mapped : int arrays (units,)
        Positions in ``strata``, ``names`` and ``names``.
    sizes : int array (strata,)
        Pixels of the whole map in each stratum.
    area : float64 array (units,), optional
        Area of each unit, where pixels differ in size.
    """
    shape = len(strata), len(names), len(names)
    place = np.ravel_multi_index((stratum, reference, mapped), shape)

    def added(weights: Float | None) -> NDArray[Any]:
        return np.bincount(place, weights, math.prod(shape)).reshape(shape)

    counts = added(None)
    areas = None if area is None else (added(area), added(area**2))
    return StratifiedSample(
        counts,
        np.asarray(sizes, dtype=np.int64),
        names,
        strata,
        finite=finite,
        by_map=by_map,
        areas=areas,
    )

"""How a map and its reference agree, class by class.

A confusion matrix has one row for each reference class and one column for each map class, here and
in every file. A ratio without a denominator is undefined and NaN, never 0.

References
----------
Congalton, R. G. (1991), Remote Sensing of Environment 37, 35-46,
doi:10.1016/0034-4257(91)90048-B: overall, producer's and user's accuracy, kappa.
Fleiss, J. L., Cohen, J., Everitt, B. S. (1969), Psychological Bulletin 72, 323-327,
doi:10.1037/h0028106: the large-sample variance of kappa.
Pontius, R. G., Millones, M. (2011), International Journal of Remote Sensing 32, 4407-4429,
doi:10.1080/01431161.2011.552923: quantity and allocation disagreement.
Pontius, R. G., Santacruz, A. (2014), International Journal of Remote Sensing 35, 7543-7554,
doi:10.1080/2150704X.2014.969814: allocation as exchange and shift.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsclass.core.types import Float
from rsclass.errors import DataError

__all__ = ["Confusion", "Kappa", "kappa_difference", "known", "ratio"]


def known(number: float) -> float | None:
    """The number, or None for NaN: what is undefined in JSON and tables."""
    return None if math.isnan(number) else float(number)


def ratio(numerator: ArrayLike, denominator: ArrayLike) -> Float:
    """Element by element; NaN where the denominator is 0."""
    over, under = np.broadcast_arrays(np.asarray(numerator, float), np.asarray(denominator, float))
    result: Float = np.divide(over, under, out=np.full(over.shape, np.nan), where=under != 0)
    return result


class Kappa(NamedTuple):
    """Agreement beyond chance.

    Parameters
    ----------
    value : float
        1 is complete, 0 as by chance, below 0 less than by chance; NaN where chance alone gives
        complete agreement.
    variance : float
        Of its estimate from a simple random sample; NaN where units are weighted.
    """

    value: float
    variance: float

    @property
    def error(self) -> float:
        """Standard error."""
        return math.sqrt(self.variance)

    @property
    def z(self) -> float:
        """Kappa in standard errors; above 1.96 it differs from chance at the level of 5 %."""
        return float(ratio(self.value, self.error))


@dataclass(frozen=True, eq=False)
class Confusion:
    """A confusion matrix.

    Parameters
    ----------
    counts : array (reference classes, map classes)
        Pixels or points in whole numbers, or weights such as shares of area; not negative.
    names : tuple of str
        Of the classes, in the order of rows and columns.

    Raises
    ------
    DataError
        The matrix is not square, does not fit the names, or has negative or missing numbers.
    """

    counts: NDArray[Any]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        counts = np.asarray(self.counts)
        counts = counts.astype(np.int64 if counts.dtype.kind in "biu" else np.float64)
        n = len(self.names)
        if counts.shape != (n, n):
            raise DataError(
                f"a confusion matrix of {n} classes needs {n} rows and {n} columns, not the shape "
                f"{counts.shape}."
            )
        if not (np.isfinite(counts).all() and (counts >= 0).all()):
            raise DataError("a confusion matrix holds negative or missing numbers; correct them.")
        counts.setflags(write=False)
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "names", tuple(self.names))

    @classmethod
    def of(
        cls, reference: NDArray[np.integer], mapped: NDArray[np.integer], names: Sequence[str]
    ) -> Confusion:
        """Count pairs of labels.

        Parameters
        ----------
        reference, mapped : int arrays of one shape
            Positions in ``names``; pairs with a negative one are left out.
        names : sequence of str
        """
        n = len(names)
        known = (reference >= 0) & (mapped >= 0)
        pairs = reference[known].astype(np.int64) * n + mapped[known]
        return cls(np.bincount(pairs, minlength=n * n).reshape(n, n), tuple(names))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Confusion):
            return NotImplemented
        return self.names == other.names and np.array_equal(self.counts, other.counts)

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, other: Confusion) -> Confusion:
        if self.names != other.names:
            raise DataError("confusion matrices of different classes cannot be added.")
        return Confusion(self.counts + other.counts, self.names)

    def weighted(self, mapped: ArrayLike) -> Confusion:
        """The matrix of shares of the whole area, from a sample within each map class.

        Parameters
        ----------
        mapped : array (map classes,)
            Size of each map class, in pixels or any unit of area.

        Returns
        -------
        Confusion
            ``W_j n_ij / n_.j``, which add up to 1; map classes without a unit of the sample are
            left out of the whole.
        """
        size = np.where(self.map_totals > 0, np.asarray(mapped, dtype=np.float64), 0.0)
        shares = np.nan_to_num(ratio(self.counts, self.map_totals)) * size
        return Confusion(shares / size.sum(), self.names)

    # -- totals -----------------------------------------------------------------------------

    @property
    def n(self) -> float:
        """Sum of all entries: an int for counts."""
        total: float = self.counts.sum().item()
        return total

    @property
    def reference_totals(self) -> NDArray[Any]:
        """Sum of each row."""
        total: NDArray[Any] = self.counts.sum(axis=1)
        return total

    @property
    def map_totals(self) -> NDArray[Any]:
        """Sum of each column."""
        total: NDArray[Any] = self.counts.sum(axis=0)
        return total

    @property
    def right(self) -> NDArray[Any]:
        """The diagonal: where map and reference agree."""
        diagonal: NDArray[Any] = np.diagonal(self.counts)
        return diagonal

    @property
    def shares(self) -> Float:
        """The matrix divided by its sum."""
        return ratio(self.counts, self.n)

    # -- agreement --------------------------------------------------------------------------

    @property
    def overall(self) -> float:
        """Overall accuracy."""
        return float(ratio(self.right.sum(), self.n))

    @property
    def producers(self) -> Float:
        """Producer's accuracy (recall) of each class: of the reference, what the map shows."""
        return ratio(self.right, self.reference_totals)

    @property
    def users(self) -> Float:
        """User's accuracy (precision) of each class: of what the map shows, what is right."""
        return ratio(self.right, self.map_totals)

    @property
    def f1(self) -> Float:
        """Harmonic mean of user's and producer's accuracy of each class."""
        return ratio(2 * self.right, self.reference_totals + self.map_totals)

    @property
    def iou(self) -> Float:
        """Intersection over union of each class."""
        return ratio(self.right, self.reference_totals + self.map_totals - self.right)

    @property
    def kappa(self) -> Kappa:
        """Cohen's kappa with its variance, in the index order of Fleiss."""
        p, row, col = self.shares, self._reference_shares, self._map_shares
        t1 = float(np.diagonal(p).sum())
        t2 = float(row @ col)
        if not t2 < 1:
            return Kappa(math.nan, math.nan)
        value = (t1 - t2) / (1 - t2)
        if self.counts.dtype.kind == "f":
            return Kappa(value, math.nan)
        t3 = float(np.diagonal(p) @ (row + col))
        t4 = float((p * (row[None, :] + col[:, None]) ** 2).sum())
        variance = (
            t1 * (1 - t1) / (1 - t2) ** 2
            + 2 * (1 - t1) * (2 * t1 * t2 - t3) / (1 - t2) ** 3
            + (1 - t1) ** 2 * (t4 - 4 * t2**2) / (1 - t2) ** 4
        ) / self.n
        return Kappa(value, max(variance, 0.0))

    @property
    def users_kappa(self) -> Float:
        """Kappa of each class as the map shows it (conditional kappa)."""
        chance = self._reference_shares * self._map_shares
        return ratio(np.diagonal(self.shares) - chance, self._map_shares - chance)

    @property
    def producers_kappa(self) -> Float:
        """Kappa of each class as the reference has it (conditional kappa)."""
        chance = self._reference_shares * self._map_shares
        return ratio(np.diagonal(self.shares) - chance, self._reference_shares - chance)

    # -- disagreement -----------------------------------------------------------------------

    @property
    def class_quantity(self) -> Float:
        """Share of the whole by which the map shows too much or too little of each class."""
        return np.abs(self._reference_shares - self._map_shares)

    @property
    def class_allocation(self) -> Float:
        """Share of the whole where each class is in the wrong place."""
        right = np.diagonal(self.shares)
        missed, false = self._reference_shares - right, self._map_shares - right
        return 2 * np.minimum(missed, false)

    @property
    def class_exchange(self) -> Float:
        """The part of the allocation disagreement that swaps each class with another."""
        p = self.shares
        swapped = 2 * np.minimum(p, p.T)
        total: Float = swapped.sum(axis=1) - np.diagonal(swapped)
        return total

    @property
    def quantity(self) -> float:
        """Quantity disagreement; with ``allocation`` it adds up to 1 - overall accuracy."""
        return float(self.class_quantity.sum() / 2)

    @property
    def allocation(self) -> float:
        """Allocation disagreement."""
        return float(self.class_allocation.sum() / 2)

    @property
    def exchange(self) -> float:
        """The part of the allocation disagreement that swaps pairs of classes."""
        return float(self.class_exchange.sum() / 2)

    @property
    def shift(self) -> float:
        """The part of the allocation disagreement that moves around more than two classes."""
        return self.allocation - self.exchange

    @property
    def _reference_shares(self) -> Float:
        total: Float = self.shares.sum(axis=1)
        return total

    @property
    def _map_shares(self) -> Float:
        total: Float = self.shares.sum(axis=0)
        return total


def kappa_difference(one: Kappa, other: Kappa) -> float:
    """How many standard errors the kappas of two independent samples differ by."""
    return float(ratio(abs(one.value - other.value), math.sqrt(one.variance + other.variance)))

"""Units of a reference counted by stratum, reference label and what the map shows there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Crosstab"]

_BITS = 20
_MASK = (1 << _BITS) - 1
_MOST_COUNTERS = 2**20


@dataclass(frozen=True, eq=False)
class Crosstab:
    """The combinations that occur, sorted, with what is added up over their units.

    Sums are of whole numbers, so that they do not depend on the order of adding.

    Parameters
    ----------
    strata, labels, values : int64 arrays (combinations,)
        Number of the stratum, position of the reference label, value of the map; below 2**20.
    units : int64 array (combinations,)
    areas, squares : int64 arrays (combinations,)
        Of the units' areas and of their squares.
    """

    strata: NDArray[np.int64]
    labels: NDArray[np.int64]
    values: NDArray[np.int64]
    units: NDArray[np.int64]
    areas: NDArray[np.int64]
    squares: NDArray[np.int64]

    @classmethod
    def none(cls) -> Crosstab:
        """No unit."""
        return cls(*(np.zeros(0, dtype=np.int64) for _ in range(6)))

    @classmethod
    def of(
        cls,
        strata: NDArray[np.integer],
        labels: NDArray[np.integer],
        values: NDArray[np.integer],
        areas: NDArray[np.int64],
    ) -> Crosstab:
        """Count single units.

        Parameters
        ----------
        strata, labels, values : int arrays (units,)
        areas : int64 array (units,)
            Below 2**14, so that 2**24 units can be counted at once, and 2**35 added.
        """
        parts = (strata, labels, values)
        tops = [int(part.max(initial=0)) + 1 for part in parts]
        if math.prod(tops) > max(_MOST_COUNTERS, len(areas)):
            return _added(_keys(*parts), np.ones(len(areas), dtype=np.int64), areas, areas**2)
        places = np.ravel_multi_index(tuple(part.astype(np.int64) for part in parts), tops)
        counted = np.bincount(places)
        found = np.flatnonzero(counted)
        units = counted[found]
        # Sums of a block stay below 2**53, so that float64 holds them exactly.
        sums = (
            [units, units]
            if (areas == 1).all()
            else [np.bincount(places, w)[found].astype(np.int64) for w in (areas, areas**2)]
        )
        stratum, label, value = (part.astype(np.int64) for part in np.unravel_index(found, tops))
        return cls(stratum, label, value, units, sums[0], sums[1])

    def __add__(self, other: Crosstab) -> Crosstab:
        both = (self, other)
        return _added(
            *(
                np.concatenate(parts)
                for parts in (
                    [_keys(t.strata, t.labels, t.values) for t in both],
                    [t.units for t in both],
                    [t.areas for t in both],
                    [t.squares for t in both],
                )
            )
        )

    @property
    def total(self) -> int:
        """How many units there are."""
        return int(self.units.sum())

    def take(self, chosen: NDArray[np.bool_]) -> Crosstab:
        """Some of the combinations."""
        parts = (self.strata, self.labels, self.values, self.units, self.areas, self.squares)
        return Crosstab(*(part[chosen] for part in parts))

    def contingency(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Units by label and value.

        Returns
        -------
        table : int64 array (labels, values)
        labels, values : int64 arrays
            Those that occur.
        """
        labels, row = np.unique(self.labels, return_inverse=True)
        values, col = np.unique(self.values, return_inverse=True)
        table = np.zeros((len(labels), len(values)), dtype=np.int64)
        np.add.at(table, (row, col), self.units)
        return table, labels, values


def _keys(
    strata: NDArray[np.integer], labels: NDArray[np.integer], values: NDArray[np.integer]
) -> NDArray[np.int64]:
    parts = [part.astype(np.int64) for part in (strata, labels, values)]
    return (parts[0] << 2 * _BITS) | (parts[1] << _BITS) | parts[2]


def _added(
    keys: NDArray[np.int64],
    units: NDArray[np.int64],
    areas: NDArray[np.int64],
    squares: NDArray[np.int64],
) -> Crosstab:
    found, place = np.unique(keys, return_inverse=True)
    sums = np.zeros((3, len(found)), dtype=np.int64)
    for total, part in zip(sums, (units, areas, squares), strict=True):
        np.add.at(total, place, part)
    return Crosstab(
        found >> 2 * _BITS, (found >> _BITS) & _MASK, found & _MASK, sums[0], sums[1], sums[2]
    )

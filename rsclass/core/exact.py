"""Sums that come out the same whatever was added first."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float

_LIMB = 40
_MASK = (1 << _LIMB) - 1


class Sum:
    """An array of sums over pixels: exact for whole numbers, in the order given for others.

    Whole numbers are kept in two int64 limbs, ``high * 2**40 + low``: squares of 16-bit values
    can be added for 2**60 pixels.

    Parameters
    ----------
    values : int64 or float64 array
        One part of the sum, for instance of one block; int64 parts must not have overflowed.
    """

    __slots__ = ("high", "low")

    def __init__(self, values: NDArray[Any]) -> None:
        self.high: NDArray[np.int64] | None = None
        self.low: NDArray[Any] = values
        if values.dtype.kind == "i":
            self.high = values >> _LIMB
            self.low = values & _MASK

    def __add__(self, other: Self) -> Sum:
        total = Sum.__new__(Sum)
        low = self.low + other.low
        if self.high is None or other.high is None:
            total.high, total.low = None, low
        else:
            total.high = self.high + other.high + (low >> _LIMB)
            total.low = low & _MASK
        return total

    def __getitem__(self, key: Any) -> Sum:
        part = Sum.__new__(Sum)
        part.high = None if self.high is None else self.high[key]
        part.low = self.low[key]
        return part

    @property
    def exact(self) -> bool:
        """Whether the parts were whole numbers."""
        return self.high is not None

    def as_float(self) -> Float:
        """The sums as float64, rounded once when they exceed 2**53."""
        if self.high is None:
            return self.low
        return self.high.astype(np.float64) * float(1 << _LIMB) + self.low.astype(np.float64)

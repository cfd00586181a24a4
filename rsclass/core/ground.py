"""How much ground pixels cover, counted in whole numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float

__all__ = ["Ground"]

_FINENESS = 2**24
_SQUARE_METERS = 10_000
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Ground:
    """What a pixel of each row of a map weighs.

    Weights are whole numbers, so that their sums are exact and do not depend on how a map was
    cut. Where all pixels are of one size, each weighs 1. On a globe, where they shrink to the
    poles, the largest weighs 2**24, which gives areas to eight digits.

    Parameters
    ----------
    weights : int64 array (height,)
    unit : float or None
        Square meters of a weight of 1; None where the ground is not known.
    """

    weights: NDArray[np.int64]
    unit: float | None

    @classmethod
    def of_rows(cls, areas: Sequence[float] | Float | None, height: int) -> Ground:
        """From the area in square meters of a pixel of each row; None: not known."""
        if areas is None:
            return cls(np.ones(height, np.int64), None)
        sizes = np.asarray(areas, dtype=np.float64)
        if (sizes == sizes[0]).all():
            return cls(np.ones(height, np.int64), float(sizes[0]))
        unit = float(sizes.max()) / _FINENESS
        return cls(np.rint(sizes / unit).astype(np.int64), unit)

    @property
    def even(self) -> bool:
        """Whether every pixel weighs 1, so that pixels and weights are the same."""
        return bool((self.weights == 1).all())

    def hectares(self, weight: int) -> float | None:
        """Area of pixels that weigh ``weight`` together; None where unknown."""
        return None if self.unit is None else int(weight) * self.unit / _SQUARE_METERS

    def of_weights(self, weights: NDArray[np.int64]) -> Float:
        """Areas in hectares of several weights; NaN where unknown."""
        unit = math.nan if self.unit is None else self.unit
        areas: Float = weights.astype(np.float64) * (unit / _SQUARE_METERS)
        return areas

    def weight_of(self, hectares: float) -> int:
        """The least weight of an area of so many hectares.

        Raises
        ------
        ValueError
            The ground is not known.
        """
        if self.unit is None:
            raise ValueError("the size of a pixel on the ground is not known")
        # 50.0000000001 pixels are 50: the size of a pixel is known to so many digits only.
        return math.ceil(hectares * _SQUARE_METERS / self.unit * (1 - _ROUNDING))

"""Signatures: how many pixels a class has, and how they lie in spectral space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Band, Float


@dataclass(frozen=True)
class ClassStats:
    """The signatures of all classes of a map.

    Parameters
    ----------
    bands : tuple of Band
    count : int64 array (classes,)
        Pixels.
    mean : float64 array (classes, bands)
        In physical units; NaN for a class without pixels.
    covariance : float64 array (classes, bands, bands)
        With divisor n - 1, in squared physical units; NaN for fewer than two pixels.
    """

    bands: tuple[Band, ...]
    count: NDArray[np.int64]
    mean: Float
    covariance: Float

    @property
    def std(self) -> Float:
        """Standard deviation (classes, bands) in physical units."""
        variance: Float = np.diagonal(self.covariance, axis1=1, axis2=2)
        return np.sqrt(variance)

"""How large the numbers may be of which float64 forms statistics."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from rsclass.core.types import Mask

EXACT = 2**53
"""Whole numbers up to here are float64 numbers too."""

SQUARABLE = 1e140
"""The squares of so many pixels as any scene has do not overflow up to here."""


def limit_passed(values: NDArray[Any], valid: Mask) -> float | None:
    """The limit beyond which a valid pixel of (bands, height, width) lies; None where none does."""
    if values.dtype.itemsize < 8:
        return None
    most = EXACT if values.dtype.kind in "iu" else SQUARABLE
    for band in values:
        met: NDArray[Any] = band[valid]
        if met.size and not (met.max() <= most and met.min() >= -most):
            return most
    return None

"""Triangular factors of small symmetric matrices, worked out in one fixed order.

A matrix library may round differently with the number of its threads; what a model or a map holds
must not. Matrices here are as large as a scene has bands.
"""

from __future__ import annotations

import math

import numpy as np

from rsclass.core.compiling import compiled
from rsclass.core.types import Float

LEAST_PIVOT = 1e-10
"""Share of a band's variance that the other bands must leave unexplained."""


@compiled
def _factor(matrix: Float, lower: Float) -> float:
    """Fill ``lower`` with the factor of ``matrix``; returns the least pivot over its variance."""
    n = len(matrix)
    least = np.inf
    for j in range(n):
        pivot = matrix[j, j]
        for k in range(j):
            pivot -= lower[j, k] * lower[j, k]
        share = pivot / matrix[j, j]
        # Written so that NaN counts as too small.
        if not share > 0.0:
            return 0.0
        least = min(least, share)
        root = math.sqrt(pivot)
        lower[j, j] = root
        for i in range(j + 1, n):
            rest = matrix[i, j]
            for k in range(j):
                rest -= lower[i, k] * lower[j, k]
            lower[i, j] = rest / root
    return least


@compiled
def _invert(lower: Float, inverse: Float) -> None:
    n = len(lower)
    for j in range(n):
        inverse[j, j] = 1.0 / lower[j, j]
        for i in range(j + 1, n):
            total = 0.0
            for k in range(j, i):
                total += lower[i, k] * inverse[k, j]
            inverse[i, j] = -total / lower[i, i]


def factor(matrix: Float) -> Float | None:
    """Lower triangular L with ``L L' = matrix``; None where the matrix is nearly singular.

    Parameters
    ----------
    matrix : float64 array (n, n)
        Symmetric. It is called nearly singular when some row leaves less than ``LEAST_PIVOT`` of
        its variance to what the earlier rows do not explain.
    """
    lower = np.zeros_like(matrix)
    return lower if _factor(matrix, lower) >= LEAST_PIVOT else None


def inverse(lower: Float) -> Float:
    """The inverse, lower triangular too, of a lower triangular matrix."""
    found = np.zeros_like(lower)
    _invert(lower, found)
    return found


def log_determinant(lower: Float) -> float:
    """Natural logarithm of the determinant of ``L L'``."""
    return 2.0 * math.fsum(math.log(entry) for entry in np.diagonal(lower))

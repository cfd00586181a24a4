"""Principal components whose bits do not depend on the library of linear algebra at hand."""

from __future__ import annotations

import numpy as np

from rsclass.core import kernels
from rsclass.core.types import Float

__all__ = ["covariance", "principal_axes", "symmetric_power"]

_DIGITS = 9  # libraries of linear algebra do not give the same last bits in every call


def covariance(table: Float) -> Float:
    """Covariance (features, features) of a table (pixels, features), divisor n."""
    n = table.shape[1]
    products = np.zeros((1, n, n))
    kernels.scatter_tally(
        np.ascontiguousarray(table.T),
        np.zeros(len(table), dtype=np.int32),
        table.mean(axis=0),
        np.zeros(1, dtype=np.int64),
        np.zeros((1, n)),
        products,
    )
    upper = products[0] / len(table)
    both: Float = upper + np.triu(upper, 1).T
    return both


def principal_axes(spread: Float, n: int) -> Float:
    """The ``n`` axes (rows) of the largest variance of a covariance matrix.

    The sign of an axis is such that its largest number is positive.
    """
    _, vectors = np.linalg.eigh(spread)
    axes = _rounded(vectors[:, ::-1][:, :n].T)
    largest = np.abs(axes).argmax(axis=1)
    upright: Float = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
    return upright


def symmetric_power(matrix: Float, power: float) -> Float:
    """A positive definite symmetric matrix raised to a power, by its eigenvalues."""
    values, vectors = np.linalg.eigh(matrix)
    raised = np.einsum("ik,k,jk->ij", vectors, values**power, vectors)
    return _rounded(raised)


def _rounded(numbers: Float) -> Float:
    kept: Float = np.round(numbers, _DIGITS)
    return kept

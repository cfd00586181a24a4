"""Starting centers that follow from the spread of the pixels alone, without any random choice."""

from __future__ import annotations

import numpy as np

from rsclass.core.types import Float

POWER_STEPS = 500


def diagonal(table: Float, n_classes: int, reach: float = 1.0) -> Float:
    """Centers evenly spaced from mean - reach * deviation to mean + reach * deviation.

    Parameters
    ----------
    table : float64 array (pixels, bands)
    reach : float
        In standard deviations of each band.

    Returns
    -------
    float64 array (n_classes, bands)
        One class starts at the mean.
    """
    mean: Float = table.mean(axis=0)
    centers: Float = mean + _steps(n_classes, reach) * table.std(axis=0)
    return centers


def principal(table: Float, n_classes: int, reach: float = 1.0) -> Float:
    """Centers evenly spaced along the first principal axis, darkest first.

    Parameters
    ----------
    table : float64 array (pixels, bands)
    reach : float
        In standard deviations along the axis.

    Returns
    -------
    float64 array (n_classes, bands)
    """
    mean: Float = table.mean(axis=0)
    axis = principal_axis(table - mean)
    along = np.zeros(len(table))
    for b, share in enumerate(axis):
        along += (table[:, b] - mean[b]) * share
    centers: Float = mean + _steps(n_classes, reach) * (axis * along.std())
    return centers


def principal_axis(centered: Float) -> Float:
    """Unit vector (bands,) along which a centered table (pixels, bands) varies most.

    Found by power iteration, whose sums have one fixed order, unlike those of matrix libraries.
    It points to where the sum of all bands grows.
    """
    n_bands = centered.shape[1]
    covariance = np.empty((n_bands, n_bands))
    for b in range(n_bands):
        for c in range(b, n_bands):
            covariance[b, c] = covariance[c, b] = (centered[:, b] * centered[:, c]).mean()
    # An irregular start: hardly any axis is orthogonal to it.
    axis: Float = np.sqrt(np.arange(1.0, n_bands + 1))
    for _ in range(POWER_STEPS):
        length = np.sqrt((axis * axis).sum())
        if length == 0:
            return np.full(n_bands, 1 / np.sqrt(n_bands))
        axis = (covariance * (axis / length)).sum(axis=1)
    axis = axis / np.sqrt((axis * axis).sum())
    return axis if axis.sum() >= 0 else -axis


def _steps(n_classes: int, reach: float) -> Float:
    if n_classes == 1:
        return np.zeros((1, 1))
    return np.linspace(-reach, reach, n_classes)[:, None]

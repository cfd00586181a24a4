"""Gaussian signatures of classes: from pixels whose class is known, and fit for inversion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.cholesky import factor
from rsclass.core.compiling import compiled
from rsclass.core.stats import ClassStats
from rsclass.core.types import Band, Float
from rsclass.errors import SingularClassError

ADVISED = 10
"""Pixels for each band below which a covariance is not to be trusted."""

CONSTANT = 1e-10
"""A class whose variance is below this share of the band's total one is constant there."""

LEAST_SPREAD = 1e-6
"""Share of a band's total variance that a constant class is given at least."""

LEAST_SHRINKAGE = 1e-6


@compiled
def _moments(
    table: Float, classes: NDArray[np.int32], count: NDArray[np.int64], mean: Float, scatter: Float
) -> None:
    n_pixels, n_bands = table.shape
    for i in range(n_pixels):
        k = classes[i]
        count[k] += 1
        for b in range(n_bands):
            mean[k, b] += table[i, b] - table[0, b]
    for k in range(len(count)):
        for b in range(n_bands):
            mean[k, b] = mean[k, b] / count[k] + table[0, b]
    apart = np.empty(n_bands)
    for i in range(n_pixels):
        k = classes[i]
        for b in range(n_bands):
            apart[b] = table[i, b] - mean[k, b]
        for b in range(n_bands):
            for c in range(b, n_bands):
                scatter[k, b, c] += apart[b] * apart[c]


def class_stats(
    table: Float, classes: NDArray[np.int32], n_classes: int, bands: Sequence[Band]
) -> ClassStats:
    """Count, mean and covariance of every class of a pixel table, summed pixel after pixel.

    Parameters
    ----------
    table : float64 array (pixels, bands)
        Physical values.
    classes : int32 array (pixels,)
        From 0; every class has a pixel.
    """
    shape = n_classes, table.shape[1]
    count, mean = np.zeros(n_classes, np.int64), np.zeros(shape)
    scatter = np.zeros((*shape, shape[1]))
    _moments(np.ascontiguousarray(table), classes, count, mean, scatter)
    with np.errstate(invalid="ignore", divide="ignore"):
        upper = np.triu(scatter / (count - 1.0)[:, None, None])
    covariance: Float = upper + np.transpose(np.triu(upper, 1), (0, 2, 1))
    return ClassStats(tuple(bands), count, mean, covariance)


def steps(table: Float) -> Float:
    """Smallest gap between the values of each band: (bands,); 0 for a constant one."""
    found = [np.diff(np.unique(column)) for column in table.T]
    return np.array([gaps.min() if len(gaps) else 0.0 for gaps in found])


@dataclass(frozen=True)
class Regular:
    """Signatures whose covariances can be inverted.

    Parameters
    ----------
    bands : int64 array (used bands,)
        Those that vary.
    mean : float64 array (classes, used bands)
        Physical units.
    covariance : float64 array (classes, used bands, used bands)
    notes : tuple of str
        What had to be done, in sentences.
    """

    bands: NDArray[np.int64]
    mean: Float
    covariance: Float
    notes: tuple[str, ...]


def regular(
    stats: ClassStats, step: Float, names: Sequence[str], shrinkage: float | None = None
) -> Regular:
    """Signatures fit for maximum likelihood, changed no more than that takes.

    A band that is the same everywhere is left out. A class that is constant in another band gets
    the variance of rounding there, ``step^2 / 12``. A covariance is shrunk to its variances,
    ``S = (1 - a) S + a diag(S)``, where it is nearly singular or comes from no more pixels than
    there are bands; ``a`` is then the share that has the least expected error (Schäfer and Strimmer
    2005, Statistical Applications in Genetics and Molecular Biology 4, doi:10.2202/1544-6115.1175,
    with the variance of a normal sample's correlations), doubled while that is not enough.

    Parameters
    ----------
    stats : ClassStats
    step : float64 array (bands,)
        Gap between stored values; see :func:`steps`.
    names : sequence of str
        Of the classes, for messages.
    shrinkage : float or None
        The share a for every class; None: as above.

    Raises
    ------
    SingularClassError
        A class has fewer than two pixels, or no band varies.
    """
    lonely = [name for name, count in zip(names, stats.count, strict=True) if count < 2]
    if lonely:
        raise SingularClassError(
            f"{_listed(lonely)} {'has' if len(lonely) == 1 else 'have'} only 1 sample pixel, from "
            "which no spread can be told; draw more samples or merge classes."
        )
    n = stats.count.astype(np.float64)
    variance: Float = np.diagonal(stats.covariance, axis1=1, axis2=2).copy()
    center = (n[:, None] * stats.mean).sum(axis=0) / n.sum()
    between = n[:, None] * (stats.mean - center) ** 2
    total: Float = ((n[:, None] - 1) * variance + between).sum(axis=0) / n.sum()
    bands = np.flatnonzero(total > 0)
    if len(bands) == 0:
        raise SingularClassError(
            "all training pixels are alike, so that no class can be told; draw other samples."
        )
    notes = []
    if len(bands) < len(total):
        constant = [stats.bands[b].name for b in np.flatnonzero(total == 0)]
        notes.append(f"{_listed(constant)} does not vary in the samples and is left out.")
    covariance = stats.covariance[np.ix_(np.arange(len(n)), bands, bands)].copy()
    least = np.maximum(step**2 / 12, LEAST_SPREAD * total)[bands]
    flat = variance[:, bands] < CONSTANT * total[bands]
    for k, b in np.argwhere(flat):
        covariance[k, b, b] = least[b]
        notes.append(
            f"{names[k]} is constant in {stats.bands[bands[b]].name}; a standard deviation of "
            f"{math.sqrt(least[b]):.3g} is assumed."
        )
    notes += _too_few(stats.count, len(bands), names)
    shares = np.zeros(len(names))
    for k in range(len(names)):
        covariance[k], shares[k] = _shrunk(covariance[k], int(stats.count[k]), shrinkage)
    notes += _needed(shares, shrinkage or 0.0, len(bands), names)
    return Regular(bands, stats.mean[:, bands], covariance, tuple(notes))


def _too_few(count: NDArray[np.int64], n_bands: int, names: Sequence[str]) -> list[str]:
    few = [f"{name} ({n:,})" for name, n in zip(names, count, strict=True) if n < ADVISED * n_bands]
    if not few:
        return []
    return [
        f"fewer than {ADVISED * n_bands:,} pixels, {ADVISED} for each band, describe "
        f"{_listed(few)}; draw more, or try a shrinkage between 0.01 and 1."
    ]


def _needed(shares: Float, wanted: float, n_bands: int, names: Sequence[str]) -> list[str]:
    told = [
        f"{name} (by {share:.2g})"
        for name, share in zip(names, shares, strict=True)
        if share > wanted
    ]
    if not told:
        return []
    return [
        f"covariances of {n_bands} bands that are nearly singular are shrunk to their variances: "
        f"{_listed(told)}."
    ]


def _shrunk(covariance: Float, n: int, wanted: float | None) -> tuple[Float, float]:
    """The covariance, shrunk where it must be, and the share."""
    variances = np.diag(np.diagonal(covariance))
    if wanted is not None:
        shrunk: Float = (1 - wanted) * covariance + wanted * variances
        if factor(shrunk) is not None:
            return shrunk, wanted
    elif n > len(covariance) and factor(covariance) is not None:
        return covariance, 0.0
    share = max(wanted or 0.0, _best_share(covariance, n), LEAST_SHRINKAGE)
    while True:
        share = min(share, 1.0)
        shrunk = (1 - share) * covariance + share * variances
        if share == 1.0 or factor(shrunk) is not None:
            return shrunk, share
        share *= 2


def _best_share(covariance: Float, n: int) -> float:
    deviation = np.sqrt(np.diagonal(covariance))
    correlation = covariance / (deviation[:, None] * deviation)
    squares = np.minimum(correlation[np.triu_indices(len(covariance), 1)] ** 2, 1.0)
    if not squares.any():
        return 1.0
    return float(((1 - squares) ** 2).sum() / (n - 1) / squares.sum())


def pooled(stats: ClassStats, groups: Sequence[Sequence[int]]) -> ClassStats:
    """Signatures of classes put together: exactly those of their pixels taken together.

    Parameters
    ----------
    groups : sequence of sequences of int
        The classes that form each new one.
    """
    count: list[int] = []
    mean: list[Float] = []
    covariance: list[Any] = []
    for group in groups:
        chosen = list(group)
        n = stats.count[chosen].astype(np.float64)
        center = (n[:, None] * stats.mean[chosen]).sum(axis=0) / n.sum()
        apart = stats.mean[chosen] - center
        inner = np.where(n > 1, n - 1, 0.0)[:, None, None] * np.nan_to_num(stats.covariance[chosen])
        outer = n[:, None, None] * apart[:, :, None] * apart[:, None, :]
        scatter = (inner + outer).sum(axis=0)
        count.append(int(n.sum()))
        mean.append(center)
        covariance.append(scatter / (n.sum() - 1) if n.sum() > 1 else np.full_like(scatter, np.nan))
    return ClassStats(stats.bands, np.array(count), np.array(mean), np.array(covariance))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)

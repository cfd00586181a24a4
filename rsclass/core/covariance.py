"""Covariances that can be inverted and compared, and what had to be done for it.

Here the classes of a map are compared with each other, so that all are changed alike. A classifier
takes each class by itself and changes it no more than it must: :mod:`rsclass.core.signatures`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float

__all__ = ["LEAST_VARIANCE", "Invertible", "invertible"]

LEAST_VARIANCE = 1e-8
"""Least variance in any direction, as a share of the usual variance within a class."""


@dataclass(frozen=True, slots=True)
class Invertible:
    """Gaussian signatures with covariances that are far enough from singular.

    Parameters
    ----------
    mean : float64 array (classes, bands)
        In units of ``scale``.
    covariance : float64 array (classes, bands, bands)
        In squared units of ``scale``; NaN for a class whose spread is unknown.
    bands : int array (bands,)
        Those bands of the input that say anything.
    scale : float64 array (bands,)
        Root of the usual variance within a class, in physical units.
    known : bool array (classes,)
        Classes with a covariance.
    notes : tuple of str
        What was done to which class, in sentences.
    """

    mean: Float
    covariance: Float
    bands: NDArray[np.intp]
    scale: Float
    known: NDArray[np.bool_]
    notes: tuple[str, ...]


def invertible(
    mean: Float, covariance: Float, count: NDArray[np.int64], names: Sequence[str]
) -> Invertible:
    """Make covariances invertible, changing them as little as that takes.

    A class of ``n`` pixels that does not fill its ``bands`` dimensions (``n <= bands``) is shrunk
    to its own variances, ``S = (1 - a) S + a diag(S)`` with ``a = (bands + 1 - n) / bands``. If any
    class is still nearly singular, the same small variance is added to each band of every class, as
    if all were seen with a little more noise: what is the same in all classes separates none.

    Parameters
    ----------
    mean : float64 array (classes, bands)
        NaN for a class without pixels.
    covariance : float64 array (classes, bands, bands)
        Divisor n - 1; NaN where unknown.
    count : int64 array (classes,)
        Pixels.
    names : sequence of str
        Of the classes, for the notes.
    """
    mean, covariance = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
    finite = np.isfinite(covariance).all(axis=(1, 2)) & np.isfinite(mean).all(axis=1)
    known = np.asarray(finite, np.bool_)
    notes = [
        f"{name} has {n:,} pixel{'' if n == 1 else 's'} and thus no spread; its separability "
        "from the others is unknown."
        for name, n, has in zip(names, count, known, strict=True)
        if not has
    ]
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    usual = _usual(variance[known], mean[known])
    bands = np.flatnonzero(usual > 0)
    if known.any() and len(bands) < mean.shape[1]:
        constant = ", ".join(str(b + 1) for b in np.flatnonzero(usual == 0))
        notes.append(f"band {constant} is the same everywhere and separates no classes.")
    scale = np.sqrt(usual[bands])
    inner = np.ix_(np.arange(len(mean)), bands, bands)
    scaled = covariance[inner] / (scale[:, None] * scale)
    for i in map(int, np.flatnonzero(known)):
        lacking = len(bands) + 1 - int(count[i])
        if lacking > 0:
            share = lacking / len(bands)
            scaled[i] = (1 - share) * scaled[i] + share * np.diag(np.diag(scaled[i]))
            notes.append(
                f"{names[i]} has {int(count[i]):,} pixels for {len(bands)} bands, too few for a "
                f"covariance; it is shrunk by {share:.0%} to its variances."
            )
    notes += _add_noise(scaled, known, names)
    return Invertible(mean[:, bands] / scale, scaled, bands, scale, known, tuple(notes))


def _usual(variance: Float, mean: Float) -> Float:
    """Variance (bands,) within a class, on average; where there is none, that between classes."""
    if len(mean) == 0:
        return np.zeros(mean.shape[1])
    within = variance.mean(axis=0)
    usual: Float = np.where(within > 0, within, mean.var(axis=0))
    return usual


def _add_noise(scaled: Float, known: NDArray[np.bool_], names: Sequence[str]) -> list[str]:
    """Raise the least eigenvalue of every class; says for which it was needed."""
    if not known.any() or scaled.shape[1] == 0:
        return []
    values = np.linalg.eigvalsh(scaled[known])
    short = values[:, 0] < LEAST_VARIANCE
    if not short.any():
        return []
    noise = LEAST_VARIANCE - min(float(values[:, 0].min()), 0.0)
    scaled[known] += noise * np.eye(scaled.shape[1])
    who = [names[i] for i in np.flatnonzero(known)[short]]
    return [
        f"the covariance of {', '.join(who)} is nearly singular (bands that repeat each other, or "
        f"hold one value); noise of {np.sqrt(noise):.1g} standard deviations is added to every "
        "class."
    ]

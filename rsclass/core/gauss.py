"""Gaussian classes: how likely a pixel is in each of them.

For a class with mean m, covariance ``S = L L'`` and prior P, a pixel x has the discriminant
``g = ln P - ln|S| / 2 - |L^-1 (x - m)|^2 / 2``; the largest g wins, the lowest class in a tie
(Richards and Jia, Remote Sensing Digital Image Analysis, doi:10.1007/3-540-29711-1). All is added
up in the order of the bands, so a pixel's class does not depend on how the scene was cut.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.cholesky import factor, inverse, log_determinant
from rsclass.core.compiling import RUN, UNROLLED, compiled
from rsclass.core.settling import MANY, UNSETTLED, SingleGaussians
from rsclass.core.types import Float, Labels, Mask


@dataclass(frozen=True)
class Gaussians:
    """Classes that are normal distributions.

    Parameters
    ----------
    bands : int64 array (used bands,)
        Positions in the scene's bands.
    mean : float64 array (classes, used bands)
        Physical units.
    whitener : float64 array (classes, used bands, used bands)
        ``L^-1``, lower triangular.
    weight : float64 array (classes,)
        ``ln P - ln|S| / 2``; minus infinity for a class that is never chosen.
    """

    bands: NDArray[np.int64]
    mean: Float
    whitener: Float
    weight: Float

    @classmethod
    def of(cls, bands: NDArray[np.int64], mean: Float, covariance: Float, prior: Float) -> Self:
        """From covariances that :func:`rsclass.core.signatures.regular` gave.

        Raises
        ------
        ValueError
            A covariance is nearly singular, or there is no class with a prior.
        """
        if not (prior > 0).any():
            raise ValueError("every class has a prior of 0")
        factors = [factor(one) for one in covariance]
        lower = [found for found in factors if found is not None]
        if len(lower) < len(factors):
            raise ValueError("a covariance is nearly singular")
        logarithm = [math.log(p) if p > 0 else -math.inf for p in prior]
        half = [log_determinant(one) / 2 for one in lower]
        return cls(
            np.asarray(bands, np.int64),
            np.ascontiguousarray(mean),
            np.array([inverse(one) for one in lower]),
            np.array(logarithm) - np.array(half),
        )

    @cached_property
    def single(self) -> SingleGaussians | None:
        """The same in single precision, where that tells most pixels' classes."""
        return SingleGaussians.of(self.mean, self.whitener, self.weight)


@dataclass(frozen=True)
class Likely:
    """The likeliest class of every pixel.

    Parameters
    ----------
    labels : int32 array (pixels,)
        -1 at invalid pixels.
    distance2 : float64 array (pixels,) or None
        Squared Mahalanobis distance to that class; NaN at invalid pixels.
    discriminant : float64 array (classes, pixels) or None
        g of every class; NaN at invalid pixels.
    """

    labels: Labels
    distance2: Float | None
    discriminant: Float | None


def likeliest(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    classes: Gaussians,
    *,
    distances: bool = False,
    discriminants: bool = False,
) -> Likely:
    """The likeliest class of every pixel.

    Parameters
    ----------
    values : array (bands, pixels)
        As stored; ``stored * gain + offset`` is physical.
    valid : bool array (pixels,)
    gain, offset : float64 arrays (bands,)
    distances, discriminants : bool
        Whether that to the likeliest class, and those of all classes, are wanted.
    """
    many = values.shape[1] >= MANY and not (distances or discriminants)
    quick = classes.single if many else None
    if quick is None or (np.abs(offset[classes.bands]) > quick.most).any():
        return _likeliest(values, valid, gain, offset, classes, distances, discriminants)
    labels = np.empty(values.shape[1], np.int32)
    quick.settle(values, valid, gain, offset, classes.bands, labels)
    left = np.flatnonzero(labels == UNSETTLED)
    if len(left):
        some = np.take(values, left, axis=1)
        labels[left] = _likeliest(some, np.ones(len(left), np.bool_), gain, offset, classes).labels
    return Likely(labels, None, None)


def _likeliest(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    classes: Gaussians,
    distances: bool = False,
    discriminants: bool = False,
) -> Likely:
    """As :func:`likeliest`, all in double precision."""
    n_pixels = values.shape[1]
    labels, distance2 = np.empty(n_pixels, np.int32), np.empty(n_pixels if distances else 0)
    every = np.empty((len(classes.mean) if discriminants else 0, n_pixels))
    n_bands = len(classes.bands)
    _discriminating(n_bands if n_bands <= UNROLLED else 0)(
        values,
        valid,
        gain,
        offset,
        classes.bands,
        classes.mean,
        classes.whitener,
        classes.weight,
        labels,
        distance2,
        every,
    )
    return Likely(labels, distance2 if distances else None, every if discriminants else None)


def posterior(discriminant: Float, groups: NDArray[np.int32], n_groups: int) -> Float:
    """Probability (groups, pixels) of every group of classes, given the pixel.

    Parameters
    ----------
    discriminant : float64 array (classes, pixels)
        From :func:`likeliest`.
    groups : int32 array (classes,)
        The group of every class.
    """
    found = np.empty((n_groups, discriminant.shape[1]))
    _share(discriminant, groups, found)
    return found


@cache
def _discriminating(unrolled: int) -> Callable[..., None]:
    """The loop for ``unrolled`` bands, seen by the compiler as straight code; 0: for any number."""

    @compiled
    def discriminate(
        values: NDArray[Any],
        valid: Mask,
        gain: Float,
        offset: Float,
        bands: NDArray[np.int64],
        mean: Float,
        whitener: Float,
        weight: Float,
        labels: Labels,
        distance2: Float,
        every: Float,
    ) -> None:
        n_bands = unrolled or mean.shape[1]
        n_classes = len(mean)
        n_pixels = values.shape[1]
        z = np.empty((n_bands, RUN))
        apart = np.empty((n_bands, RUN))
        white = np.empty(RUN)
        d = np.empty(RUN)
        best = np.empty(RUN)
        near = np.empty(RUN)
        label = np.empty(RUN)
        for start in range(0, n_pixels, RUN):
            n = min(RUN, n_pixels - start)
            for b in range(n_bands):
                x = values[bands[b], start : start + n]
                zb = z[b]
                g, o = gain[bands[b]], offset[bands[b]]
                for i in range(n):
                    zb[i] = x[i] * g + o
            for i in range(n):
                best[i] = -np.inf
                near[i] = np.inf
                label[i] = -1.0
            for k in range(n_classes):
                number = float(k)
                heavy = weight[k]
                m, w = mean[k], whitener[k]
                if unrolled:
                    for i in range(n):
                        total = 0.0
                        for b in range(n_bands):
                            row = 0.0
                            for c in range(b + 1):
                                row += w[b, c] * (z[c, i] - m[c])
                            total += row * row
                        d[i] = total
                else:
                    for b in range(n_bands):
                        for i in range(n):
                            apart[b, i] = z[b, i] - m[b]
                    for i in range(n):
                        d[i] = 0.0
                    for b in range(n_bands):
                        for i in range(n):
                            white[i] = 0.0
                        for c in range(b + 1):
                            one = w[b, c]
                            for i in range(n):
                                white[i] += one * apart[c, i]
                        for i in range(n):
                            d[i] += white[i] * white[i]
                if heavy > -np.inf:
                    for i in range(n):
                        g = heavy - 0.5 * d[i]
                        # Nothing is likelier than minus infinity, so the first class is taken.
                        more = (g > best[i]) | (label[i] < 0)
                        best[i] = g if more else best[i]
                        near[i] = d[i] if more else near[i]
                        label[i] = number if more else label[i]
                if len(every) > 0:
                    for i in range(n):
                        every[k, start + i] = heavy - 0.5 * d[i] if valid[start + i] else np.nan
            for i in range(n):
                labels[start + i] = int(label[i]) if valid[start + i] else -1
            if len(distance2) > 0:
                for i in range(n):
                    distance2[start + i] = near[i] if valid[start + i] else np.nan

    return discriminate


@compiled
def _share(discriminant: Float, groups: NDArray[np.int32], out: Float) -> None:
    n_classes, n_pixels = discriminant.shape
    for i in range(n_pixels):
        highest = -np.inf
        for k in range(n_classes):
            highest = max(highest, discriminant[k, i])
        for g in range(len(out)):
            out[g, i] = 0.0
        total = 0.0
        for k in range(n_classes):
            share = math.exp(discriminant[k, i] - highest)
            out[groups[k], i] += share
            total += share
        for g in range(len(out)):
            out[g, i] /= total

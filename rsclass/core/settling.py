"""Classes that single precision settles: half the work, and never another class.

A pixel is given its class in single precision where the lead over all other classes is larger than
what rounding can have changed; the few others are left to double precision. So the classes are
those of double precision, to the last pixel.

The bound is the usual one of a sum of n rounded products (Higham 2002, Accuracy and Stability of
Numerical Algorithms, doi:10.1137/1.9780898718027, section 3.1): relative to the sum of their
magnitudes the error is at most n u, with u = 2^-24.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import RUN, UNROLLED, fused
from rsclass.core.types import Float, Labels, Mask

__all__ = ["MANY", "UNSETTLED", "SingleCenters", "SingleGaussians"]

UNSETTLED = -2
"""The label of a valid pixel whose class single precision does not tell."""

MANY = 32_768
"""Pixels from which it pays to try single precision first."""

_ROUNDING = 1.01 * 2.0**-24
_NEAR = 1000.0  # squared distance from its class up to which a pixel is settled
_WORTH = 0.05  # error of a whitened vector up to which few pixels stay open
_FINEST = 2.0**-11
_LARGEST = 1e15  # its square is still far from the end of single precision
_SHIFTED = 2.0**26  # offset in units of the values, from which double precision errs as much
_AROUND = 10.0  # the same for centers, in units of the farthest from their middle


def _bounds(error: float, n_bands: int) -> tuple[float, float]:
    """The ``share`` and ``rest`` of a squared distance d, of which no more is rounding.

    A vector that is wrong by ``error`` has a square d' with ``|d' - d| <= 2 sqrt(d') error +
    error^2 <= share d' + (1 + 1 / share) error^2``; adding its parts up is wrong by a share, too.
    """
    share = max(error / np.sqrt(n_bands), _FINEST)
    return share + 16 * (n_bands + 4) * _ROUNDING, (1 + 1 / share) * error**2


@dataclass(frozen=True)
class SingleCenters:
    """Centers in single precision, and how far distances to them can be wrong.

    Parameters
    ----------
    middle : float64 array (bands,)
        Subtracted from all in double precision.
    centers : float32 array (classes, bands)
        With ``middle`` subtracted.
    share, rest : float
        A squared distance d is wrong by less than ``share d + rest``.
    most : float
        Squared distance up to which that holds.
    """

    middle: Float
    centers: NDArray[np.float32]
    share: float
    rest: float
    most: float

    @classmethod
    def of(cls, centers: Float, offset: Float) -> Self | None:
        """None where single precision tells nothing; ``offset`` as in :meth:`settle`."""
        n_bands = centers.shape[1]
        if n_bands > UNROLLED:
            return None
        middle = np.median(centers, axis=0)
        off = np.abs(centers - middle)
        reach = _AROUND * float(np.sqrt((off**2).sum(axis=1).max()))
        shifted = float((np.abs(middle) + np.abs(offset)).max())
        if not (1 / _LARGEST < reach < _LARGEST and shifted < _SHIFTED * reach):
            return None
        error = 4 * _ROUNDING * float(np.sqrt(((2 * off + 1.1 * reach) ** 2).sum(axis=1).max()))
        share, rest = _bounds(error / reach, n_bands)
        return cls(middle, (centers - middle).astype(np.float32), share, rest * reach**2, reach**2)

    def settle(
        self, values: NDArray[Any], valid: Mask, gain: Float, offset: Float, labels: Labels
    ) -> None:
        """Fill ``labels`` (pixels,): the nearest center, :data:`UNSETTLED`, or -1 where invalid.

        The other parameters are those of :func:`rsclass.core.assign.nearest`.
        """
        single = np.float32
        limits = single(self.share), single(self.rest), single(self.most)
        _nearest(len(values))(
            values, valid, gain, offset - self.middle, self.centers, *limits, labels
        )


@dataclass(frozen=True)
class SingleGaussians:
    """Normal distributions in single precision, and how far that can be wrong.

    Parameters
    ----------
    middle : float64 array (bands,)
        Subtracted from all in double precision.
    whitener, weight : float32 arrays
        As in :class:`rsclass.core.gauss.Gaussians`.
    start : float32 array (classes, bands)
        Minus the whitened mean of every class, ``middle`` subtracted.
    share, rest : float
        Twice a discriminant is wrong by less than ``share d' + rest``.
    most : float64 array (bands,)
        Magnitudes of offsets up to which that holds.
    """

    middle: Float
    whitener: NDArray[np.float32]
    weight: NDArray[np.float32]
    start: NDArray[np.float32]
    share: float
    rest: float
    most: Float

    @classmethod
    def of(cls, mean: Float, whitener: Float, weight: Float) -> Self | None:
        """None where it would leave many pixels open."""
        n_bands = mean.shape[1]
        if n_bands > UNROLLED:
            return None
        middle = np.median(mean, axis=0)
        off = np.abs(mean - middle)
        # A pixel is at most sqrt(d) standard deviations of a band away from its class.
        spread = np.sqrt((np.linalg.inv(whitener) ** 2).sum(axis=2))
        far = (off + np.sqrt(1.1 * _NEAR) * spread).max(axis=0)
        whitened = np.einsum("kbc,kc->kb", np.abs(whitener), off + far)
        error = (n_bands + 4) * _ROUNDING * np.sqrt((whitened**2).sum(axis=1).max())
        small, large = spread.min() > 1 / _LARGEST, (off + far).max() < _LARGEST
        most = _SHIFTED * far - np.abs(middle)
        if not (error < _WORTH and small and large and most.min() > 0):
            return None
        share, rest = _bounds(error, n_bands)
        heaviest = np.abs(weight[np.isfinite(weight)]).max()
        single = np.float32
        return cls(
            middle,
            whitener.astype(single),
            weight.astype(single),
            -np.einsum("kbc,kc->kb", whitener, mean - middle).astype(single),
            share,
            rest + 16 * _ROUNDING * (heaviest + _NEAR),
            most,
        )

    def settle(
        self,
        values: NDArray[Any],
        valid: Mask,
        gain: Float,
        offset: Float,
        bands: NDArray[np.int64],
        labels: Labels,
    ) -> None:
        """Fill ``labels`` (pixels,): the likeliest class, :data:`UNSETTLED`, or -1 where invalid.

        The other parameters are those of :func:`rsclass.core.gauss.likeliest`.
        """
        _likeliest(len(bands))(
            values,
            valid,
            gain[bands],
            offset[bands] - self.middle,
            bands,
            self.whitener,
            self.weight,
            self.start,
            np.float32(self.share),
            np.float32(self.rest),
            labels,
        )


@cache
def _likeliest(n_bands: int) -> Callable[..., None]:
    """The loop for so many bands, seen by the compiler as straight code."""

    @fused
    def settle(values, valid, gain, offset, bands, whitener, weight, start, share, rest, labels):
        single = np.float32
        n_classes = len(start)
        n_pixels = values.shape[1]
        less = single(0.5) * (single(1.0) - share)
        z = np.empty((n_bands, RUN), single)
        first = np.empty(RUN, single)
        second = np.empty(RUN, single)
        near = np.empty(RUN, single)
        label = np.empty(RUN, np.int32)
        for at in range(0, n_pixels, RUN):
            n = min(RUN, n_pixels - at)
            for b in range(n_bands):
                x = values[bands[b], at : at + n]
                zb = z[b]
                for i in range(n):
                    zb[i] = single(x[i] * gain[b] + offset[b])
            for i in range(n):
                first[i] = single(-np.inf)
                second[i] = single(-np.inf)
                near[i] = single(np.inf)
                label[i] = np.int32(0)
            for k in range(n_classes):
                heavy = weight[k]
                w, s = whitener[k], start[k]
                number = np.int32(k)
                for i in range(n):
                    d = single(0.0)
                    for b in range(n_bands):
                        row = s[b]
                        for c in range(b + 1):
                            row += w[b, c] * z[c, i]
                        d += row * row
                    # What the discriminant can be at most, but for the rest.
                    g = heavy - less * d
                    best = first[i]
                    more = g > best
                    lower = best if more else g
                    second[i] = max(second[i], lower)
                    first[i] = g if more else best
                    near[i] = d if more else near[i]
                    label[i] = number if more else label[i]
            for i in range(n):
                settled = (first[i] - share * near[i] - rest > second[i]) & (near[i] < _NEAR)
                found = label[i] if settled else np.int32(UNSETTLED)
                labels[at + i] = found if valid[at + i] else np.int32(-1)

    return settle


@cache
def _nearest(n_bands: int) -> Callable[..., None]:
    """The loop for so many bands, seen by the compiler as straight code."""

    @fused
    def settle(values, valid, gain, offset, centers, share, rest, most, labels):
        single = np.float32
        n_classes = len(centers)
        n_pixels = values.shape[1]
        z = np.empty((n_bands, RUN), single)
        first = np.empty(RUN, single)
        second = np.empty(RUN, single)
        label = np.empty(RUN, np.int32)
        for at in range(0, n_pixels, RUN):
            n = min(RUN, n_pixels - at)
            for b in range(n_bands):
                x = values[b, at : at + n]
                zb = z[b]
                for i in range(n):
                    zb[i] = single(x[i] * gain[b] + offset[b])
            for i in range(n):
                first[i] = single(np.inf)
                second[i] = single(np.inf)
                label[i] = np.int32(0)
            for k in range(0, n_classes, 2):
                # The last class of an odd number stands beside itself, infinitely far away.
                k1 = min(k + 1, n_classes - 1)
                apart = single(0.0) if k1 > k else single(np.inf)
                center, center1 = centers[k], centers[k1]
                number, number1 = np.int32(k), np.int32(k1)
                for i in range(n):
                    d = single(0.0)
                    d1 = apart
                    for b in range(n_bands):
                        t = z[b, i] - center[b]
                        t1 = z[b, i] - center1[b]
                        d += t * t
                        d1 += t1 * t1
                    best = first[i]
                    own = label[i]
                    less = d < best
                    other = best if less else d
                    best = d if less else best
                    own = number if less else own
                    less = d1 < best
                    other1 = best if less else d1
                    first[i] = d1 if less else best
                    label[i] = number1 if less else own
                    second[i] = min(second[i], min(other, other1))
            for i in range(n):
                high = first[i] * (single(1.0) + share) + rest
                low = second[i] * (single(1.0) - share)
                found = label[i] if (high + rest < low) & (first[i] < most) else np.int32(UNSETTLED)
                labels[at + i] = found if valid[at + i] else np.int32(-1)

    return settle

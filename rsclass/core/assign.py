"""Pixels to their nearest centers, and the sums that an update of the centers needs.

One compiled loop does both, made anew for each number of bands up to ``UNROLLED``, so that the
compiler sees the loop over bands as straight code. The distance of a pixel is formed in the
order of bands in every variant, so all give the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import RUN, UNROLLED, compiled
from rsclass.core.settling import MANY, UNSETTLED, SingleCenters
from rsclass.core.types import Float, Mask


@cache
def _kernel(unrolled: int) -> Callable[..., Any]:
    """The loop for ``unrolled`` bands; 0: for any number."""

    @compiled
    def assign(
        values,
        valid,
        gain,
        offset,
        origin,
        centers,
        labels,
        distance2,
        count,
        sums,
        squares,
        distance,
    ):
        n_bands = unrolled or values.shape[0]
        n_pixels = values.shape[1]
        n_classes = centers.shape[0]
        none = len(count) - 1
        z = np.empty((n_bands, RUN))
        d = np.empty(RUN)
        best = np.empty(RUN)
        label = np.empty(RUN)
        moved = 0
        for start in range(0, n_pixels, RUN):
            n = min(RUN, n_pixels - start)
            for b in range(n_bands):
                x = values[b, start : start + n]
                zb = z[b]
                for i in range(n):
                    zb[i] = x[i] * gain[b] + offset[b]
            for i in range(n):
                best[i] = np.inf
                label[i] = 0.0
            if unrolled:
                for k in range(0, n_classes, 2):
                    # The last class of an odd number is looked at twice, which changes nothing.
                    k1 = min(k + 1, n_classes - 1)
                    center, center1 = centers[k], centers[k1]
                    number, number1 = float(k), float(k1)
                    for i in range(n):
                        near = 0.0
                        near1 = 0.0
                        for b in range(n_bands):
                            t = z[b, i] - center[b]
                            t1 = z[b, i] - center1[b]
                            near += t * t
                            near1 += t1 * t1
                        smallest = best[i]
                        own = label[i]
                        less = near < smallest
                        smallest = near if less else smallest
                        own = number if less else own
                        less = near1 < smallest
                        best[i] = near1 if less else smallest
                        label[i] = number1 if less else own
            else:
                for k in range(n_classes):
                    number = float(k)
                    for i in range(n):
                        d[i] = 0.0
                    for b in range(n_bands):
                        m = centers[k, b]
                        zb = z[b]
                        for i in range(n):
                            t = zb[i] - m
                            d[i] += t * t
                    for i in range(n):
                        less = d[i] < best[i]
                        best[i] = d[i] if less else best[i]
                        label[i] = number if less else label[i]
            if len(distance2) > 0:
                for i in range(n):
                    distance2[start + i] = best[i] if valid[start + i] else np.nan
            if none < 0:
                for i in range(n):
                    labels[start + i] = int(label[i]) if valid[start + i] else -1
                continue
            for i in range(n):
                new = int(label[i]) if valid[start + i] else none
                old = int(labels[start + i])
                if new != old:
                    moved += 1
                    labels[start + i] = new
                    count[old] -= 1
                    count[new] += 1
                    for b in range(n_bands):
                        y = values[b, start + i] - origin[b]
                        sums[old, b] -= y
                        squares[old, b] -= y * y
                        sums[new, b] += y
                        squares[new, b] += y * y
                if len(distance) > 0:
                    distance[new] += np.sqrt(best[i])
        return moved

    return assign


_NONE = np.empty(0)
_NO_COUNT = np.empty(0, np.int64)
_NO_SUMS = np.empty((0, 0), np.int64)
_NO_ORIGIN = np.empty(0, np.int64)


def _loop(n_bands: int) -> Callable[..., Any]:
    return _kernel(n_bands if n_bands <= UNROLLED else 0)


def nearest(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    centers: Float,
    labels: NDArray[np.int32],
    distance2: Float | None = None,
) -> None:
    """Label every valid pixel with its nearest center, the lowest of equals; -1 elsewhere.

    Parameters
    ----------
    values : array (bands, pixels)
        Stored values; ``values * gain + offset`` leads into the space of the centers.
    valid : bool array (pixels,)
    gain, offset : float64 arrays (bands,)
    centers : float64 array (classes, bands)
    labels : int32 array (pixels,)
        Filled.
    distance2 : float64 array (pixels,), optional
        Filled with the squared distance; NaN at invalid pixels.
    """
    single = distance2 is None and len(labels) >= MANY
    quick = SingleCenters.of(centers, offset) if single else None
    if quick is None:
        _nearest(values, valid, gain, offset, centers, labels, distance2)
        return
    quick.settle(values, valid, gain, offset, labels)
    left = np.flatnonzero(labels == UNSETTLED)
    if len(left):
        some, of = np.take(values, left, axis=1), np.empty(len(left), np.int32)
        _nearest(some, np.ones(len(left), np.bool_), gain, offset, centers, of)
        labels[left] = of


def _nearest(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    centers: Float,
    labels: NDArray[np.int32],
    distance2: Float | None = None,
) -> None:
    """As :func:`nearest`, all in double precision."""
    _loop(len(values))(
        values,
        valid,
        gain,
        offset,
        _NO_ORIGIN,
        centers,
        labels,
        _NONE if distance2 is None else distance2,
        _NO_COUNT,
        _NO_SUMS,
        _NO_SUMS,
        _NONE,
    )


def retally(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    origin: NDArray[Any],
    centers: Float,
    labels: NDArray[Any],
    count: NDArray[np.int64],
    sums: NDArray[Any],
    squares: NDArray[Any],
    distance: Float | None = None,
) -> int:
    """Label every pixel anew and bring the sums of the classes up to date.

    Only pixels that change class are added and taken away, which is exact where the sums are
    whole numbers; others must start from sums of zero and labels of none.

    Parameters
    ----------
    values, valid, gain, offset, centers
        As for :func:`nearest`.
    origin : int64 or float64 array (bands,)
        Subtracted from stored values before they are added; its type is that of the sums.
    labels : unsigned array (pixels,)
        Classes so far, changed; the last row of the sums, ``len(count) - 1``, is "none".
    count : int64 array (rows,)
    sums, squares : arrays (rows, bands)
        Of ``values - origin``; changed. At least one row more than there are centers.
    distance : float64 array (rows,), optional
        Gets the sums of the distance to the own center added.

    Returns
    -------
    int
        Pixels that changed class.
    """
    moved = _loop(len(values))(
        values,
        valid,
        gain,
        offset,
        origin,
        centers,
        labels,
        _NONE,
        count,
        sums,
        squares,
        _NONE if distance is None else distance,
    )
    return int(moved)

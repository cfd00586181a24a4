"""Sums over fuzzy memberships, from which the centers of fuzzy K-means move.

Distances and memberships are formed in single precision, relative to the middle of the centers,
and added in double precision; the order of all additions is fixed by the block alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import RUN, UNROLLED, fused
from rsclass.core.types import Float, Mask

FAR = 1e15
"""Distances from the middle, in spreads of the centers, at which single precision could end."""


LIGHT = 1e30
"""Sum of inverse squared distances at which single precision could end: a pixel on a center."""


@fused
def _add_products(a, b, lanes):
    """Add the products of two runs to sixteen sums, each of every sixteenth pixel.

    Sixteen products are added as a tree in single precision, and the trees in double precision.
    """
    for i in range(16):
        p0 = (a[i] * b[i] + a[i + 16] * b[i + 16]) + (a[i + 32] * b[i + 32] + a[i + 48] * b[i + 48])
        p1 = (a[i + 64] * b[i + 64] + a[i + 80] * b[i + 80]) + (
            a[i + 96] * b[i + 96] + a[i + 112] * b[i + 112]
        )
        p2 = (a[i + 128] * b[i + 128] + a[i + 144] * b[i + 144]) + (
            a[i + 160] * b[i + 160] + a[i + 176] * b[i + 176]
        )
        p3 = (a[i + 192] * b[i + 192] + a[i + 208] * b[i + 208]) + (
            a[i + 224] * b[i + 224] + a[i + 240] * b[i + 240]
        )
        lanes[i] += np.float64((p0 + p1) + (p2 + p3))


_TWO_THIRDS = 0x3F2AAAAB
"""The bits of 2/3 in single precision."""

_FRACTION_BITS = 23


@fused
def _logarithms(u, mantissa, out):
    """Natural logarithms of positive numbers, wrong by 3e-7 of them at most; finite for 0.

    ``u = 2^e (1 + f)`` with ``1 + f`` from 2/3 to 4/3, and ``ln(1 + f) = 2 artanh(f / (2 + f))``
    as a series.
    """
    bits, ones = u.view(np.int32), mantissa.view(np.int32)
    for i in range(len(u)):
        e = (bits[i] - np.int32(_TWO_THIRDS)) >> np.int32(_FRACTION_BITS)
        ones[i] = bits[i] - (e << np.int32(_FRACTION_BITS))
        out[i] = np.float32(e)
    for i in range(len(u)):
        f = mantissa[i] - np.float32(1.0)
        s = f / (np.float32(2.0) + f)
        q = s * s
        series = np.float32(1 / 9) * q + np.float32(1 / 7)
        series = series * q + np.float32(1 / 5)
        series = series * q + np.float32(1 / 3)
        artanh = s * (series * q + np.float32(1.0))
        out[i] = out[i] * np.float32(np.log(2.0)) + np.float32(2.0) * artanh


@cache
def _kernel(unrolled: int) -> Callable[..., Any]:
    """The loop for ``unrolled`` bands; 0: for any number."""

    @fused
    def tally(values, valid, gain, offset, centers, fuzzifier, weight, sums, totals, indices):
        single = np.float32
        n_bands = unrolled or values.shape[0]
        n_pixels = values.shape[1]
        n_classes = centers.shape[0]
        crisp = fuzzifier == 2.0
        power = single(1.0 / (fuzzifier - 1.0))
        exponent = single(fuzzifier)
        z = np.zeros((n_bands, RUN), single)
        d = np.empty((n_classes, RUN), single)
        smallest = np.empty(RUN, single)
        total = np.empty(RUN, single)
        weighted = np.zeros(RUN, single)
        own = np.zeros(RUN, single)
        ones = np.ones(RUN, single)
        share_of = np.zeros(RUN, single)
        mantissa = np.empty(RUN, single)
        logarithm = np.empty(RUN, single)
        squares, entropy = np.zeros(16), np.zeros(16)
        lanes = np.zeros((n_classes, n_bands + 1, 16))
        objective = np.zeros(16)
        place = np.empty(RUN, np.int64)
        for start in range(0, n_pixels, RUN):
            m = min(RUN, n_pixels - start)
            n = 0
            for i in range(m):
                if valid[start + i]:
                    place[n] = i
                    n += 1
            if n == 0:
                continue
            for b in range(n_bands):
                x = values[b, start : start + m]
                zb = z[b]
                if n == m:
                    for i in range(n):
                        zb[i] = single(min(max(x[i] * gain[b] + offset[b], -FAR), FAR))
                else:
                    for i in range(n):
                        zb[i] = single(min(max(x[place[i]] * gain[b] + offset[b], -FAR), FAR))
            # Shares are 1 / d^2 as a rule; smallest / d^2 where that could overflow.
            plain = crisp and unrolled > 0 and n_classes > 1
            if plain:
                for i in range(n):
                    total[i] = single(0.0)
                    smallest[i] = single(1.0)
                for k in range(n_classes):
                    center = centers[k]
                    dk = d[k]
                    for i in range(n):
                        near = single(0.0)
                        for b in range(n_bands):
                            t = z[b, i] - center[b]
                            near += t * t
                        share = single(1.0) / near
                        dk[i] = share
                        total[i] += share
                beyond = 0
                for i in range(n):
                    beyond += total[i] > LIGHT
                plain = beyond == 0
            if not plain:
                for i in range(n):
                    smallest[i] = single(np.inf)
                    total[i] = single(0.0)
                for k in range(n_classes):
                    center = centers[k]
                    dk = d[k]
                    if unrolled:
                        for i in range(n):
                            near = single(0.0)
                            for b in range(n_bands):
                                t = z[b, i] - center[b]
                                near += t * t
                            dk[i] = near
                            smallest[i] = min(smallest[i], near)
                    else:
                        for i in range(n):
                            dk[i] = single(0.0)
                        for b in range(n_bands):
                            zb = z[b]
                            c = center[b]
                            for i in range(n):
                                t = zb[i] - c
                                dk[i] += t * t
                        for i in range(n):
                            smallest[i] = min(smallest[i], dk[i])
                on_center = False
                for i in range(n):
                    on_center |= smallest[i] == 0
                for k in range(n_classes):
                    dk = d[k]
                    if on_center:
                        for i in range(n):
                            if smallest[i] == 0:
                                dk[i] = single(1.0) if dk[i] == 0 else single(0.0)
                            else:
                                dk[i] = smallest[i] / dk[i]
                    else:
                        for i in range(n):
                            dk[i] = smallest[i] / dk[i]
                    if not crisp:
                        for i in range(n):
                            dk[i] = dk[i] ** power
                    for i in range(n):
                        total[i] += dk[i]
            for i in range(n):
                total[i] = single(1.0) / total[i]
            for i in range(n, RUN):
                weighted[i] = single(0.0)
                own[i] = single(0.0)
            for k in range(n_classes):
                dk = d[k]
                if crisp:
                    for i in range(n):
                        u = dk[i] * total[i]
                        weighted[i] = u * u
                else:
                    for i in range(n):
                        weighted[i] = (dk[i] * total[i]) ** exponent
                _add_products(weighted, ones, lanes[k, n_bands])
                for b in range(n_bands):
                    _add_products(weighted, z[b], lanes[k, b])
                if indices:
                    for i in range(n):
                        share_of[i] = dk[i] * total[i]
                    for i in range(n, RUN):
                        share_of[i] = single(0.0)
                    _logarithms(share_of, mantissa, logarithm)
                    _add_products(share_of, share_of, squares)
                    _add_products(share_of, logarithm, entropy)
            # The sum over classes of u^m d^2 is smallest * (1 / total)^(m - 1).
            if crisp:
                for i in range(n):
                    own[i] = total[i]
            else:
                for i in range(n):
                    own[i] = total[i] ** (exponent - single(1.0))
            for i in range(n, RUN):
                smallest[i] = single(0.0)
            _add_products(own, smallest, objective)
        for i in range(16):
            totals[0] += objective[i]
            totals[1] += squares[i]
            totals[2] -= entropy[i]
            for k in range(n_classes):
                weight[k] += lanes[k, n_bands, i]
                for b in range(n_bands):
                    sums[k, b] += lanes[k, b, i]

    return tally


def fuzzy_tally(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    centers: Float,
    fuzzifier: float,
    indices: bool = False,
) -> tuple[Float, Float, Float]:
    """Add up what an update of fuzzy centers needs, with memberships u of every valid pixel.

    A pixel that lies on centers belongs to these in equal shares.

    Parameters
    ----------
    values : array (bands, pixels)
        Stored values; ``z = values * gain + offset`` leads into the space of the centers.
    valid : bool array (pixels,)
    gain, offset : float64 arrays (bands,)
    centers : float64 array (classes, bands)
    fuzzifier : float
        The exponent m.
    indices : bool
        Whether the last two totals are formed.

    Returns
    -------
    weight : float64 array (classes,)
        Sums of ``u^m``.
    sums : float64 array (classes, bands)
        Of ``u^m z``.
    totals : float64 array (3,)
        Over pixels and classes: the sums of ``u^m d^2``, of ``u^2`` and of ``-u ln u``.
    """
    n_classes, n_bands = centers.shape
    # The median: one far center must not coarsen the others.
    middle = np.median(centers, axis=0)
    # A power of two, which rounds nothing.
    unit = 2.0 ** np.frexp(np.abs(centers - middle).max())[1]
    weight, sums, totals = np.zeros(n_classes), np.zeros((n_classes, n_bands)), np.zeros(3)
    _kernel(n_bands if n_bands <= UNROLLED else 0)(
        values,
        valid,
        gain / unit,
        (offset - middle) / unit,
        ((centers - middle) / unit).astype(np.float32),
        fuzzifier,
        weight,
        sums,
        totals,
        indices,
    )
    totals[0] *= unit * unit
    return weight, sums * unit + weight[:, None] * middle, totals

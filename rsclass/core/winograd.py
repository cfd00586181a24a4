"""Convolutions of 3x3 pixels from a quarter of the products.

Winograd's minimal filtering F(4x4, 3x3): the 16 sums of a square of 4x4 pixels are formed from 36
products of the 6x6 pixels around it in place of 144 (Lavin and Gray 2016, Fast algorithms for
convolutional neural networks, CVPR, doi:10.1109/CVPR.2016.435; points 0, 1, -1, 2, -2 and
infinity). Sums come out to about six digits in float32, where plain ones have nearly seven.

An image is (height, width, channels). Its squares are counted row by row; those of the last row
and column are moved back so that they end with the image.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import compiled
from rsclass.core.types import Float

__all__ = ["SMALLEST", "convolved", "transformed"]

SMALLEST = 6
"""Side in pixels of the smallest image."""

_PRODUCTS = 2**18  # of two matrices; so few that no matrix library shares them out to threads
_LINE = 64  # channels worked on at once, which stay in the processor's nearest cache
_ROW = 6 * _LINE

_OF_WEIGHTS = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)


def transformed(weight: Float) -> NDArray[np.float32]:
    """Factors (36, inputs, outputs) of the weights (outputs, inputs, 3, 3) of a convolution."""
    # einsum without optimize calls no matrix library, whose last bits may change.
    rows = np.einsum("ra,kcab->rkcb", _OF_WEIGHTS, weight)
    factors = np.einsum("rkcb,sb->rsck", rows, _OF_WEIGHTS)
    return np.ascontiguousarray(factors.reshape(36, *factors.shape[2:]), dtype=np.float32)


def convolved(
    image: NDArray[np.float32],
    factors: NDArray[np.float32],
    bias: NDArray[np.float32],
    least: float = -np.inf,
) -> NDArray[np.float32]:
    """Sums (height - 2, width - 2, outputs) over the 3x3 pixels around every pixel.

    Parameters
    ----------
    image : float32 array (height, width, inputs)
        At least 6x6 pixels.
    factors : float32 array (36, inputs, outputs)
        What :func:`transformed` made of the weights.
    bias : float32 array (outputs,)
    least : float
        Smaller sums become this.
    """
    image = np.ascontiguousarray(image)
    height, width, inputs = image.shape
    outputs = len(bias)
    out = np.empty((height - 2, width - 2, outputs), np.float32)
    n = ((height + 1) // 4) * ((width + 1) // 4)
    most = min(n, max(16, _PRODUCTS // (inputs * outputs)))
    seen = np.empty(36 * most * inputs, np.float32)
    made = np.empty(36 * most * outputs, np.float32)
    for first in range(0, n, most):
        own = min(most, n - first)
        parts = seen[: 36 * own * inputs].reshape(36, own, inputs)
        products = made[: 36 * own * outputs].reshape(36, own, outputs)
        _spread(image, first, parts)
        np.matmul(parts, factors, out=products)
        _collect(products, bias, np.float32(least), first, out)
    return out


@compiled
def _spread(image: NDArray[np.float32], first: int, out: NDArray[np.float32]) -> None:
    """What is to be multiplied (36, squares, channels) of the squares from ``first`` on."""
    height, width, channels = image.shape
    across = (width + 1) // 4
    columns = np.empty(6 * _ROW, np.float32)
    line = np.empty(_ROW, np.float32)
    two, four, five = np.float32(2), np.float32(4), np.float32(5)
    for t in range(out.shape[1]):
        top = min(4 * ((first + t) // across), height - 6)
        left = min(4 * ((first + t) % across), width - 6)
        for start in range(0, channels, _LINE):
            n = min(_LINE, channels - start)
            for s in range(6):
                x0 = image[top, left + s, start : start + n]
                x1 = image[top + 1, left + s, start : start + n]
                x2 = image[top + 2, left + s, start : start + n]
                x3 = image[top + 3, left + s, start : start + n]
                x4 = image[top + 4, left + s, start : start + n]
                x5 = image[top + 5, left + s, start : start + n]
                y = columns[s * _LINE :]
                for c in range(n):
                    a, b = x4[c] - four * x2[c], x3[c] - four * x1[c]
                    d, e = x4[c] - x2[c], two * (x3[c] - x1[c])
                    y[c] = four * x0[c] - five * x2[c] + x4[c]
                    y[c + _ROW] = a + b
                    y[c + 2 * _ROW] = a - b
                    y[c + 3 * _ROW] = d + e
                    y[c + 4 * _ROW] = d - e
                    y[c + 5 * _ROW] = four * x1[c] - five * x3[c] + x5[c]
            for r in range(6):
                x = columns[r * _ROW :]
                for c in range(n):
                    z0, z1, z2 = x[c], x[c + _LINE], x[c + 2 * _LINE]
                    z3, z4, z5 = x[c + 3 * _LINE], x[c + 4 * _LINE], x[c + 5 * _LINE]
                    a, b = z4 - four * z2, z3 - four * z1
                    d, e = z4 - z2, two * (z3 - z1)
                    line[c] = four * z0 - five * z2 + z4
                    line[c + _LINE] = a + b
                    line[c + 2 * _LINE] = a - b
                    line[c + 3 * _LINE] = d + e
                    line[c + 4 * _LINE] = d - e
                    line[c + 5 * _LINE] = four * z1 - five * z3 + z5
                for s in range(6):
                    own = line[s * _LINE : s * _LINE + n]
                    to = out[6 * r + s, t, start : start + n]
                    for c in range(n):
                        to[c] = own[c]


@compiled
def _collect(
    products: NDArray[np.float32],
    bias: NDArray[np.float32],
    least: np.float32,
    first: int,
    out: NDArray[np.float32],
) -> None:
    """Set the sums of the squares from ``first`` on from their products (36, squares, outputs)."""
    height, width, outputs = out.shape
    across = (width + 3) // 4
    rows = np.empty(4 * _ROW, np.float32)
    line = np.empty(4 * _LINE, np.float32)
    two, four, eight = np.float32(2), np.float32(4), np.float32(8)
    for t in range(products.shape[1]):
        top = min(4 * ((first + t) // across), height - 4)
        left = min(4 * ((first + t) % across), width - 4)
        for start in range(0, outputs, _LINE):
            n = min(_LINE, outputs - start)
            for s in range(6):
                x0 = products[s, t, start : start + n]
                x1 = products[6 + s, t, start : start + n]
                x2 = products[12 + s, t, start : start + n]
                x3 = products[18 + s, t, start : start + n]
                x4 = products[24 + s, t, start : start + n]
                x5 = products[30 + s, t, start : start + n]
                y = rows[s * _LINE :]
                for c in range(n):
                    a, b = x1[c] + x2[c], x1[c] - x2[c]
                    d, e = x3[c] + x4[c], x3[c] - x4[c]
                    y[c] = x0[c] + a + d
                    y[c + _ROW] = b + two * e
                    y[c + 2 * _ROW] = a + four * d
                    y[c + 3 * _ROW] = b + eight * e + x5[c]
            more = bias[start : start + n]
            for r in range(4):
                x = rows[r * _ROW :]
                for c in range(n):
                    z0, z1, z2 = x[c], x[c + _LINE], x[c + 2 * _LINE]
                    z3, z4, z5 = x[c + 3 * _LINE], x[c + 4 * _LINE], x[c + 5 * _LINE]
                    a, b = z1 + z2 + more[c], z1 - z2 + more[c]
                    d, e = z3 + z4, z3 - z4
                    line[c] = max(z0 + a + d, least)
                    line[c + _LINE] = max(b + two * e, least)
                    line[c + 2 * _LINE] = max(a + four * d, least)
                    line[c + 3 * _LINE] = max(b + eight * e + z5, least)
                for s in range(4):
                    own = line[s * _LINE : s * _LINE + n]
                    to = out[top + r, left + s, start : start + n]
                    for c in range(n):
                        to[c] = own[c]

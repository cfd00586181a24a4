"""Edge-preserving smoothing of vector images: pixels are averaged with neighbors of like spectra.

Tomasi and Manduchi 1998, Bilateral filtering for gray and color images, ICCV, pages 839-846,
doi:10.1109/ICCV.1998.710815. The weights come from all bands at once, so that an edge seen in one
band is kept in every band.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import compiled
from rsclass.core.types import Mask

__all__ = ["PASSES", "RADIUS", "SPREAD", "bilateral", "reach"]

RADIUS = 3
"""Pixels to each side of the window: 7 x 7."""

PASSES = 2

SPREAD = 1.5
"""Spectral distance of a weight of exp(-1/2), in median distances of two neighboring pixels."""

_SPREAD2 = 4.0  # squared standard deviation of the spatial weight, in pixels
_RUN = 128


def reach(passes: int = PASSES) -> int:
    """Pixels around a pixel that its filtered value depends on, to each side."""
    return RADIUS * passes


def bilateral(
    image: NDArray[np.float32], valid: Mask, spread: float, passes: int = PASSES
) -> NDArray[np.float32]:
    """Average every pixel with those around it that resemble it.

    In each pass a pixel p becomes the mean of the pixels q of the 7 x 7 window around it, with
    weights ``exp(-|y_p - y_q|^2 / (2 spread^2) - |p - q|^2 / 8)``. Invalid pixels and what lies
    beyond the image weigh nothing. Every pixel is summed in the same order, so a pixel farther
    than ``reach(passes)`` from the border does not depend on where the image was cut.

    Parameters
    ----------
    image : float32 array (bands, height, width)
        Finite at valid pixels.
    valid : bool array (height, width)
    spread : float
        Spectral distance over which weights fall to exp(-1/2); where it is 0, only equal pixels
        are averaged, which changes nothing.
    passes : int

    Returns
    -------
    float32 array (bands, height, width)
        0 at invalid pixels.
    """
    smooth = np.where(valid, image, np.float32(0))
    if not spread > 0:
        return smooth
    factor = np.float32(0.5 / spread**2)
    known = np.ascontiguousarray(valid)
    for _ in range(passes):
        source, smooth = smooth, np.empty_like(smooth)
        _bilateral(source, known, factor, smooth)
    return smooth


@compiled
def _bilateral(
    image: NDArray[np.float32], valid: Mask, factor: np.float32, out: NDArray[np.float32]
) -> None:
    """One pass; ``factor`` turns a squared distance into the exponent of its weight."""
    n_bands, height, width = image.shape
    d2 = np.empty(_RUN, np.float32)
    total = np.empty(_RUN, np.float32)
    sums = np.empty((n_bands, _RUN), np.float32)
    for r in range(height):
        for first in range(0, width, _RUN):
            n = min(_RUN, width - first)
            for i in range(n):
                total[i] = 0
            for b in range(n_bands):
                own = sums[b]
                for i in range(n):
                    own[i] = 0
            for dr in range(max(-RADIUS, -r), min(RADIUS + 1, height - r)):
                for dc in range(-RADIUS, RADIUS + 1):
                    low = max(first, -dc) - first
                    high = min(first + n, width - dc) - first
                    if high <= low:
                        continue
                    far = np.float32((dr * dr + dc * dc) / (2 * _SPREAD2))
                    m = high - low
                    near = first + low
                    for i in range(m):
                        d2[i] = 0
                    for b in range(n_bands):
                        x = image[b, r, near : near + m]
                        y = image[b, r + dr, near + dc : near + dc + m]
                        for i in range(m):
                            t = x[i] - y[i]
                            d2[i] += t * t
                    known = valid[r + dr, near + dc : near + dc + m]
                    for i in range(m):
                        # exp(-t) is the 64th power of exp(-t / 64), for which a short series does.
                        t = min(d2[i] * factor + far, np.float32(64.0)) * np.float32(1 / 64)
                        e = np.float32(1 / 24) - t * np.float32(1 / 120)
                        e = np.float32(1 / 6) - t * e
                        e = np.float32(1 / 2) - t * e
                        e = np.float32(1) - t * e
                        e = np.float32(1) - t * e
                        for _ in range(6):
                            e *= e
                        d2[i] = e if known[i] else np.float32(0)
                    weight = total[low:high]
                    for i in range(m):
                        weight[i] += d2[i]
                    for b in range(n_bands):
                        y = image[b, r + dr, near + dc : near + dc + m]
                        own = sums[b, low:high]
                        for i in range(m):
                            own[i] += d2[i] * y[i]
            for b in range(n_bands):
                for i in range(n):
                    here = valid[r, first + i]
                    out[b, r, first + i] = sums[b, i] / total[i] if here else np.float32(0)

"""Angles between the spectra of pixels and of classes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import compiled
from rsclass.core.kernels import RUN
from rsclass.core.types import Float, Labels, Mask


@compiled
def smallest_angle(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    directions: Float,
    labels: Labels,
    angle: Float,
    every: Float,
) -> None:
    """Label every pixel with the class of the smallest spectral angle.

    Parameters
    ----------
    values : array (bands, pixels)
        As stored; ``stored * gain + offset`` is physical.
    valid : bool array (pixels,)
    gain, offset : float64 arrays (bands,)
    directions : float64 array (classes, bands)
        Spectra of length 1.
    labels : int32 array (pixels,)
        Is filled: the lowest class in a tie; -1 at invalid pixels, and where all bands are 0,
        because nothing has no direction.
    angle : float64 array (pixels,)
        Is filled: radians to that class; NaN where there is none.
    every : float64 array (classes or 0, pixels)
        Is filled: radians to every class.
    """
    n_bands, n_pixels = values.shape
    n_classes = len(directions)
    z = np.empty((n_bands, RUN))
    length = np.empty(RUN)
    cosine = np.empty(RUN)
    best = np.empty(RUN)
    label = np.empty(RUN, np.int32)
    for start in range(0, n_pixels, RUN):
        n = min(RUN, n_pixels - start)
        for i in range(n):
            length[i] = 0.0
            best[i] = -np.inf
            label[i] = -1
        for b in range(n_bands):
            for i in range(n):
                x = values[b, start + i] * gain[b] + offset[b]
                z[b, i] = x
                length[i] += x * x
        for i in range(n):
            length[i] = math.sqrt(length[i])
        for k in range(n_classes):
            for i in range(n):
                cosine[i] = 0.0
            for b in range(n_bands):
                m = directions[k, b]
                for i in range(n):
                    cosine[i] += m * z[b, i]
            for i in range(n):
                if cosine[i] > best[i]:
                    best[i] = cosine[i]
                    label[i] = k
            if len(every) > 0:
                for i in range(n):
                    every[k, start + i] = (
                        math.acos(min(max(cosine[i] / length[i], -1.0), 1.0))
                        if valid[start + i] and length[i] > 0.0
                        else np.nan
                    )
        for i in range(n):
            if valid[start + i] and length[i] > 0.0:
                labels[start + i] = label[i]
                angle[start + i] = math.acos(min(max(best[i] / length[i], -1.0), 1.0))
            else:
                labels[start + i] = -1
                angle[start + i] = np.nan

"""Boxes in spectral space, and the pixels that lie in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import compiled
from rsclass.core.kernels import RUN
from rsclass.core.types import Float, Mask


@compiled
def distances_in_boxes(
    values: NDArray[Any],
    valid: Mask,
    gain: Float,
    offset: Float,
    low: Float,
    high: Float,
    mean: Float,
    scale: Float,
    out: Float,
) -> None:
    """Squared distance of every pixel to the mean of each class whose box it lies in.

    Parameters
    ----------
    values : array (bands, pixels)
        As stored; ``stored * gain + offset`` is physical.
    valid : bool array (pixels,)
    gain, offset : float64 arrays (bands,)
    low, high, mean : float64 arrays (classes, bands)
        Physical units; sides belong to the box.
    scale : float64 array (bands,)
        Physical size of one unit of distance.
    out : float64 array (classes, pixels)
        Is filled: infinity outside of the box, NaN at invalid pixels.
    """
    n_bands, n_pixels = values.shape
    z = np.empty(RUN)
    for start in range(0, n_pixels, RUN):
        n = min(RUN, n_pixels - start)
        for k in range(len(mean)):
            for i in range(n):
                out[k, start + i] = 0.0
        for b in range(n_bands):
            for i in range(n):
                z[i] = values[b, start + i] * gain[b] + offset[b]
            for k in range(len(mean)):
                lowest, highest, middle = low[k, b], high[k, b], mean[k, b]
                for i in range(n):
                    apart = (z[i] - middle) / scale[b]
                    out[k, start + i] += (
                        apart * apart if lowest <= z[i] and z[i] <= highest else np.inf
                    )
        for k in range(len(mean)):
            for i in range(n):
                if not valid[start + i]:
                    out[k, start + i] = np.nan

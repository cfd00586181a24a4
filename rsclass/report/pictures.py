"""The pictures of a report as PNG, the same bytes for the same data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import Legend
from rsclass.report import png

LONGEST_SIDE = 1000


def picture(rgb: NDArray[np.uint8]) -> bytes:
    """PNG of an image (height, width, 3 or 4), thinned to at most 1,000 pixels a side."""
    step = _thinning(rgb.shape)
    return png.encode(rgb[::step, ::step])


def class_picture(class_map: NDArray[Any], legend: Legend) -> bytes:
    """PNG of class values (height, width) in the legend's colors; other values transparent."""
    step = _thinning(class_map.shape)
    thin = class_map[::step, ::step]
    values = np.array(legend.values)
    place = np.clip(np.searchsorted(values, thin), 0, len(values) - 1)
    entry = np.where(values[place] == thin, place, len(values))
    palette = np.zeros((len(values) + 1, 4), np.uint8)
    palette[:-1, :3] = legend.colors
    palette[:-1, 3] = 255
    if len(palette) > 256:
        return png.encode(palette[entry])
    return png.encode(entry.astype(np.uint8), palette)


def _thinning(shape: Sequence[int]) -> int:
    return max(1, math.ceil(max(shape[:2]) / LONGEST_SIDE))

"""Parts of a scene, chosen by place, that stand for the whole where neighborhoods matter.

The scene is cut into chunks by its size alone, and these are drawn by place until they hold as
many pixels as asked, so the same pixels serve whatever the tiles and workers of the run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from rsclass.core.sampling import place_keys
from rsclass.core.types import Window

__all__ = ["CHUNK", "chunk_windows", "shuffled_chunks"]

CHUNK = 128


def chunk_windows(height: int, width: int) -> list[Window]:
    """The scene cut evenly into chunks of at most 128 x 128 pixels, row by row."""
    rows = np.linspace(0, height, math.ceil(height / CHUNK) + 1).astype(int).tolist()
    cols = np.linspace(0, width, math.ceil(width / CHUNK) + 1).astype(int).tolist()
    return [
        Window(r, c, r_end - r, c_end - c)
        for r, r_end in pairwise(rows)
        for c, c_end in pairwise(cols)
    ]


def shuffled_chunks(height: int, width: int, seed: int) -> Iterator[Window]:
    """The chunks of a scene in an order that depends on their places and the seed alone."""
    windows = chunk_windows(height, width)
    corners = np.array([(window.row, window.col) for window in windows])
    keys = place_keys(corners[:, 0], corners[:, 1], seed)
    return (windows[i] for i in np.argsort(keys, kind="stable"))

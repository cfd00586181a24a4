"""Random choice by place: a pixel is drawn or not whatever the tiles, threads and order.

Every pixel has a 64-bit key made of the seed, its row and its column by the finalizer of
SplitMix64 (Steele, Lea, Flood 2014, OOPSLA, doi:10.1145/2660193.2660195). The sample of size n is
the n smallest keys.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.types import Mask

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX2 = np.uint64(0x94D049BB133111EB)


def mix(keys: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter 64-bit integers over the whole range, one to one."""
    z = keys + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX1
    z = (z ^ (z >> np.uint64(27))) * _MIX2
    return z ^ (z >> np.uint64(31))


def place_keys(
    rows: NDArray[np.integer], cols: NDArray[np.integer], seed: int
) -> NDArray[np.uint64]:
    """The key of every place (row, column) under ``seed``; arrays broadcast."""
    base = mix(np.array([int(seed) % 2**64], dtype=np.uint64))[0]
    r = rows.astype(np.uint64)
    c = cols.astype(np.uint64)
    return mix(mix(r ^ base) ^ (c * _MIX2))


def keys_below(
    valid: Mask, row: int, col: int, width: int, seed: int, most: int
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The valid pixels of a window whose keys are at most ``most``.

    Parameters
    ----------
    valid : bool array (pixels,)
        Row by row.
    row, col, width : int
        The window's place and its width in pixels.
    seed, most : int

    Returns
    -------
    keys : uint64 array (chosen,)
    places : int64 array (chosen,)
        Positions in ``valid``, ascending.
    """
    base = mix(np.array([int(seed) % 2**64], dtype=np.uint64))[0]
    keys = np.empty(len(valid), dtype=np.uint64)
    places = np.empty(len(valid), dtype=np.int64)
    n = kernels.keys_below(valid, row, col, width, base, np.uint64(most), keys, places)
    return keys[:n].copy(), places[:n].copy()

"""Random choice by place: a pixel is drawn or not whatever the tiles, threads and order.

Every pixel has a 64-bit key made of the seed, its row and its column by the finalizer of
SplitMix64 (Steele, Lea, Flood 2014, OOPSLA, doi:10.1145/2660193.2660195). The sample of size n is
the n smallest keys.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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

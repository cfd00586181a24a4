"""Pixels of known class for tests of supervised engines."""

from __future__ import annotations

import numpy as np

from rsclass.core.training import TrainingSet
from rsclass.core.types import Band

NAMES = ("field", "forest", "town", "water")
BANDS = tuple(Band(f"B{i + 1:02d}") for i in range(5))


def overlapping(n: int = 150, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Four overlapping classes in five correlated bands of whole numbers, of unequal sizes."""
    rng = np.random.default_rng(seed)
    tables = []
    for k in range(4):
        mix = np.random.default_rng(100 + k).normal(size=(5, 5))
        center = np.random.default_rng(200 + k).uniform(900, 1400, 5)
        tables.append(np.round(center + rng.normal(size=(n + 40 * k, 5)) @ mix * 60))
    return np.concatenate(tables), np.repeat(np.arange(4), [n + 40 * k for k in range(4)])


def training_set(n: int = 150, seed: int = 0) -> TrainingSet:
    """The same with names, in features of about ten pixels."""
    values, classes = overlapping(n, seed)
    places = np.arange(len(values))
    return TrainingSet(
        values, classes.astype(np.int32), places // 10, places, places * 0, NAMES, integer=True
    )


def scene(seed: int = 5) -> np.ndarray:
    """A uint16 image (bands, 61, 83) of such pixels."""
    values, _ = overlapping(1400, seed)
    shuffled = np.random.default_rng(seed).permutation(len(values))[: 61 * 83]
    return np.clip(values[shuffled], 1, 65535).T.reshape(5, 61, 83).astype(np.uint16)

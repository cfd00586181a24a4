"""Training pixels dealt out to folds for cross-validation.

Pixels beside each other are alike, so a classifier that has seen a pixel's neighbors does better on
it than on a map at large. Folds that keep neighbors together take that advantage away (Roberts et
al. 2017, Ecography 40, doi:10.1111/ecog.02881).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core.sampling import mix, place_keys
from rsclass.core.training import TrainingSet

__all__ = ["block_numbers", "group_folds", "pixel_folds"]

Numbers = NDArray[np.int64]


def block_numbers(training: TrainingSet, side: int) -> Numbers:
    """Number of the square of ``side`` pixels of the scene that each pixel lies in: (pixels,)."""
    rows, cols = training.rows // side, training.cols // side
    return rows * (int(cols.max(initial=0)) + 1) + cols


def group_folds(classes: NDArray[np.int32], groups: Numbers, folds: int, seed: int) -> Numbers:
    """Fold of every pixel (pixels,), such that no group is cut and classes are spread evenly.

    Groups are dealt out one after the other, larger ones first and those of about the same size in
    an order of their own for each seed; each goes where it leaves the shares of the classes in the
    folds most alike, then where there are the fewest pixels.

    Parameters
    ----------
    classes : int32 array (pixels,)
        From 0.
    groups : int64 array (pixels,)
        Any numbers; pixels of one number stay together.
    """
    numbers, place = np.unique(groups, return_inverse=True)
    n_classes = int(classes.max(initial=0)) + 1
    table = np.bincount(place * n_classes + classes, minlength=len(numbers) * n_classes)
    shares = table.reshape(len(numbers), n_classes).astype(np.float64)
    size = shares.sum(axis=1)
    total = shares.sum(axis=0)
    shares /= np.where(total > 0, total, 1.0)
    keys = mix(numbers.astype(np.uint64) ^ mix(np.array([seed], np.uint64)))
    order = np.lexsort((keys, -np.floor(np.log2(size))))
    held, pixels = np.zeros((folds, n_classes)), np.zeros(folds)
    fold_of = np.zeros(len(numbers), np.int64)
    for group in order:
        # What the sum of squares of the folds' shares would grow by.
        unevenness = held @ shares[group]
        fold = int(np.lexsort((pixels, np.round(unevenness, 12)))[0])
        fold_of[group] = fold
        held[fold] += shares[group]
        pixels[fold] += size[group]
    return fold_of[place]


def pixel_folds(training: TrainingSet, folds: int, seed: int) -> Numbers:
    """Fold of every pixel (pixels,) at random, the classes spread evenly."""
    keys = place_keys(training.rows, training.cols, seed)
    order = np.lexsort((keys, training.classes))
    starts = np.searchsorted(training.classes[order], np.arange(training.n_classes))
    rank = np.empty(len(training), np.int64)
    rank[order] = np.arange(len(training)) - starts[training.classes[order]]
    return rank % folds

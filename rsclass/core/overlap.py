"""How far the histograms of two classes lie over each other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.training import TrainingSet
from rsclass.core.types import Float

__all__ = ["Overlap", "histogram_overlap"]


@dataclass(frozen=True)
class Overlap:
    """Overlap of the histograms of all classes in the band that separates them best.

    Parameters
    ----------
    share : float64 array (classes, classes)
        Area that two histograms have in common, 0 (apart) to 1 (alike); 1 on the diagonal.
    band : int64 array (classes, classes)
        Position of that band; -1 on the diagonal.
    """

    share: Float
    band: NDArray[np.int64]


def histogram_overlap(training: TrainingSet) -> Overlap:
    """The least overlap of every two classes over all bands.

    Bins are of equal width from the least to the largest value of the two classes; their number is
    that of Sturges for the smaller class (1926, Journal of the American Statistical Association
    21, doi:10.1080/01621459.1926.10502161).
    """
    n_classes, n_bands = training.n_classes, training.values.shape[1]
    columns = [np.sort(training.of_class(number), axis=0) for number in range(n_classes)]
    share = np.eye(n_classes)
    band = np.full((n_classes, n_classes), -1, np.int64)
    for i in range(n_classes):
        for j in range(i):
            found = [_common(columns[i][:, b], columns[j][:, b]) for b in range(n_bands)]
            best = int(np.argmin(found))
            share[i, j] = share[j, i] = found[best]
            band[i, j] = band[j, i] = best
    return Overlap(share, band)


def _common(one: Float, other: Float) -> float:
    """Common area of the histograms of two sorted columns."""
    low, high = min(one[0], other[0]), max(one[-1], other[-1])
    if low == high:
        return 1.0
    edges = np.linspace(low, high, math.ceil(math.log2(min(len(one), len(other)))) + 2)
    shares = [_counted(column, edges) / len(column) for column in (one, other)]
    return float(np.minimum(*shares).sum())


def _counted(column: Float, edges: Float) -> NDArray[np.int64]:
    below = np.searchsorted(column, edges)
    below[-1] = len(column)
    return np.diff(below)

"""K-means on pixels that fit in memory: the start of every engine that needs centers.

Distances are direct sums over bands in a fixed order, so the result does not depend on threads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.assign import nearest as label_nearest
from rsclass.core.assign import retally
from rsclass.core.labelled import label_type
from rsclass.core.types import Float


def plus_plus(table: Float, n_classes: int, rng: np.random.Generator) -> Float:
    """Starting centers by greedy k-means++: far from each other, and at pixels.

    Of ``2 + ln(n_classes)`` candidates drawn with probability proportional to the squared
    distance to the nearest chosen center, the one that lowers the total most is taken (Arthur and
    Vassilvitskii 2007, SODA, pages 1027-1035, section 5).

    Returns
    -------
    float64 array (at most n_classes, bands)
        Fewer when the table has fewer different rows.
    """
    candidates = 2 + int(np.log(n_classes))
    values = np.ascontiguousarray(table.T)
    centers = [table[rng.integers(len(table))]]
    nearest = _closer(values, centers[0], np.full(len(table), np.inf))
    while len(centers) < n_classes:
        cumulative = np.cumsum(nearest)
        if not cumulative[-1] > 0:
            break
        drawn = np.searchsorted(cumulative, rng.random(candidates) * cumulative[-1], side="right")
        drawn = np.minimum(drawn, len(table) - 1)
        options = ((int(place), _closer(values, table[place], nearest)) for place in drawn)
        chosen, closer = min(options, key=lambda option: float(option[1].sum()))
        if nearest[chosen] == 0:
            continue
        nearest = closer
        centers.append(table[chosen])
    return np.array(centers)


def _closer(values: Float, center: Float, nearest: Float) -> Float:
    """The smaller of ``nearest`` and the squared distance to ``center``, for every pixel."""
    closer = np.empty_like(nearest)
    kernels.closer(values, center, nearest, closer)
    return closer


def lloyd(
    table: Float, centers: Float, max_iter: int = 100, tolerance: float = 0.0
) -> tuple[Float, NDArray[np.int32], float]:
    """Move each center to the mean of its pixels until none moves (Lloyd 1982).

    A center without pixels stays where it is.

    Parameters
    ----------
    table : float64 array (pixels, bands)
    centers : float64 array (classes, bands)
    max_iter : int
    tolerance : float
        Stop when the squared moves of all centers add up to no more than this.

    Returns
    -------
    centers : float64 array (classes, bands)
    labels : int32 array (pixels,)
        Under the returned centers.
    inertia : float
        Sum of squared distances to the own center. Lloyd, IEEE Transactions on Information
        Theory 28, doi:10.1109/TIT.1982.1056489.
    """
    values = np.ascontiguousarray(table.T)
    n_classes, n_bands = centers.shape
    valid = np.ones(len(table), dtype=np.bool_)
    one, zero = np.ones(n_bands), np.zeros(n_bands)
    centers = np.array(centers, dtype=np.float64)
    for _ in range(max_iter):
        of = np.full(len(table), n_classes, label_type(n_classes))
        count = np.zeros(n_classes + 1, dtype=np.int64)
        sums, squares = np.zeros((2, n_classes + 1, n_bands))
        retally(values, valid, one, zero, zero, centers, of, count, sums, squares)
        count, sums = count[:n_classes], sums[:n_classes]
        moved = np.where(count[:, None] > 0, sums / np.maximum(count, 1)[:, None], centers)
        shift = float(((moved - centers) ** 2).sum())
        centers = moved
        if shift <= tolerance:
            break
    labels, distance2 = nearest(table, centers)
    return centers, labels, float(distance2.sum())


def nearest(table: Float, centers: Float) -> tuple[NDArray[np.int32], Float]:
    """Nearest center of every row of ``table`` (pixels, bands), and the squared distance to it."""
    n_bands = centers.shape[1]
    labels = np.empty(len(table), dtype=np.int32)
    distance2 = np.empty(len(table))
    label_nearest(
        np.ascontiguousarray(table.T),
        np.ones(len(table), dtype=np.bool_),
        np.ones(n_bands),
        np.zeros(n_bands),
        centers,
        labels,
        distance2,
    )
    return labels, distance2


def best_of(table: Float, n_classes: int, seed: int, restarts: int, max_iter: int = 50) -> Float:
    """Centers of the best of several k-means runs, each from its own k-means++ start."""
    rng = np.random.default_rng(seed)
    runs = []
    for _ in range(restarts):
        centers, _, inertia = lloyd(table, plus_plus(table, n_classes, rng), max_iter)
        runs.append((inertia, centers))
    return min(runs, key=lambda run: run[0])[1]

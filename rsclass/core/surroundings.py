"""What stands beside what in a map, and which of its classes stand in for each other.

Two classes that have the same neighbors in the same measure are one thing on the ground, however
far their spectra lie apart; classes of different neighborhoods are two, however close.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core.compiling import compiled
from rsclass.core.tree import Tree
from rsclass.core.types import Float, Labels, Window

__all__ = ["SHARE", "STEP", "mutual_information", "neighbor_pairs", "spatial_merge"]

STEP = 2
"""Pixels between the two of a pair, along rows, columns or both."""

SHARE = 0.2
"""Weight of the lost information against the lost spectral separation."""


def neighbor_pairs(
    labels: Labels, window: Window, core: Window, n_classes: int
) -> NDArray[np.int64]:
    """How often two classes stand ``STEP`` pixels apart, in the four directions of a half circle.

    Every pair belongs to its upper, or its left pixel: the counts of tiles whose blocks reach
    ``STEP`` pixels around them add up to those of the scene.

    Parameters
    ----------
    labels : int32 array (height, width)
        Of ``window``, from 0; pixels below 0 have no class.
    window : Window
        Covers ``core`` and ``STEP`` pixels around it, cut at the scene.
    core : Window
        Where the first pixel of a pair lies.

    Returns
    -------
    int64 array (n_classes, n_classes)
        Symmetric; a pair of two classes counts for both orders.
    """
    rows, cols = core.inside(window)
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    _pairs(np.ascontiguousarray(labels), rows.start, rows.stop, cols.start, cols.stop, counts)
    return counts + counts.T


@compiled
def _pairs(
    labels: Labels, top: int, bottom: int, left: int, right: int, counts: NDArray[np.int64]
) -> None:
    height, width = labels.shape
    for r in range(top, bottom):
        for c in range(left, right):
            own = labels[r, c]
            if own < 0:
                continue
            if c + STEP < width and labels[r, c + STEP] >= 0:
                counts[own, labels[r, c + STEP]] += 1
            if r + STEP >= height:
                continue
            if labels[r + STEP, c] >= 0:
                counts[own, labels[r + STEP, c]] += 1
            if c + STEP < width and labels[r + STEP, c + STEP] >= 0:
                counts[own, labels[r + STEP, c + STEP]] += 1
            if c - STEP >= 0 and labels[r + STEP, c - STEP] >= 0:
                counts[own, labels[r + STEP, c - STEP]] += 1


def mutual_information(pairs: NDArray[np.integer]) -> float:
    """Information in nats that the class of a pixel gives of the class of its neighbor."""
    P = pairs / max(pairs.sum(), 1)
    p = P.sum(axis=1)
    return float(_entropies(P).sum() - 2 * _entropies(p).sum())


def _entropies(P: Float) -> Float:
    """``x ln x``, 0 at 0."""
    terms: Float = P * np.log(np.where(P > 0, P, 1.0))
    return terms


def spatial_merge(
    counts: NDArray[np.integer],
    means: Float,
    pairs: NDArray[np.integer],
    share: float = SHARE,
) -> Tree:
    """Merge classes pair by pair, where spectra and neighborhoods lose least.

    Merging i and j costs ``(1 - share) dSSE_ij / SST + share (I - I_ij) / I_0``: dSSE_ij is the
    growth of the within-class sum of squares, as in :func:`rsclass.core.tree.ward`, SST the
    between-class sum of squares at the start, I the mutual information of neighboring pixels now,
    I_ij after the merge and I_0 at the start. Ties: the lowest pair.

    Parameters
    ----------
    counts : array (classes,)
        Pixels of every class, positive.
    means : float64 array (classes, features)
    pairs : array (classes, classes)
        Symmetric, from :func:`neighbor_pairs`.
    share : float
        0 is Ward's criterion, 1 the information alone.

    Returns
    -------
    Tree
        Its costs are those above; they need not ascend.

    Raises
    ------
    ValueError
        A class has no pixels.
    """
    size = np.array(counts, dtype=np.float64)
    if (size <= 0).any():
        raise ValueError("every class of a tree needs pixels")
    n = len(size)
    middle = (size[:, None] * means).sum(axis=0) / size.sum()
    between = float((size[:, None] * (means - middle) ** 2).sum())
    P = pairs / max(pairs.sum(), 1)
    start = mutual_information(pairs)
    merges = np.empty((n - 1, 2), dtype=np.int64)
    costs = np.empty(n - 1)
    _merge(
        size,
        np.array(means, dtype=np.float64),
        np.array(P, dtype=np.float64),
        (1 - share) / between if between > 0 else 0.0,
        share / start if start > 0 else 0.0,
        merges,
        costs,
    )
    return Tree(merges, costs)


@compiled
def _xlogx(x: float) -> float:
    return x * np.log(x) if x > 0 else 0.0


@compiled
def _merge(
    size: Float,
    center: Float,
    P: Float,
    of_spectra: float,
    of_information: float,
    merges: NDArray[np.int64],
    costs: Float,
) -> None:
    n, n_features = center.shape
    p = P.sum(axis=1)
    H = np.empty((n, n))
    h = np.empty(n)
    for i in range(n):
        h[i] = _xlogx(p[i])
        for j in range(n):
            H[i, j] = _xlogx(P[i, j])
    # Of each pair: what the joint terms of all other classes lose, kept up to date.
    others = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            for k in range(n):
                if k != i and k != j:
                    others[i, j] += H[i, k] + H[j, k] - _xlogx(P[i, k] + P[j, k])
    alive = np.ones(n, np.bool_)
    node = np.arange(n)
    for step in range(n - 1):
        best = np.inf
        a = b = 0
        for i in range(n):
            if not alive[i]:
                continue
            for j in range(i + 1, n):
                if not alive[j]:
                    continue
                d2 = 0.0
                for f in range(n_features):
                    t = center[i, f] - center[j, f]
                    d2 += t * t
                joint = H[i, i] + H[j, j] + 2 * H[i, j] - _xlogx(P[i, i] + P[j, j] + 2 * P[i, j])
                single = h[i] + h[j] - _xlogx(p[i] + p[j])
                lost = 2 * others[i, j] + joint - 2 * single
                cost = of_spectra * size[i] * size[j] / (size[i] + size[j]) * d2
                cost += of_information * lost
                if cost < best:
                    best, a, b = cost, i, j
        merges[step, 0] = min(node[a], node[b])
        merges[step, 1] = max(node[a], node[b])
        costs[step] = best
        node[a] = n + step
        alive[b] = False
        both = size[a] + size[b]
        for f in range(n_features):
            center[a, f] = (size[a] * center[a, f] + size[b] * center[b, f]) / both
        size[a] = both
        for i in range(n):
            if alive[i] and i != a:
                for j in range(i + 1, n):
                    if alive[j] and j != a:
                        for k in (a, b):
                            others[i, j] -= H[i, k] + H[j, k] - _xlogx(P[i, k] + P[j, k])
        P[a, a] += P[b, b] + 2 * P[a, b]
        p[a] += p[b]
        h[a] = _xlogx(p[a])
        for k in range(n):
            if alive[k] and k != a:
                P[a, k] += P[b, k]
                P[k, a] = P[a, k]
                H[a, k] = _xlogx(P[a, k])
                H[k, a] = H[a, k]
        H[a, a] = _xlogx(P[a, a])
        for i in range(n):
            if alive[i] and i != a:
                for j in range(i + 1, n):
                    if alive[j] and j != a:
                        others[i, j] += H[i, a] + H[j, a] - _xlogx(P[i, a] + P[j, a])
                low = min(i, a)
                high = max(i, a)
                total = 0.0
                for k in range(n):
                    if alive[k] and k != i and k != a:
                        total += H[i, k] + H[a, k] - _xlogx(P[i, k] + P[a, k])
                others[low, high] = total

"""Pseudo labels: one integer a pixel, made by the network of the epoch before.

Chen, Pu, Xie, Yang, Guo, Lin 2020, Unsupervised Image Classification for Deep Representation
Learning, ECCV Workshops, arXiv:2006.11480. Labels are kept in flat arrays; -1 marks pixels that
take no part.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Labels

__all__ = [
    "change",
    "class_weights",
    "entropy",
    "histogram",
    "nmi",
    "quota_draws",
    "random_labels",
    "split_into_empty",
]

_HEAVIEST = 20.0


def random_labels(n: int, k: int, rng: np.random.Generator) -> Labels:
    """Independent uniform labels (n,) in 0 .. k - 1."""
    return rng.integers(0, k, size=n, dtype=np.int32)


def histogram(labels: Labels, k: int) -> NDArray[np.int64]:
    """Members (k,) of every class."""
    return np.bincount(labels[labels >= 0], minlength=k).astype(np.int64)


def split_into_empty(labels: Labels, k: int, rng: np.random.Generator) -> int:
    """Give every empty class, in ascending order, half of the class that is largest by then.

    The donor keeps floor(n / 2) of its shuffled members; ties go to the lowest class. It stops
    when no class has two members, where the published rule would empty the donor.

    Returns
    -------
    int
        Pixels that changed their label; ``labels`` is changed in place.
    """
    counts = histogram(labels, k)
    moved = 0
    for empty in np.flatnonzero(counts == 0):
        donor = int(counts.argmax())
        if counts[donor] < 2:
            break
        members = rng.permutation(np.flatnonzero(labels == donor))
        taken = members[len(members) // 2 :]
        labels[taken] = empty
        counts[donor] -= len(taken)
        counts[empty] = len(taken)
        moved += len(taken)
    return moved


def quota_draws(labels: Labels, k: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The N draws of one epoch, uniform over classes.

    Every class gives ``floor(N / k) + 1`` members, with replacement if it has no more than that;
    the draws are shuffled and cut to N.
    """
    n = len(labels)
    quota = n // k + 1
    draws = []
    for c in range(k):
        members = np.flatnonzero(labels == c)
        if len(members):
            draws.append(rng.choice(members, size=quota, replace=len(members) <= quota))
    return rng.permutation(np.concatenate(draws))[:n]


def class_weights(counts: NDArray[np.int64], beta: float) -> NDArray[np.float32]:
    """Weight of a pixel of every class: ``count ** -beta``, its mean over pixels 1, at most 20."""
    weight = np.maximum(counts, 1).astype(np.float64) ** -beta
    mean = (weight * counts).sum() / max(counts.sum(), 1)
    weight /= mean if mean > 0 else 1.0
    return np.minimum(weight, _HEAVIEST).astype(np.float32)


def entropy(counts: NDArray[np.int64]) -> float:
    """Entropy of the class histogram, in nats."""
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log(p)).sum()) + 0.0


def nmi(a: Labels, b: Labels, k: int) -> float:
    """Normalized mutual information of two labelings (arithmetic mean of the entropies)."""
    both = (a >= 0) & (b >= 0)
    joint = np.bincount(a[both].astype(np.int64) * k + b[both], minlength=k * k).reshape(k, k)
    of_a, of_b = joint.sum(axis=1), joint.sum(axis=0)
    mean: float = (entropy(of_a) + entropy(of_b)) / 2
    if mean == 0:
        return 1.0
    return (2 * mean - entropy(joint.reshape(-1))) / mean


def change(before: Labels, after: Labels) -> float:
    """Share of the labelled pixels whose label is another."""
    known = after >= 0
    return float((before[known] != after[known]).mean())

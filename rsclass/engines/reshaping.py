"""Classes split where they are wide and merged where they are close, as ISODATA does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float


@dataclass(frozen=True)
class Clusters:
    """The classes of one pass, in engine space.

    Parameters
    ----------
    centers, deviations : float64 arrays (classes, bands)
    sizes : int64 array (classes,)
        Pixels.
    distances : float64 array (classes,)
        Sum of the distances of a class's pixels to its center.
    """

    centers: Float
    deviations: Float
    sizes: NDArray[np.int64]
    distances: Float

    def __len__(self) -> int:
        return len(self.centers)


@dataclass(frozen=True)
class Rules:
    """When classes are split and merged.

    Parameters
    ----------
    fewest, most : int
        Merges never lead below ``fewest`` classes, splits never beyond ``most``.
    min_class_size : int
        Pixels.
    max_std, split_fraction, min_distance, max_merges
        See :class:`rsclass.engines.isodata.Isodata`.
    """

    fewest: int
    most: int
    min_class_size: int
    max_std: float
    split_fraction: float
    min_distance: float
    max_merges: int


def split(clusters: Clusters, rules: Rules) -> tuple[Float, list[dict[str, Any]]]:
    """Put two centers in the place of each wide class's one.

    Returns
    -------
    centers : float64 array (classes, bands)
        The lower of two keeps the place, the upper is added at the end.
    events : list of dict
        One for each split.
    """
    centers = list(clusters.centers.copy())
    events = []
    for k in _wide(clusters, rules)[: max(rules.most - len(clusters), 0)]:
        band = int(clusters.deviations[k].argmax())
        deviation = float(clusters.deviations[k, band])
        upper = centers[k].copy()
        upper[band] += rules.split_fraction * deviation
        centers[k][band] -= rules.split_fraction * deviation
        centers.append(upper)
        events.append(
            {
                "event": "split",
                "classes": [int(k)],
                "into": [int(k), len(centers) - 1],
                "sizes": [int(clusters.sizes[k])],
                "band": band,
                "deviation": deviation,
            }
        )
    return np.array(centers), events


def _wide(clusters: Clusters, rules: Rules) -> NDArray[np.intp]:
    """The classes to split, the widest first."""
    widest = clusters.deviations.max(axis=1)
    own = clusters.distances / clusters.sizes
    overall = clusters.distances.sum() / clusters.sizes.sum()
    loose = (own > overall) & (clusters.sizes > 2 * (rules.min_class_size + 1))
    few = len(clusters) <= rules.fewest
    # Without a distance between them the two new centers would be one.
    apart = rules.split_fraction > 0
    wide = np.flatnonzero((widest > rules.max_std) & (loose | few) & apart)
    return wide[np.argsort(-widest[wide], kind="stable")]


def merge(clusters: Clusters, rules: Rules) -> tuple[Float, list[dict[str, Any]]]:
    """Put one center in the place of two that are close, each class at most once.

    Returns
    -------
    centers : float64 array (classes, bands)
        That of a pair is the mean of its pixels and has the place of the first.
    events : list of dict
        One for each merge.
    """
    centers = clusters.centers.copy()
    used = np.zeros(len(centers), dtype=np.bool_)
    gone = np.zeros(len(centers), dtype=np.bool_)
    most = min(rules.max_merges, len(centers) - max(rules.fewest, 1))
    events: list[dict[str, Any]] = []
    for distance, i, j in _close(clusters, rules.min_distance):
        if len(events) >= most:
            break
        if used[i] or used[j]:
            continue
        used[[i, j]] = gone[j] = True
        ni, nj = int(clusters.sizes[i]), int(clusters.sizes[j])
        centers[i] = (ni * clusters.centers[i] + nj * clusters.centers[j]) / (ni + nj)
        events.append(
            {"event": "merge", "classes": [i, j], "sizes": [ni, nj], "distance": distance}
        )
    return centers[~gone], events


def _close(clusters: Clusters, limit: float) -> list[tuple[float, int, int]]:
    """Pairs of classes whose centers are closer than ``limit``, the closest first."""
    pairs = []
    for i, center in enumerate(clusters.centers):
        gaps = np.sqrt(((clusters.centers[i + 1 :] - center) ** 2).sum(axis=1))
        near = np.flatnonzero(gaps < limit)
        pairs += [(float(gaps[j]), i, i + 1 + int(j)) for j in near]
    return sorted(pairs)

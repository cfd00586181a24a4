"""Signatures of clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.stats import ClassStats, ClassTally
from rsclass.core.types import Block, Float
from rsclass.engines.base import Engine
from rsclass.engines.centers import canonical_order


@dataclass(frozen=True)
class SignaturePass:
    """One pass over the pixels: called with a block, gives the tally of its clusters.

    Parameters
    ----------
    clusters : Engine
        Labels pixels one by one.
    origin : float64 array (bands,)
        A stored value near the middle of each band.
    """

    clusters: Engine
    origin: Float

    def __call__(self, block: Block) -> ClassTally:
        """The tally of one block."""
        labels = self.clusters.predict_block(block, block.window).labels
        return ClassTally.of(block, labels, self.clusters.n_classes_, self.origin)


def large_only(table: Float, labels: NDArray[np.int32], least: int) -> NDArray[np.int32]:
    """Labels from 0 without small clusters, whose pixels go to the nearest of the others."""
    count = np.bincount(labels)
    large = np.flatnonzero(count >= least)
    if len(large) == 0:
        return np.zeros(len(labels), np.int32)
    means = np.array([table[labels == k].mean(axis=0) for k in large])
    scale = table.std(axis=0)
    scale[scale == 0] = 1.0
    nearest = np.array(
        [
            int((((means - table[labels == k].mean(axis=0)) / scale) ** 2).sum(axis=1).argmin())
            if n
            else 0
            for k, n in enumerate(count)
        ]
    )
    result: NDArray[np.int32] = nearest[labels].astype(np.int32)
    return result


def ordered(stats: ClassStats) -> ClassStats:
    """In canonical order, which does not depend on how clusters were found."""
    order = canonical_order(stats.mean)
    return ClassStats(stats.bands, stats.count[order], stats.mean[order], stats.covariance[order])


def joined(parts: Sequence[ClassStats]) -> ClassStats:
    """One after the other."""
    return ClassStats(
        parts[0].bands,
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.covariance for part in parts]),
    )

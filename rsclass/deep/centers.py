"""K-means of features as DeepCluster does it: whitened, of unit length, and with no empty cluster.

Caron, Bojanowski, Joulin, Douze 2018, Deep Clustering for Unsupervised Learning of Visual Features,
ECCV, arXiv:1807.05520.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.lloyd import nearest
from rsclass.core.types import Float
from rsclass.deep.features import unit_rows

__all__ = ["Whitening", "clustered", "drawn_start", "refill"]

_PERTURBATION = 1 / 1024
_LEAST = 1e-6  # variance of an axis that counts, as a share of the largest

Spread = Callable[[Callable[[slice], Float], list[slice]], list[Float]]
_ROWS = 4096  # of one tally


@dataclass(frozen=True, slots=True)
class Whitening:
    """Principal components of equal variance, and rows of unit length.

    Parameters
    ----------
    mean : float64 array (features,)
    axes : float64 array (components, features)
        Divided by the square root of the components' variances.
    """

    mean: Float
    axes: Float

    @classmethod
    def of(cls, table: Float, components: int) -> Whitening:
        """The whitening of the rows of ``table`` (rows, features).

        Parameters
        ----------
        components : int
            At most; axes along which the rows hardly differ are dropped.
        """
        mean = table.mean(axis=0)
        centered = table - mean
        # einsum without optimize calls no matrix library, whose last bits may change.
        covariance = np.einsum("ni,nj->ij", centered, centered) / len(table)
        variances, vectors = np.linalg.eigh(covariance)
        axes = np.round(vectors[:, ::-1].T, 9)[:components]
        variance = variances[::-1][:components]
        alive = variance > _LEAST * max(float(variance[0]), np.finfo(np.float64).tiny)
        if not alive.any():
            return cls(mean, np.eye(len(mean)))
        axes, variance = axes[alive], np.round(variance[alive], 9)
        largest = np.abs(axes).argmax(axis=1)
        axes = axes * np.sign(axes[np.arange(len(axes)), largest])[:, None]
        return cls(mean, axes / np.sqrt(np.maximum(variance, 1e-9))[:, None])

    def __call__(self, table: Float) -> Float:
        """Rows (rows, components) of unit length."""
        return unit_rows(np.einsum("nf,cf->nc", table - self.mean, self.axes))


def clustered(
    table: Float,
    start: Float,
    iterations: int,
    rng: np.random.Generator,
    spread: Spread | None = None,
) -> tuple[Float, int]:
    """Centers after some iterations of k-means, and how many empty clusters were filled anew.

    Parameters
    ----------
    table : float64 array (rows, features)
    start : float64 array (clusters, features)
    spread : callable, optional
        An ordered map over parts of the rows, by the threads and processes that there are: their
        tallies are added in the order of the parts. None: this thread alone.
    """
    k = len(start)
    centers, filled = np.array(start, dtype=np.float64), 0
    parts = [slice(first, first + _ROWS) for first in range(0, len(table), _ROWS)]

    def tally(part: slice) -> Float:
        labels, _ = nearest(table[part], centers)
        count = np.bincount(labels, minlength=k).astype(np.float64)
        sums = [np.bincount(labels, weights=column, minlength=k) for column in table[part].T]
        return np.stack([count, *sums])

    for _ in range(iterations):
        tallies = spread(tally, parts) if spread else [tally(part) for part in parts]
        total = np.sum(tallies, axis=0)
        count = total[0]
        centers = (total[1:] / np.maximum(count, 1)).T
        filled += refill(centers, count, rng)
    return centers, filled


def refill(centers: Float, count: Float, rng: np.random.Generator) -> int:
    """Give every empty cluster the center of a random other one, a little moved.

    The two then share the points of that one: its center is moved the opposite way.

    Returns
    -------
    int
        Clusters that were empty; ``centers`` is changed in place.
    """
    empty, alive = np.flatnonzero(count == 0), np.flatnonzero(count > 0)
    for cluster in empty:
        donor = int(rng.choice(alive))
        sign = np.where(np.arange(centers.shape[1]) % 2 == 0, 1.0, -1.0) * _PERTURBATION
        centers[cluster] = centers[donor] * (1 + sign)
        centers[donor] = centers[donor] * (1 - sign)
    return len(empty)


def drawn_start(table: Float, k: int, rng: np.random.Generator) -> Float:
    """Rows drawn at random as first centers; with repetition only where there are fewer."""
    chosen: NDArray[np.int64] = rng.choice(len(table), size=k, replace=k > len(table))
    return table[chosen]

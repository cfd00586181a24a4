"""One space out of several clusterings, in which pixels lie together that they put together.

Strehl and Ghosh 2002, Cluster ensembles, Journal of Machine Learning Research 3, pages 583-617,
for the idea; here the indicator columns of all clusterings are reduced to their principal
components, joined with the smoothed spectra, and clustered once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.assign import nearest
from rsclass.core.bilateral import bilateral, reach
from rsclass.core.components import principal_axes
from rsclass.core.types import Block, Float, Labels, Mask, Window
from rsclass.core.views import Views

__all__ = ["Clustering", "Smoothed", "Space", "clusters_of", "with_codes"]

_OF_CLUSTERS = ("centers", "group", "codes")
_FEWEST_COMPONENTS, _MOST_COMPONENTS = 10, 32


@dataclass(frozen=True)
class Clustering:
    """Clusters of one set of views, and the classes they were merged to.

    Parameters
    ----------
    of_set : int
        Index of the set.
    centers : float64 array (clusters, components)
    group : int64 array (clusters,)
        The class of every cluster.
    codes : float64 array (clusters, dimensions)
        What a pixel of each cluster adds to its place in the common space.
    """

    of_set: int
    centers: Float
    group: NDArray[np.int64]
    codes: Float


@dataclass(frozen=True)
class Smoothed:
    """The view sets of a scene after the filter that keeps edges.

    Parameters
    ----------
    views : Views
    spread : float
        Of the filter, in units of the median distance of neighbors.
    passes : int
    """

    views: Views
    spread: float
    passes: int

    @property
    def halo(self) -> int:
        """Pixels of context needed on each side."""
        return reach(self.passes)

    def __call__(self, block: Block, core: Window) -> list[NDArray[np.float32]]:
        """Every set (components, height, width) of ``core``; 0 at invalid pixels.

        ``block`` covers ``core`` and ``halo`` pixels around it, cut at the scene.
        """
        rows, cols = core.inside(block.window)
        smooth = []
        for view_set, image in zip(self.views.sets, self.views(block), strict=True):
            full = bilateral(image, block.valid, self.spread * view_set.spread, self.passes)
            smooth.append(np.ascontiguousarray(full[:, rows, cols]))
        return smooth


@dataclass(frozen=True)
class Space:
    """Where pixels are given their classes: smoothed spectra, and the clusterings they fall in.

    Parameters
    ----------
    smoothed : Smoothed
    scale : float
        Factor of the first set.
    clusterings : tuple of Clustering
        None of them: the first set alone.
    """

    smoothed: Smoothed
    scale: float = 1.0
    clusterings: tuple[Clustering, ...] = ()

    def __call__(self, block: Block, core: Window) -> NDArray[np.float32]:
        """Places (dimensions, pixels) of the pixels of ``core``; see :class:`Smoothed`."""
        return self.of_sets([image.reshape(len(image), -1) for image in self.smoothed(block, core)])

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What must be kept to form the space again: a JSON-able card and named arrays."""
        card, arrays = self.smoothed.views.state()
        for i, clustering in enumerate(self.clusterings):
            arrays |= {f"clustering.{i}.{part}": getattr(clustering, part) for part in _OF_CLUSTERS}
        card |= {
            "spread": self.smoothed.spread,
            "passes": self.smoothed.passes,
            "scale": self.scale,
            "clusterings": [clustering.of_set for clustering in self.clusterings],
        }
        return card, arrays

    @classmethod
    def restored(cls, card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """From what :meth:`state` gave; a KeyError or the like says that it cannot be."""
        clusterings = tuple(
            Clustering(int(of_set), *(arrays[f"clustering.{i}.{part}"] for part in _OF_CLUSTERS))
            for i, of_set in enumerate(card["clusterings"])
        )
        smoothed = Smoothed(
            Views.restored(card, arrays), float(card["spread"]), int(card["passes"])
        )
        return cls(smoothed, float(card["scale"]), clusterings)

    def of_sets(self, sets: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Places (dimensions, pixels) of pixels by their smoothed sets (components, pixels)."""
        first = sets[0] * np.float32(self.scale)
        if not self.clusterings:
            return first
        codes = np.zeros((self.clusterings[0].codes.shape[1], first.shape[1]), dtype=np.float32)
        for clustering in self.clusterings:
            of = clusters_of(sets[clustering.of_set], clustering.centers)
            codes += np.take(clustering.codes.T.astype(np.float32), of, axis=1)
        return np.concatenate([codes, first])


def clusters_of(values: NDArray[np.float32], centers: Float, valid: Mask | None = None) -> Labels:
    """The nearest center of every pixel (pixels,) of ``values`` (components, pixels)."""
    n_bands, n_pixels = values.shape
    labels = np.empty(n_pixels, dtype=np.int32)
    every = np.ones(n_pixels, dtype=np.bool_) if valid is None else valid
    nearest(values, every, np.ones(n_bands), np.zeros(n_bands), centers, labels)
    return labels


def with_codes(
    clusterings: Sequence[Clustering], sets: Sequence[NDArray[np.float32]], weight: float
) -> tuple[Clustering, ...]:
    """The clusterings with codes, so that they span a common space.

    The space has the principal components of the classes' indicator columns, all clusterings side
    by side.

    Parameters
    ----------
    sets : sequence of float32 arrays (components, pixels)
        Of a sample.
    weight : float
        Standard deviation of the sample in the space.
    """
    columns = []
    for clustering in clusterings:
        classes = clustering.group[clusters_of(sets[clustering.of_set], clustering.centers)]
        columns.append(np.eye(int(clustering.group.max()) + 1)[classes])
    table = np.concatenate(columns, axis=1)
    share = table.mean(axis=0)
    # Sums of zeros and ones are exact in any order.
    spread = table.T @ table / len(table) - np.outer(share, share)
    most = max(column.shape[1] for column in columns)
    n = min(max(_FEWEST_COMPONENTS, most), _MOST_COMPONENTS, len(spread))
    axes = principal_axes(spread, n)
    total = float(np.einsum("kb,bc,kc->", axes, spread, axes))
    if total > 0:
        axes *= weight / np.sqrt(total)
    codes = np.split(axes.T, np.cumsum([column.shape[1] for column in columns])[:-1])
    return tuple(
        replace(clustering, codes=code[clustering.group])
        for clustering, code in zip(clusterings, codes, strict=True)
    )

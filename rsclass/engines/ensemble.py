"""How a consensus of clusterings is learned from the pieces of a scene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core import breathing
from rsclass.core.chunks import CHUNK
from rsclass.core.consensus import Clustering, Smoothed, Space, clusters_of, with_codes
from rsclass.core.lloyd import lloyd, plus_plus
from rsclass.core.surroundings import spatial_merge
from rsclass.core.tree import Tree, ward
from rsclass.core.types import Float, Labels, PixelStream
from rsclass.core.views import SETS, WIDEST, Views
from rsclass.engines.centers import canonical_order
from rsclass.engines.pieces import Pieces, neighbors_in, piece_bytes

__all__ = ["MOST_CLUSTERS", "Learned", "Recipe", "learn", "learn_bytes", "view_pixels"]

VIEW_PIXELS = 100_000
"""Pixels, and pairs of neighbors, from which the views are formed, at most."""

VIEW_NUMBERS = 2**22
"""Values (pixels times bands) of them at most, where they are more than 20,000 pixels."""

CLUSTER_PIXELS = 20_000
"""Pixels on which centers are found."""

MOST_CLUSTERS = 384
"""Clusters of a set before they are merged."""

_RESTARTS = 4
_PASSES = 50
_APART = 0.25  # how far the weights of the two merged clusterings of a set lie from the middle
_TILE_BYTES = 2**25  # of one tile at work


@dataclass(frozen=True)
class Recipe:
    """The parameters of :class:`rsclass.engines.consensus.Consensus`."""

    n_classes: int
    single: bool
    overcluster: int
    information: float
    spread: float
    passes: int
    training_pixels: int
    seed: int

    @property
    def sets(self) -> tuple[tuple[str, ...], ...]:
        """The view sets in use."""
        return SETS[:1] if self.single else SETS


@dataclass(frozen=True)
class Learned:
    """A space, and the classes of its regions.

    Parameters
    ----------
    space : Space
    centers : float64 array (clusters, dimensions)
    group : int64 array (clusters,)
        The class of every center, darkest first.
    means : float64 array (classes, bands)
        Mean spectra of the training areas in physical units.
    tree : Tree
        Over the clusters.
    history : list of dict
        How every set was clustered.
    """

    space: Space
    centers: Float
    group: NDArray[np.int64]
    means: Float
    tree: Tree
    history: list[dict[str, Any]]


def learn(stream: PixelStream, recipe: Recipe, workers: int) -> Learned:
    """Find the classes of a scene.

    Parameters
    ----------
    workers : int
        Threads; sets the speed, never the result.
    """
    n_pixels = view_pixels(len(stream.bands))
    few = stream.sample(n_pixels, recipe.seed)
    cores, neighbors = neighbors_in(
        stream, few.n_valid, recipe.training_pixels, n_pixels, recipe.seed
    )
    views = Views.of(few.values, neighbors, recipe.sets)
    smoothed = Smoothed(views, recipe.spread, recipe.passes)
    pieces = Pieces(stream, cores, smoothed, CLUSTER_PIXELS, recipe.seed, workers)
    learner = _Learner(pieces, recipe)
    space, centers, group, tree = learner.single() if recipe.single else learner.consensus()
    n = int(group.max()) + 1

    def classes(sets: list[NDArray[np.float32]]) -> Labels:
        return group[clusters_of(space.of_sets(sets), centers)].astype(np.int32)

    means = pieces.spectra(classes, n)
    order = canonical_order(means)
    rank = np.empty(n, dtype=np.int64)
    rank[order] = np.arange(n)
    return Learned(space, centers, rank[group], means[order], tree, learner.history)


def learn_bytes(recipe: Recipe, n_bands: int, n_valid: int, workers: int) -> int:
    """Memory in bytes that :func:`learn` holds at once."""
    components = min(WIDEST, 3 * n_bands + 1)
    held = piece_bytes(min(recipe.training_pixels, n_valid), len(recipe.sets), components)
    sample = min(view_pixels(n_bands), n_valid) * (n_bands + components) * 8
    sample *= 3 + len(recipe.sets)
    return held + sample + workers * (_TILE_BYTES + CHUNK**2 * n_bands * 32)


def view_pixels(n_bands: int) -> int:
    """Pixels from which views of so many bands are formed."""
    return max(CLUSTER_PIXELS, min(VIEW_PIXELS, VIEW_NUMBERS // n_bands))


_Found = tuple[Space, Float, NDArray[np.int64], Tree]


class _Learner:
    def __init__(self, pieces: Pieces, recipe: Recipe) -> None:
        self.pieces = pieces
        self.recipe = recipe
        self.samples = [pieces.sample(i) for i in range(len(recipe.sets))]
        self.history: list[dict[str, Any]] = []

    def single(self) -> _Found:
        """The merged clusters of the first set."""
        merged, tree = self._merged(0, 0, self.recipe.information)
        return Space(self.pieces.smoothed), merged.centers, merged.group, tree

    def consensus(self) -> _Found:
        """Classes in a space that all sets have a part in."""
        n_classes = self.recipe.n_classes
        clusterings = []
        for i, sample in enumerate(self.samples):
            for run, weight in enumerate((1 - _APART, 1 + _APART)):
                share = min(weight * self.recipe.information, 1.0)
                clusterings.append(self._merged(i, run, share)[0])
            centers = self._found(sample, n_classes, (i, 2))
            nothing = np.zeros((len(centers), 0))
            clusterings.append(Clustering(i, centers, np.arange(len(centers)), nothing))
        half = np.sqrt(0.5)
        spread = float(self.samples[0].astype(np.float64).var(axis=1).sum())
        space = Space(
            self.pieces.smoothed,
            float(half / np.sqrt(spread)) if spread > 0 else 1.0,
            with_codes(clusterings, self.samples, half),
        )
        places = space.of_sets(self.samples)
        of = len(self.samples)
        runs = [
            lloyd(_table(places), self._found(places, n_classes, (of, run)), 1)
            for run in range(_RESTARTS)
        ]
        centers, labels, _ = min(runs, key=lambda run: run[2])
        count = np.bincount(labels, minlength=len(centers))
        centers, count = centers[count > 0], count[count > 0]
        return space, centers, np.arange(len(centers)), ward(count, centers)

    def _found(self, values: NDArray[np.float32], n: int, of: tuple[int, int]) -> Float:
        """Centers of k-means on ``values`` (components, pixels)."""
        rng = np.random.default_rng((self.recipe.seed, *of))
        table = _table(values)
        centers = plus_plus(table, n, rng)
        if n == self.recipe.n_classes or self.recipe.single:
            # Where many maps are put together, a poor optimum of one of them does no harm.
            centers = breathing.breathe(table, centers, rng)
        return lloyd(table, centers, _PASSES)[0]

    def _merged(self, of_set: int, run: int, share: float) -> tuple[Clustering, Tree]:
        """Clusters of a set, merged to classes, and how they merge."""
        n_classes = self.recipe.n_classes
        n = max(min(self.recipe.overcluster * n_classes, MOST_CLUSTERS), n_classes)
        centers = self._found(self.samples[of_set], n, (of_set, run))
        tally = self.pieces.tally(of_set, centers, "merging clusters")
        alive = tally.count > 0
        count, centers = tally.count[alive], centers[alive]
        means = tally.sums[alive] / count[:, None]
        tree = spatial_merge(count, means, tally.pairs[np.ix_(alive, alive)], share)
        group = tree.cut(min(n_classes, tree.leaves))
        names = "+".join(self.recipe.sets[of_set])
        self.history.append({"views": names, "clusters": len(centers), "weight": share})
        return Clustering(of_set, centers, group, np.zeros((len(centers), 0))), tree


def _table(values: NDArray[np.float32]) -> Float:
    """Values (components, pixels) as a table (pixels, components)."""
    return np.ascontiguousarray(values.T, dtype=np.float64)

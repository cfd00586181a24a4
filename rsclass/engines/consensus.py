"""Land cover without a network: many clusterings of many views, merged by what stands beside what.

The steps - views, edge-preserving smoothing, more clusters than classes, a merge that keeps what
neighbors tell of each other, and a consensus - are described in docs/consensus.md.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.assign import nearest
from rsclass.core.bilateral import PASSES, SPREAD, reach
from rsclass.core.consensus import Space, clusters_of
from rsclass.core.grid import split
from rsclass.core.surroundings import SHARE
from rsclass.core.tree import Tree
from rsclass.core.types import NO_CLASS, Block, Float, Labels, PixelStream, Prediction, Window
from rsclass.engines.base import Engine, Parameter, is_table
from rsclass.engines.centers import membership_layers, memberships
from rsclass.engines.ensemble import MOST_CLUSTERS, Recipe, learn, learn_bytes
from rsclass.errors import BrokenModelError, UsageError

__all__ = ["Consensus"]

BLOCK = 128
"""Side in pixels of the squares in which pixels are labelled."""


class Consensus(Engine):
    """Find classes as the consensus of clusterings of several views of a scene.

    In each of six sets of views, smoothed by a bilateral filter, k-means finds more clusters than
    classes; they are merged where spectra are close and neighborhoods alike. Pixels that these
    maps put together, and whose spectra are close, become a class. ``form="single"`` takes the
    classes of the first set alone, in a sixth of the time.

    Parameters
    ----------
    n_classes : int, default=12
        Classes to find.
    form : {"consensus", "single"}
    overcluster : int, default=6
        Clusters for each class before merging, up to 384 in all.
    information : float, default=0.2
        Weight of what neighbors tell of each other against the spectra, where clusters are merged;
        0 is Ward's merge.
    spread : float, default=1.5
        Of the filter: spectral distance at which a neighbor weighs exp(-1/2), in units of the
        median distance of neighbors.
    passes : int, default=2
        Of the filter; 0: none.
    training_pixels : int, default=1,000,000
        Pixels of the training areas. Smaller scenes are used whole.
    random_state : int, default=0

    Attributes
    ----------
    jobs : int or None
        Worker threads; None: one for each core. Sets the speed, never the result.
    tree_ : Tree
        The merges from classes, or in the single form from clusters, to one class.
    n_clusters_ : int
        Leaves of the tree.

    Notes
    -----
    ``distance`` is measured in the common space; ``membership`` is that of fuzzy K-means to the
    nearest center of each class, ``confidence`` its largest value, ``entropy`` its entropy in nats.
    """

    method: ClassVar[str] = "consensus"
    title: ClassVar[str] = "Consensus of views, merged by neighborhoods"
    paper: ClassVar[str] = (
        "rsclass; consensus after Strehl and Ghosh 2002, JMLR 3; filter: Tomasi and Manduchi 1998, "
        "doi:10.1109/ICCV.1998.710815"
    )
    block: ClassVar[int] = BLOCK
    prepares_itself: ClassVar[bool] = True
    parameters: ClassVar[dict[str, Parameter]] = {
        "n_classes": Parameter(
            "classes to find",
            low=1,
            high=MOST_CLUSTERS,
            aliases=("classes", "n_clusters", "k", "number_of_classes"),
        ),
        "form": Parameter("all sets of views, or the first alone", choices=("consensus", "single")),
        "overcluster": Parameter("clusters for each class before merging", low=1, high=64),
        "information": Parameter(
            "weight of the neighborhoods where clusters are merged", low=0, high=1
        ),
        "spread": Parameter("of the filter, in median distances of neighbors", low=0.01, high=100),
        "passes": Parameter("of the filter", low=0, high=8),
        "training_pixels": Parameter(
            "pixels of the training areas",
            low=1,
            high=100_000_000,
            aliases=("sample",),
            unit="pixels",
        ),
        "random_state": Parameter("seed of every random choice", low=0, aliases=("seed",)),
    }

    jobs: int | None = None

    tree_: Tree
    n_clusters_: int
    _space: Space
    _centers: Float
    _group: NDArray[np.int64]
    _means: Float

    def __init__(
        self,
        n_classes: int = 12,
        *,
        form: str = "consensus",
        overcluster: int = 6,
        information: float = SHARE,
        spread: float = SPREAD,
        passes: int = PASSES,
        training_pixels: int = 1_000_000,
        random_state: int = 0,
    ) -> None:
        self.n_classes = n_classes
        self.form = form
        self.overcluster = overcluster
        self.information = information
        self.spread = spread
        self.passes = passes
        self.training_pixels = training_pixels
        self.random_state = random_state

    @property
    def halo(self) -> int:
        """Pixels of context needed on each side of a predicted window."""
        return reach(self.passes)

    def use_machine(self, workers: int, device: str) -> None:
        """Tell the engine how many threads it may use; it knows no device."""
        self.jobs = workers

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel, beside a tile's views."""
        of_layers = sum(self.n_classes_ if name == "membership" else 1 for name in layers)
        return 8.0 + 4.0 * of_layers

    def learn_bytes(self, n_bands: int, n_valid: int) -> int:
        """Memory in bytes that ``fit`` holds at once: training areas, and tiles at work."""
        return learn_bytes(self._recipe, n_bands, n_valid, self._workers)

    def pixels_learned_from(self, n_valid: int) -> int:
        """How many pixels of a scene with ``n_valid`` of them ``fit`` works on."""
        return min(n_valid, self.training_pixels)

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the classes of an image.

        Parameters
        ----------
        X : array (bands, height, width), path, open dataset or DataArray
        y : ignored

        Raises
        ------
        UsageError
            X is a table: its pixels have no neighbors.
        """
        _refuse_table(X)
        return super().fit(X, y)

    def _predict(self, X: Any, layers: Collection[str]) -> Prediction:
        _refuse_table(X)
        return super()._predict(X, layers)

    @property
    def _workers(self) -> int:
        return self.jobs or os.cpu_count() or 1

    @property
    def _recipe(self) -> Recipe:
        return Recipe(
            n_classes=self.n_classes,
            single=self.form == "single",
            overcluster=self.overcluster,
            information=self.information,
            spread=self.spread,
            passes=self.passes,
            training_pixels=self.training_pixels,
            seed=self.random_state,
        )

    def _learn(self, stream: PixelStream) -> None:
        if getattr(stream, "is_table", False):
            raise UsageError("consensus needs an image (bands, height, width), and X is a table.")
        learned = learn(stream, self._recipe, self._workers)
        self._space, self._centers, self._group = learned.space, learned.centers, learned.group
        self._means, self.tree_ = learned.means, learned.tree
        self.n_classes_, self.n_clusters_ = len(learned.means), learned.tree.leaves
        self.history_ = learned.history
        if self.n_classes_ < self.n_classes:
            self.warnings_.append(
                f"{self.n_classes} classes were asked for and {self.n_classes_} found: "
                "the scene has too few different spectra for more."
            )

    @property
    def dimensions(self) -> int:
        """Of the space in which pixels are given their classes."""
        return len(self._centers[0])

    def places(self, block: Block, window: Window) -> NDArray[np.float32]:
        """Places (dimensions, pixels) of a window in the space in which classes are found.

        ``block`` covers it and ``halo`` pixels around it, cut at the scene.
        """
        return self._space(block, window)

    def classes_at(self, places: Float) -> NDArray[np.int64]:
        """The class of every place (places, dimensions)."""
        nearest_center = clusters_of(
            np.ascontiguousarray(places.T, dtype=np.float32), self._centers
        )
        return np.take(self._group, nearest_center)

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label ``core``; ``block`` covers it and ``halo`` pixels around it, cut at the scene.

        ``core`` begins at multiples of 128 and ends at multiples of 128 or at the scene's edge.
        """
        labels = np.full((core.height, core.width), NO_CLASS, dtype=np.int32)
        found: dict[str, NDArray[np.float32]] = {
            name: np.full(
                (*((self.n_classes_,) if name == "membership" else ()), *labels.shape),
                np.nan,
                dtype=np.float32,
            )
            for name in layers
        }
        for tile in split(core, BLOCK):
            seen = block.cut(tile.around(self.halo, block.window))
            valid = np.ascontiguousarray(seen.valid[tile.inside(seen.window)])
            if not valid.any():
                continue
            place = tile.inside(core)
            own, told = self._label(self._space(seen, tile), valid, layers)
            labels[place] = own
            for name, layer in told.items():
                found[name][(..., *place)] = layer
        return Prediction(labels, found)

    def _label(
        self, places: NDArray[np.float32], valid: NDArray[np.bool_], layers: Collection[str]
    ) -> tuple[Labels, dict[str, NDArray[np.float32]]]:
        flat = valid.reshape(-1)
        one, zero = np.ones(len(places)), np.zeros(len(places))
        of = np.empty(flat.size, dtype=np.int32)
        distance2 = np.empty(flat.size) if "distance" in layers else None
        nearest(places, flat, one, zero, self._centers, of, distance2)
        labels = np.where(flat, self._group[of], NO_CLASS).astype(np.int32).reshape(valid.shape)
        told: dict[str, NDArray[np.float32]] = {}
        if distance2 is not None:
            told["distance"] = np.sqrt(distance2).astype(np.float32).reshape(valid.shape)
        if set(layers) & {"confidence", "entropy", "membership"}:
            every = np.empty((len(self._centers), flat.size))
            kernels.all_distances2(places, flat, one, zero, self._centers, every)
            of_class = np.stack(
                [every[self._group == c].min(axis=0) for c in range(self.n_classes_)]
            )
            told |= membership_layers(memberships(of_class, 2.0), valid.shape, layers)
        return labels, told

    def signatures(self) -> Float:
        """Mean spectra (classes, bands) of the training areas in physical units."""
        return self._means.copy()

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What must be kept to label again: a JSON-able card and named arrays."""
        card, arrays = self._space.state()
        card |= {"history": self.history_, "warnings": self.warnings_}
        arrays |= {
            "centers": self._centers,
            "group": self._group,
            "signatures": self._means,
            "tree.merges": self.tree_.merges,
            "tree.costs": self.tree_.costs,
        }
        return card, arrays

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave.

        Raises
        ------
        BrokenModelError
            Something is missing or does not fit together.
        """
        try:
            self._space = Space.restored(card, arrays)
            self.spread = self._space.smoothed.spread
            self.passes = self._space.smoothed.passes
            self._centers, self._group = arrays["centers"], arrays["group"]
            self._means = arrays["signatures"]
            self.tree_ = Tree(arrays["tree.merges"], arrays["tree.costs"])
            self.n_classes_, self.n_clusters_ = len(self._means), self.tree_.leaves
            self.n_features_in_ = self._means.shape[1]
            self.history_, self.warnings_ = list(card["history"]), list(card["warnings"])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BrokenModelError(
                f"the consensus model cannot be restored: {error}; train it again."
            ) from error


def _refuse_table(X: Any) -> None:
    if is_table(X):
        raise UsageError(
            "consensus needs an image (bands, height, width), because it looks at the surroundings "
            "of a pixel; X is a table, for which k-means and the like are made."
        )

"""DeepCluster: k-means of the network's own features makes the labels of each epoch.

Caron, Bojanowski, Joulin, Douze 2018, Deep Clustering for Unsupervised Learning of Visual Features,
ECCV, arXiv:1807.05520.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from rsclass.core.lloyd import nearest
from rsclass.core.types import Float, Labels
from rsclass.deep.centers import Whitening, clustered, drawn_start
from rsclass.deep.features import features_in, features_of, unit_rows
from rsclass.deep.infer import Forward
from rsclass.deep.objective import Running
from rsclass.deep.objectives.labelled import Labelled
from rsclass.deep.patches import Chunk
from rsclass.deep.recipe import Recipe, Stream, Training
from rsclass.deep.seeing import Patches, Tiles, clean_labels
from rsclass.deep.shards import Shards

__all__ = ["DeepCluster"]

COMPONENTS = 256
ITERATIONS = 20
_PIXEL_BYTES = 2048  # of a pixel that is clustered: its features, whitened, and their square


class DeepCluster(Labelled):
    """Labels that are k-means clusters of whitened features of unit length, new in each epoch.

    The classifier starts anew whenever the labels do, and is moved without momentum.

    Parameters
    ----------
    training : Training
    patches : bool
        Patches and the quota sampler, as published; else dense tiles and class weights.
    """

    head_momentum = False
    remedy = "raise the balance"

    def __init__(self, training: Training, patches: bool) -> None:
        super().__init__(training, Patches(training) if patches else Tiles(training))
        self.clusters = min(self.recipe.clusters, len(self.area.pixels))

    @classmethod
    def kept_bytes(cls, recipe: Recipe, options: Mapping[str, Any], n_pixels: int) -> int:
        """With the features of the pixels from which centers are computed."""
        drawn = min(recipe.samples, n_pixels)
        return super().kept_bytes(recipe, options, n_pixels) + _PIXEL_BYTES * drawn

    def open(self, run: Running) -> None:
        """Cluster the features of the untrained network."""
        self.labels, self.repaired = self._assigned(run)
        super().open(run)

    def begin(self, run: Running) -> None:
        """Cluster anew, and forget the classifier of the labels before."""
        self.remember()
        if run.epoch:
            self.labels, self.repaired = self._assigned(run)
        run.renew_classifier()
        self.aim(self.labels)

    def end(self, run: Running) -> None:
        """After the last epoch, cluster the features once more; the map is drawn by these centers.

        The classifier knows the labels of one epoch only. Centers of unit length divide rows of
        unit length, and rows of any length, by planes, as a classifier does.
        """
        if run.epoch + 1 == self.recipe.epochs:
            rng = self.recipe.rng(self.recipe.epochs, Stream.CENTERS)
            forward = Forward(run.net, self.training.device)
            whitening, centers, _ = self._centers(forward, run.shards, rng)
            vectors = np.einsum("kc,cf->kf", unit_rows(centers), whitening.axes)
            run.net.set_classifier(vectors, -np.einsum("kf,f->k", vectors, whitening.mean))
            self.labels = clean_labels(self.seeing, self.training, run.net, run.shards)
        super().end(run)

    def _centers(
        self, forward: Forward, shards: Shards, rng: np.random.Generator
    ) -> tuple[Whitening, Float, int]:
        """A whitening of the features, centers of what it gives, and how many were filled anew."""
        drawn = self.area.draw_pixels(self.recipe.samples, self.recipe.seed)
        features = features_of(self.area, forward, shards, drawn)
        whitening = Whitening.of(features, COMPONENTS)
        table = whitening(features)
        start = drawn_start(table, self.clusters, rng)
        return whitening, *clustered(table, start, ITERATIONS, rng, shards.map)

    def _assigned(self, run: Running) -> tuple[Labels, int]:
        """Labels of the units, and clusters that were empty on the way."""
        area, rng = self.area, self.recipe.rng(run.epoch, Stream.CENTERS)
        forward = Forward(run.net, self.training.device)
        whitening, centers, filled = self._centers(forward, run.shards, rng)

        def label(chunk: Chunk) -> Labels:
            image = features_in(area, forward, chunk)
            rows = image.reshape(len(image), -1).T.astype(np.float64)
            return nearest(whitening(rows), centers)[0]

        labels = area.flat(run.shards.map(label, area.chunks))
        return labels[self.seeing.pixels], filled

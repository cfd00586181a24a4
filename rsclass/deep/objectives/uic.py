"""Unsupervised image classification: the forward result of one epoch is the target of the next.

Chen, Pu, Xie, Yang, Guo, Lin 2020, Unsupervised Image Classification for Deep Representation
Learning, ECCV Workshops, arXiv:2006.11480.
"""

from __future__ import annotations

import numpy as np

from rsclass.core.lloyd import lloyd, nearest, plus_plus
from rsclass.core.types import Labels
from rsclass.deep import targets
from rsclass.deep.objective import Running
from rsclass.deep.objectives.labelled import Labelled
from rsclass.deep.patches import TrainingArea
from rsclass.deep.recipe import Recipe, Stream, Training
from rsclass.deep.seeing import Patches, Tiles, clean_labels

__all__ = ["SOURCES", "STARTS", "UIC", "start_labels"]

STARTS = ("random", "forward", "kmeans")
SOURCES = ("views", "clean", "teacher")
_START_PIXELS = 20_000


class UIC(Labelled):
    """Labels that are the network's own answers, one epoch old.

    Parameters
    ----------
    training : Training
    patches : bool
        Patches and the quota sampler, as published; else dense tiles and class weights. Also as
        published, the learning rate of patches falls once an epoch.
    start : str
        First labels: ``random`` (uniform, as published), ``forward`` (the answers of the
        untrained network) or ``kmeans``.
    source : str
        Later labels: ``views``, the argmax of the very logits that are trained on, written before
        the step (as published); ``clean``, the network's answers to the clean view after the
        epoch; ``teacher``, those of its exponential average.
    smooth : bool
        K-means is that of 5 x 5 means; else of the inputs as they are.
    """

    remedy = "raise the balance"

    def __init__(
        self, training: Training, patches: bool, start: str, source: str, smooth: bool = True
    ) -> None:
        watched = source == "views"
        super().__init__(training, Patches(training) if patches else Tiles(training, watched))
        self.start = start
        self.rate_by_epoch = patches
        self.averages = source == "teacher"
        self.follow_views = watched
        self.may_settle = source != "views"
        self.clusters = self.recipe.clusters
        if start == "kmeans":
            labels, self.clusters = start_labels(self.area, self.recipe, smooth)
            self.labels = labels[self.seeing.pixels]

    def open(self, run: Running) -> None:
        """Give every unit its first label."""
        if self.start == "random":
            rng = self.recipe.rng(Stream.START)
            self.labels = targets.random_labels(self.seeing.units, self.clusters, rng)
            self.labels[~self.area.usable[self.seeing.pixels]] = -1
        elif self.start == "forward":
            self.labels = clean_labels(self.seeing, self.training, run.net, run.shards)
        super().open(run)

    def end(self, run: Running) -> None:
        """The answers of this epoch become labels, unless the start labels are still kept."""
        if run.epoch >= self.recipe.warmup - 1:
            self.labels = (
                self.fresh
                if self.follow_views
                else clean_labels(self.seeing, self.training, run.labelling, run.shards)
            )
        super().end(run)


def start_labels(area: TrainingArea, recipe: Recipe, smooth: bool = True) -> tuple[Labels, int]:
    """K-means classes and their number; at most 20,000 pixels make the centers."""
    view = area.smoothed if smooth else area.center
    drawn = area.draw_pixels(_START_PIXELS, recipe.seed)
    table = area.gather(drawn, view)
    start = plus_plus(table, recipe.clusters, np.random.default_rng(recipe.seed))
    centers, _, _ = lloyd(table, start, max_iter=50)
    parts = []
    for chunk in area.chunks:
        image = view(chunk)
        label, _ = nearest(image.reshape(len(image), -1).T.astype(np.float64), centers)
        parts.append(label.astype(np.int32))
    return area.flat(parts), len(centers)

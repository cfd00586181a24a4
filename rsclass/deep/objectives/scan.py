"""SCAN: a pixel and its nearest neighbors in a learned space belong to one cluster.

Van Gansbeke, Vandenhende, Georgoulis, Proesmans, Van Gool 2020, SCAN: Learning to Classify Images
without Labels, ECCV, arXiv:2005.12320.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rsclass.deep.features import features_of, nearest_units
from rsclass.deep.infer import Forward
from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Arrays, Batch, Clustering, Running, dense_labels
from rsclass.deep.recipe import Recipe, Stream, Training
from rsclass.deep.seeing import tile_batches
from rsclass.deep.shards import Shards
from rsclass.deep.views import look, straight

__all__ = ["SCAN", "confident_loss", "scan_loss"]

STRONGER = 3.0
_LEAST = 1e-8
_PATCH_BYTES = 8192  # of a patch while its neighbors are sought: features, and a row of cosines


class SCAN(Clustering):
    """Neighbors that answer alike, then the surest answers as labels.

    First, patches and one of their nearest neighbors are to be in one cluster, and clusters to
    be even. Neighbors are those of the features that the network begins with, so it should have
    learned by a pretext. Then the network learns from its own sure answers: those to a weakly
    changed tile are the labels of the same tile changed more strongly.

    Parameters
    ----------
    training : Training
    neighbors : int
    entropy_weight : float
    self_epochs : int
        Epochs at the end that learn from sure answers; 0 leaves them out.
    threshold : float
        Probability of a sure answer.
    """

    remedy = "raise entropy_weight"

    def __init__(
        self,
        training: Training,
        neighbors: int,
        entropy_weight: float,
        self_epochs: int,
        threshold: float,
    ) -> None:
        super().__init__(training)
        area, recipe = self.area, self.recipe
        self.clusters = min(recipe.clusters, len(area.pixels))
        self.neighbors, self.entropy_weight = neighbors, entropy_weight
        self.threshold = threshold
        self.first_own = recipe.epochs - min(self_epochs, recipe.epochs - 1)
        self.pixels = area.draw_pixels(recipe.samples, recipe.seed)
        self.places = area.locate(self.pixels)
        self.strong = replace(training, view=training.view.stronger(STRONGER))
        self.near = np.empty((0, 0), dtype=np.int64)
        self._inside = np.where(area.usable, 0, -1).astype(np.int32)

    @classmethod
    def step_pixels(cls, recipe: Recipe, halo: int, options: Mapping[str, Any]) -> int:
        """Those of pairs of patches, or of two views of tiles."""
        patches = 2 * recipe.patches * (1 + 2 * halo) ** 2
        return max(int(patches), 2 * super().step_pixels(recipe, halo, options))

    @classmethod
    def kept_bytes(cls, recipe: Recipe, options: Mapping[str, Any], n_pixels: int) -> int:
        """Features and neighbors of the patches."""
        return int(min(recipe.samples, n_pixels) * (_PATCH_BYTES + 8 * options["neighbors"]))

    def open(self, run: Running) -> None:
        """Look for the neighbors of every patch."""
        forward = Forward(run.net, self.training.device)
        features = features_of(self.area, forward, run.shards, self.pixels)
        self.near = nearest_units(features, self.neighbors)
        self.labels = dense_labels(self.area, forward, run.shards)
        self.start_entropy = math.log(self.clusters)

    def batches(self, epoch: int) -> list[Batch]:
        """All patches in random order; tiles once the network's answers are its labels."""
        if epoch >= self.first_own:
            return tile_batches(self.training, epoch)
        n = len(self.pixels)
        order = self.recipe.rng(epoch, Stream.SETS).permutation(n)
        steps = max(1, min(math.ceil(n / self.recipe.patches), n // 2))
        return [
            Batch(self.places.take(drawn), drawn, (epoch, Stream.VIEWS, step))
            for step, drawn in enumerate(np.array_split(order, steps))
        ]

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, Any]:
        """Of the loss of the epoch's kind, over the whole batch."""
        if batch.seed[0] >= self.first_own:
            return self._of_sure_answers(shards, batch)
        return self._of_neighbors(shards, batch)

    def _of_neighbors(self, shards: Shards, batch: Batch) -> tuple[float, Any]:
        parts = batch.parts
        rng = self.recipe.rng(*batch.seed)
        chosen = rng.integers(0, max(self.near.shape[1], 1), len(batch.units))
        beside = self.near[batch.units, chosen] if self.near.size else batch.units

        def outputs(net: PixelNet, shard: int) -> Tensor:
            mine = parts[shard]
            drawing = self.recipe.rng(*batch.seed, shard)
            views = [
                look(self.training, places.take(mine), (1, 1), drawing)[0]
                for places in (batch.places, self.places.take(beside))
            ]
            answers: Tensor = net(torch.cat(views))
            return torch.stack(answers[:, :, 0, 0].chunk(2), dim=1)

        def loss(given: list[Tensor]) -> tuple[Tensor, None]:
            anchors, others = torch.softmax(torch.cat(given), dim=2).unbind(dim=1)
            return scan_loss(anchors, others, self.entropy_weight), None

        return shards.backward_jointly(outputs, loss, len(parts))

    def _of_sure_answers(self, shards: Shards, batch: Batch) -> tuple[float, Any]:
        tile, parts = self.area.tile, batch.parts
        inside = self.area.cut_labels(self._inside, batch.places, *tile) >= 0
        usable = torch.from_numpy(inside).to(self.training.device)

        def outputs(net: PixelNet, shard: int) -> Tensor:
            places = batch.places.take(parts[shard])
            rng = self.recipe.rng(*batch.seed, shard)
            seen = [look(how, places, tile, rng) for how in (self.training, self.strong)]
            answers = net(torch.cat([x for x, _ in seen])).chunk(2)
            turned = zip(answers, seen, strict=True)
            return torch.stack([straight(answer, how) for answer, (_, how) in turned], dim=1)

        def loss(given: list[Tensor]) -> tuple[Tensor, None]:
            weak, strong = torch.cat(given).unbind(dim=1)
            rows = [view.permute(0, 2, 3, 1)[usable] for view in (weak, strong)]
            return confident_loss(rows[0], rows[1], self.threshold), None

        return shards.backward_jointly(outputs, loss, len(parts))

    def end(self, run: Running) -> None:
        """Label the area, to see how the clusters are."""
        forward = Forward(run.labelling, self.training.device)
        self.labels = dense_labels(self.area, forward, run.shards)
        super().end(run)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """With the neighbors."""
        card, arrays = super().state()
        return card, arrays | {"near": self.near}

    def restore(self, card: Mapping[str, Any], arrays: Arrays) -> None:
        """With the neighbors."""
        super().restore(card, arrays)
        self.near = np.array(arrays["near"], dtype=np.int64)


def scan_loss(anchors: Tensor, others: Tensor, entropy_weight: float) -> Tensor:
    """``- mean ln <p_a, p_b> - w H(mean p_a)``.

    Parameters
    ----------
    anchors, others : tensors (pairs, clusters)
        Probabilities.
    """
    alike = (anchors * others).sum(dim=1).clamp(min=_LEAST).log().mean()
    mean = anchors.mean(dim=0).clamp(min=_LEAST)
    entropy = -(mean * mean.log()).sum()
    return -alike - entropy_weight * entropy


def confident_loss(weak: Tensor, strong: Tensor, threshold: float) -> Tensor:
    """Cross-entropy of the strong views on the sure answers to the weak ones.

    Clusters weigh the inverse of their frequency among the sure answers; the mean is weighted, too.
    It is 0 where no answer is sure.

    Parameters
    ----------
    weak, strong : tensors (rows, clusters)
        Logits.
    """
    probability, answer = torch.softmax(weak.detach(), dim=1).max(dim=1)
    sure = probability > threshold
    if not sure.any():
        return (strong * 0).sum() + (weak * 0).sum()
    count = torch.bincount(answer[sure], minlength=weak.shape[1])
    weight = torch.where(count > 0, 1 / count.clamp(min=1).to(strong.dtype), 0.0)
    loss = functional.cross_entropy(strong[sure], answer[sure], weight=weight)
    return loss + (weak * 0).sum()

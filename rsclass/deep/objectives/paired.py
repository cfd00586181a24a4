"""What methods that compare two views of the same pixels have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rsclass.deep.infer import Forward
from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Batch, Clustering, Running, dense_labels
from rsclass.deep.recipe import Recipe, Training
from rsclass.deep.seeing import tile_batches
from rsclass.deep.shards import Shards
from rsclass.deep.views import look, sent, straight

__all__ = ["Paired"]


class Paired(Clustering):
    """Dense tiles that are seen twice, and a loss of both answers over the whole batch.

    The labels are for the history alone.

    Parameters
    ----------
    training : Training

    Attributes
    ----------
    plain_first : bool
        The first view is the tile as it is.
    """

    plain_first = False

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self.clusters = min(self.recipe.clusters, len(self.area.pixels))
        self._inside = np.where(self.area.usable, 0, -1).astype(np.int32)

    @classmethod
    def step_pixels(cls, recipe: Recipe, halo: int, options: Mapping[str, Any]) -> int:
        """Those of two views."""
        return 2 * super().step_pixels(recipe, halo, options)

    def open(self, run: Running) -> None:
        """The first labels are what the untrained network says; all clusters are in reach."""
        self._label(run)
        self.start_entropy = math.log(self.clusters)

    def batches(self, epoch: int) -> list[Batch]:
        """Tiles around pixels drawn at random."""
        return tile_batches(self.training, epoch)

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, Any]:
        """Of the loss of two views of all tiles."""
        tile = self.area.tile
        parts = batch.parts
        inside = self.area.cut_labels(self._inside, batch.places, *tile) >= 0
        usable = torch.from_numpy(inside).to(self.training.device)

        def outputs(net: PixelNet, shard: int) -> Tensor:
            places = batch.places.take(parts[shard])
            views = []
            for which in range(2):
                if self.plain_first and which == 0:
                    plain = sent(self.area.cut(places, *tile), self.training.device)
                    views.append((plain, np.zeros(len(places), dtype=np.int64)))
                else:
                    rng = self.recipe.rng(*batch.seed, shard, which)
                    views.append(look(self.training, places, tile, rng))
            answers = self.answers(net, torch.cat([x for x, _ in views])).chunk(2)
            turned = zip(answers, views, strict=True)
            return torch.stack([straight(answer, how) for answer, (_, how) in turned], dim=1)

        def loss(given: list[Tensor]) -> tuple[Tensor, None]:
            first, second = torch.cat(given).unbind(dim=1)
            return self.loss(first, second, usable, batch), None

        return shards.backward_jointly(outputs, loss, len(parts))

    def answers(self, net: PixelNet, x: Tensor) -> Tensor:
        """What the loss compares (tiles, outputs, height, width)."""
        given: Tensor = net(x)
        return given

    def loss(self, first: Tensor, second: Tensor, usable: Tensor, batch: Batch) -> Tensor:
        """The loss of answers (tiles, outputs, height, width) to two views.

        Parameters
        ----------
        usable : bool tensor (tiles, height, width)
        """
        raise NotImplementedError

    def end(self, run: Running) -> None:
        """Label the area, to see how the clusters are."""
        self._label(run)
        super().end(run)

    def _label(self, run: Running) -> None:
        forward = Forward(self.result(run.labelling), self.training.device)
        self.labels = dense_labels(self.area, forward, run.shards)

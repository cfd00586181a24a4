"""The two ways to show a network labelled pixels: patches that are drawn, and dense tiles.

Patches are what the papers do: one label a patch, balance by drawing. Tiles answer for a thousand
pixels at once, and each pixel is weighted by the size of its class: in expectation the same loss.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from rsclass.core.types import Labels
from rsclass.deep import targets
from rsclass.deep.infer import Forward
from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Batch, dense_labels
from rsclass.deep.recipe import Stream, Training
from rsclass.deep.shards import Shards
from rsclass.deep.views import look, straight, turned

__all__ = ["Patches", "Seeing", "Tiles", "clean_labels", "tile_batches"]


class Patches:
    """Patches around drawn pixels; an epoch is as many draws, uniform over classes.

    Parameters
    ----------
    training : Training

    Attributes
    ----------
    units : int
        Patches.
    pixels : int64 array (units,)
        Their centers among the flat pixels of the area.
    """

    def __init__(self, training: Training) -> None:
        self.training = training
        recipe, area = training.recipe, training.area
        self.pixels = area.draw_pixels(recipe.samples, recipe.seed)
        self.units = len(self.pixels)
        self.places = area.locate(self.pixels)

    def aim(self, aims: Labels, clusters: int) -> None:
        """Fix the targets (heads, units) of an epoch."""
        self.aims, self.clusters = aims, clusters

    def batches(self, epoch: int) -> list[Batch]:
        """N draws by the quota rule; a plain permutation without balance or with many heads."""
        recipe = self.training.recipe
        rng = recipe.rng(epoch, Stream.SETS)
        if recipe.balance > 0 and len(self.aims) == 1:
            draws = targets.quota_draws(self.aims[0], self.clusters, rng)
        else:
            draws = rng.permutation(self.units)
        # As many steps as ``batch`` says, unless one would be left with a single patch.
        steps = max(1, min(math.ceil(self.units / recipe.batch), self.units // 2))
        return [
            Batch(self.places.take(drawn), drawn, (epoch, Stream.VIEWS, step))
            for step, drawn in enumerate(np.array_split(draws, steps))
        ]

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, list[Any]]:
        """Mean cross-entropy over the patches; the argmax of the first head's logits."""
        training, parts = self.training, batch.parts
        aims, clusters = self.aims[:, batch.units], self.clusters

        def loss(net: PixelNet, shard: int) -> tuple[Tensor, Any]:
            mine = parts[shard]
            rng = training.recipe.rng(*batch.seed, shard)
            inputs, _ = look(training, batch.places.take(mine), (1, 1), rng)
            logits = net(inputs)[:, :, 0, 0]
            y = torch.from_numpy(aims[:, mine]).to(training.device, torch.int64)
            value = torch.zeros((), device=training.device)
            for of_head, wanted in zip(logits.split(clusters, dim=1), y, strict=True):
                value = value + functional.cross_entropy(of_head, wanted, reduction="sum")
            return value / (len(aims) * len(batch.units)), _argmax(logits[:, :clusters])

        return shards.backward(loss, len(parts))

    def write(self, labels: Labels, batch: Batch, seen: list[Any]) -> None:
        """Of a pixel drawn twice the last one stays."""
        labels[batch.units] = np.concatenate(seen)


class Tiles:
    """Dense tiles at random places; pixels are weighted by the size of their class.

    Parameters
    ----------
    training : Training
    watched : bool
        What the network sees in training is told.

    Attributes
    ----------
    units : int
        All pixels of the area, usable or not.
    pixels : slice
        All of them.
    """

    pixels: NDArray[np.int64] | slice = slice(None)

    def __init__(self, training: Training, watched: bool = False) -> None:
        self.training = training
        self.watched = watched
        self.units = training.area.size

    def aim(self, aims: Labels, clusters: int) -> None:
        """Fix the targets (heads, units; -1 takes no part) and the weights of their classes."""
        self.aims, self.clusters = aims, clusters
        balance = self.training.recipe.balance
        counts = [targets.histogram(of_head, clusters) for of_head in aims]
        self.weights = [torch.from_numpy(targets.class_weights(n, balance)) for n in counts]

    def batches(self, epoch: int) -> list[Batch]:
        """Tiles around pixels drawn at random."""
        return tile_batches(self.training, epoch)

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, list[Any]]:
        """Weighted mean cross-entropy over the usable pixels; the argmax of the first head."""
        training, parts, clusters = self.training, batch.parts, self.clusters
        size = training.area.tile
        tiles = [training.area.cut_labels(of_head, batch.places, *size) for of_head in self.aims]
        totals = [
            float(weight.numpy()[tile[tile >= 0]].astype(np.float64).sum())
            for weight, tile in zip(self.weights, tiles, strict=True)
        ]
        weights = [weight.to(training.device) for weight in self.weights]

        def loss(net: PixelNet, shard: int) -> tuple[Tensor, Any]:
            mine = parts[shard]
            rng = training.recipe.rng(*batch.seed, shard)
            inputs, how = look(training, batch.places.take(mine), size, rng)
            logits = net(inputs)
            value = torch.zeros((), device=training.device)
            for head, of_head in enumerate(logits.split(clusters, dim=1)):
                wanted = torch.from_numpy(turned(tiles[head][mine], how))
                y = wanted.to(training.device, torch.int64)
                summed = functional.cross_entropy(
                    of_head, y, weight=weights[head], ignore_index=-1, reduction="sum"
                )
                value = value + summed / totals[head]
            best = _argmax(straight(logits[:, :clusters].detach(), how)) if self.watched else None
            return value / len(tiles), best

        return shards.backward(loss, len(parts))

    def write(self, labels: Labels, batch: Batch, seen: list[Any]) -> None:
        """Of a pixel in two tiles the last one stays; pixels in none keep their label."""
        area = self.training.area
        height, width = area.tile
        places = batch.places
        where = zip(places.chunk, places.row, places.col, np.concatenate(seen), strict=True)
        for chunk, row, col, tile in where:
            usable = area.chunks[chunk].usable
            image = labels[area.chunks[chunk].place].reshape(usable.shape)
            at = (slice(row, row + height), slice(col, col + width))
            image[at] = np.where(usable[at], tile, -1)


Seeing = Patches | Tiles


def tile_batches(training: Training, epoch: int) -> list[Batch]:
    """The tiles of an epoch, each around a pixel drawn at random."""
    recipe = training.recipe
    places = training.area.scatter_tiles(recipe.tiles, recipe.rng(epoch, Stream.SETS))
    steps = math.ceil(recipe.tiles / recipe.batch)
    return [
        Batch(places.take(chosen), chosen, (epoch, Stream.VIEWS, step))
        for step, chosen in enumerate(np.array_split(np.arange(recipe.tiles), steps))
    ]


def clean_labels(seeing: Seeing, training: Training, net: PixelNet, shards: Shards) -> Labels:
    """Labels (units,) in the clean view, by a network in evaluation mode."""
    return dense_labels(training.area, Forward(net, training.device), shards)[seeing.pixels]


def _argmax(logits: Tensor) -> Labels:
    return logits.detach().argmax(dim=1).to(torch.int32).cpu().numpy()

"""Unsupervised image classification: the forward result of one epoch is the target of the next.

Chen, Pu, Xie, Yang, Guo, Lin 2020, Unsupervised Image Classification for Deep Representation
Learning, ECCV Workshops, arXiv:2006.11480. Two ways around one loop:

* ``paper``: patches, uniform random labels at the start, quota sampler, and the argmax of the very
  logits that are trained on, written before the step, as the labels of the next epoch.
* ``landcover``: dense tiles, a k-means start kept for some epochs, weights in place of the sampler,
  and labels from an exponential average of the network (the clean view, once an epoch).
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from rsclass.core.lloyd import lloyd, nearest, plus_plus
from rsclass.core.types import Labels
from rsclass.deep import targets
from rsclass.deep.augment import turn
from rsclass.deep.infer import Forward
from rsclass.deep.nets import PixelNet
from rsclass.deep.patches import TilePlaces, TrainingArea
from rsclass.deep.recipe import Recipe, Trained, Training
from rsclass.deep.shards import SHARDS, Shards, follow
from rsclass.deep.threads import one_thread

__all__ = ["dense_labels", "start_labels", "train_landcover", "train_paper"]


_START_PIXELS = 20_000
_SETTLED = 0.01  # share of labels that may still change in a settled epoch
_SETTLED_EPOCHS = 3
_SETS, _SPLITS, _VIEWS, _START = range(4)  # streams of random numbers


def train_landcover(net: PixelNet, training: Training, labels: Labels) -> Trained:
    """Train on dense tiles with the labels of an averaged teacher, one epoch old.

    Parameters
    ----------
    labels : int32 array (pixels of the area,)
        Start labels, kept for ``warmup`` epochs.
    """
    area, recipe = training.area, training.recipe
    net = net.to(training.device)
    teacher = copy.deepcopy(net)
    history: list[dict[str, Any]] = []
    steps = math.ceil(recipe.tiles / recipe.batch)
    settled = 0
    start_entropy = targets.entropy(targets.histogram(labels, recipe.clusters))
    with one_thread(), Shards(net, training.jobs) as shards:
        optimizer = _optimizer(net, recipe)
        for epoch in range(recipe.epochs):
            repaired, current = _repair(labels, recipe, epoch)
            counts = targets.histogram(current, recipe.clusters)
            weight = torch.from_numpy(targets.class_weights(counts, recipe.balance))
            places = area.scatter_tiles(recipe.tiles, recipe.rng(epoch, _SETS))
            losses = []
            for step, chosen in enumerate(np.array_split(np.arange(recipe.tiles), steps)):
                _set_rate(optimizer, recipe, epoch * steps + step, recipe.epochs * steps)
                seed = (epoch, _VIEWS, step)
                losses.append(
                    _tile_step(shards, training, current, places.take(chosen), weight, seed)
                )
                optimizer.step()
                follow(teacher, net, recipe.decay)
                _tell(training, epoch, step, steps)
            before = labels
            if epoch >= recipe.warmup - 1:
                labels = dense_labels(area, Forward(teacher, training.device), shards)
            entry = _entry(epoch, losses, before, labels, repaired, recipe.clusters)
            history.append(entry)
            settled = settled + 1 if epoch >= recipe.warmup and entry["change"] < _SETTLED else 0
            if settled == _SETTLED_EPOCHS:
                break
    return Trained(teacher.cpu(), labels, history, start_entropy)


def train_paper(net: PixelNet, training: Training, labels: Labels | None = None) -> Trained:
    """Train as published: random labels, quota sampler, labels from the trained view.

    Parameters
    ----------
    labels : int32 array (pixels,), optional
        Start labels of the drawn pixels; uniform random by default.
    """
    area, recipe = training.area, training.recipe
    net = net.to(training.device)
    history: list[dict[str, Any]] = []
    pixels = area.draw_pixels(recipe.samples, recipe.seed)
    n = len(pixels)
    places = area.locate(pixels)
    if labels is None:
        labels = targets.random_labels(n, recipe.clusters, recipe.rng(_START))
    steps = _patch_steps(n, recipe.batch)
    start_entropy = targets.entropy(targets.histogram(labels, recipe.clusters))
    with one_thread(), Shards(net, training.jobs) as shards:
        optimizer = _optimizer(net, recipe)
        for epoch in range(recipe.epochs):
            before = labels
            repaired, current = _repair(labels, recipe, epoch)
            labels = current.copy()  # the targets stay as they were at the start of the epoch
            rng = recipe.rng(epoch, _SETS)
            draws = (
                targets.quota_draws(current, recipe.clusters, rng)
                if recipe.balance > 0
                else rng.permutation(n)
            )
            losses = []
            for step, drawn in enumerate(np.array_split(draws, steps)):
                _set_rate(optimizer, recipe, epoch, recipe.epochs)
                seed = (epoch, _VIEWS, step)
                loss, seen = _patch_step(shards, training, current[drawn], places.take(drawn), seed)
                labels[drawn] = seen  # before the step; of a pixel drawn twice the last one stays
                losses.append(loss)
                optimizer.step()
                _tell(training, epoch, step, steps)
            history.append(_entry(epoch, losses, before, labels, repaired, recipe.clusters))
    return Trained(net.cpu(), labels, history, start_entropy)


def start_labels(area: TrainingArea, recipe: Recipe) -> tuple[Labels, int]:
    """K-means classes of 5 x 5 means and their number; at most 20,000 pixels make the centers."""
    drawn = area.draw_pixels(_START_PIXELS, recipe.seed)
    table = area.gather(drawn, area.smoothed)
    start = plus_plus(table, recipe.clusters, np.random.default_rng(recipe.seed))
    centers, _, _ = lloyd(table, start, max_iter=50)
    parts = []
    for chunk in area.chunks:
        image = area.smoothed(chunk)
        label, _ = nearest(image.reshape(len(image), -1).T.astype(np.float64), centers)
        parts.append(label.astype(np.int32))
    return area.flat(parts), len(centers)


def dense_labels(area: TrainingArea, forward: Forward, shards: Shards) -> Labels:
    """The most probable cluster of every usable pixel, in the clean view."""
    return area.flat(shards.map(lambda c: forward.clusters(area.whole(c)), area.chunks))


def _tile_step(
    shards: Shards,
    training: Training,
    labels: Labels,
    places: TilePlaces,
    weight: torch.Tensor,
    seed: tuple[int, ...],
) -> float:
    """Gradients of the weighted cross-entropy over the usable pixels of some tiles."""
    area = training.area
    height, width = area.tile
    tiles = area.cut_labels(labels, places, height, width)
    known = tiles[tiles >= 0]
    total = float(weight.numpy()[known].astype(np.float64).sum())
    parts = np.array_split(np.arange(len(places)), _shards_of(len(places)))
    weight = weight.to(training.device)

    def loss(net: PixelNet, shard: int) -> tuple[torch.Tensor, None]:
        rng = training.recipe.rng(*seed, shard)
        mine = parts[shard]
        inputs = training.view.illuminate(area.cut(places.take(mine), height, width), rng)
        target = tiles[mine]
        how = training.view.draw_turns(len(mine), height == width, rng)
        logits = net(_tensor(_turned(inputs, how), training.device))
        y = torch.from_numpy(_turned(target, how)).to(training.device, torch.int64)
        summed = functional.cross_entropy(
            logits, y, weight=weight, ignore_index=-1, reduction="sum"
        )
        return summed / total, None

    value, _ = shards.backward(loss, len(parts))
    return value


def _patch_step(
    shards: Shards,
    training: Training,
    target: Labels,
    places: TilePlaces,
    seed: tuple[int, ...],
) -> tuple[float, Labels]:
    """Gradients of the mean cross-entropy over patches, and what the network saw in them."""
    area = training.area
    parts = np.array_split(np.arange(len(places)), _shards_of(len(places)))

    def loss(net: PixelNet, shard: int) -> tuple[torch.Tensor, NDArray[np.int32]]:
        rng = training.recipe.rng(*seed, shard)
        mine = parts[shard]
        inputs = training.view.illuminate(area.cut(places.take(mine), 1, 1), rng)
        how = training.view.draw_turns(len(mine), True, rng)
        logits = net(_tensor(_turned(inputs, how), training.device))[:, :, 0, 0]
        y = torch.from_numpy(target[mine]).to(training.device, torch.int64)
        summed = functional.cross_entropy(logits, y, reduction="sum")
        seen = logits.detach().argmax(dim=1).to(torch.int32).cpu().numpy()
        return summed / len(places), seen

    value, seen = shards.backward(loss, len(parts))
    return value, np.concatenate(seen)


def _turned(images: NDArray[Any], how: NDArray[np.int64]) -> NDArray[Any]:
    return np.stack([turn(image, int(h)) for image, h in zip(images, how, strict=True)])


def _tensor(images: NDArray[np.float32], device: torch.device) -> torch.Tensor:
    return torch.from_numpy(images).to(device).contiguous(memory_format=torch.channels_last)


def _patch_steps(n: int, batch: int) -> int:
    # As many as ``batch`` says, unless one would be left with a single patch.
    return max(1, min(math.ceil(n / batch), n // 2))


def _shards_of(n: int) -> int:
    # Batch normalization needs two patches of one pixel.
    return max(1, min(SHARDS, n // 2))


def _repair(labels: Labels, recipe: Recipe, epoch: int) -> tuple[int, Labels]:
    current = labels.copy()
    moved = targets.split_into_empty(current, recipe.clusters, recipe.rng(epoch, _SPLITS))
    return moved, current


def _optimizer(net: PixelNet, recipe: Recipe) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        net.parameters(), lr=recipe.learning_rate, momentum=0.9, weight_decay=1e-4
    )


def _set_rate(optimizer: torch.optim.Optimizer, recipe: Recipe, done: int, total: int) -> None:
    share = done / total
    fall = (1 + math.cos(math.pi * share)) / 2 if recipe.schedule == "cosine" else 1 - share
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * fall


def _tell(training: Training, epoch: int, step: int, steps: int) -> None:
    epochs = training.recipe.epochs
    done = epoch * steps + step + 1
    training.report(done, epochs * steps, f"epoch {epoch + 1} of {epochs}")


def _entry(
    epoch: int, losses: list[float], before: Labels, after: Labels, repaired: int, k: int
) -> dict[str, Any]:
    counts = targets.histogram(after, k)
    return {
        "epoch": epoch,
        "loss": sum(losses) / len(losses),
        "change": targets.change(before, after),
        "nmi": targets.nmi(before, after, k),
        "entropy": targets.entropy(counts),
        "empty": int((counts == 0).sum()),
        "repaired": repaired,
    }

"""Pseudo labels are cleaned: two networks correct each other and the labels of a third.

Park, Han, Kim, Kim, Park, Hong, Cha 2021, Improving Unsupervised Image Classification With Robust
Learning (RUC), CVPR, arXiv:2012.11150; its semi-supervised step is MixMatch: Berthelot et al. 2019,
NeurIPS, arXiv:1905.02249.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rsclass.core.types import Float, Labels, Mask
from rsclass.deep.features import features_of, logits_of, nearest_units
from rsclass.deep.infer import Forward
from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Batch, Objective, Running
from rsclass.deep.recipe import Stream, Training
from rsclass.deep.shards import Shards
from rsclass.deep.views import look

__all__ = ["RUC", "clean_units", "mixed", "neighbors_label", "sharpened", "smoothed_targets"]

CONFIDENT = 0.99
NEIGHBORS = 100
TEMPERATURE = 0.5
ALPHA = 4.0
SMOOTHING = 0.5
UNLABELLED = 25.0
"""Weight of the loss of unlabelled samples at the end of its linear rise."""
LEAST = 10
"""One of so many members of a cluster is taken for clean at least."""
STRONGER = 2.0


class Both(nn.Module):
    """Two networks that are trained together."""

    def __init__(self, first: PixelNet, second: PixelNet) -> None:
        super().__init__()
        self.first, self.second = first, second

    def pairs(self) -> tuple[tuple[PixelNet, PixelNet], tuple[PixelNet, PixelNet]]:
        """Each network with its counterpart."""
        return (self.first, self.second), (self.second, self.first)


@dataclass(frozen=True, slots=True)
class Sets(Batch):
    """Units with and without a label, (2, batch) each: one row for each network."""

    labelled: NDArray[np.int64]
    unlabelled: NDArray[np.int64]


class RUC(Objective):
    """Learn from the labels that seem clean, and from the other pixels without their labels.

    A label is clean at first where the network is sure of it and the nearest neighbors in the
    embedding agree. Two networks then learn from it, both from the weights that are given: a
    clean label is blended with what the counterpart says; a pixel without a clean label gets the
    sharpened mean of what both say of its views; a pixel of which the counterpart becomes sure
    gets its label (co-refurbishing).

    Departures: strong views are strong changes of light and noise, because changes of color would
    be changes of land cover; at least a tenth of each cluster is taken for clean, so that none is
    lost; the first network labels.

    Parameters
    ----------
    training : Training
    labels : int32 array (pixels of the area,)
        Pseudo labels; -1 where there is none.
    """

    def __init__(self, training: Training, labels: Labels) -> None:
        super().__init__(training)
        self.pixels = self.area.draw_pixels(self.recipe.samples, self.recipe.seed)
        self.places = self.area.locate(self.pixels)
        self.start = labels[self.pixels].astype(np.int64)
        self.strongly = replace(training, view=training.view.stronger(STRONGER))
        self.clean: Mask = np.zeros((2, len(self.pixels)), dtype=np.bool_)
        self.labels = np.stack([self.start, self.start])

    def module(self, net: PixelNet) -> nn.Module:
        """The network and its counterpart."""
        return Both(net, copy.deepcopy(net))

    def open(self, run: Running) -> None:
        """Find the labels that are clean at first."""
        forward = Forward(run.net, self.training.device)
        features = features_of(self.area, forward, run.shards, self.pixels)
        around = neighbors_label(features, self.start, run.net.shape.clusters)
        said = self.said(run.net, run.shards).numpy()
        self.first_clean = clean_units(said, self.start, around)

    def begin(self, run: Running) -> None:
        """Labels of which the counterpart is sure join the clean ones."""
        both = run.shards.net
        assert isinstance(both, Both)  # noqa: S101
        for row, (_, other) in enumerate(both.pairs()):
            self.labels[row], self.clean[row] = self.start, self.first_clean
            if run.epoch == 0:
                continue
            confidence, said = self.said(other, run.shards).max(dim=1)
            sure = (confidence > CONFIDENT).numpy()
            self.labels[row][sure] = said.numpy()[sure]
            self.clean[row] |= sure

    def batches(self, epoch: int) -> list[Batch]:
        """As many clean pixels as others in each step; the clean ones are seen once."""
        self.epoch = epoch
        rng = self.recipe.rng(epoch, Stream.SETS)
        size = min(self.recipe.batch, len(self.pixels))
        steps = max(1, math.ceil(int(self.clean.sum(axis=1).max()) / size))
        rows = []
        for clean in self.clean:
            other = ~clean if not clean.all() else clean
            rows.append([_cycled(np.flatnonzero(of), steps * size, rng) for of in (clean, other)])
        labelled, unlabelled = (np.stack(of) for of in zip(*rows, strict=True))
        return [
            Sets(
                self.places.take(labelled[0, part]),
                labelled[0, part],
                (epoch, Stream.VIEWS, step),
                labelled[:, part],
                unlabelled[:, part],
            )
            for step, part in enumerate(np.split(np.arange(steps * size), steps))
        ]

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, Any]:
        """Loss of both networks: smoothed strong views, mixed views with and without label."""
        assert isinstance(batch, Sets)  # noqa: S101
        parts, n = batch.parts, len(batch.units)
        rise = self.epoch / max(self.recipe.epochs - 1, 1)

        def loss(both: Both, shard: int) -> tuple[Tensor, None]:
            mine = parts[shard]
            rng = self.recipe.rng(*batch.seed, shard)
            value = torch.zeros((), device=self.training.device)
            for row, (own, other) in enumerate(both.pairs()):
                known, unknown = batch.labelled[row, mine], batch.unlabelled[row, mine]
                targets = self._one_hot(self.labels[row, known], own.shape.clusters)
                terms = self._terms(own, other, known, unknown, targets, rng)
                value = value + terms[0] + terms[1] + rise * UNLABELLED * terms[2]
            return value * (len(mine) / n), None

        value, _ = shards.backward(loss, len(parts))
        return value, None

    def _terms(
        self,
        own: PixelNet,
        other: PixelNet,
        known: NDArray[np.int64],
        unknown: NDArray[np.int64],
        targets: Tensor,
        rng: np.random.Generator,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Losses of strong views, of mixed labelled and of mixed unlabelled ones."""
        strong = self._view(known, rng, strong=True)
        views = [self._view(of, rng) for of in (known, unknown, unknown)]
        with torch.no_grad():
            said = _probabilities(other, views[0])
            refined = sharpened(corefined(targets, said))
            guesses = [_probabilities(net, view) for net in (own, other) for view in views[1:]]
            guess = sharpened(torch.stack(guesses).mean(dim=0))
        inputs = torch.cat(views)
        wanted = torch.cat([refined, guess, guess])
        order = torch.from_numpy(rng.permutation(len(inputs)))
        share = torch.from_numpy(rng.beta(ALPHA, ALPHA, len(inputs)).astype(np.float32))
        inputs, wanted = mixed(inputs, wanted, order, share.to(inputs.device))
        logits = own(inputs)[:, :, 0, 0]
        split = len(known)
        labelled = _cross_entropy(logits[:split], wanted[:split])
        unlabelled = (functional.softmax(logits[split:], dim=1) - wanted[split:]).square().mean()
        # Last, so that the statistics of normalization are those of views that are not mixed.
        smooth = _cross_entropy(own(strong)[:, :, 0, 0], smoothed_targets(targets))
        return smooth, labelled, unlabelled

    def _view(
        self, units: NDArray[np.int64], rng: np.random.Generator, strong: bool = False
    ) -> Tensor:
        training = self.strongly if strong else self.training
        return look(training, self.places.take(units), (1, 1), rng)[0]

    def _one_hot(self, labels: NDArray[np.int64], clusters: int) -> Tensor:
        known = torch.from_numpy(labels).to(self.training.device)
        return functional.one_hot(known, clusters).to(torch.float32)

    def said(self, net: PixelNet, shards: Shards) -> Tensor:
        """Probabilities (units, clusters) in the clean view."""
        forward = Forward(net, self.training.device)
        logits = logits_of(self.area, forward, shards, self.pixels)
        return functional.softmax(torch.from_numpy(logits), dim=1)

    def entry(self) -> dict[str, Any]:
        """The share of pixels with a clean label, and of those with another label than at first."""
        changed = (self.labels[0] != self.start) & self.clean[0]
        return {"clean": float(self.clean[0].mean()), "relabelled": float(changed.mean())}


def clean_units(
    probability: NDArray[np.floating], labels: NDArray[np.int64], around: NDArray[np.int64]
) -> Mask:
    """Which of the labels (n,) seem clean: the hybrid rule of the paper.

    The network's probability of the label is above 0.99, and the neighbors agree. Of each label a
    tenth is taken at least, those before others that the neighbors support, the most probable
    first.

    Parameters
    ----------
    probability : array (n, clusters)
    labels, around : int64 arrays (n,)
        ``around`` from :func:`neighbors_label`.
    """
    sure = probability[np.arange(len(labels)), labels]
    agreed = around == labels
    clean: Mask = (sure > CONFIDENT) & agreed
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        least = math.ceil(len(members) / LEAST)
        if clean[members].sum() < least:
            order = np.argsort(-(agreed[members] + sure[members]), kind="stable")
            clean[members[order[:least]]] = True
    return clean


def neighbors_label(
    features: Float, labels: NDArray[np.int64], clusters: int, k: int = NEIGHBORS
) -> NDArray[np.int64]:
    """The label (n,) of most of the ``k`` nearest by cosine, without the unit itself."""
    near = labels[nearest_units(features, k)]
    votes = np.zeros((len(near), clusters), dtype=np.int64)
    rows = np.arange(len(near))
    for column in near.T:
        votes[rows, column] += 1
    best: NDArray[np.int64] = votes.argmax(axis=1)
    return best


def sharpened(p: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Probabilities (n, clusters) to the power of one over the temperature, their sum 1 again."""
    power = p ** (1 / temperature)
    sharp: Tensor = power / power.sum(dim=1, keepdim=True)
    return sharp


def corefined(targets: Tensor, said: Tensor) -> Tensor:
    """Labels blended with what the counterpart says, the more the surer it is."""
    weight = said.amax(dim=1, keepdim=True)
    return (1 - weight) * targets + weight * said


def smoothed_targets(targets: Tensor, noise: float = SMOOTHING) -> Tensor:
    """Labels that leave a share ``noise`` to the other clusters together."""
    others = max(targets.shape[1] - 1, 1)
    return (1 - noise) * targets + noise / others * (1 - targets)


def mixed(inputs: Tensor, targets: Tensor, order: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """MixUp of samples with those in another order; each keeps the larger part of itself.

    Parameters
    ----------
    order : int64 Tensor (n,)
    share : Tensor (n,)
        Between 0 and 1.
    """
    own = torch.maximum(share, 1 - share)
    of_inputs = own[:, None, None, None]
    return (
        of_inputs * inputs + (1 - of_inputs) * inputs[order],
        own[:, None] * targets + (1 - own[:, None]) * targets[order],
    )


def _probabilities(net: PixelNet, inputs: Tensor) -> Tensor:
    return functional.softmax(net(inputs)[:, :, 0, 0], dim=1)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    return -(targets * functional.log_softmax(logits, dim=1)).sum(dim=1).mean()


def _cycled(units: NDArray[np.int64], n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """``n`` of the units in random order, each as often as any other."""
    rounds = math.ceil(n / len(units))
    return np.concatenate([rng.permutation(units) for _ in range(rounds)])[:n]

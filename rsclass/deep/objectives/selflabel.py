"""SelfLabel: labels by optimal transport, so that all clusters are of one size.

Asano, Rupprecht, Vedaldi 2020, Self-labelling via simultaneous clustering and representation
learning, ICLR, arXiv:1911.05371; Cuturi 2013, Sinkhorn Distances, NeurIPS, arXiv:1306.0895.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float, Labels
from rsclass.deep.features import logits_of
from rsclass.deep.infer import Forward
from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Arrays, Running
from rsclass.deep.objectives.labelled import Labelled
from rsclass.deep.patches import Chunk
from rsclass.deep.recipe import Recipe, Stream, Training
from rsclass.deep.seeing import Patches, Tiles

__all__ = ["SelfLabel", "log_softmax", "row_scales", "update_epochs"]

LAMBDA = 25.0
_CHECK, _CLOSE, _MOST = 10, 0.1, 2_000  # iterations between checks, largest change, iterations
_LEAST = 1e-200
_COPIES = 3  # of the answers: logits, probabilities, their power


class SelfLabel(Labelled):
    """Several heads, each with labels that spread the units evenly over its clusters.

    Parameters
    ----------
    training : Training
    patches : bool
        Patches in random order, as published; else dense tiles.
    heads : int
        Classifiers on one trunk; the one whose labels cost least is reported.
    updates : int
        Times at which labels are optimized, denser at the start of the training.
    """

    def __init__(self, training: Training, patches: bool, heads: int, updates: int) -> None:
        super().__init__(training, Patches(training) if patches else Tiles(training))
        self.clusters = min(self.recipe.clusters, len(self.area.pixels))
        self.heads = heads
        self.updates = update_epochs(self.recipe.epochs, updates)
        self.of_heads: Labels = np.empty((heads, 0), dtype=np.int32)
        self.costs: Float = np.zeros(heads)

    @classmethod
    def kept_bytes(cls, recipe: Recipe, options: Mapping[str, Any], n_pixels: int) -> int:
        """With labels of all heads, and the answers from which their scales are computed."""
        drawn, heads = min(recipe.samples, n_pixels), options["heads"]
        answers = 8 * _COPIES * heads * recipe.clusters * drawn
        usual = super().kept_bytes(recipe, options, n_pixels)
        return int(usual + answers + 8 * heads * n_pixels)

    @property
    def outputs(self) -> int:
        """Clusters of all heads."""
        return self.heads * self.clusters

    def open(self, run: Running) -> None:
        """Every head begins with labels of equal sizes in an order of its own."""
        usable = self.area.usable[self.seeing.pixels]
        rng = self.recipe.rng(Stream.START)
        self.of_heads = np.full((self.heads, len(usable)), -1, dtype=np.int32)
        even = np.arange(int(usable.sum())) % self.clusters
        for labels in self.of_heads:
            labels[usable] = rng.permutation(even)
        self.labels = self.of_heads[0]
        super().open(run)

    def begin(self, run: Running) -> None:
        """The labels as they stand are the targets; none of their clusters is empty."""
        self.remember()
        self.seeing.aim(self.of_heads, self.clusters)

    def end(self, run: Running) -> None:
        """Optimize the labels where it is time, and weigh the heads after the last epoch."""
        due = run.epoch in self.updates
        last = run.epoch + 1 == self.recipe.epochs
        if due or last:
            self._look(run, due)
        self.labels = self.of_heads[0]
        super().end(run)

    def _look(self, run: Running, due: bool) -> None:
        area = self.area
        forward = Forward(run.net, self.training.device)
        drawn = area.draw_pixels(self.recipe.samples, self.recipe.seed)
        logits = logits_of(area, forward, run.shards, drawn)
        of_heads = np.split(logits, self.heads, axis=1)
        found = [log_softmax(of_head) for of_head in of_heads]
        if due:
            scales = np.stack([row_scales(log_p) for log_p in found])
            self.of_heads = self._labels(run, forward, found, scales)
        for head, log_p in enumerate(found):
            labels = self.of_heads[head]
            own = labels if isinstance(self.seeing, Patches) else labels[drawn]
            self.costs[head] = -log_p[np.arange(len(own)), own].mean()

    def _labels(self, run: Running, forward: Forward, found: list[Float], scales: Float) -> Labels:
        """The best labels (heads, units): a cluster's scale is added to its log-probability."""
        if isinstance(self.seeing, Patches):
            best = [
                (LAMBDA * log_p + scale).argmax(axis=1)
                for log_p, scale in zip(found, scales, strict=True)
            ]
            return np.stack(best).astype(np.int32)
        area = self.area
        # The logits' common part of a pixel changes no argmax.
        bias = (scales / LAMBDA).astype(np.float32)[:, :, None, None]

        def label(chunk: Chunk) -> Labels:
            logits = forward.logits(area.whole(chunk)).cpu().numpy()
            shaped = logits.reshape(self.heads, self.clusters, *logits.shape[1:])
            best: Labels = (shaped + bias).argmax(axis=1).astype(np.int32)
            return best

        parts = run.shards.map(label, area.chunks)
        return np.stack([area.flat([part[head] for part in parts]) for head in range(self.heads)])

    def result(self, net: PixelNet) -> PixelNet:
        """The head whose labels cost least."""
        first = int(self.costs.argmin()) * self.clusters
        return net.keep(np.arange(first, first + self.clusters))

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """With the labels of all heads."""
        card, arrays = super().state()
        return card, arrays | {"of_heads": self.of_heads, "costs": self.costs}

    def restore(self, card: Mapping[str, Any], arrays: Arrays) -> None:
        """With the labels of all heads."""
        super().restore(card, arrays)
        self.of_heads = np.array(arrays["of_heads"], dtype=np.int32)
        self.costs = np.array(arrays["costs"], dtype=np.float64)


def update_epochs(epochs: int, updates: int) -> set[int]:
    """The epochs after which labels are optimized.

    The published times are ``(epochs + 1.01) u ** 2``, in epochs, for ``updates`` values of u
    equally spaced from 0 to 1; here each waits for the end of its epoch.
    """
    times = (epochs + 1.01) * np.linspace(0, 1, max(updates, 2))[1:] ** 2
    return {int(time) for time in times if int(time) < epochs}


def log_softmax(logits: Float) -> Float:
    """Logarithms of probabilities (rows, clusters)."""
    moved = logits - logits.max(axis=1, keepdims=True)
    found: Float = moved - np.log(np.exp(moved).sum(axis=1, keepdims=True))
    return found


def row_scales(log_p: Float, sharpness: float = LAMBDA) -> Float:
    """Logarithms of the scales (clusters,) under which all clusters get equal shares.

    Sinkhorn's iteration on ``S = P ** sharpness`` with uniform marginals over the N units and the K
    clusters; the optimal plan is ``diag(r) S diag(c)``, and the label of a unit the largest
    ``r_k S_kn``, in which c plays no part.

    Parameters
    ----------
    log_p : float64 array (units, clusters)
    """
    n, k = log_p.shape
    powered = np.exp(sharpness * (log_p - log_p.max(axis=1, keepdims=True)))
    kernel = np.maximum(powered, _LEAST)
    c = np.full(n, 1 / n)
    r = np.full(k, 1 / k)
    for iteration in range(1, _MOST + 1):
        r = (1 / k) / np.einsum("nk,n->k", kernel, c)
        renewed = (1 / n) / np.einsum("nk,k->n", kernel, r)
        moved = np.abs(c / renewed - 1).sum()
        c = renewed
        if iteration % _CHECK == 0 and moved <= _CLOSE:
            break
    scales: Float = np.log(r)
    return scales

"""What a method must tell the training loop.

The loop (:mod:`rsclass.deep.loop`) is the same for all methods. A method says what the targets of
an epoch are, which tiles or patches a step looks at, and what their loss is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn

from rsclass.core.types import Labels
from rsclass.deep import targets
from rsclass.deep.infer import Forward
from rsclass.deep.nets import PixelNet
from rsclass.deep.patches import TILE, TilePlaces, TrainingArea
from rsclass.deep.recipe import Recipe, Training
from rsclass.deep.shards import SHARDS, Shards

__all__ = ["Batch", "Clustering", "Objective", "Running", "dense_labels"]

_SETTLED = 0.01  # share of labels that may still change in a settled epoch
_SETTLED_EPOCHS = 3
_DRAWN_BYTES = 120  # of a drawn patch: its place, its labels, the draws of an epoch

Arrays = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Batch:
    """The tiles or patches of one step.

    Parameters
    ----------
    places : TilePlaces
    units : int64 array (places,)
        Their numbers among all that are drawn from.
    seed : tuple of int
        Place in the run, for random numbers.
    """

    places: TilePlaces
    units: NDArray[np.int64]
    seed: tuple[int, ...]

    @property
    def parts(self) -> list[NDArray[np.int64]]:
        """Positions of each shard, the same for any number of threads."""
        n = len(self.places)
        # Batch normalization needs two patches of one pixel.
        return np.array_split(np.arange(n), max(1, min(SHARDS, n // 2)))


class Running(Protocol):
    """What a method may see of a training under way; see :class:`rsclass.deep.loop.Run`."""

    epoch: int
    net: PixelNet
    shards: Shards

    @property
    def labelling(self) -> PixelNet:
        """The network whose answers count."""

    def renew_classifier(self) -> None:
        """Start the classifier again."""


class Objective:
    """One method in the training loop; stateful, made anew for each training.

    Parameters
    ----------
    training : Training

    Attributes
    ----------
    rate_by_epoch : bool
        The learning rate changes once an epoch instead of at every step.
    averages : bool
        The loop keeps an exponential average of the network (``run.teacher``), which labels.
    head_momentum : bool
        The classifier is moved with momentum, as the rest is.
    """

    rate_by_epoch = False
    averages = False
    head_momentum = True

    def __init__(self, training: Training) -> None:
        self.training = training
        self.recipe = training.recipe
        self.area = training.area

    def module(self, net: PixelNet) -> nn.Module:
        """What is trained: the network, or a module that holds it and heads of its own."""
        return net

    def open(self, run: Running) -> None:
        """Prepare the first epoch of a run that is not resumed."""

    def begin(self, run: Running) -> None:
        """Fix the targets of epoch ``run.epoch``."""

    def batches(self, epoch: int) -> list[Batch]:
        """What the steps of an epoch look at."""
        raise NotImplementedError

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, Any]:
        """Set the gradients of a step; its loss, and what the network saw in the batch."""
        raise NotImplementedError

    def saw(self, batch: Batch, seen: Any) -> None:
        """Take note of what the network saw, before the step."""

    def end(self, run: Running) -> None:
        """What follows the last step of an epoch."""

    def entry(self) -> dict[str, Any]:
        """What the history tells of the epoch beside its loss."""
        return {}

    def sizes(self) -> NDArray[np.int64]:
        """Units of each cluster after the epoch; none where the method has no clusters."""
        return np.empty(0, dtype=np.int64)

    @property
    def settled(self) -> bool:
        """The training may end before its last epoch."""
        return False

    def result(self, net: PixelNet) -> PixelNet:
        """The network that labels: ``net`` with the outputs of the clusters that are reported."""
        return net

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What an interrupted training must keep: a JSON-able card and named arrays."""
        return {}, {}

    def restore(self, card: Mapping[str, Any], arrays: Arrays) -> None:
        """Set what ``state`` gave; called in place of ``open``."""


class Clustering(Objective):
    """A method that puts every unit (pixel or patch) into one of ``clusters``.

    Attributes
    ----------
    clusters : int
    labels : int32 array (units,)
        After the last epoch; -1 where a pixel takes no part.
    start_entropy : float
        Entropy of the class histogram before the first epoch, in nats.
    remedy : str
        What helps this method first where clusters vanish.
    """

    clusters: int
    labels: Labels
    may_settle = False
    remedy = "train for more epochs"

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self.repaired = 0
        self.start_entropy = 0.0
        self._before: Labels | None = None
        self._calm = 0
        self._entry: dict[str, Any] = {}

    @classmethod
    def step_pixels(cls, recipe: Recipe, halo: int, options: Mapping[str, Any]) -> int:
        """Pixels that a step sees with their surroundings, which decide the memory that it takes.

        Parameters
        ----------
        options : mapping
            What the method takes beside the training.
        """
        side = (1 if options.get("patches") else TILE) + 2 * halo
        return int(recipe.batch * side**2)

    @classmethod
    def kept_bytes(cls, recipe: Recipe, options: Mapping[str, Any], n_pixels: int) -> int:
        """Bytes kept between steps, beside the labels of the area's ``n_pixels``."""
        return _DRAWN_BYTES * min(recipe.samples, n_pixels) if options.get("patches") else 0

    @property
    def outputs(self) -> int:
        """Channels of the classifier."""
        return self.clusters

    def open(self, run: Running) -> None:
        """Note how the labels are spread before the first epoch."""
        self.start_entropy = targets.entropy(self.sizes())

    def begin(self, run: Running) -> None:
        """Remember the labels that the epoch finds."""
        self.remember()

    def remember(self) -> None:
        """Compare the labels of the epoch's end with those that stand now."""
        self._before = self.labels

    def end(self, run: Running) -> None:
        """Count the epochs in which labels that are free to change hardly do."""
        before = self.labels if self._before is None else self._before
        counts = self.sizes()
        change = targets.change(before, self.labels)
        free = run.epoch >= self.recipe.warmup
        self._calm = self._calm + 1 if free and change < _SETTLED else 0
        self._entry = {
            "change": change,
            "nmi": targets.nmi(before, self.labels, self.clusters),
            "entropy": targets.entropy(counts),
            "empty": int((counts == 0).sum()),
            "repaired": self.repaired,
        }

    def entry(self) -> dict[str, Any]:
        """Change and NMI of the labels, entropy of their histogram, empty and repaired clusters."""
        return self._entry

    def sizes(self) -> NDArray[np.int64]:
        """Members of each cluster."""
        return targets.histogram(self.labels, self.clusters)

    @property
    def settled(self) -> bool:
        """Labels hardly changed in three epochs."""
        return self.may_settle and self._calm >= _SETTLED_EPOCHS

    def collapse(self, history: list[dict[str, Any]]) -> str | None:
        """A sentence if the network gave up most of the clusters it started with."""
        last = history[-1]
        alive = self.clusters - last["empty"]
        start, end = math.exp(self.start_entropy), math.exp(last["entropy"])
        if alive > 1 and end >= start / 4:
            return None
        return (
            f"the network collapsed: {alive} of {self.clusters} clusters hold pixels, as unevenly "
            f"as {end:.1f} equal ones where {start:.1f} were at the start; {self.remedy}, use "
            "more varied training areas or ask for fewer classes."
        )

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Labels and counters."""
        return {"start_entropy": self.start_entropy, "calm": self._calm}, {"labels": self.labels}

    def restore(self, card: Mapping[str, Any], arrays: Arrays) -> None:
        """Set labels and counters."""
        self.start_entropy, self._calm = float(card["start_entropy"]), int(card["calm"])
        self.labels = np.array(arrays["labels"], dtype=np.int32)


def dense_labels(area: TrainingArea, forward: Forward, shards: Shards) -> Labels:
    """The most probable cluster of every usable pixel, in the clean view."""
    return area.flat(shards.map(lambda c: forward.clusters(area.whole(c)), area.chunks))

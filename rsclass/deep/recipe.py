"""What is asked of a training, what it works on, and what it leaves."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from rsclass.core.types import Labels
from rsclass.deep.augment import Augmentation
from rsclass.deep.nets import PixelNet
from rsclass.deep.patches import TrainingArea

__all__ = ["Recipe", "Report", "Trained", "Training", "collapse"]

Report = Callable[[float, float, str], None]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Parameters
    ----------
    clusters : int
        Pseudo classes.
    epochs, batch : int
        Passes, and patches or tiles of one step.
    tiles : int
        Tiles of one epoch (landcover).
    samples : int
        Patches (paper).
    warmup : int
        Epochs in which the start labels are kept (landcover).
    learning_rate : float
        Of SGD with momentum 0.9 and weight decay 1e-4.
    schedule : str
        ``cosine`` or ``linear``, to 0.
    balance : float
        Exponent of the class weights ``count ** -balance`` (landcover); 0 turns the quota sampler
        off (paper).
    decay : float
        Of the average that labels (landcover).
    seed : int
    """

    clusters: int
    epochs: int = 20
    batch: int = 8
    tiles: int = 128
    samples: int = 16_384
    warmup: int = 6
    learning_rate: float = 0.05
    schedule: str = "cosine"
    balance: float = 1.0
    decay: float = 0.97
    seed: int = 0

    def rng(self, *where: int) -> np.random.Generator:
        """Random numbers that depend on the seed and the place in the run alone."""
        return np.random.default_rng([self.seed % 2**63, *where])


@dataclass(frozen=True, slots=True)
class Training:
    """What every epoch needs: where the pixels are, how to see them, who computes."""

    area: TrainingArea
    view: Augmentation
    recipe: Recipe
    jobs: int
    device: torch.device
    report: Report


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training leaves.

    Parameters
    ----------
    net : PixelNet
        The one that labels.
    labels : int32 array (pixels,)
        Its last pseudo labels: of the area's pixels (landcover) or of the drawn ones (paper).
    history : list of dict
        Of every epoch: loss, share of changed labels, NMI with the labels before, entropy of the
        class histogram in nats, empty clusters, and pixels that the repair of the epoch's start
        moved.
    start_entropy : float
        Entropy of the class histogram before the first epoch, in nats.
    """

    net: PixelNet
    labels: Labels
    history: list[dict[str, Any]]
    start_entropy: float


def collapse(trained: Trained) -> str | None:
    """A sentence if the network gave up most of the clusters it started with."""
    clusters = trained.net.shape.clusters
    last = trained.history[-1]
    alive = clusters - last["empty"]
    start, end = math.exp(trained.start_entropy), math.exp(last["entropy"])
    if alive > 1 and end >= start / 4:
        return None
    return (
        f"the network collapsed: {alive} of {clusters} clusters hold pixels, as unevenly as "
        f"{end:.1f} equal ones where {start:.1f} were at the start; raise the balance, use more "
        "varied training areas or ask for fewer classes."
    )

"""What is asked of a training and what it works on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import torch

from rsclass.deep.augment import Augmentation
from rsclass.deep.patches import TrainingArea

__all__ = ["Recipe", "Report", "Stream", "Training"]

Report = Callable[[float, float, str], None]


class Stream(IntEnum):
    """What random numbers are drawn for; no two purposes share them."""

    SETS = 0
    SPLITS = 1
    VIEWS = 2
    START = 3
    HEAD = 4
    CENTERS = 5
    LESSONS = 6


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train.

    Parameters
    ----------
    clusters : int
        Pseudo classes.
    epochs, batch : int
        Passes, and patches or tiles of one step.
    patches : int
        Patches of one step, for methods that see both patches and tiles.
    tiles : int
        Tiles of one epoch.
    samples : int
        Patches, and pixels from which centers and quotas are computed.
    warmup : int
        Epochs in which the start labels are kept.
    optimizer : str
        ``sgd`` or ``adam``.
    learning_rate, momentum, weight_decay : float
    schedule : str
        How the learning rate changes; see :func:`rsclass.deep.rates.share_of_rate`.
    balance : float
        Exponent of the class weights ``count ** -balance`` of tiles; 0 turns the quota sampler
        of patches off.
    decay : float
        Of the average that labels.
    seed : int
    """

    clusters: int
    epochs: int = 20
    batch: int = 8
    patches: int = 1024
    tiles: int = 128
    samples: int = 16_384
    warmup: int = 6
    optimizer: str = "sgd"
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 1e-4
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

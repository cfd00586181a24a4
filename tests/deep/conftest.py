"""A small scene of four textures and what trains on it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from rsclass.core.arrays import ArrayStream
from rsclass.deep.augment import Augmentation
from rsclass.deep.loop import train
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.objectives.uic import UIC
from rsclass.deep.patches import TrainingArea
from rsclass.deep.recipe import Recipe, Training
from rsclass.deep.scaling import Scaling
from rsclass.deep.threads import one_thread


def four_textures(side=48, seed=0):
    """Quadrants of Gaussian noise around four far spectra: values (3, side, side) and truth."""
    rng = np.random.default_rng(seed)
    truth = np.zeros((side, side), dtype=int)
    truth[: side // 2, side // 2 :] = 1
    truth[side // 2 :, : side // 2] = 2
    truth[side // 2 :, side // 2 :] = 3
    means = np.array([[10, 10, 10], [30, 10, 20], [10, 40, 30], [30, 40, 10]], dtype=float)
    return means[truth].transpose(2, 0, 1) + rng.normal(0, 2, (3, side, side)), truth


class Toy:
    """A stream, its training area, and trainings on it."""

    def __init__(self, values, valid=None, receptive_field=5, budget=10**6):
        self.stream = ArrayStream(values, valid)
        self.scaling = Scaling.of_sample(self.stream.sample(None, 0))
        self.receptive_field = receptive_field
        self.area = TrainingArea(self.stream, self.scaling, receptive_field // 2, budget, 0)

    def net(self, clusters, seed=0, **shape):
        channels = self.scaling.channels
        return PixelNet(Shape(channels, clusters, self.receptive_field, 8, **shape), seed)

    def training(self, jobs=1, still=False, report=lambda done, total, message: None, **recipe):
        view = (
            Augmentation(self.scaling, gain=0, offset=0, band_gain=0, noise=0, turns=False)
            if still
            else Augmentation(self.scaling)
        )
        return Training(self.area, view, Recipe(**recipe), jobs, torch.device("cpu"), report)

    def landcover(self, **training):
        """A training on tiles from k-means labels, with a teacher; its objective and result."""
        return self.learn(UIC, self.training(**training), False, "kmeans", "teacher")

    def published(self, **training):
        """A training on patches as in the paper; its objective and result."""
        return self.learn(UIC, self.training(warmup=0, **training), True, "random", "views")

    def learn(self, kind, training, *options, seed=0, **named):
        objective = kind(training, *options, **named)
        return objective, train(self.net(objective.outputs, seed), training, objective)


@pytest.fixture(autouse=True)
def one_torch_thread():
    """Tiny tensors are not worth a second thread."""
    with one_thread():
        yield


@pytest.fixture
def textures():
    return four_textures()


@pytest.fixture
def toy(textures):
    return Toy(textures[0])


@pytest.fixture
def make_toy():
    return Toy

"""A trained network is fitted to the light of another scene, without labels.

Li, Wang, Shi, Liu, Hou 2017, Revisiting Batch Normalization for Practical Domain Adaptation, ICLR
Workshops, arXiv:1603.04779: what tells classes apart lies in the weights, what belongs to a scene
in the statistics of normalization, so these are taken from the new scene.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from rsclass.core.types import PixelStream
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.patches import TrainingArea
from rsclass.deep.scaling import Scaling
from rsclass.deep.threads import one_thread
from rsclass.deep.views import sent

__all__ = ["adapted"]

_SCALING_PIXELS = 100_000
_AREA_PIXELS = 200_000
_TILES, _BATCH = 128, 16


def adapted(
    shape: dict[str, Any],
    weights: dict[str, NDArray[np.float32]],
    scaling: Scaling,
    stream: PixelStream,
    seed: int,
) -> tuple[dict[str, NDArray[np.float32]], Scaling]:
    """Weights with the statistics of a new scene, and the scaling that suits it.

    Every layer is normalized by what it sees in 128 tiles of the scene, as in training; the
    statistics of the batches of 16 are averaged. Principal components stay those of the model.

    Parameters
    ----------
    shape, weights, scaling
        Of the model's network.
    stream : PixelStream
        The new scene, with the model's bands.
    seed : int
    """
    fresh = Scaling.of_sample(stream.sample(_SCALING_PIXELS, seed))
    fitted = Scaling(fresh.center, fresh.scale, scaling.projection)
    net = PixelNet(Shape(**shape))
    net.load(weights)
    area = TrainingArea(stream, fitted, net.shape.halo, _AREA_PIXELS, seed)
    places = area.scatter_tiles(_TILES, np.random.default_rng([seed % 2**63, 0x414441]))
    net.train()
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
    with one_thread(), torch.no_grad():
        for part in np.split(np.arange(_TILES), _TILES // _BATCH):
            net(sent(area.cut(places.take(part), *area.tile), torch.device("cpu")))
    return net.arrays(), fitted

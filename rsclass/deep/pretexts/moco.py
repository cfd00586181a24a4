"""Which of many remembered views shows the same place?

He, Fan, Wu, Xie, Girshick 2020, Momentum Contrast for Unsupervised Visual Representation Learning,
CVPR, DOI 10.1109/CVPR42600.2020.00975; Chen, Fan, Girshick, He 2020, Improved Baselines with
Momentum Contrastive Learning, arXiv:2003.04297 (v2: a head of two layers, stronger views).
"""

from __future__ import annotations

import copy
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Batch
from rsclass.deep.pretexts.pretext import Answering, Pretext, mlp
from rsclass.deep.recipe import Training
from rsclass.deep.shards import Shards

__all__ = ["MoCo", "Queue", "info_nce"]

TEMPERATURE = 0.2
MOMENTUM = 0.99
"""0.999 in the paper, whose training has a thousand times as many steps."""
REMEMBERED = 4096
PROJECTION = 64


class Queue:
    """The last keys, the oldest of which make room for new ones.

    Parameters
    ----------
    size, features : int
    rng : numpy.random.Generator
        Of the random keys that stand in it at first.
    device : torch.device
    """

    def __init__(
        self, size: int, features: int, rng: np.random.Generator, device: torch.device
    ) -> None:
        start = torch.from_numpy(rng.standard_normal((size, features), dtype=np.float32))
        self.keys = functional.normalize(start, dim=1).to(device)
        self.next = 0

    def put(self, keys: Tensor) -> None:
        """Replace the oldest keys by these, in their order."""
        newest = keys[-len(self.keys) :]
        places = (self.next + torch.arange(len(newest))) % len(self.keys)
        self.keys = self.keys.index_copy(0, places.to(self.keys.device), newest)
        self.next = (self.next + len(newest)) % len(self.keys)


class MoCo(Pretext):
    """Find the key of a patch among the keys of earlier ones.

    Keys are made by a slow copy of the network and kept in a queue. A batch is shuffled before
    its keys are computed in shards, so that the statistics of normalization betray no pairs.

    Parameters
    ----------
    training : Training
    remembered : int
        Keys in the queue.
    momentum : float
        Share of its own weights that the slow copy keeps at each step.
    """

    name: ClassVar[str] = "moco"
    paper: ClassVar[str] = (
        "He, Fan, Wu, Xie, Girshick 2020, Momentum Contrast for Unsupervised Visual Representation "
        "Learning, CVPR, DOI 10.1109/CVPR42600.2020.00975; version 2: Chen, Fan, Girshick, He "
        "2020, arXiv:2003.04297"
    )
    model: Answering
    keyer: Answering

    def __init__(
        self, training: Training, remembered: int = REMEMBERED, momentum: float = MOMENTUM
    ) -> None:
        super().__init__(training)
        self.momentum = momentum
        self.chance = 1 / (remembered + 1)
        self.queue = Queue(remembered, PROJECTION, self.rng, training.device)

    def answering(self, net: PixelNet) -> Answering:
        """The mean of the patch, and two layers; and the slow copy of all."""
        self.model = Answering(net, mlp(net.shape.embedding, 128, PROJECTION, self.rng))
        self.keyer = copy.deepcopy(self.model).to(self.training.device)
        self.keyer.train().requires_grad_(False)
        for module in self.keyer.modules():
            if isinstance(module, nn.BatchNorm2d):
                # Each shard's own statistics; shared ones would be written by several threads.
                module.track_running_stats = False
                module.running_mean = module.running_var = None
        return self.model

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, float]:
        """InfoNCE loss of the patches, whose keys then join the queue."""
        self.follow()
        parts, n = batch.parts, len(batch.units)
        rngs = [self.recipe.rng(*batch.seed, shard) for shard in range(len(parts))]
        places = [batch.places.take(mine) for mine in parts]
        queries = [self.crop(of, rng) for of, rng in zip(places, rngs, strict=True)]
        views = torch.cat([self.crop(of, rng) for of, rng in zip(places, rngs, strict=True)])
        keys = self.keys(shards, views, rngs[0].permutation(n), len(parts))

        def loss(model: Answering, shard: int) -> tuple[Tensor, float]:
            mine = parts[shard]
            own = keys[mine[0] : mine[-1] + 1]
            mean, right = info_nce(model(queries[shard]), own, self.queue.keys, TEMPERATURE)
            return mean * (len(mine) / n), right * len(mine) / n

        value, right = shards.backward(loss, len(parts))
        self.queue.put(keys)
        return value, sum(right)

    @torch.no_grad()
    def keys(self, shards: Shards, views: Tensor, order: NDArray[np.int64], n: int) -> Tensor:
        """Keys (views, features), computed in another order and in ``n`` shards."""

        def key(part: NDArray[np.int64]) -> Tensor:
            with torch.no_grad():
                return functional.normalize(self.keyer(views[torch.from_numpy(part)]), dim=1)

        shuffled = torch.cat(shards.map(key, np.array_split(order, n)))
        return shuffled[torch.from_numpy(np.argsort(order))]

    @torch.no_grad()
    def follow(self) -> None:
        """The slow copy's weights become ``m * slow + (1 - m) * quick``."""
        pairs = zip(self.keyer.parameters(), self.model.parameters(), strict=True)
        for slow, quick in pairs:
            slow.mul_(self.momentum).add_(quick, alpha=1 - self.momentum)


def info_nce(
    queries: Tensor, keys: Tensor, others: Tensor, temperature: float
) -> tuple[Tensor, float]:
    """Mean of ``-log(exp(q k / t) / (exp(q k / t) + sum over others of exp(q o / t)))``.

    Equation 1 of the paper.

    Parameters
    ----------
    queries : Tensor (n, features)
        Normalized here.
    keys : Tensor (n, features)
        Of unit length: the key of each query.
    others : Tensor (m, features)
        Of unit length.

    Returns
    -------
    loss : Tensor
    right : float
        Share of the queries that are closer to their key than to any other.
    """
    queries = functional.normalize(queries, dim=1)
    own = (queries * keys).sum(dim=1, keepdim=True)
    logits = torch.cat([own, queries @ others.T], dim=1) / temperature
    first = torch.zeros(len(queries), dtype=torch.int64, device=queries.device)
    right = (logits.detach().argmax(dim=1) == 0).float().mean()
    return functional.cross_entropy(logits, first), float(right)

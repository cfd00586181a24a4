"""What every pretext is: patches of a training area, and a network that answers for them."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rsclass.deep.nets import PixelNet, start_weights
from rsclass.deep.objective import Batch, Objective
from rsclass.deep.patches import TilePlaces
from rsclass.deep.recipe import Stream, Training
from rsclass.deep.shards import Shards
from rsclass.deep.views import look, sent

__all__ = ["SIDE", "Answering", "Pretext", "Questions", "mlp"]

SIDE = 8
"""Pixels on a side of a patch, without the surroundings that its pixels see."""

ROOM = 2
"""Pixels by which crops of a patch may differ."""


class Answering(nn.Module):
    """A network whose trunk learns, and the head that makes an answer of what it sees.

    Parameters
    ----------
    net : PixelNet
    head : Module
        From (n, embedding * grid ** 2 * pieces, 1, 1).
    grid : int
        The embedding is averaged over so many parts of each side of a patch.
    pieces : int
        Patches that follow each other and are one question.
    """

    def __init__(self, net: PixelNet, head: nn.Module, grid: int = 1, pieces: int = 1) -> None:
        super().__init__()
        self.net, self.head, self.grid, self.pieces = net, head, grid, pieces

    def forward(self, x: Tensor) -> Tensor:
        """Answers (n, answers) to patches (n * pieces, channels, h, w)."""
        seen = functional.adaptive_avg_pool2d(self.net.embed(x), self.grid)
        answers: Tensor = self.head(seen.reshape(len(x) // self.pieces, -1, 1, 1))
        return answers[:, :, 0, 0]


class Pretext(Objective):
    """An objective that leaves what the trunk has learned; the classifier stays as it was.

    Parameters
    ----------
    training : Training
        Its recipe tells the patches of an epoch (``tiles``) and of a step (``batch``).

    Attributes
    ----------
    side, room : int
        Of a crop in pixels, and by how much crops of the same patch may differ.
    chance : float
        Share of right answers without learning.
    """

    name: ClassVar[str]
    paper: ClassVar[str]
    chance: float
    moves: ClassVar[int] = ROOM

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        smallest = min(self.area.largest)
        self.room = min(self.moves, smallest - 1)
        self.side = min(SIDE, smallest - self.room)
        self.rng = self.recipe.rng(Stream.LESSONS)  # of all that is drawn before the first epoch
        self.right: list[float] = []

    def answering(self, net: PixelNet) -> Answering:
        """The network with a head of its own."""
        raise NotImplementedError

    def module(self, net: PixelNet) -> nn.Module:
        """What is trained: all but the classifier."""
        self._still = [*net.head.parameters(), *net.classifier.parameters()]
        for weight in self._still:
            weight.requires_grad_(False)
        return self.answering(net)

    def batches(self, epoch: int) -> list[Batch]:
        """Patches around usable pixels, drawn anew in each epoch."""
        self.right = []
        rng = self.recipe.rng(epoch, Stream.LESSONS)
        units = np.arange(self.recipe.tiles)
        return self._steps(epoch, self._drawn(len(units), rng), units)

    def _drawn(self, n: int, rng: np.random.Generator) -> TilePlaces:
        whole = self.side + self.room
        return self.area.scatter_tiles(n, rng, (whole, whole))

    def _steps(self, epoch: int, places: TilePlaces, units: NDArray[np.int64]) -> list[Batch]:
        steps = max(1, min(math.ceil(len(units) / self.recipe.batch), len(units) // 2))
        return [
            Batch(places.take(part), units[part], (epoch, Stream.LESSONS, step))
            for step, part in enumerate(np.array_split(np.arange(len(units)), steps))
        ]

    def saw(self, batch: Batch, seen: float) -> None:
        """Take note of the share that was answered right."""
        self.right.append(seen)

    def entry(self) -> dict[str, Any]:
        """The share of right answers."""
        return {"right": sum(self.right) / len(self.right)}

    def result(self, net: PixelNet) -> PixelNet:
        """The network, of which all may learn again."""
        for weight in self._still:
            weight.requires_grad_(True)
        return net

    def crop(self, places: TilePlaces, rng: np.random.Generator) -> Tensor:
        """One random view of each patch: crop, light, noise and turn."""
        row, col = rng.integers(0, self.room + 1, (2, len(places)))
        moved = TilePlaces(places.chunk, places.row + row, places.col + col)
        return look(self.training, moved, (self.side, self.side), rng)[0]

    def sent(self, images: NDArray[np.float32]) -> Tensor:
        """Images where the network computes."""
        return sent(images, self.training.device)


class Questions(Pretext):
    """A pretext whose questions have one right answer among ``answers``."""

    answers: int

    @property
    def chance(self) -> float:  # type: ignore[override]
        """Share of right answers of a guess."""
        return 1 / self.answers

    def ask(
        self, places: TilePlaces, units: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Tensor, NDArray[np.int64]]:
        """Inputs of the questions about some patches, and the right answers."""
        raise NotImplementedError

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, float]:
        """Mean cross-entropy of the answers; the share of right ones."""
        parts = batch.parts

        def loss(model: Answering, shard: int) -> tuple[Tensor, NDArray[np.bool_]]:
            mine = parts[shard]
            rng = self.recipe.rng(*batch.seed, shard)
            inputs, answers = self.ask(batch.places.take(mine), batch.units[mine], rng)
            logits = model(inputs)
            right = torch.from_numpy(answers).to(logits.device)
            mean = functional.cross_entropy(logits, right)
            hits = logits.detach().argmax(dim=1) == right
            return mean * (len(mine) / len(batch.units)), hits.cpu().numpy()

        value, hits = shards.backward(loss, len(parts))
        return value, float(np.concatenate(hits).mean())


def mlp(inputs: int, hidden: int, outputs: int, rng: np.random.Generator) -> nn.Sequential:
    """Two 1x1 layers with normalization and rectifier between them."""
    last = nn.Conv2d(hidden, outputs, 1)
    head = nn.Sequential(
        nn.Conv2d(inputs, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(), last
    )
    start_weights(head, rng, last)
    return head

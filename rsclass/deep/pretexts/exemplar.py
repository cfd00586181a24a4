"""Which of the drawn patches is this one, seen anew?

Dosovitskiy, Fischer, Springenberg, Riedmiller, Brox 2016, Discriminative Unsupervised Feature
Learning with Exemplar Convolutional Neural Networks, IEEE Transactions on Pattern Analysis and
Machine Intelligence 38(9), DOI 10.1109/TPAMI.2015.2496141.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from rsclass.deep.nets import PixelNet, start_weights
from rsclass.deep.objective import Batch
from rsclass.deep.patches import TilePlaces
from rsclass.deep.pretexts.pretext import Answering, Questions
from rsclass.deep.recipe import Stream, Training

__all__ = ["Exemplar", "with_edges"]

EXEMPLARS = 512
CANDIDATES = 8  # for each exemplar
STRONGER = 2.0  # changes of light and noise, against those of a classifier's training


class Exemplar(Questions):
    """Tell of which of 512 patches a strongly changed crop was taken.

    Exemplars are drawn where there is something to see: with a probability proportional to their
    mean squared gradient. The paper's changes of color and contrast become changes of light in
    raw units, its small turns become quarter turns and flips.
    """

    name: ClassVar[str] = "exemplar"
    paper: ClassVar[str] = (
        "Dosovitskiy, Fischer, Springenberg, Riedmiller, Brox 2016, Discriminative Unsupervised "
        "Feature Learning with Exemplar Convolutional Neural Networks, IEEE TPAMI 38(9), "
        "DOI 10.1109/TPAMI.2015.2496141"
    )

    def __init__(self, training: Training, exemplars: int = EXEMPLARS) -> None:
        super().__init__(replace(training, view=training.view.stronger(STRONGER)))
        self.answers = exemplars
        self.exemplars = self._chosen(exemplars)

    def _chosen(self, n: int) -> TilePlaces:
        candidates = self._drawn(CANDIDATES * n, self.rng)
        whole = self.side + self.room
        edges = np.concatenate(
            [
                with_edges(self.area.cut(candidates.take(part), whole, whole))
                for part in np.array_split(np.arange(len(candidates)), CANDIDATES)
            ]
        )
        chance = edges + 1e-12 * (1 + edges.max())  # so that a flat scene can be drawn from, too
        drawn = self.rng.choice(len(candidates), n, replace=False, p=chance / chance.sum())
        return candidates.take(np.sort(drawn))

    def answering(self, net: PixelNet) -> Answering:
        """The mean of the patch, and one layer."""
        head = nn.Conv2d(net.shape.embedding, self.answers, 1)
        start_weights(head, self.rng, head)
        return Answering(net, head)

    def batches(self, epoch: int) -> list[Batch]:
        """Exemplars drawn at random."""
        self.right = []
        rng = self.recipe.rng(epoch, Stream.LESSONS)
        units = rng.integers(0, self.answers, self.recipe.tiles)
        return self._steps(epoch, self.exemplars.take(units), units)

    def ask(
        self, places: TilePlaces, units: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Tensor, NDArray[np.int64]]:
        """Changed crops of exemplars and their numbers."""
        return self.crop(places, rng), units


def with_edges(patches: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean squared differences (n,) of neighbors, over bands and both directions."""
    down = np.square(np.diff(patches.astype(np.float64), axis=2)).mean(axis=(1, 2, 3))
    across = np.square(np.diff(patches.astype(np.float64), axis=3)).mean(axis=(1, 2, 3))
    total: NDArray[np.float64] = down + across
    return total

"""Which way up is a patch?

Gidaris, Singh, Komodakis 2018, Unsupervised Representation Learning by Predicting Image Rotations,
ICLR, arXiv:1803.07728.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rsclass.deep.nets import PixelNet
from rsclass.deep.patches import TilePlaces
from rsclass.deep.pretexts.pretext import Answering, Questions, mlp

__all__ = ["RotNet"]

GRID = 4


class RotNet(Questions):
    """Tell by how many quarter turns a patch was turned; all four turns stand in each batch.

    Seen from above nothing has a natural upright, but light and relief, rows of fields and the
    sensor's own track have directions, and the arrangement of a patch turns with it.
    """

    name: ClassVar[str] = "rotnet"
    paper: ClassVar[str] = (
        "Gidaris, Singh, Komodakis 2018, Unsupervised Representation Learning by Predicting Image "
        "Rotations, ICLR, arXiv:1803.07728"
    )
    moves: ClassVar[int] = 0
    answers = 4

    def answering(self, net: PixelNet) -> Answering:
        """Means over 4 x 4 parts of the patch, and two layers."""
        return Answering(net, mlp(net.shape.embedding * GRID**2, 64, self.answers, self.rng), GRID)

    def ask(
        self, places: TilePlaces, units: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Tensor, NDArray[np.int64]]:
        """Four turns of each patch, and how many quarter turns they are."""
        patches = self.training.view.illuminate(self.area.cut(places, self.side, self.side), rng)
        answers = np.tile(np.arange(4), len(places))
        images = [np.rot90(patches[i // 4], turn, (1, 2)) for i, turn in enumerate(answers)]
        return self.sent(np.stack(images)), answers

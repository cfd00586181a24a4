"""In which order do the pieces of a patch lie?

Noroozi, Favaro 2016, Unsupervised Learning of Visual Representations by Solving Jigsaw Puzzles,
ECCV, DOI 10.1007/978-3-319-46466-4_5.
"""

from __future__ import annotations

from functools import cache
from itertools import permutations
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rsclass.deep.nets import PixelNet
from rsclass.deep.patches import TilePlaces
from rsclass.deep.pretexts.pretext import Answering, Questions, mlp
from rsclass.deep.recipe import Training
from rsclass.errors import DataError

__all__ = ["CORE", "GAP", "GRID", "Jigsaw", "far_permutations"]

GRID = 3
PIECES = GRID**2
ORDERS = 64
CORE = 3
"""Pixels on a side of a piece, without the surroundings that they see."""
GAP = 2
"""Pixels by which a piece may move in its cell."""


class Jigsaw(Questions):
    """Tell in which of 64 orders the nine pieces of a patch stand.

    Pieces see no pixel in common: each lies at random in its cell, which is wider by a gap, as in
    the paper. Against the short cut of equal light the paper normalizes every piece; spectra are
    what tells land covers apart, so here every piece stands in a light of its own instead.
    """

    name: ClassVar[str] = "jigsaw"
    paper: ClassVar[str] = (
        "Noroozi, Favaro 2016, Unsupervised Learning of Visual Representations by Solving Jigsaw "
        "Puzzles, ECCV, DOI 10.1007/978-3-319-46466-4_5"
    )
    moves: ClassVar[int] = 0

    def __init__(self, training: Training, orders: int = ORDERS) -> None:
        super().__init__(training)
        self.answers = orders
        self.orders = far_permutations(orders, self.recipe.seed)
        smallest, halo = min(self.area.largest), self.area.halo
        core = min(CORE, (smallest + 2 * halo) // GRID - GAP - 2 * halo)
        if core < 1:
            raise DataError(
                f"jigsaw lays nine pieces of at least {1 + 2 * halo} x {1 + 2 * halo} pixels side "
                f"by side, for which {GRID * (1 + GAP + 2 * halo) - 2 * halo} pixels are needed, "
                f"and a side of the scene has {smallest}; choose a smaller receptive field or "
                "another pretext."
            )
        self.piece = core + 2 * halo
        self.cell = self.piece + GAP
        self.side = GRID * self.cell - 2 * halo

    def answering(self, net: PixelNet) -> Answering:
        """The means of the nine pieces side by side, and two layers."""
        head = mlp(net.shape.embedding * PIECES, 128, self.answers, self.rng)
        return Answering(net, head, pieces=PIECES)

    def ask(
        self, places: TilePlaces, units: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[Tensor, NDArray[np.int64]]:
        """Pieces (patches * 9, channels, h, w) of patches, and the orders in which they stand."""
        n, piece = len(places), self.piece
        patches = self.area.cut(places, self.side, self.side)
        offsets = rng.integers(0, GAP + 1, (n, PIECES, 2))
        answers = rng.integers(0, self.answers, n)
        pieces = []
        for patch, moved, order in zip(patches, offsets, self.orders[answers], strict=True):
            for which in order:
                row, col = np.array(divmod(int(which), GRID)) * self.cell + moved[which]
                pieces.append(patch[:, row : row + piece, col : col + piece])
        return self.sent(self.training.view.illuminate(np.stack(pieces), rng)), answers


@cache
def far_permutations(n: int, seed: int) -> NDArray[np.int64]:
    """``n`` orders (n, 9) of nine pieces that differ in as many places as can be.

    The paper's Algorithm 1: the first is drawn; each further one has the greatest sum of Hamming
    distances to those that are chosen already.
    """
    every = np.array(list(permutations(range(PIECES))), dtype=np.int8).T.copy()
    total = np.zeros(every.shape[1], dtype=np.int64)
    chosen = [int(np.random.default_rng([seed % 2**63, PIECES]).integers(len(total)))]
    while len(chosen) < n:
        for place in every:
            total += place != place[chosen[-1]]
        total[chosen] = -1
        chosen.append(int(total.argmax()))
    return every[:, chosen].T.astype(np.int64)

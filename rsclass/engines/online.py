"""What engines that learn pixel by pixel have in common."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from rsclass.core.lloyd import nearest
from rsclass.core.sampling import place_keys
from rsclass.core.scaling import Scaling
from rsclass.core.types import Block, Float, PixelStream, Window
from rsclass.engines.base import Parameter
from rsclass.engines.centers import COMMON, CenterPass
from rsclass.engines.starting import StartedEngine

ONLINE: dict[str, Parameter] = COMMON | {
    "epochs": Parameter(
        "times that every pixel is shown", 1, aliases=("max_iter", "iterations", "max_iterations")
    ),
    "tolerance": Parameter("share of the variance that centers may still move in an epoch", 0),
    "restarts": Parameter("k-means++ starts of which the best is taken", 1),
    "init": Parameter("k-means++, or starting centers as an array"),
}


class OnlineEngine(StartedEngine):
    """An engine that is shown the pixels one after the other, epoch by epoch.

    Blocks come row by row; within each block the pixels are shown in an order that depends on
    their places, the seed and the epoch only, so neither tiles nor threads change the result.

    Attributes
    ----------
    inertia_ : float
        Sum of squared distances to the own center after the last epoch, in engine space.
    n_iter_ : int
        Epochs.
    """

    parameters: ClassVar[dict[str, Parameter]] = ONLINE

    epochs: int
    tolerance: float

    def _see(self, table: Float, centers: Float, wins: NDArray[np.int64]) -> None:
        """Learn from engine-space pixels (pixels, bands) in their order: change both arrays."""
        raise NotImplementedError

    def _weak(self, wins: NDArray[np.int64], before: NDArray[np.int64]) -> NDArray[np.intp]:
        """The classes that should start anew, from the wins after and before an epoch."""
        raise NotImplementedError

    def _learn(self, stream: PixelStream) -> None:
        pixels, drawn = self._pixels(stream)
        table = self._start_table(drawn)
        limit = self.tolerance * float(table.var(axis=0).mean())
        centers = np.ascontiguousarray(self._start(table, max_iter=0))
        wins = np.zeros(len(centers), dtype=np.int64)
        for n_iter in range(1, self.epochs + 1):
            self.n_iter_ = n_iter
            before, wins_before = centers.copy(), wins.copy()
            seed = int(self.random_state) * 2**20 + n_iter
            for block in pixels.scan(f"{self.title}, epoch {n_iter}"):
                self._see(shuffled(block, self.scaling_, seed), centers, wins)
            shift = float(((centers - before) ** 2).sum())
            # A class that starts anew needs epochs to settle, so the second half leaves all be.
            weak = self._weak(wins, wins_before)[: None if n_iter <= self.epochs // 2 else 0]
            self.history_.append(
                {"pass": n_iter, "shift": shift, "restarted": [int(k) for k in weak]}
            )
            if len(weak):
                self._restart(weak, table, centers, wins, seed)
            elif shift <= limit:
                break
        step = CenterPass(self.scaling_, centers)
        tally = pixels.fold(step, f"{self.title}, last pass")
        self.inertia_ = float(step.inertia(tally, pixels.read(Window(0, 0, 1, 1))).sum())
        self._settle(centers, tally.count)

    def _restart(
        self,
        weak: NDArray[np.intp],
        table: Float,
        centers: Float,
        wins: NDArray[np.int64],
        seed: int,
    ) -> None:
        """Move weak classes to pixels of the largest one; all of them forget their wins."""
        labels, _ = nearest(table, centers)
        largest = wins.argmax()
        members = np.flatnonzero(labels == largest)
        if len(members):
            rng = np.random.default_rng(seed)
            chosen = rng.choice(members, min(len(weak), len(members)), replace=False)
            centers[weak[: len(chosen)]] = table[chosen]
            # The mean of what the largest class holds until now is not that of what stays with it.
            wins[[largest, *weak[: len(chosen)]]] = 0


def shuffled(block: Block, scaling: Scaling, seed: int) -> Float:
    """Engine-space table (pixels, bands) of a block's valid pixels, in an order made of places."""
    rows, cols = np.nonzero(block.valid)
    keys = place_keys(rows + block.window.row, cols + block.window.col, seed)
    order = np.argsort(keys, kind="stable")
    gain, offset = scaling.affine(block)
    table = np.empty((len(order), block.n_bands))
    flat = block.flat[:, block.flat_valid]
    for b in range(block.n_bands):
        table[:, b] = flat[b, order] * gain[b] + offset[b]
    return table

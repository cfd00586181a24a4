"""What methods with a pseudo label for every pixel or patch have in common."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Labels
from rsclass.deep import targets
from rsclass.deep.objective import Batch, Clustering, Running
from rsclass.deep.recipe import Stream, Training
from rsclass.deep.seeing import Seeing
from rsclass.deep.shards import Shards

__all__ = ["Labelled"]


class Labelled(Clustering):
    """Cross-entropy on pseudo labels that are fixed at the start of each epoch.

    Parameters
    ----------
    training : Training
    seeing : Patches or Tiles

    Attributes
    ----------
    fresh : int32 array (units,)
        What the network saw while it was trained on the targets; see ``follow_views``.
    """

    follow_views = False

    def __init__(self, training: Training, seeing: Seeing) -> None:
        super().__init__(training)
        self.seeing = seeing
        self.fresh: Labels = np.empty(0, dtype=np.int32)

    def begin(self, run: Running) -> None:
        """Split the largest clusters into the empty ones; what comes of it are the targets."""
        super().begin(run)
        current = self.labels.copy()
        rng = self.recipe.rng(run.epoch, Stream.SPLITS)
        self.repaired = targets.split_into_empty(current, self.clusters, rng)
        self.fresh = current.copy()  # the targets stay as they were at the start of the epoch
        self.aim(current)

    def aim(self, current: Labels) -> None:
        """Set the targets (units,), those of one head."""
        self.seeing.aim(current[None], self.clusters)

    def batches(self, epoch: int) -> list[Batch]:
        """As the seeing draws them."""
        return self.seeing.batches(epoch)

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, Any]:
        """Cross-entropy on the targets."""
        return self.seeing.gradients(shards, batch)

    def saw(self, batch: Batch, seen: list[NDArray[np.int32]]) -> None:
        """Keep what the network saw, where labels are made of it."""
        if self.follow_views:
            self.seeing.write(self.fresh, batch, seen)

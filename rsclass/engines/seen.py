"""The common space of a consensus as a network looks at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rsclass.core.types import Block, Readable, Window
from rsclass.engines.consensus import Consensus

__all__ = ["SeenScene", "seen_block"]


@dataclass
class SeenScene:
    """A scene whose bands are the dimensions of a consensus.

    Parameters
    ----------
    scene : Readable
    eyes : Consensus
        Fitted to a scene of the same bands.
    """

    scene: Readable
    eyes: Consensus

    def __post_init__(self) -> None:
        self.height, self.width = self.scene.height, self.scene.width

    def read(self, window: Window) -> Block:
        """The pixels of any window."""
        around = window.grow(self.eyes.halo, self.height, self.width)
        return seen_block(self.eyes, self.scene.read(around), window)

    def report(self, done: float, total: float, message: str) -> None:
        """Tell the user how far the work is."""
        self.scene.report(done, total, message)


def seen_block(eyes: Consensus, block: Block, window: Window) -> Block:
    """What is seen of ``window``; ``block`` covers it and the halo of the eyes around it."""
    valid = np.ascontiguousarray(block.valid[window.inside(block.window)])
    # What lies farther away is not looked at, and need not be filtered.
    near = block.cut(window.around(eyes.halo, block.window))
    places = eyes.places(near, window).reshape(-1, *valid.shape)
    places[:, ~valid] = 0
    n = len(places)
    return Block(window, places, valid, np.ones(n), np.zeros(n))

"""Dense labelling by a trained network, always in the same tiles of the scene."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import torch
from numpy.typing import NDArray

from rsclass.core.grid import split
from rsclass.core.types import NO_CLASS, Block, Labels, Prediction, Window
from rsclass.deep.nets import PixelNet
from rsclass.deep.patches import padded
from rsclass.deep.processor import best, for_processor
from rsclass.deep.quick import quick
from rsclass.deep.scaling import Scaling
from rsclass.deep.threads import one_thread

__all__ = ["BLOCK", "Forward", "Labeler"]

BLOCK = 128


class Forward:
    """A network frozen for labelling; safe to share between threads.

    Parameters
    ----------
    net : PixelNet
    device : torch.device
    """

    def __init__(self, net: PixelNet, device: torch.device) -> None:
        ready = quick(net).to(device)
        self.net = for_processor(ready) if device.type == "cpu" else ready
        self.device = device

    def logits(self, inputs: NDArray[np.float32]) -> torch.Tensor:
        """Logits (clusters, h, w) of inputs (channels, h + 2 halo, w + 2 halo)."""
        return self.run(inputs)[1]

    @torch.inference_mode()
    def run(self, inputs: NDArray[np.float32]) -> tuple[torch.Tensor, torch.Tensor]:
        """Embedding and logits."""
        x = torch.from_numpy(np.ascontiguousarray(inputs))[None].to(self.device)
        embedding = self.net.embed(x.contiguous(memory_format=torch.channels_last))
        return embedding[0], self.net.classify(embedding)[0]

    def clusters(self, inputs: NDArray[np.float32]) -> Labels:
        """The most probable cluster (h, w), ties to the lowest."""
        with one_thread():
            return best(self.logits(inputs))


class Labeler:
    """From blocks of a scene to classes.

    A pixel belongs to the class of its most probable cluster. The membership in a class is the
    probability of the class's most probable cluster, divided by the sum over classes, so that a
    class does not win by the number of its clusters.

    Parameters
    ----------
    net : PixelNet
    scaling : Scaling
    group : int array (clusters,)
        The class of every cluster.
    device : torch.device
    sees : callable (block, window), optional
        What the network looks at in place of the bands: a block of ``window``, which ``block``
        covers with what is needed around it.
    """

    def __init__(
        self,
        net: PixelNet,
        scaling: Scaling,
        group: NDArray[np.int64],
        device: torch.device,
        sees: Callable[[Block, Window], Block] | None = None,
    ) -> None:
        # Clusters of a class stand side by side, so that a class is a slice of the logits.
        order = np.argsort(group, kind="stable")
        self.net = net.keep(order)
        self.forward = Forward(self.net, device)
        self.group = group[order]
        self.sizes = np.bincount(group).tolist()
        self.scaling = scaling
        self.sees = sees
        self.halo = net.shape.halo
        self.n_classes = len(self.sizes)

    def label(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label ``core``, whose edges are multiples of 128 or edges of the scene."""
        labels = np.full((core.height, core.width), NO_CLASS, dtype=np.int32)
        whole: dict[str, tuple[int, ...]] = dict.fromkeys(layers, labels.shape)
        if "membership" in whole:
            whole["membership"] = (self.n_classes, *labels.shape)
        maps = {name: np.full(size, np.nan, dtype=np.float32) for name, size in whole.items()}
        for tile in split(core, BLOCK):
            at = tile.inside(core)
            valid = block.valid[tile.inside(block.window)]
            if not valid.any():
                continue
            classes, membership = self._classes(block, tile, wanted=bool(maps))
            labels[at] = np.where(valid, classes, NO_CLASS)
            if membership is not None:
                for name, image in _layers(membership, layers).items():
                    maps[name][..., at[0], at[1]] = np.where(valid, image, np.float32(np.nan))
        return Prediction(labels, maps)

    def inputs(self, block: Block, tile: Window) -> NDArray[np.float32]:
        """Network inputs (channels, h + 2 halo, w + 2 halo) of a part of ``block``."""
        outer = block.window
        grown = Window(tile.row - outer.row, tile.col - outer.col, tile.height, tile.width).grow(
            self.halo, outer.height, outer.width
        )
        seen = grown._replace(row=grown.row + outer.row, col=grown.col + outer.col)
        part = block.cut(seen) if self.sees is None else self.sees(block, seen)
        return padded(part, tile, self.halo, self.scaling)[0]

    def _classes(
        self, block: Block, tile: Window, wanted: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
        """The class (h, w) of every pixel, and its membership (classes, h, w) where wanted."""
        inputs = self.inputs(block, tile)
        with one_thread(), torch.inference_mode():
            logits = self.forward.logits(inputs)
            found = self.group[best(logits)]
            if not wanted:
                return found, None
            classes = torch.stack([part.amax(dim=0) for part in torch.split(logits, self.sizes)])
            return found, torch.softmax(classes, dim=0).cpu().numpy()


def _layers(
    membership: NDArray[np.float32], names: Collection[str]
) -> dict[str, NDArray[np.float32]]:
    made: dict[str, NDArray[np.float32]] = {}
    if "membership" in names:
        made["membership"] = membership
    if "confidence" in names:
        made["confidence"] = membership.max(axis=0)
    if "distance" in names:
        made["distance"] = -np.log(membership.max(axis=0)) + 0  # 0, never -0
    if "entropy" in names:
        terms = membership * np.log(np.maximum(membership, np.finfo(np.float32).tiny))
        made["entropy"] = np.maximum(-terms.sum(axis=0), 0)
    return made

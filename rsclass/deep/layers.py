"""What each layer of a trained network sees in a pixel."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from rsclass.core.types import Block, Window
from rsclass.deep.infer import Labeler
from rsclass.deep.nets import folded
from rsclass.deep.threads import one_thread

__all__ = ["layer_features"]


def layer_features(labeler: Labeler, block: Block, core: Window) -> dict[str, NDArray[np.float32]]:
    """The features (channels, height, width) of ``core`` in every layer, from input to logits.

    Parameters
    ----------
    block : Block
        Covers ``core`` and the network's halo around it, cut at the scene.
    """
    inputs = labeler.inputs(block, core)
    net = folded(labeler.net).to(labeler.forward.device)
    seen: dict[str, torch.Tensor] = {}
    with one_thread(), torch.inference_mode():
        x = torch.from_numpy(np.ascontiguousarray(inputs))[None].to(labeler.forward.device)
        for name, features in net.layers(x):
            seen[name] = features[0]
    return {name: _middle(image, core) for name, image in seen.items()}


def _middle(image: torch.Tensor, core: Window) -> NDArray[np.float32]:
    """Without what a layer sees of the surroundings, which later layers use up."""
    around = (image.shape[-1] - core.width) // 2
    inner = image[:, around : around + core.height, around : around + core.width]
    return np.ascontiguousarray(inner.cpu().numpy())

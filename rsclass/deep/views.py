"""Random views of tiles as the network takes them, and its answers turned back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rsclass.deep.augment import turn
from rsclass.deep.patches import TilePlaces
from rsclass.deep.recipe import Training

__all__ = ["look", "sent", "straight", "turned"]


def look(
    training: Training, places: TilePlaces, size: tuple[int, int], rng: np.random.Generator
) -> tuple[Tensor, NDArray[np.int64]]:
    """One random view of each tile.

    Parameters
    ----------
    places : TilePlaces
    size : (int, int)
        Height and width of what the network answers for; (1, 1) for patches.

    Returns
    -------
    inputs : float32 tensor (tiles, channels, height + 2 halo, width + 2 halo)
        On the device.
    how : int64 array (tiles,)
        The symmetry of each tile; see :func:`rsclass.deep.augment.turn`.
    """
    inputs = training.view.illuminate(training.area.cut(places, *size), rng)
    how = training.view.draw_turns(len(places), size[0] == size[1], rng)
    return sent(turned(inputs, how), training.device), how


def turned(images: NDArray[Any], how: NDArray[np.int64]) -> NDArray[Any]:
    """Images (tiles, ..., h, w), each by its own symmetry."""
    return np.stack([turn(image, int(h)) for image, h in zip(images, how, strict=True)])


def straight(images: Tensor, how: NDArray[np.int64]) -> Tensor:
    """Undo the turns of a tensor (tiles, ..., h, w)."""
    return torch.stack(
        [
            torch.rot90(image.flip(-1) if h >= 4 else image, -(int(h) % 4), dims=(-2, -1))
            for image, h in zip(images, how, strict=True)
        ]
    )


def sent(images: NDArray[np.float32], device: torch.device) -> Tensor:
    """Images on the device, in the layout in which convolutions are fastest."""
    return torch.from_numpy(images).to(device).contiguous(memory_format=torch.channels_last)

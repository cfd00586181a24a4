"""Invariant information clustering: two views of a pixel tell as much as they can of each other.

Ji, Henriques, Vedaldi 2019, Invariant Information Clustering for Unsupervised Image Classification
and Segmentation, ICCV, arXiv:1807.06653.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Batch
from rsclass.deep.objectives.paired import Paired
from rsclass.deep.recipe import Training

__all__ = ["IIC", "information_loss", "joint"]


class IIC(Paired):
    """Mutual information of the answers to a tile and to a random view of it.

    Two heads are trained in turn, one a step: that whose clusters are reported, and another with
    more clusters, which steadies the features, or with fewer.

    Parameters
    ----------
    training : Training
    other : int
        Clusters of the other head.
    weights : (float, float)
        Weight of the marginal entropies for each head.
    reach : int
        Displacements in pixels, up to so many in rows and columns, under which answers are
        compared: neighbors are to tell of each other.
    apart : bool
        The information of each displacement by itself, averaged; else that of all of them
        together.
    """

    plain_first = True
    remedy = "raise entropy_weight"

    def __init__(
        self,
        training: Training,
        other: int,
        weights: tuple[float, float],
        reach: int,
        apart: bool,
    ) -> None:
        super().__init__(training)
        self.other = min(other, len(self.area.pixels))
        self.weights = weights
        self.reach = min(reach, min(self.area.tile) - 1)
        self.apart = apart

    @property
    def outputs(self) -> int:
        """Clusters of both heads."""
        return self.clusters + self.other

    def loss(self, first: Tensor, second: Tensor, usable: Tensor, batch: Batch) -> Tensor:
        """Minus the information, by the head whose turn it is."""
        turn = (batch.seed[-1] + 1) % 2
        head = slice(self.clusters, None) if turn else slice(self.clusters)
        p, q = (torch.softmax(view[:, head], dim=1) * usable[:, None] for view in (first, second))
        return information_loss(joint(p, q, self.reach, self.apart), self.weights[turn])

    def result(self, net: PixelNet) -> PixelNet:
        """The head that is reported."""
        return net.keep(np.arange(self.clusters))


def joint(p: Tensor, q: Tensor, reach: int, apart: bool) -> Tensor:
    """How often clusters answer together (displacements, clusters, clusters), not normalized.

    Parameters
    ----------
    p, q : tensors (tiles, clusters, height, width)
        Probabilities; 0 at pixels that take no part.
    reach : int
        Pixels.
    apart : bool
        One matrix for each displacement; else one for all.
    """
    side = 2 * reach + 1
    if not apart:
        around = functional.avg_pool2d(q, side, 1, reach) * side**2 if reach else q
        return torch.einsum("nkhw,nlhw->kl", p, around)[None]
    height, width = p.shape[2:]
    padded = functional.pad(q, (reach, reach, reach, reach))
    shifted = [
        padded[:, :, row : row + height, col : col + width]
        for row in range(side)
        for col in range(side)
    ]
    return torch.stack([torch.einsum("nkhw,nlhw->kl", p, moved) for moved in shifted])


def information_loss(together: Tensor, weight: float = 1.0) -> Tensor:
    """``- sum_ij P_ij (ln P_ij - weight ln P_i - weight ln P_j)``, a mean over displacements.

    With a weight of 1 that is minus the mutual information of the symmetrized joint distribution;
    more weight asks for clusters of more equal sizes.

    Parameters
    ----------
    together : tensor (displacements, clusters, clusters)
        Normalized here.
    """
    P = (together + together.transpose(1, 2)) / 2
    P = P / P.sum(dim=(1, 2), keepdim=True)
    P = P.clamp(min=torch.finfo(P.dtype).eps)
    of_rows, of_columns = P.sum(dim=2, keepdim=True), P.sum(dim=1, keepdim=True)
    terms = P * (P.log() - weight * of_rows.log() - weight * of_columns.log())
    return -terms.sum(dim=(1, 2)).mean()

"""Self-Classifier: one view is classified as the other, and classes are even in the batch.

Amrani, Karlinsky, Bronstein 2022, Self-Supervised Classification Network, ECCV, arXiv:2103.10994.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Batch
from rsclass.deep.objectives.paired import Paired

__all__ = ["SelfClassifier", "uniform_prior_loss"]

COLUMN_TEMPERATURE = 0.05
ROW_TEMPERATURE = 0.1


class SelfClassifier(Paired):
    """Cross-entropy between two views under a uniform prior of the clusters.

    Answers are cosines between the features of a pixel and the vectors of the clusters.
    """

    def module(self, net: PixelNet) -> nn.Module:
        """The network without the bias of its classifier, which has no part in a cosine."""
        if net.classifier.bias is not None:
            net.classifier.bias.requires_grad_(False)
        return net

    def answers(self, net: PixelNet, x: Tensor) -> Tensor:
        """Cosines (tiles, clusters, height, width)."""
        features = functional.normalize(net.head(net.embed(x)), dim=1)
        vectors = functional.normalize(net.classifier.weight, dim=1)
        return functional.conv2d(features, vectors)

    def loss(self, first: Tensor, second: Tensor, usable: Tensor, batch: Batch) -> Tensor:
        """The mean of both ways round."""
        rows = [view.permute(0, 2, 3, 1)[usable] for view in (first, second)]
        return (uniform_prior_loss(*rows) + uniform_prior_loss(*rows[::-1])) / 2

    def result(self, net: PixelNet) -> PixelNet:
        """With cluster vectors of unit length: the largest logit is that of the largest cosine."""
        plain = copy.deepcopy(net)
        with torch.no_grad():
            plain.classifier.weight.copy_(functional.normalize(net.classifier.weight, dim=1))
        return plain


def uniform_prior_loss(first: Tensor, second: Tensor) -> Tensor:
    """How badly rows of the second answers are classified as those of the first.

    Targets are softmaxes of the first over the batch, every row then divided by its sum;
    predictions are softmaxes of the second over the clusters, every column then divided by its sum:
    both put the uniform prior into the loss. Nothing is detached.

    Parameters
    ----------
    first, second : tensors (rows, clusters)
    """
    n, k = first.shape
    target = functional.normalize(torch.softmax(first / COLUMN_TEMPERATURE, dim=0), p=1, dim=1)
    told = functional.normalize(torch.softmax(second / ROW_TEMPERATURE, dim=1), p=1, dim=0)
    tiny = torch.finfo(told.dtype).tiny
    return -(target * (n / k * told).clamp(min=tiny).log()).sum(dim=1).mean()

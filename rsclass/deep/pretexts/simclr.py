"""Which two of many views show the same place?

Chen, Kornblith, Norouzi, Hinton 2020, A Simple Framework for Contrastive Learning of Visual
Representations, ICML, arXiv:2002.05709.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Batch
from rsclass.deep.pretexts.pretext import Answering, Pretext, mlp
from rsclass.deep.recipe import Training
from rsclass.deep.shards import Shards

__all__ = ["SimCLR", "nt_xent"]

TEMPERATURE = 0.5
PROJECTION = 64


class SimCLR(Pretext):
    """Find the other view of a patch among all views of the batch.

    Within one scene most of the other patches show the same covers, which the loss pushes apart
    all the same: a weak start for one scene, a better one for many.
    """

    name: ClassVar[str] = "simclr"
    paper: ClassVar[str] = (
        "Chen, Kornblith, Norouzi, Hinton 2020, A Simple Framework for Contrastive Learning of "
        "Visual Representations, ICML, arXiv:2002.05709"
    )

    def __init__(self, training: Training) -> None:
        super().__init__(training)
        self.chance = 1 / (2 * self.recipe.batch - 1)

    def answering(self, net: PixelNet) -> Answering:
        """The mean of the patch, and two layers."""
        return Answering(net, mlp(net.shape.embedding, 128, PROJECTION, self.rng))

    def gradients(self, shards: Shards, batch: Batch) -> tuple[float, float]:
        """NT-Xent loss over the two views of all patches of the step."""
        parts = batch.parts

        def project(model: Answering, shard: int) -> Tensor:
            rng = self.recipe.rng(*batch.seed, shard)
            places = batch.places.take(parts[shard])
            given: Tensor = model(torch.cat([self.crop(places, rng), self.crop(places, rng)]))
            return given

        def loss(projections: list[Tensor]) -> tuple[Tensor, float]:
            pairs = [part.chunk(2) for part in projections]
            one, other = (torch.cat(views) for views in zip(*pairs, strict=True))
            return nt_xent(one, other, TEMPERATURE)

        return shards.backward_jointly(project, loss, len(parts))


def nt_xent(one: Tensor, other: Tensor, temperature: float) -> tuple[Tensor, float]:
    """Normalized temperature-scaled cross-entropy of two views (n, features), and what was found.

    Equation 1 of the paper, averaged over all 2 n views: of view i whose partner is j it is
    ``-log(exp(s_ij / t) / sum over k != i of exp(s_ik / t))`` with cosine similarities s.

    Returns
    -------
    loss : Tensor
    right : float
        Share of the views to which no view is closer than the partner.
    """
    n = len(one)
    views = functional.normalize(torch.cat([one, other]), dim=1)
    itself = torch.eye(2 * n, dtype=torch.bool, device=views.device)
    similar = (views @ views.T / temperature).masked_fill(itself, -torch.inf)
    partner = torch.arange(2 * n, device=views.device).roll(n)
    right = (similar.detach().argmax(dim=1) == partner).float().mean()
    return functional.cross_entropy(similar, partner), float(right)

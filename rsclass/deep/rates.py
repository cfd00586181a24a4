"""The optimizer of a training and how its learning rate changes."""

from __future__ import annotations

import math

import torch
from torch import nn

from rsclass.deep.nets import PixelNet
from rsclass.deep.recipe import Recipe

__all__ = ["SCHEDULES", "optimizer_of", "set_rate", "share_of_rate"]

SCHEDULES = ("cosine", "linear", "one-cycle", "steps", "constant")
_RISE, _FIRST, _LAST = 0.3, 1 / 25, 1 / 25e4


def optimizer_of(
    module: nn.Module, recipe: Recipe, head: nn.Module | None = None
) -> torch.optim.Optimizer:
    """Stochastic gradient descent, or Adam, of the weights that ask for a gradient.

    Parameters
    ----------
    module : Module
        Parts of a network that are held back (see :meth:`rsclass.deep.nets.PixelNet.hold`) move
        at their own share of the learning rate.
    head : Module, optional
        A part of ``module`` that is moved without momentum.
    """
    apart = {id(weight) for weight in head.parameters()} if head else set()
    shares = _shares(module)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for weight in module.parameters():
        if weight.requires_grad:
            momentum = 0.0 if id(weight) in apart else recipe.momentum
            groups.setdefault((momentum, shares.get(id(weight), 1.0)), []).append(weight)
    rate, decay = recipe.learning_rate, recipe.weight_decay
    if recipe.optimizer == "adam":
        settings = [{"params": ws, "share": share} for (_, share), ws in groups.items()]
        return torch.optim.Adam(settings, lr=rate, weight_decay=decay, foreach=False)
    settings = [
        {"params": ws, "share": share, "momentum": momentum}
        for (momentum, share), ws in groups.items()
    ]
    return torch.optim.SGD(settings, lr=rate, weight_decay=decay)


def _shares(module: nn.Module) -> dict[int, float]:
    """Share of the learning rate of each weight, by its id, that is held back."""
    nets = [part for part in module.modules() if isinstance(part, PixelNet)]
    return {
        id(weight): share
        for net in nets
        for part, share in net.held.items()
        for weight in net.get_submodule(part).parameters()
    }


def share_of_rate(schedule: str, done: float) -> float:
    """The learning rate as a share of its largest value.

    Parameters
    ----------
    schedule : str
        ``cosine`` or ``linear``, from 1 to 0; ``one-cycle``, up from 1/25 during the first
        30 % and down to almost 0, both along a cosine (Smith and Topin 2019, Super-convergence,
        doi:10.1117/12.2520589); ``steps``, a tenth after 3/8 and again after 6/8 of the training,
        and a thousandth from 7/8 on (as in SelfLabel); ``constant``.
    done : float
        Share of the training that is over, from 0 to below 1.
    """
    if schedule == "constant":
        return 1.0
    if schedule == "linear":
        return 1 - done
    if schedule == "steps":
        return 1e-3 if done >= 7 / 8 else 0.1 ** math.floor(done * 8 / 3)
    if schedule == "one-cycle":
        if done < _RISE:
            return _between(_FIRST, 1.0, done / _RISE)
        return _between(1.0, _LAST, (done - _RISE) / (1 - _RISE))
    return (1 + math.cos(math.pi * done)) / 2


def set_rate(optimizer: torch.optim.Optimizer, recipe: Recipe, done: float) -> None:
    """Give the optimizer the learning rate of this moment."""
    fall = share_of_rate(recipe.schedule, done)
    for group in optimizer.param_groups:
        group["lr"] = recipe.learning_rate * fall * group["share"]


def _between(start: float, end: float, done: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * done)) / 2

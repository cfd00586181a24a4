"""The one training loop of all methods.

Epoch by epoch it asks an :class:`rsclass.deep.objective.Objective` for targets, batches and
gradients, and does what is common to all: learning rate, step, averaged network, history, progress,
early end, and everything that an interrupted training needs to go on.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from rsclass.deep.keeping import keeper
from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import Batch, Objective
from rsclass.deep.rates import optimizer_of, set_rate
from rsclass.deep.recipe import Stream, Training
from rsclass.deep.shards import Shards, follow
from rsclass.deep.threads import one_thread

__all__ = ["Run", "Trained", "renamed", "train"]


@dataclass(frozen=True, slots=True)
class Trained:
    """What a training leaves.

    Parameters
    ----------
    net : PixelNet
        The one that labels.
    history : list of dict
        Of every epoch: its loss, and what the objective tells.
    log : list of dict
        Of every epoch what is no part of the result: ``seconds``, and ``sizes`` of the clusters.
    """

    net: PixelNet
    history: list[dict[str, Any]]
    log: list[dict[str, Any]]


class Run:
    """A training under way.

    Parameters
    ----------
    net : PixelNet
    training : Training
    objective : Objective
    shards : Shards
        Of the module that the objective trains.

    Attributes
    ----------
    epoch : int
        The one that runs or runs next.
    teacher : PixelNet or None
        Exponential average of the network, where the objective asks for one.
    history, log : lists of dict
        See :class:`Trained`.
    """

    def __init__(
        self, net: PixelNet, training: Training, objective: Objective, shards: Shards
    ) -> None:
        self.net = net
        self.training = training
        self.recipe = training.recipe
        self.objective = objective
        self.shards = shards
        self.teacher = copy.deepcopy(net) if objective.averages else None
        head = None if objective.head_momentum else net.classifier
        self.optimizer = optimizer_of(shards.net, training.recipe, head)
        self.epoch = 0
        self.history: list[dict[str, Any]] = []
        self.log: list[dict[str, Any]] = []

    @property
    def labelling(self) -> PixelNet:
        """The network whose answers count: the average where there is one."""
        return self.net if self.teacher is None else self.teacher

    @property
    def finished(self) -> bool:
        """No epoch is left, or the objective has settled."""
        return self.epoch >= self.recipe.epochs or self.objective.settled

    def advance(self) -> None:
        """Train for one epoch."""
        began = time.monotonic()
        self.objective.begin(self)
        batches = self.objective.batches(self.epoch)
        losses = [self._step(step, batch, len(batches)) for step, batch in enumerate(batches)]
        self.objective.end(self)
        loss = sum(losses) / len(losses)
        self.history.append({"epoch": self.epoch, "loss": loss, **self.objective.entry()})
        sizes = self.objective.sizes().tolist()
        seconds = time.monotonic() - began
        self.log.append({"epoch": self.epoch, "seconds": seconds, "sizes": sizes})
        self.epoch += 1

    def _step(self, step: int, batch: Batch, steps: int) -> float:
        epochs = self.recipe.epochs
        done = self.epoch * steps + step
        by_epoch = self.objective.rate_by_epoch
        share = self.epoch / epochs if by_epoch else done / (epochs * steps)
        set_rate(self.optimizer, self.recipe, share)
        loss, seen = self.objective.gradients(self.shards, batch)
        self.objective.saw(batch, seen)
        self.optimizer.step()
        if self.teacher is not None:
            follow(self.teacher, self.net, self.recipe.decay)
        self.training.report(done + 1, epochs * steps, f"epoch {self.epoch + 1} of {epochs}")
        return loss

    def renew_classifier(self) -> None:
        """Start the classifier again, with weights of this epoch's own."""
        self.net.start_classifier(self.recipe.rng(self.epoch, Stream.HEAD))

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """All that the next epoch depends on: a JSON-able card and named arrays.

        Random numbers depend on the seed and the epoch alone, so there are none among it.
        """
        card, own = self.objective.state()
        arrays = {f"objective.{name}": value for name, value in own.items()}
        arrays |= _arrays("module", self.shards.net.state_dict())
        if self.teacher is not None:
            arrays |= _arrays("teacher", self.teacher.state_dict())
        for i, memory in self.optimizer.state_dict()["state"].items():
            arrays |= _arrays(f"optimizer.{i}", memory)
        whole = {"epoch": self.epoch, "history": self.history, "log": self.log, "objective": card}
        return whole, arrays

    def restore(self, card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on where the run that gave this ``state`` was.

        Raises
        ------
        KeyError, RuntimeError
            Something is missing or belongs to another network.
        """
        self.epoch = int(card["epoch"])
        self.history, self.log = list(card["history"]), list(card["log"])
        self.shards.net.load_state_dict(_tensors("module", arrays))
        if self.teacher is not None:
            self.teacher.load_state_dict(_tensors("teacher", arrays))
        memories: dict[int, dict[str, torch.Tensor]] = {}
        for name, value in _tensors("optimizer", arrays).items():
            number, _, what = name.partition(".")
            memories.setdefault(int(number), {})[what] = value
        state = self.optimizer.state_dict()
        self.optimizer.load_state_dict({"state": memories, "param_groups": state["param_groups"]})
        self.objective.restore(card["objective"], _under("objective", arrays))


def train(
    net: PixelNet,
    training: Training,
    objective: Objective,
    kept: tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]] | None = None,
    after_epoch: Callable[[Run], None] | None = None,
) -> Trained:
    """Train ``net`` as an objective says.

    Parameters
    ----------
    kept : card and arrays, optional
        The ``state`` of a run that was interrupted: training goes on from there to the same end.
    after_epoch : callable, optional
        Called with the run after every epoch.

    Whoever keeps the trainings of this thread (:mod:`rsclass.deep.keeping`) is given the state
    after every epoch, and may have one to go on from.
    """
    keeps = keeper()
    if keeps is not None:
        kept = keeps.begin() or kept
    net = net.to(training.device)
    module = objective.module(net).to(training.device)
    with one_thread(), Shards(module, training.jobs) as shards:
        run = Run(net, training, objective, shards)
        if kept is None:
            objective.open(run)
        else:
            run.restore(*kept)
        while not run.finished:
            run.advance()
            shards.require_same()
            if keeps is not None:
                keeps.keep(run.state())
            if after_epoch is not None:
                after_epoch(run)
    return Trained(objective.result(run.labelling.cpu()), run.history, run.log)


def renamed(entry: Mapping[str, Any], **names: str) -> dict[str, Any]:
    """An entry of a history with other names for some of what it tells."""
    return {names.get(key, key): value for key, value in entry.items()}


def _arrays(prefix: str, tensors: Mapping[str, torch.Tensor]) -> dict[str, NDArray[Any]]:
    return {
        f"{prefix}.{name}": np.array(value.detach().cpu().contiguous().numpy())
        for name, value in tensors.items()
    }


def _under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    cut = len(prefix) + 1
    return {name[cut:]: value for name, value in arrays.items() if name.startswith(f"{prefix}.")}


def _tensors(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(np.array(v)) for name, v in _under(prefix, arrays).items()}

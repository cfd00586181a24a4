"""The pretexts by name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from rsclass.deep.loop import renamed, train
from rsclass.deep.nets import PixelNet
from rsclass.deep.pretexts.exemplar import Exemplar
from rsclass.deep.pretexts.jigsaw import Jigsaw
from rsclass.deep.pretexts.moco import MoCo
from rsclass.deep.pretexts.pretext import Pretext
from rsclass.deep.pretexts.rotnet import RotNet
from rsclass.deep.pretexts.simclr import SimCLR
from rsclass.deep.recipe import Training

__all__ = ["PRETEXTS", "Lessons", "pretrain"]

PRETEXTS: dict[str, type[Pretext]] = {
    "rotnet": RotNet,
    "jigsaw": Jigsaw,
    "exemplar": Exemplar,
    "simclr": SimCLR,
    "moco": MoCo,
}


@dataclass(frozen=True, slots=True)
class Lessons:
    """How long a pretext is asked.

    Parameters
    ----------
    epochs : int
    patches : int
        Of one epoch, drawn anew.
    batch : int
        Patches of one step.
    learning_rate : float
        Of stochastic gradient descent, at first.
    """

    epochs: int = 8
    patches: int = 1024
    batch: int = 64
    learning_rate: float = 0.05


def pretrain(
    net: PixelNet, training: Training, name: str, lessons: Lessons
) -> list[dict[str, Any]]:
    """Let the trunk of ``net`` learn by the pretext ``name``; its classifier stays as it was.

    Returns
    -------
    list of dict
        Of every epoch: ``pretext``, ``pretext_loss``, and the share of ``right`` answers.

    Raises
    ------
    DataError
        The scene is too small for the pretext.
    StoppedError
        The run was stopped, as the training's report tells.
    """
    recipe = replace(
        training.recipe,
        epochs=lessons.epochs,
        tiles=lessons.patches,
        batch=lessons.batch,
        optimizer="sgd",
        learning_rate=lessons.learning_rate,
        momentum=0.9,
        weight_decay=1e-4,
        schedule="cosine",
    )

    def report(done: float, total: float, message: str) -> None:
        training.report(done, total, f"{name}, {message}")

    lesson = replace(training, recipe=recipe, report=report)
    history = train(net, lesson, PRETEXTS[name](lesson)).history
    return [{"pretext": name} | renamed(entry, loss="pretext_loss") for entry in history]

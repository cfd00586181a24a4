"""The labels of a trained network are cleaned, and it learns from them again."""

from __future__ import annotations

from dataclasses import replace

from rsclass.deep.infer import Forward
from rsclass.deep.loop import Trained, renamed, train
from rsclass.deep.nets import PixelNet
from rsclass.deep.objective import dense_labels
from rsclass.deep.objectives.ruc import RUC
from rsclass.deep.recipe import Training
from rsclass.deep.shards import Shards

__all__ = ["clean"]

_PATCHES = 128  # with a label in each step, and as many without
_RATE = 0.01


def clean(net: PixelNet, training: Training, epochs: int) -> Trained:
    """Clean the labels of ``net`` by RUC; see :class:`rsclass.deep.objectives.ruc.RUC`."""
    recipe = replace(
        training.recipe,
        epochs=epochs,
        batch=_PATCHES,
        optimizer="sgd",
        learning_rate=_RATE,
        schedule="constant",
    )

    def report(done: float, total: float, message: str) -> None:
        training.report(done, total, f"cleaning labels, {message}")

    cleaning = replace(training, recipe=recipe, report=report)
    with Shards(net, training.jobs) as shards:
        labels = dense_labels(training.area, Forward(net, training.device), shards)
    trained = train(net, cleaning, RUC(cleaning, labels))
    history = [renamed(entry, loss="cleaning_loss") for entry in trained.history]
    return replace(trained, history=history)

"""How well a method would do on places that it has not seen, by cross-validation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.confusion import Confusion
from rsclass.core.folds import block_numbers, group_folds, pixel_folds
from rsclass.core.training import TrainingSet
from rsclass.core.types import NO_CLASS, Band, Labels
from rsclass.engines.base import Engine
from rsclass.errors import DataError, UsageError
from rsclass.flow.learn import prepared_engine
from rsclass.flow.scene import open_scene, open_stream
from rsclass.flow.training import Samples, Training, collect
from rsclass.io.source import Reading
from rsclass.report.texts import counted, percent
from rsclass.run.settings import Running

__all__ = ["BLOCK_SIZE", "BY", "FOLDS", "Validated", "Validation", "cross_validate", "validate"]

BY = ("feature", "block")
FOLDS = 5
BLOCK_SIZE = 50


@dataclass(frozen=True)
class Validation:
    """How a method is cross-validated.

    Parameters
    ----------
    method : str
        One that learns from samples.
    folds : int, default=5
        Parts, each of which is predicted by what the others teach.
    by : {"feature", "block"}, default="feature"
        What is never cut: a drawn feature, or a square of the scene.
    block_size : int, default=50
        Side of such a square in pixels.
    parameters : mapping
        Of the method, by name.
    seed : int, default=0

    Raises
    ------
    UsageError
        A number or a word is impossible.
    """

    method: str
    folds: int = FOLDS
    by: str = "feature"
    block_size: int = BLOCK_SIZE
    parameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise UsageError(f"--by is {self.by!r}; choose one of {', '.join(BY)}.")
        if self.folds < 2:
            raise UsageError(f"--folds is {self.folds}; it must be 2 or more.")
        if self.block_size < 1:
            raise UsageError(f"--block-size is {self.block_size}; it must be 1 or more.")

    def engine(self) -> Engine:
        """The method with checked parameters, before it has seen a pixel.

        Raises
        ------
        UsageError
            There is no such method or parameter, or it does not learn from samples.
        """
        return prepared_engine(self.method, None, self.parameters, self.seed, True)


@dataclass(frozen=True)
class Validated:
    """The outcome of a cross-validation.

    Attributes
    ----------
    validation : Validation
        What was asked for.
    confusion : Confusion
        Of all folds together: rows are the classes of the samples, columns those predicted.
    by_fold : tuple of float
        Overall accuracy of each fold.
    rejected : int
        Pixels to which the method gave no class; they are not in the matrix.
    random : Confusion
        The same with pixels dealt out at random, neighbors in different folds.
    fold_of : int64 array (pixels,)
        Fold of each training pixel; -1 where it was only learned from.
    predicted : int32 array (pixels,)
        Class of each training pixel; -1 for none.
    warnings : list of str
    """

    validation: Validation
    confusion: Confusion
    by_fold: tuple[float, ...]
    rejected: int
    random: Confusion
    fold_of: NDArray[np.int64]
    predicted: Labels
    warnings: list[str] = field(default_factory=list)

    @property
    def overall(self) -> float:
        """Share of the pixels whose class came out right, by features or blocks."""
        return self.confusion.overall

    @property
    def optimism(self) -> float:
        """How much better a random split of the pixels makes the method look."""
        return self.random.overall - self.confusion.overall

    @property
    def per_class(self) -> list[dict[str, Any]]:
        """Accuracies of every class, JSON-able; None where undefined."""
        matrix, random = self.confusion, self.random
        columns = {
            "producers": matrix.producers,
            "users": matrix.users,
            "random_producers": random.producers,
            "random_users": random.users,
        }
        return [
            {"name": name, "pixels": int(matrix.reference_totals[i])}
            | {key: _known(values[i]) for key, values in columns.items()}
            for i, name in enumerate(matrix.names)
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        asked = self.validation
        return {
            "method": asked.method,
            "by": asked.by,
            "block_size": asked.block_size if asked.by == "block" else None,
            "folds": asked.folds,
            "seed": asked.seed,
            "pixels": int(self.confusion.n),
            "rejected": self.rejected,
            "overall": _known(self.overall),
            "kappa": _known(self.confusion.kappa.value),
            "by_fold": [_known(share) for share in self.by_fold],
            "random_overall": _known(self.random.overall),
            "random_kappa": _known(self.random.kappa.value),
            "optimism": _known(self.optimism),
            "classes": self.per_class,
            "confusion": {
                "rows": "samples",
                "columns": "predicted",
                "classes": list(self.confusion.names),
                "units": self.confusion.counts.tolist(),
            },
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        asked = self.validation
        unit = "features" if asked.by == "feature" else f"blocks of {asked.block_size} pixels"
        worst, best = min(self.by_fold), max(self.by_fold)
        kappa, random_kappa = self.confusion.kappa.value, self.random.kappa.value
        width = max(len("class"), *(len(name) for name in self.confusion.names))
        lines = [
            f"Cross-validation of {asked.method} in {asked.folds} folds, pixels dealt out at "
            f"random: {percent(self.random.overall, gap='')} right, kappa {random_kappa:.3f}.",
            f"With whole {unit} held out: {percent(self.overall, gap='')} right, kappa {kappa:.3f} "
            f"(folds {percent(worst, gap='')} to {percent(best, gap='')}). That is nearer to "
            "what holds elsewhere.",
            f"  {'class':<{width}}  {'pixels':>8}  producer's  user's",
        ]
        for row in self.per_class:
            producers, users = (_share(row[key]) for key in ("producers", "users"))
            lines.append(
                f"  {row['name']:<{width}}  {row['pixels']:>8,}  {producers:>10}  {users:>6}"
            )
        if self.rejected:
            lines.append(
                f"  {counted(self.rejected, 'pixel', 'pixels')} got no class and count nowhere."
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{escape(row['name'])}</td><td>{row['pixels']:,}</td>"
            f"<td>{_share(row['producers'])}</td><td>{_share(row['users'])}</td></tr>"
            for row in self.per_class
        )
        return (
            f"<p>overall {percent(self.overall)}, with neighbors in both parts "
            f"{percent(self.random.overall)}</p><table><tr><th>class</th><th>pixels</th>"
            f"<th>producer's</th><th>user's</th></tr>{rows}</table>"
        )


def cross_validate(
    scene: Any,
    training: Training,
    method: str,
    *,
    folds: int = FOLDS,
    by: str = "feature",
    block_size: int = BLOCK_SIZE,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    reading: Reading | None = None,
    running: Running | None = None,
) -> Validated:
    """Predict each part of the training pixels by what the other parts teach.

    The parts are made of whole features, or of whole squares of the scene, so that the pixels
    predicted are no neighbors of those learned from. The same is done with pixels dealt out at
    random, to show how much that flatters. The samples were chosen, not drawn by chance, so neither
    figure is the accuracy of a map; see ``rsclass sample`` and ``rsclass assess`` for that.

    Parameters
    ----------
    scene, reading, running
        As for :func:`rsclass.classify`.
    training : Training
        Features of known class.
    method, folds, by, block_size, parameters, seed
        As for :class:`Validation`.

    Returns
    -------
    Validated

    Raises
    ------
    UsageError
        The method, or how to validate it, is impossible.
    DataError
        The samples cannot be read, or cannot be parted.
    """
    running = running or Running()
    asked = Validation(method, folds, by, block_size, dict(parameters or {}), seed)
    asked.engine()
    source = open_scene(scene, reading or Reading())
    try:
        with open_stream(source, running) as stream:
            samples = collect(stream, training, seed)
            samples.check_unchanged()
        return validate(samples, asked, running)
    finally:
        source.close()


def validate(samples: Samples, asked: Validation, running: Running) -> Validated:
    """Cross-validate a method on samples that were read; see :func:`cross_validate`.

    Raises
    ------
    UsageError, DataError
        As for :func:`cross_validate`.
    """
    training = samples.pixels
    groups = (
        training.features if asked.by == "feature" else block_numbers(training, asked.block_size)
    )
    lonely = _of_one_group(training, groups)
    tested = ~np.isin(training.classes, lonely)
    told = [
        f"all samples of {training.names[i]} lie in one {asked.by}, so they are learned from in "
        "every fold and never tested."
        for i in lonely
    ]
    if asked.by == "feature" and len(np.unique(groups)) == len(training):
        told.append(
            "every feature is a single pixel, so holding out features holds out no neighbors; "
            "--by block does."
        )
    if len(np.unique(groups[tested])) < asked.folds:
        raise DataError(
            f"the samples lie in {len(np.unique(groups))} {asked.by}s, of which "
            f"{len(np.unique(groups[tested]))} can be held out, too few for {asked.folds} folds; "
            "ask for fewer with --folds, or draw more samples."
        )
    fold_of = np.full(len(training), -1, np.int64)
    fold_of[tested] = group_folds(training.classes[tested], groups[tested], asked.folds, asked.seed)
    at_random = np.where(tested, pixel_folds(training, asked.folds, asked.seed), -1)
    steps = _Steps(running, 2 * asked.folds)
    predicted = _predicted(training, samples.bands, fold_of, asked, steps)
    other = _predicted(training, samples.bands, at_random, asked, steps)
    right = predicted == training.classes
    by_fold = [float(right[fold_of == fold].mean()) for fold in range(asked.folds)]
    reference = np.where(tested, training.classes, NO_CLASS)
    return Validated(
        asked,
        Confusion.of(reference, predicted, training.names),
        tuple(by_fold),
        int((tested & (predicted == NO_CLASS)).sum()),
        Confusion.of(reference, other, training.names),
        fold_of,
        predicted,
        [*samples.warnings, *told],
    )


def _of_one_group(training: TrainingSet, groups: NDArray[np.int64]) -> list[int]:
    return [
        number
        for number in range(training.n_classes)
        if len(np.unique(groups[training.classes == number])) == 1
    ]


class _Steps:
    """Tells how many folds are done."""

    def __init__(self, running: Running, total: int) -> None:
        self.running, self.total, self.done = running, total, 0

    def next(self) -> None:
        self.done += 1
        if self.running.progress is not None:
            self.running.progress(self.done, self.total, "cross-validating")


def _predicted(
    training: TrainingSet,
    bands: tuple[Band, ...],
    fold_of: NDArray[np.int64],
    asked: Validation,
    steps: _Steps,
) -> Labels:
    """Class of every pixel as the other folds teach it; -1 for none."""
    labels = np.full(len(training), NO_CLASS, np.int32)
    for fold in range(asked.folds):
        tested = fold_of == fold
        taught = training.take(np.flatnonzero(~tested))
        present, classes = np.unique(taught.classes, return_inverse=True)
        names = tuple(training.names[i] for i in present)
        taught = replace(taught, classes=classes.astype(np.int32), names=names)
        engine = asked.engine()
        engine.use_machine(steps.running.workers, steps.running.device)
        engine.fit_training(taught, bands)
        known = {name: int(number) for name, number in zip(names, present, strict=True)}
        found = engine.predict(training.values[tested])
        labels[tested] = [known.get(str(name), NO_CLASS) for name in found.tolist()]
        steps.next()
    return labels


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _share(value: float | None) -> str:
    return "–" if value is None else percent(value, gap="")

"""From a stream of pixels to a trained engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rsclass.core.matching import match_bands
from rsclass.core.scaling import Scaling
from rsclass.core.types import Sample
from rsclass.deep.precision import trained_in
from rsclass.engines.base import Engine
from rsclass.engines.catalogue import engine_class, make_engine, method_names
from rsclass.engines.networks import NetworkEngine
from rsclass.errors import UsageError
from rsclass.flow.joint import JointStream
from rsclass.flow.models import Model
from rsclass.flow.scenes import Scenes
from rsclass.flow.stream import SceneStream
from rsclass.flow.training import Samples
from rsclass.io.source import RasterSource
from rsclass.run.memory import require
from rsclass.run.settings import Running

if TYPE_CHECKING:
    from rsclass.engines.choose import Choice

Classes = int | str | Sequence[int]
"""A number of classes, ``"auto"``, or the least and the most to choose from."""

DEFAULT_CLASSES = 12
MOST_CLASSES = 65_534
AUTO = (2, 20)
CHOICE_PIXELS = 10_000
STATS_PIXELS = 100_000
STATS_NUMBERS = 2**22
"""Values (pixels times bands) from which a model's statistics come, at most."""


def parse_classes(classes: Classes) -> int | tuple[int, int]:
    """The number of classes, or the range to choose from.

    Raises
    ------
    UsageError
        It is neither, or out of range.
    """
    if isinstance(classes, str) and classes.strip().lower() == "auto":
        return AUTO
    given: list[Any]
    if isinstance(classes, str):
        given = list(classes.replace("-", "..").split(".."))
        understood = len(given) <= 2
    elif isinstance(classes, Sequence | np.ndarray):
        given = list(classes)
        understood = len(given) == 2
    else:
        given, understood = [classes], True
    try:
        numbers = [_whole(number) for number in given]
    except ValueError:
        understood = False
    if not understood:
        raise UsageError(f"classes is {classes!r}; give a number (12), a range (6..16) or auto.")
    low, high = numbers[0], numbers[-1]
    if not 1 <= low <= high <= MOST_CLASSES:
        order = "" if len(numbers) == 1 else ", the lower number first"
        raise UsageError(f"classes is {classes}; it must be between 1 and {MOST_CLASSES:,}{order}.")
    if len(numbers) == 1:
        return low
    if low < 2:
        raise UsageError("a range of classes to choose from begins at 2 or more.")
    return low, high


def wanted_classes(method: str, classes: Classes | None) -> int | tuple[int, int] | None:
    """The number of classes to find, or the range to choose from; None: those of the samples.

    Parameters
    ----------
    classes : Classes or None
        None: nobody said anything.

    Raises
    ------
    UsageError
        There is no such method, the classes are impossible, or the method does not find classes
        but learns those of its training samples.
    """
    kind = engine_class(method)
    if classes is None:
        return None if kind.takes_training else DEFAULT_CLASSES
    if kind.needs_training:
        raise UsageError(
            f"{method} learns the classes of its training samples; leave --classes out."
        )
    return parse_classes(classes)


def _whole(number: Any) -> int:
    if not isinstance(number, bool) and isinstance(number, str | Integral):
        return int(number)
    raise ValueError(number)


def ending(method: str, classes: int | tuple[int, int] | None) -> str:
    """What a default output's name ends in: ``uic12``, ``uicauto`` or ``maxlike``."""
    if classes is None:
        return method
    return f"{method}{classes if isinstance(classes, int) else 'auto'}"


def earlier_model(path: str | Path | None, source: RasterSource | Scenes) -> Model | None:
    """The model whose values, names and colors are to be kept.

    Raises
    ------
    BandMismatchError
        It has a band that the scene lacks, so that classes cannot be compared.
    """
    if path is None:
        return None
    model = Model.read(path)
    match_bands(source.bands, model.bands, source.name)
    return model


def train_model(
    stream: SceneStream | JointStream,
    method: str,
    classes: int | tuple[int, int] | None,
    parameters: Mapping[str, Any],
    seed: int,
    earlier: Model | None,
    running: Running,
    samples: Samples | None = None,
) -> tuple[Model, dict[str, Any]]:
    """Fit the engine called ``method`` and give its classes values, names and colors.

    Parameters
    ----------
    classes : int, (int, int) or None
        From :func:`wanted_classes`.
    earlier : Model or None
        Whose values, names and colors are kept where classes have a partner.
    samples : Samples or None
        Pixels of the stream whose class is known.

    Returns
    -------
    model : Model
    story : dict
        How it came about, JSON-able: the lists ``history``, ``evidence`` (for the number of
        classes) and ``warnings``, and the sentence ``reason`` for that number.
    """
    engine = prepared_engine(method, classes, parameters, seed, samples is not None)
    evidence: list[dict[str, Any]] = []
    reason = ""
    if isinstance(classes, tuple):
        for bound in classes:
            engine.set_params(n_classes=bound).check_parameters()
        choice = _choose(engine, stream.sample(CHOICE_PIXELS, seed), classes, seed)
        engine.set_params(n_classes=choice.best)
        evidence, reason = choice.evidence, choice.reason
    engine.use_machine(running.workers, running.device)
    if samples is None:
        needed = engine.learn_bytes(len(stream.bands), stream.height * stream.width)
        require(running, needed, "raise it, or learn from fewer pixels with --sample")
        with trained_in(running.precision):
            engine.fit_stream(stream)
    else:
        stream.report(0, 1, f"learning by {engine.title}")
        engine.prepare(stream)
        engine.fit_training(samples.pixels, stream.bands)
        samples.check_unchanged()
    few = max(CHOICE_PIXELS, STATS_NUMBERS // len(stream.bands))
    sample = stream.sample(min(STATS_PIXELS, few), seed)
    source = stream.source
    taught: dict[str, Any] = {} if samples is None else {"training": samples.recipe()}
    if isinstance(engine, NetworkEngine) and _is_mixed(running, engine):
        taught["precision"] = "bf16"
    model = Model.of(engine, sample, source.recipe() | taught, seed, earlier)
    warnings = [*source.warnings, *source.suspect_nodata(sample), *engine.warnings_]
    warnings += samples.warnings if samples is not None else []
    story = {"history": engine.history_, "evidence": evidence, "reason": reason}
    return model, story | {"warnings": warnings}


def _is_mixed(running: Running, engine: Engine) -> bool:
    automatic = running.precision == "auto" and engine.device_used == "cuda"
    return automatic or running.precision == "bf16"


def prepared_engine(
    method: str,
    classes: int | tuple[int, int] | None,
    parameters: Mapping[str, Any],
    seed: int,
    trained: bool,
) -> Engine:
    """The engine called ``method`` with checked parameters, before it has seen a pixel.

    Parameters
    ----------
    classes : int, (int, int) or None
        From :func:`wanted_classes`; of a range the engine gets the most.
    trained : bool
        Whether there are pixels whose class is known.

    Raises
    ------
    UsageError
        A parameter is unknown or impossible, samples are missing, or nobody can use them.
    """
    kind = engine_class(method)
    if kind.needs_training and not trained:
        raise UsageError(
            f"{method} learns from samples; give them with --training FILE --field NAME, or choose "
            "a method that finds classes itself (see rsclass methods)."
        )
    if trained and not kind.takes_training:
        able = ", ".join(name for name in method_names() if engine_class(name).takes_training)
        raise UsageError(
            f"{method} finds its classes itself and cannot use training samples; choose one of "
            f"{able}, or leave --training out."
        )
    if kind.needs_training and "sample" in parameters:
        raise UsageError(
            f"{method} learns from training samples alone; leave --sample out, or limit them with "
            "--samples-per-class."
        )
    if trained and isinstance(classes, tuple):
        raise UsageError(
            f"{method} chooses no number of classes where it has training samples; give one number."
        )
    most = classes[1] if isinstance(classes, tuple) else classes
    values = {"random_state": seed} if most is None else {"n_classes": most, "random_state": seed}
    values = {name: value for name, value in values.items() if name in kind.parameters}
    engine = make_engine(method, values | dict(parameters))
    engine.check_parameters()
    return engine


def _choose(engine: Engine, few: Sample, bounds: tuple[int, int], seed: int) -> Choice:
    from rsclass.engines.choose import choose_n_classes

    scaling = Scaling.fit(few.values, getattr(engine, "scale", "standard"))
    return choose_n_classes(scaling.forward(few.values), range(bounds[0], bounds[1] + 1), seed)

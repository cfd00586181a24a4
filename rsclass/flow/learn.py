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
from rsclass.engines.base import Engine
from rsclass.engines.catalogue import make_engine
from rsclass.errors import UsageError
from rsclass.flow.models import Model
from rsclass.flow.stream import SceneStream
from rsclass.io.source import RasterSource
from rsclass.run.memory import require
from rsclass.run.settings import Running

if TYPE_CHECKING:
    from rsclass.engines.choose import Choice

Classes = int | str | Sequence[int]
"""A number of classes, ``"auto"``, or the least and the most to choose from."""

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


def _whole(number: Any) -> int:
    if not isinstance(number, bool) and isinstance(number, str | Integral):
        return int(number)
    raise ValueError(number)


def ending(method: str, classes: int | tuple[int, int]) -> str:
    """What a default output's name ends in: ``uic12``, or ``uicauto``."""
    return f"{method}{classes if isinstance(classes, int) else 'auto'}"


def earlier_model(path: str | Path | None, source: RasterSource) -> Model | None:
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
    stream: SceneStream,
    method: str,
    classes: int | tuple[int, int],
    parameters: Mapping[str, Any],
    seed: int,
    earlier: Model | None,
    running: Running,
) -> tuple[Model, dict[str, Any]]:
    """Fit the engine called ``method`` and give its classes values, names and colors.

    Parameters
    ----------
    classes : int or (int, int)
        From :func:`parse_classes`.
    earlier : Model or None
        Whose values, names and colors are kept where classes have a partner.

    Returns
    -------
    model : Model
    story : dict
        How it came about, JSON-able: the lists ``history``, ``evidence`` (for the number of
        classes) and ``warnings``, and the sentence ``reason`` for that number.
    """
    most = classes if isinstance(classes, int) else classes[1]
    engine = make_engine(method, {"n_classes": most, "random_state": seed} | dict(parameters))
    engine.check_parameters()
    evidence: list[dict[str, Any]] = []
    reason = ""
    if not isinstance(classes, int):
        for bound in classes:
            engine.set_params(n_classes=bound).check_parameters()
        choice = _choose(engine, stream.sample(CHOICE_PIXELS, seed), classes, seed)
        engine.set_params(n_classes=choice.best)
        evidence, reason = choice.evidence, choice.reason
    engine.use_machine(running.workers, running.device)
    needed = engine.learn_bytes(len(stream.bands), stream.height * stream.width)
    require(running, needed, "raise it, or learn from fewer pixels with --sample")
    engine.fit_stream(stream)
    few = max(CHOICE_PIXELS, STATS_NUMBERS // len(stream.bands))
    sample = stream.sample(min(STATS_PIXELS, few), seed)
    source = stream.source
    model = Model.of(engine, sample, source.recipe(), seed, earlier)
    warnings = [*source.warnings, *source.suspect_nodata(sample), *engine.warnings_]
    story = {"history": engine.history_, "evidence": evidence, "reason": reason}
    return model, story | {"warnings": warnings}


def _choose(engine: Engine, few: Sample, bounds: tuple[int, int], seed: int) -> Choice:
    from rsclass.engines.choose import choose_n_classes

    scaling = Scaling.fit(few.values, getattr(engine, "scale", "standard"))
    return choose_n_classes(scaling.forward(few.values), range(bounds[0], bounds[1] + 1), seed)

"""From a scene to a model, without a map."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rsclass.core.cells import write_lines
from rsclass.core.ranks import Ranks
from rsclass.engines.base import Engine
from rsclass.engines.catalogue import engine_class
from rsclass.engines.networks import NetworkEngine
from rsclass.errors import UsageError
from rsclass.flow.checkpoint import checkpointed, default_checkpoint
from rsclass.flow.joint import open_streams
from rsclass.flow.learn import (
    Classes,
    earlier_model,
    ending,
    prepared_engine,
    train_model,
    wanted_classes,
)
from rsclass.flow.models import versions
from rsclass.flow.outputs import MODEL, default_output
from rsclass.flow.parameters import read_parameters
from rsclass.flow.results import Trained
from rsclass.flow.scenes import open_scenes
from rsclass.flow.stream import SceneStream
from rsclass.flow.training import Training, collect
from rsclass.io.source import Reading
from rsclass.io.target import Target
from rsclass.run.settings import Running


def train(
    scene: Any,
    model_out: str | Path | None = None,
    *,
    method: str = "uic",
    classes: Classes | None = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    match_to: str | Path | None = None,
    training: Training | None = None,
    reading: Reading | None = None,
    running: Running | None = None,
    overwrite: bool = False,
    each: bool = False,
    scale_each: bool = False,
    resume: bool = False,
    checkpoint: str | Path | None = None,
    log: str | Path | None = None,
) -> Trained:
    """Find or learn classes in ``scene`` and write the model that tells them apart.

    A list of files that lie apart, each of several bands, is taken as several scenes that the model
    learns from together; the number of pixels to learn from is that of all together, and every
    pixel is as likely to be drawn as any other.

    Parameters
    ----------
    model_out : path or None
        None: ``scene_<method><classes>.safetensors`` beside the scene.
    scene, method, classes, parameters, seed, match_to, training, reading, running
        As for :func:`rsclass.classify`.
    overwrite : bool
        Whether an existing model may be replaced.
    each : bool
        Every item of a list is a scene of its own, even on one grid.
    scale_each : bool
        Bring every scene to the mean and spread of the first, band by band; ``predict`` does the
        same with the scenes it labels. It helps where light and air differ, not the land.
    resume : bool
        Keep the state of the training, and go on from the one that an earlier call left, to the
        same result.
    checkpoint : path or None
        Where that state is kept until the model is written; None: ``<model>.checkpoint`` beside
        the model where ``resume`` is true, else nowhere.
    log : path or None
        Where to write a CSV table with a line for every epoch or pass.

    Returns
    -------
    Trained

    Raises
    ------
    UsageError, DataError, OutputError
        As :func:`rsclass.classify`.
    """
    running = running or Running()
    wanted = wanted_classes(method, classes)
    parameters = read_parameters(method, parameters)
    engine = prepared_engine(method, wanted, parameters, seed, training is not None)
    _refuse_without_network(method, resume or checkpoint is not None)
    scenes = open_scenes(scene, reading or Reading(), each=each, scale_each=scale_each, seed=seed)
    try:
        if training is not None and (len(scenes.sources) > 1 or scale_each):
            raise UsageError(
                "--training speaks of one scene as it is; learn from the features of one, without "
                "--scale-each."
            )
        earlier = earlier_model(match_to, scenes)
        path = Path(model_out or default_output(scenes.first, ending(method, wanted) + MODEL))
        kept = default_checkpoint(path) if resume and checkpoint is None else checkpoint
        inputs = [*scenes.files, *([str(match_to)] if match_to is not None else [])]
        inputs += training.files() if training is not None else []
        identity = {
            "method": method,
            "classes": list(wanted) if isinstance(wanted, tuple) else wanted,
            "parameters": engine.plain_parameters(),
            "scene": scenes.recipe(),
            "stamp": [source.stamp() for source in scenes.sources],
            "device": running.device,
            "precision": running.precision,
            "versions": versions(),
        }
        with ExitStack() as stack:
            places = {"model": path} | ({} if log is None else {"log": Path(log)})
            targets = {
                kind: stack.enter_context(Target(place, inputs, overwrite=overwrite, belongings=()))
                for kind, place in places.items()
                if Ranks.here().leads
            }
            stream = stack.enter_context(open_streams(scenes, running))
            samples = None
            if training is not None and isinstance(stream, SceneStream):
                samples = collect(stream, training, seed)
            with checkpointed(
                None if kept is None else Path(kept), identity, resume=resume, overwrite=overwrite
            ):
                model, story = train_model(
                    stream, method, wanted, parameters, seed, earlier, running, samples
                )
                scenes.check_unchanged()
                if "model" in targets:
                    targets["model"].put(model.to_bytes())
            if "log" in targets:
                targets["log"].put(training_log(model.engine).encode())
        return Trained(
            path,
            model,
            story["history"],
            story["evidence"],
            story["warnings"],
            reason=story["reason"],
            log=None if log is None else Path(log),
        )
    finally:
        scenes.close()


def _refuse_without_network(method: str, resumes: bool) -> None:
    if issubclass(engine_class(method), NetworkEngine):
        return
    if resumes:
        raise UsageError(
            f"{method} learns in one go and leaves no checkpoint; leave --resume and --checkpoint "
            "out."
        )
    if Ranks.here().size > 1:
        raise UsageError(f"{method} learns in one process; start it without torchrun.")


def training_log(engine: Engine) -> str:
    """A CSV table with a line for every epoch or pass of the last fit.

    Columns are those of the engine's history and, of a network, ``seconds`` and the pixels or
    patches of each cluster, ``size_1`` and so on.
    """
    rows = []
    epochs = getattr(engine, "epochs_", [])
    for number, entry in enumerate(engine.history_):
        row = dict(entry)
        if number < len(epochs):
            row["seconds"] = f"{epochs[number]['seconds']:.3f}"
            row |= {f"size_{i}": n for i, n in enumerate(epochs[number]["sizes"], 1)}
        rows.append(row)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return write_lines(columns, ([row.get(column) for column in columns] for row in rows))

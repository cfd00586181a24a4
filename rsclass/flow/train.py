"""From a scene to a model, without a map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rsclass.errors import UsageError
from rsclass.flow.joint import open_streams
from rsclass.flow.learn import (
    Classes,
    earlier_model,
    ending,
    prepared_engine,
    train_model,
    wanted_classes,
)
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
    prepared_engine(method, wanted, parameters, seed, training is not None)
    scenes = open_scenes(scene, reading or Reading(), each=each, scale_each=scale_each, seed=seed)
    try:
        if training is not None and (len(scenes.sources) > 1 or scale_each):
            raise UsageError(
                "--training speaks of one scene as it is; learn from the features of one, without "
                "--scale-each."
            )
        earlier = earlier_model(match_to, scenes)
        path = Path(model_out or default_output(scenes.first, ending(method, wanted) + MODEL))
        inputs = [*scenes.files, *([str(match_to)] if match_to is not None else [])]
        inputs += training.files() if training is not None else []
        with (
            Target(path, inputs, overwrite=overwrite, belongings=()) as target,
            open_streams(scenes, running) as stream,
        ):
            samples = None
            if training is not None and isinstance(stream, SceneStream):
                samples = collect(stream, training, seed)
            model, story = train_model(
                stream, method, wanted, parameters, seed, earlier, running, samples
            )
            scenes.check_unchanged()
            target.put(model.to_bytes())
        return Trained(
            path,
            model,
            story["history"],
            story["evidence"],
            story["warnings"],
            reason=story["reason"],
        )
    finally:
        scenes.close()

"""From a scene to a model, without a map."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from rsclass.flow.scene import open_scene, open_stream
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
) -> Trained:
    """Find or learn classes in ``scene`` and write the model that tells them apart.

    Parameters
    ----------
    model_out : path or None
        None: ``scene_<method><classes>.safetensors`` beside the scene.
    scene, method, classes, parameters, seed, match_to, training, reading, running
        As for :func:`rsclass.classify`.
    overwrite : bool
        Whether an existing model may be replaced.

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
    source = open_scene(scene, reading or Reading())
    try:
        earlier = earlier_model(match_to, source)
        path = Path(model_out or default_output(source, ending(method, wanted) + MODEL))
        inputs = [*source.files, *([str(match_to)] if match_to is not None else [])]
        inputs += training.files() if training is not None else []
        with (
            Target(path, inputs, overwrite=overwrite, belongings=()) as target,
            open_stream(source, running) as stream,
        ):
            samples = None if training is None else collect(stream, training, seed)
            model, story = train_model(
                stream, method, wanted, parameters, seed, earlier, running, samples
            )
            source.check_unchanged()
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
        source.close()

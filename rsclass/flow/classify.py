"""From a scene to a class map, in one go."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rsclass.flow.checkpoint import checkpointed, default_checkpoint
from rsclass.flow.learn import (
    Classes,
    earlier_model,
    ending,
    prepared_engine,
    train_model,
    wanted_classes,
)
from rsclass.flow.mapping import make_map, map_recipe
from rsclass.flow.outputs import Hashing, MapOutputs, default_output
from rsclass.flow.parameters import read_parameters
from rsclass.flow.results import Classified
from rsclass.flow.resume import resumable
from rsclass.flow.scene import open_scene, open_stream
from rsclass.flow.training import Training, collect
from rsclass.io.sink import Writing
from rsclass.io.source import Reading
from rsclass.run.settings import Running


def classify(
    scene: Any,
    out: str | Path | None = None,
    *,
    method: str = "uic",
    classes: Classes | None = None,
    parameters: Mapping[str, Any] | None = None,
    seed: int = 0,
    match_to: str | Path | None = None,
    training: Training | None = None,
    reading: Reading | None = None,
    running: Running | None = None,
    writing: Writing | None = None,
    command: str | None = None,
) -> Classified:
    """Find or learn classes in ``scene`` and write their map to ``out``.

    Parameters
    ----------
    scene : path, list of paths, or open rasterio dataset
        Any multiband raster GDAL can open, or several on one grid. Pixels that are nodata or not
        finite in any used band get no class.
    out : path or None
        The map; None: ``scene_<method><classes>.tif`` beside the scene. Legend, statistics, model
        and report lie beside it with the same stem.
    method : str, default="uic"
        See ``rsclass methods``.
    classes : int, "auto", "6..16", (6, 16) or None
        Spectral classes to find, 1 to 65,534; or the range from which their number is chosen.
        None: 12, or the classes of the training samples.
    parameters : mapping or None
        Of the method, by name.
    seed : int, default=0
        Of every random choice.
    match_to : path or None
        An earlier model: classes that have a partner there keep its value, name and color.
    training : Training or None
        Features of known class, for the methods that learn from them.
    reading : Reading or None
        Bands, nodata, mask and bounds.
    running : Running or None
        Threads, memory, device, progress; never changes the result.
    writing : Writing or None
        Format, layers, thresholds, overwriting.
    command : str or None
        The command line, for the report.

    Returns
    -------
    Classified

    Raises
    ------
    UsageError
        The method, a parameter or the output is impossible.
    DataError
        The scene or the training features cannot be read or serve no purpose.
    OutputError
        The output exists or cannot be written.
    """
    running, writing = running or Running(), writing or Writing()
    wanted = wanted_classes(method, classes)
    parameters = read_parameters(method, parameters)
    engine = prepared_engine(method, wanted, parameters, seed, training is not None)
    engine.refuse_layers(writing.needed_layers)
    source = open_scene(scene, reading or Reading())
    try:
        earlier = earlier_model(match_to, source)
        path = (
            Path(out)
            if out is not None
            else default_output(source, ending(method, wanted) + ".tif")
        )
        inputs = [match_to] if match_to is not None else []
        if training is not None:
            inputs += training.files()
        with (
            MapOutputs(path, source, writing, inputs=inputs) as outputs,
            open_stream(source, running) as stream,
        ):
            hashing = Hashing(source)
            samples = None if training is None else collect(stream, training, seed, keep=True)
            recipe = map_recipe(
                stream,
                writing,
                "classify",
                method=method,
                classes=list(wanted) if isinstance(wanted, tuple) else wanted,
                parameters=_plain(parameters),
                seed=seed,
                match_to=str(Path(match_to).resolve()) if match_to is not None else None,
                match_to_sha256=earlier.sha256() if earlier is not None else None,
                **({} if samples is None else {"training": samples.recipe()}),
            )
            machine = {"device": running.device, "precision": running.precision}
            config = recipe | {"stamp": source.stamp()} | machine
            with resumable(outputs.path, writing.resume, config) as progress:
                found = progress.model() if progress is not None else None
                if found is None:
                    kept = default_checkpoint(outputs.path) if writing.resume else None
                    with checkpointed(kept, config, resume=True, strict=False):
                        found = train_model(
                            stream, method, wanted, parameters, seed, earlier, running, samples
                        )
                    if progress is not None:
                        progress.keep_model(*found)
                model, story = found
                model.engine.use_machine(running.workers, running.device)
                return make_map(
                    stream,
                    model,
                    outputs,
                    recipe,
                    story,
                    hashing,
                    keep_model=True,
                    progress=progress,
                    command=command,
                )
    finally:
        source.close()


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: getattr(value, "tolist", lambda v=value: v)() for name, value in parameters.items()
    }

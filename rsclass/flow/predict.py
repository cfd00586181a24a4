"""A saved model applied to another scene."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rsclass.core.level import Level
from rsclass.core.matching import alike, listed, match_bands
from rsclass.core.types import Band, Float, Sample
from rsclass.errors import BandMismatchError
from rsclass.flow.mapping import make_map, map_recipe
from rsclass.flow.models import Model
from rsclass.flow.outputs import Hashing, MapOutputs, default_output
from rsclass.flow.results import Classified
from rsclass.flow.resume import resumable
from rsclass.flow.scene import open_stream
from rsclass.flow.scenes import leveled
from rsclass.io.sink import Writing
from rsclass.io.source import RasterSource, Reading, open_source
from rsclass.run.settings import Running

DRIFT_PIXELS = 20_000
DRIFT_SHARE = 0.05
"""Share of pixels beyond the model's reach above which a scene is called different."""


class LoadedModel(Model):
    """A model read from a file, ready to label scenes; see :func:`load`."""

    def predict(self, scene: Any, out: str | Path | None = None, **options: Any) -> Classified:
        """Label ``scene``; see :func:`rsclass.predict` for the options."""
        return predict(self, scene, out, **options)


def load(path: str | Path) -> LoadedModel:
    """Read a model that was saved before.

    Raises
    ------
    DataError
        There is no such file.
    BrokenModelError
        It is damaged, too new, or no model.
    """
    return LoadedModel.read(path)


def predict(
    model: str | Path | Model,
    scene: Any,
    out: str | Path | None = None,
    *,
    reading: Reading | None = None,
    running: Running | None = None,
    writing: Writing | None = None,
    adapt: bool = False,
    command: str | None = None,
) -> Classified:
    """Label ``scene`` with a model that was trained before, perhaps on another scene.

    Bands are matched by name or by role, and by their number only where the scene names none.
    Values are compared in physical units, so the scenes may differ in scale and offset.

    Parameters
    ----------
    model : path or Model
    scene, out, reading, running, writing, command
        As for :func:`rsclass.classify`; without ``out``: ``<scene>_<model>.tif`` beside the scene.
    adapt : bool
        Fit the model's network to this scene: the scaling of its inputs and the statistics of its
        normalization are then those of this scene, and its weights those of the model.

    Returns
    -------
    Classified
        Its warnings say when the scene's spectra lie outside of what the model has seen.

    Raises
    ------
    BandMismatchError
        The scene lacks a band of the model, or its values have another scale.
    BrokenModelError
        The model cannot be used.
    UsageError, DataError, OutputError
        As :func:`rsclass.classify`.
    """
    running, writing = running or Running(), writing or Writing()
    path_of_model = None if isinstance(model, Model) else Path(model)
    trained = model if isinstance(model, Model) else Model.read(model)
    trained.engine.refuse_layers(writing.needed_layers)
    source = open_matching(scene, reading or Reading(), trained)
    try:
        stem = path_of_model.stem if path_of_model else trained.engine.method
        path = Path(out or default_output(source, f"{stem}.tif"))
        inputs = [path_of_model] if path_of_model else []
        with (
            MapOutputs(path, source, writing, beside=(), inputs=inputs) as outputs,
            open_stream(source, running) as stream,
        ):
            hashing = Hashing(source)
            recipe = map_recipe(
                stream,
                writing,
                "predict",
                method=trained.engine.method,
                model=str(path_of_model.resolve()) if path_of_model else None,
                model_sha256=hashlib.sha256(trained.to_bytes()).hexdigest(),
                **({"adapt": True} if adapt else {}),
            )
            sample = stream.sample(DRIFT_PIXELS, trained.seed)
            warnings = [*source.warnings, *source.suspect_nodata(sample)]
            if adapt:
                trained = replace(trained, engine=trained.engine.adapted(stream))
            else:
                check_scale(trained, source.bands, sample, source.name)
                warnings += drift(trained, sample, source.name)
            trained.engine.use_machine(running.workers, running.device)
            warnings += trained.engine.meet(stream)
            story = {"history": [], "evidence": [], "reason": "", "warnings": warnings}
            config = recipe | {"stamp": source.stamp(), "device": running.device}
            with resumable(outputs.path, writing.resume, config) as progress:
                return make_map(
                    stream,
                    trained,
                    outputs,
                    recipe,
                    story,
                    hashing,
                    keep_model=False,
                    progress=progress,
                    command=command,
                )
    finally:
        source.close()


def open_matching(scene: Any, reading: Reading, model: Model) -> RasterSource:
    """Open ``scene`` with the model's bands in the model's order.

    Where scenes were brought to one level for the training, this one is brought to it, too.

    Raises
    ------
    BandMismatchError
        A band of the model is not in the scene.
    """
    source = _with_bands_of(scene, reading, model)
    level = model.scene.get("level")
    return source if level is None else leveled(source, Level.from_dict(level), model.seed)


def _with_bands_of(scene: Any, reading: Reading, model: Model) -> RasterSource:
    source = open_source(scene, reading)
    wanted = model.bands
    if reading.bands is None:
        order = match_bands(source.bands, wanted, source.name)
        chosen = tuple(source.band_numbers[i] for i in order)
        if chosen != source.band_numbers:
            source.close()
            source = source.with_bands(chosen)
        if any(not alike(own, band) for own, band in zip(source.bands, wanted, strict=True)):
            source.warnings.append(
                f"{source.name} and the model do not name their bands alike, so bands are matched "
                "by their place; make sure that their order is the same."
            )
    elif len(source.bands) != len(wanted):
        raise BandMismatchError(
            f"the model needs {len(wanted)} bands ({listed(wanted)}), but --bands gives "
            f"{len(source.bands)} ({listed(source.bands)})."
        )
    return source


def check_scale(model: Model, bands: Sequence[Band], sample: Sample, scene: str) -> None:
    """Refuse a scene whose values make sense only with the model's own scale and offset.

    Scenes may well differ from the training scene in scale and offset. They are wrong where most
    pixels lie outside of what the model has seen, but inside if read as the training scene was.

    Raises
    ------
    BandMismatchError
    """
    (gain, offset), (gain_then, offset_then) = _scale(bands), _scale(model.bands)
    differ = np.flatnonzero((gain != gain_then) | (offset != offset_then))
    if len(differ) == 0:
        return
    as_trained = (sample.values - offset) / gain * gain_then + offset_then
    if _outside(model, sample.values) > 0.5 > _outside(model, as_trained):
        i = int(differ[0])
        raise BandMismatchError(
            f"{scene} is read with scale {gain[i]:g} and offset {offset[i]:g} in {bands[i].name}, "
            f"the model was trained with {gain_then[i]:g} and {offset_then[i]:g}, and only with "
            "these do the pixels fit it; choose --scaled or --unscaled as in training, or correct "
            "the file (gdal_edit -scale -offset)."
        )


def _scale(bands: Sequence[Band]) -> tuple[Float, Float]:
    return np.array([band.gain for band in bands]), np.array([band.offset for band in bands])


def _outside(model: Model, values: Float) -> float:
    """Share of the pixels that lie outside of the spectra that the model was trained on."""
    stats = model.sample_stats
    return float((stats.distance(values, model.engine.signatures()) > stats.reach).mean())


def drift(model: Model, sample: Sample, scene: str) -> list[str]:
    """A sentence when the scene's spectra lie outside of what the model has seen."""
    stats = model.sample_stats
    share = _outside(model, sample.values)
    if share <= DRIFT_SHARE:
        return []
    std = np.where(stats.std > 0, stats.std, 1.0)
    shift = (sample.values.mean(axis=0) - stats.mean) / std
    worst = int(np.abs(shift).argmax())
    return [
        f"{share:.0%} of the pixels of {scene} lie outside of the spectra that the model was "
        f"trained on (0.5% did in training); most in {model.bands[worst].name}, whose mean is "
        f"{shift[worst]:+.1f} standard deviations off. Check scale, offset and season, or train "
        "on this scene."
    ]

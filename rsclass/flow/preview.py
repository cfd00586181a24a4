"""A quick look at what a classification would give: the same run on coarser pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from rsclass.errors import UsageError
from rsclass.flow.classify import classify
from rsclass.flow.learn import Classes, ending, wanted_classes
from rsclass.flow.outputs import default_output
from rsclass.flow.results import Classified
from rsclass.flow.training import Training
from rsclass.io.sink import Writing
from rsclass.io.source import RasterSource, Reading, open_source
from rsclass.run.settings import Running

PREVIEW_SIZE = 1000


def preview(
    scene: Any,
    out: str | Path | None = None,
    *,
    size: int = PREVIEW_SIZE,
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
    """Classify a decimated copy of ``scene`` and write it as ``<out>_preview.tif``.

    Parameters
    ----------
    size : int, default=1000
        Pixels of the longer side of the preview, at most; each is the mean of those it covers.
    training : Training or None
        As for :func:`rsclass.classify`; features that hit none of the coarser pixels are left out.
    scene, out, method, classes, parameters, seed, match_to, reading, running, writing, command
        As for :func:`rsclass.classify`; ``out`` is the name of the whole map.

    Returns
    -------
    Classified

    Raises
    ------
    UsageError
        The scene has no geotransform, so that coarser pixels cannot be laid on it.
    """
    reading = reading or Reading()
    source = open_source(scene, reading)
    try:
        name = default_output(source, ending(method, wanted_classes(method, classes)) + ".tif")
        whole = Path(out) if out is not None else name
        factor = math.ceil(max(source.height, source.width) / max(size, 1))
        if factor > 1:
            reading = replace(reading, resolution=_pixel_size(source) * factor)
    finally:
        source.close()
    return classify(
        scene,
        whole.with_name(f"{whole.stem}_preview.tif"),
        method=method,
        classes=classes,
        parameters=parameters,
        seed=seed,
        match_to=match_to,
        training=replace(training, allow_missed=True) if training is not None else None,
        reading=reading,
        running=running,
        writing=replace(writing or Writing(), resume=False),
        command=command,
    )


def _pixel_size(source: RasterSource) -> float:
    """Side in CRS units of a square as large as a pixel."""
    if source.georef.transform is None:
        raise UsageError(
            f"--preview needs a scene with a geotransform; {source.name} has none. "
            "Use --bounds on a copy that has one, or run without --preview."
        )
    a, b, _, d, e, _ = source.georef.transform
    return math.sqrt(abs(a * e - b * d))

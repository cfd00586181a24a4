"""From a model and a scene to a finished map with all that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from threading import Thread
from typing import Any

from rsclass.flow.label import Labelled, Piece, label_scene
from rsclass.flow.models import Model, versions
from rsclass.flow.outputs import (
    MODEL,
    Hashing,
    MapOutputs,
    legend_sidecars,
    now,
    statistics_sidecars,
)
from rsclass.flow.results import Classified
from rsclass.flow.resume import Progress
from rsclass.flow.stream import SceneStream
from rsclass.io.sink import Writing
from rsclass.io.stac import stac_item
from rsclass.report.texts import counted, percent

_PLACES_TOLD = 20


MOST_COLORS = 254


def make_map(
    stream: SceneStream,
    model: Model,
    outputs: MapOutputs,
    recipe: Mapping[str, Any],
    story: Mapping[str, Any],
    hashing: Hashing,
    *,
    keep_model: bool,
    progress: Progress | None,
    command: str | None,
) -> Classified:
    """Label the scene and write map, layers, legend, statistics, model and report.

    Parameters
    ----------
    recipe : mapping
        How the map is made, from :func:`map_recipe`; completed here with the inputs' SHA-256.
    story : mapping
        How the model came about; see :func:`rsclass.flow.learn.train_model`.
    hashing : Hashing
        Of the scene's files.
    keep_model : bool
        Write the model beside the map.
    progress : Progress or None
        Of an interrupted run.
    """
    source, writing = stream.source, outputs.writing
    outputs.open(model)
    if writing.report or writing.report_to:
        # Loading what draws the page takes as long as drawing it, and this thread has time now.
        Thread(target=_load_pages, daemon=True).start()

    def write(piece: Piece) -> None:
        outputs.write(piece)
        if progress is not None:
            progress.keep(piece)

    labelled = label_scene(
        stream,
        model,
        layers=writing.layers,
        min_confidence=writing.min_confidence,
        max_distance=writing.max_distance,
        write=write,
        **({} if progress is None else {"known": progress.known}),
    )
    n_pixels, n_classified = stream.height * stream.width, int(labelled.stats.count.sum())
    told = [*story["warnings"], *_about_the_map(labelled, model)]
    whole = dict(recipe) | {"sha256": hashing.result(), "device": model.engine.device_used}
    source.check_unchanged()
    extra = {
        "created": now(),
        "method": model.engine.method,
        "scene": source.name,
        "pixels": n_pixels,
        "classified": n_classified,
        "rejected": labelled.rejected,
        "history": story["history"],
        "evidence": story["evidence"],
        "reason": story["reason"],
        "warnings": told,
        "recipe": whole,
    }
    # The rasters are read back while the page is drawn.
    with ThreadPoolExecutor(1) as beside:
        sealing = beside.submit(outputs.seal, whole, model)
        sidecars = _sidecars(stream, model, labelled, outputs, extra, command, keep_model)
        sealing.result()
    files = outputs.finish(sidecars)
    return Classified(
        path=outputs.path,
        files=files,
        model=model,
        legend=model.legend,
        stats=labelled.stats,
        hectares=labelled.hectares,
        n_pixels=n_pixels,
        n_classified=n_classified,
        n_rejected=labelled.rejected,
        history=story["history"],
        evidence=story["evidence"],
        reason=story["reason"],
        warnings=told,
    )


def _load_pages() -> None:
    from rsclass.report.page import load

    load()


def _sidecars(
    stream: SceneStream,
    model: Model,
    labelled: Labelled,
    outputs: MapOutputs,
    extra: Mapping[str, Any],
    command: str | None,
    keep_model: bool,
) -> dict[str, bytes]:
    """What stands beside the map, by suffix."""
    sidecars = legend_sidecars(model.legend, labelled)
    sidecars |= statistics_sidecars(model.legend, labelled, extra)
    if keep_model:
        sidecars[MODEL] = model.to_bytes()
    if outputs.writing.report or outputs.writing.report_to:
        from rsclass.flow.pages import report_page

        sidecars[".html"] = report_page(stream, model, labelled, extra, command)
    if outputs.writing.stac:
        sidecars[".stac.json"] = stac_item(
            item_id=outputs.path.stem,
            href=f"./{outputs.path.name}",
            legend=model.legend,
            count=labelled.stats.count,
            georeference=stream.source.georef,
            height=stream.height,
            width=stream.width,
            dtype=outputs.dtype.name,
            created=extra["created"],
            cloud_optimized=outputs.writing.format == "COG",
            software={"rsclass": extra["recipe"]["versions"]["rsclass"]},
        )
    return sidecars


def map_recipe(stream: SceneStream, writing: Writing, verb: str, **how: Any) -> dict[str, Any]:
    """All that shapes a map's bytes, JSON-able: enough to make it again.

    Parameters
    ----------
    verb : str
        ``classify`` or ``predict``.
    **how
        The verb's own choices.
    """
    shaping = ("format", "creation", "layers", "min_confidence", "max_distance")
    choices = {name: value for name, value in asdict(writing).items() if name in shaping}
    return {
        "verb": verb,
        **how,
        "source": stream.source.recipe(),
        "writing": choices | {"creation": [list(option) for option in writing.creation]},
        "versions": versions(),
    }


def _about_the_map(labelled: Labelled, model: Model) -> Sequence[str]:
    told = []
    missing = [
        entry.name
        for entry, count in zip(model.legend, labelled.stats.count, strict=True)
        if count == 0
    ]
    if missing:
        told.append(f"no pixel of the map is in {', '.join(missing)}.")
    if labelled.rejected:
        valid = labelled.rejected + int(labelled.stats.count.sum())
        told.append(
            f"{counted(labelled.rejected, 'valid pixel is', 'valid pixels are')} left without a "
            f"class ({percent(labelled.rejected / valid, gap='')})."
        )
    if max(model.legend.values) > MOST_COLORS:
        told.append(
            f"a map with values above {MOST_COLORS} has 16 bits, which hold no palette; "
            "its colors are in the style (.qml) and the attribute table (.aux.xml)."
        )
    if labelled.bad:
        places = [f"{bad.file} {bad.window}" for bad in labelled.bad[:_PLACES_TOLD]]
        more = len(labelled.bad) - len(places)
        places += [f"and {more} more"] if more else []
        told.append(
            "stored blocks that could not be decoded and are nodata in the map: "
            f"{'; '.join(places)}."
        )
    return told

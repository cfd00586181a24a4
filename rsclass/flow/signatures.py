"""The signatures of a map's or a model's classes, from wherever they can be had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.legend import Legend
from rsclass.core.stats import ClassStats, ClassTally, tally_bytes
from rsclass.core.types import Block, Float
from rsclass.errors import DataError
from rsclass.flow.label import label_scene
from rsclass.flow.models import Model
from rsclass.flow.outputs import MODEL
from rsclass.flow.predict import open_matching
from rsclass.flow.scene import open_scene, open_stream
from rsclass.flow.stream import SceneStream
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.source import RasterSource, Reading, source_from_recipe
from rsclass.io.stats_file import StatsFile, stats_beside
from rsclass.run.memory import require
from rsclass.run.settings import Running

__all__ = ["Signatures", "map_signatures", "signatures_of"]

_ORIGIN_PIXELS = 1000


@dataclass(frozen=True)
class Signatures:
    """How the classes of a map or a model lie in spectral space.

    Parameters
    ----------
    name : str
        Of the map or model.
    legend : Legend
    stats : ClassStats
        One row for each class of the legend; covariances with divisor n - 1.
    hectares : float64 array (classes,) or None
    source : str
        Where they come from, in words.
    warnings : list of str
    """

    name: str
    legend: Legend
    stats: ClassStats
    hectares: Float | None
    source: str
    warnings: list[str]


def signatures_of(
    path: str | Path, scene: Any = None, running: Running | None = None
) -> Signatures:
    """The signatures of a model's or a map's classes.

    Parameters
    ----------
    path : path
        A model (``.safetensors``) or a class map. The signatures of a supervised model are those of
        its training samples; all others are those of every pixel of a class, from the statistics
        beside the map or model, or worked out from the scene.
    scene : path, list of paths or None
        The scene, to work them out anew; None: only if they are not known yet, from where the scene
        was when the map or model was made.
    running : Running or None

    Raises
    ------
    DataError
        They are not known and the scene is not there, or is not that of the map.
    """
    running = running or Running()
    if Path(path).suffix.lower() == MODEL:
        return model_signatures(Model.read(path), Path(path), scene, running)
    with open_class_map(path, report=running.progress) as class_map:
        return map_signatures(class_map, scene, running)


def model_signatures(model: Model, path: Path, scene: Any, running: Running) -> Signatures:
    """The same for a model; see :func:`signatures_of`."""
    if scene is None:
        trained = getattr(model.engine, "class_stats_", None)
        if trained is not None:
            stats = _rows(trained, model.order)
            return Signatures(path.name, model.legend, stats, None, "its training samples", [])
        beside = stats_beside(path)
        if beside is not None and beside.legend == model.legend:
            return Signatures(
                path.name,
                model.legend,
                beside.stats,
                beside.hectares,
                f"every pixel ({beside.path.name})",
                [],
            )
    if scene is None:
        source = _scene_then(model.scene, path)
    else:
        source = open_matching(scene, Reading(), model)
    try:
        with open_stream(source, running) as stream:
            model.engine.use_machine(running.workers, running.device)
            model.engine.meet(stream)
            labelled = label_scene(
                stream,
                model,
                layers=(),
                min_confidence=None,
                max_distance=None,
                write=lambda piece: None,
            )
            return Signatures(
                path.name,
                model.legend,
                labelled.stats,
                labelled.hectares,
                f"every pixel of {source.name}",
                source.warnings,
            )
    finally:
        source.close()


def map_signatures(class_map: ClassMap, scene: Any, running: Running) -> Signatures:
    """The same for an open map; see :func:`signatures_of`."""
    beside = class_map.statistics
    if scene is None and beside is not None and _of_this_map(class_map, beside.head):
        order = _order(beside.legend.values, class_map.legend.values)
        if order is not None and beside.stats.bands:
            stats, hectares = _rows(beside.stats, order), beside.hectares[order]
            origin, doubts = _origin(beside)
            warnings = [*class_map.warnings, *doubts]
            return Signatures(class_map.name, class_map.legend, stats, hectares, origin, warnings)
    recipe = _reading_of(class_map)
    if scene is None:
        source = _scene_then(recipe, class_map.path)
    elif recipe:
        source = source_from_recipe(recipe, scene)
    else:
        source = open_scene(scene, Reading())
    try:
        _require_same_grid(source, class_map)
        needed = 3 * tally_bytes(len(class_map.legend), len(source.bands))
        require(running, needed, "raise it, or merge classes first")
        with open_stream(source, running) as stream:
            stats = _tallied(stream, class_map)
    finally:
        source.close()
    return Signatures(
        class_map.name,
        class_map.legend,
        stats,
        None,
        f"every pixel of {source.name}",
        [*class_map.warnings, *source.warnings],
    )


def _origin(beside: StatsFile) -> tuple[str, list[str]]:
    """Where statistics come from, and what speaks against them."""
    told = str(beside.head.get("signatures", ""))
    if not told.startswith("estimated"):
        return f"every pixel ({beside.path.name})", []
    doubt = (
        f"the spectra in {beside.path.name} are {told}; give the scene with --scene to work them "
        "out."
    )
    return f"estimates ({beside.path.name})", [doubt]


def _reading_of(class_map: ClassMap) -> Mapping[str, Any]:
    """How the scene of a map, or of the map it was made from, was read; empty where untold."""
    recipe: Any = class_map.recipe
    while isinstance(recipe, Mapping):
        source = recipe.get("source")
        if isinstance(source, Mapping) and "reading" in source:
            return source
        parent = recipe.get("parent")
        recipe = parent.get("recipe") if isinstance(parent, Mapping) else None
    return {}


def _of_this_map(class_map: ClassMap, head: Mapping[str, Any]) -> bool:
    """Whether statistics speak of the map as it is now, and not of one that stood there before."""
    told = head.get("recipe")
    return told is None or class_map.recipe is None or told == class_map.recipe


def _order(known: tuple[int, ...], wanted: tuple[int, ...]) -> list[int] | None:
    place = {value: i for i, value in enumerate(known)}
    return [place[value] for value in wanted] if set(known) == set(wanted) else None


def _rows(stats: ClassStats, order: list[int] | NDArray[np.intp]) -> ClassStats:
    return ClassStats(stats.bands, stats.count[order], stats.mean[order], stats.covariance[order])


def _scene_then(recipe: Mapping[str, Any], path: Path) -> RasterSource:
    """The scene where it was when the map or model was made."""
    untold = f"{path.name} does not tell how its classes are spread in spectral space, and"
    if not recipe:
        raise DataError(
            f"{untold} no statistics lie beside it; give the scene with --scene.", path=str(path)
        )
    if "scenes" in recipe:
        raise DataError(
            f"{untold} it was learned from {len(recipe['scenes'])} scenes; give one with --scene.",
            path=str(path),
        )
    try:
        return source_from_recipe(recipe)
    except DataError as error:
        raise DataError(
            f"{untold} the scene it was made from cannot be opened ({str(error).rstrip('.')}); "
            "give the scene with --scene.",
            path=str(path),
        ) from error


def _require_same_grid(source: RasterSource, class_map: ClassMap) -> None:
    sizes = [(own.height, own.width) for own in (source, class_map)]
    if sizes[0] != sizes[1] or source.georef.transform != class_map.georef.transform:
        raise DataError(
            f"{class_map.name} ({sizes[1][0]} x {sizes[1][1]} pixels) and {source.name} "
            f"({sizes[0][0]} x {sizes[0][1]}) do not lie on the same grid; give the scene that the "
            "map was made from."
        )


@dataclass(frozen=True)
class _MapTally:
    """Sums over the pixels of a block, by their class in a map."""

    class_map: ClassMap
    values: NDArray[np.int64]
    origin: Float

    def __call__(self, block: Block) -> ClassTally:
        found = self.class_map.read(block.window)
        place = np.clip(np.searchsorted(self.values, found), 0, len(self.values) - 1)
        known = block.valid & (self.values[place] == found)
        labels = np.where(known, place, -1).astype(np.int32)
        return ClassTally.of(block, labels, len(self.values), self.origin)


def _tallied(stream: SceneStream, class_map: ClassMap) -> ClassStats:
    gain = np.array([band.gain for band in stream.bands])
    offset = np.array([band.offset for band in stream.bands])
    middle = stream.sample(_ORIGIN_PIXELS, 0).values.mean(axis=0)
    origin = (middle - offset) / gain
    values = np.array(class_map.legend.values)
    tally = stream.fold(_MapTally(class_map, values, origin), "adding up the classes")
    return tally.finish(stream.bands, origin)

"""The files of a class map: claimed before the work, filled during it, shown at its end."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from rsclass.core.legend import Legend
from rsclass.engines.base import LAYERS
from rsclass.errors import UsageError
from rsclass.flow.label import Labelled, Piece
from rsclass.flow.models import Model
from rsclass.io.digests import on_the_side
from rsclass.io.maps import RECIPE_TAG
from rsclass.io.sidecars import pam_xml, qml
from rsclass.io.sink import RasterSink, Writing, class_dtype
from rsclass.io.source import RasterSource
from rsclass.io.tables import stats_csv, stats_json
from rsclass.io.target import BELONGINGS, EDIT_LOG, MERGE_TABLE, Target, belonging

MODEL = ".safetensors"
PAGE = ".html"
KINDS = {
    ".qml": "style",
    ".aux.xml": "legend",
    ".stats.json": "statistics",
    ".stats.csv": "table",
    MODEL: "model",
    ".html": "report",
    ".stac.json": "stac",
    EDIT_LOG: "edits",
    MERGE_TABLE: "merge table",
}


def default_output(source: RasterSource, ending: str) -> Path:
    """``scene.tif`` gives ``scene_<ending>`` beside it; a remote scene gives it here."""
    folder = Path()
    if source.files:
        given = Path(source.path)
        folder = (given if given.exists() else Path(source.files[0])).parent
    return folder / f"{Path(source.name).stem}_{ending}"


def rasters_of(path: Path, layers: Sequence[str]) -> list[Path]:
    """The map and its layers."""
    return [path, *(path.with_name(f"{path.stem}_{name}.tif") for name in layers)]


class Hashing:
    """SHA-256 of a scene's files, worked out beside the main work."""

    def __init__(self, source: RasterSource) -> None:
        self._future: Future[dict[str, str]] = Future()
        # A daemon: a run that is stopped does not wait for it.
        threading.Thread(target=self._work, args=(source,), daemon=True).start()

    def _work(self, source: RasterSource) -> None:
        on_the_side()
        try:
            self._future.set_result(source.sha256())
        except Exception as error:
            self._future.set_exception(error)

    def result(self) -> dict[str, str]:
        """By file; waits until they are known."""
        return self._future.result()


class MapOutputs:
    """A class map, its layers and all that belongs to them.

    Parameters
    ----------
    path : Path
        The map.
    source : RasterSource
    writing : Writing
    beside : sequence of str
        Suffixes of files that belong to the map besides the usual ones.
    inputs : sequence of paths
        More files that must not be overwritten.

    Raises
    ------
    UsageError, OutputError
        A place cannot be written, or may not; nothing has been read then.
    """

    def __init__(
        self,
        path: Path,
        source: RasterSource,
        writing: Writing,
        *,
        beside: Sequence[str] = (MODEL,),
        inputs: Sequence[str | Path] = (),
    ) -> None:
        unknown = [name for name in writing.layers if name not in LAYERS]
        if unknown:
            raise UsageError(f"no layer is named {unknown[0]!r}; there are {', '.join(LAYERS)}.")
        self.path = Path(path)
        self.source = source
        self.writing = writing
        self._stack = ExitStack()
        self._sinks: dict[str, RasterSink] = {}
        every = [*source.files, *(str(path) for path in inputs)]
        names = ("map", *writing.layers)
        self._places = dict(zip(names, rasters_of(self.path, writing.layers), strict=True))
        try:
            self._targets = {
                name: self._stack.enter_context(
                    Target(
                        place,
                        every,
                        overwrite=writing.overwrite,
                        belongings=(*BELONGINGS, *beside) if name == "map" else BELONGINGS,
                        raster=True,
                    )
                )
                for name, place in self._places.items()
            }
            self._page = self._claim_page(every)
        except BaseException:
            self._stack.close()
            raise

    def _claim_page(self, inputs: Sequence[str]) -> Target | None:
        """The report's place, if it is not the usual one beside the map."""
        place = self.writing.report_to
        usual = belonging(self.path, PAGE)
        if place is None or os.path.abspath(place) == os.path.abspath(usual):
            return None
        overwrite = self.writing.overwrite
        return self._stack.enter_context(Target(place, inputs, overwrite=overwrite, belongings=()))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def open(self, model: Model) -> None:
        """Create the files; the model tells how many classes there are."""
        values = model.legend.values
        self._values = np.append(np.array(values), 0).astype(class_dtype(max(values)))
        sink = self._sink("map", self._values.dtype, 0, ("class",))
        if sink.takes_palette:
            sink.set_colormap(model.legend.colormap())
        for name in self.writing.layers:
            bands = [name]
            if name == "membership":
                bands = [f"membership: {of_class}" for of_class in model.legend.names]
            self._sink(name, np.dtype(np.float32), float("nan"), bands)

    def _sink(
        self, name: str, dtype: np.dtype[Any], nodata: float, bands: Sequence[str]
    ) -> RasterSink:
        sink = RasterSink(
            self._targets[name],
            height=self.source.height,
            width=self.source.width,
            count=len(bands),
            dtype=dtype,
            nodata=nodata,
            georef=self.source.georef,
            writing=self.writing,
            descriptions=bands,
        )
        self._sinks[name] = self._stack.enter_context(sink)
        return sink

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the map's pixels; known after :meth:`open`."""
        return self._values.dtype

    def write(self, piece: Piece) -> None:
        """Write one labelled window to the map and its layers."""
        self._sinks["map"].write(piece.window, self._values[piece.classes])
        for name, layer in piece.layers.items():
            self._sinks[name].write(piece.window, layer)

    def seal(self, recipe: Mapping[str, Any], model: Model) -> None:
        """Close and verify every raster; none is in place yet."""
        tags = {
            "TIFFTAG_SOFTWARE": f"rsclass {recipe['versions']['rsclass']}",
            "RSCLASS_METHOD": model.engine.method,
            "RSCLASS_MODEL_SHA256": model.sha256(),
            RECIPE_TAG: json.dumps(recipe, sort_keys=True, separators=(",", ":")),
        }
        for sink in self._sinks.values():
            sink.set_tags(tags)
            sink.seal()

    def finish(self, sidecars: Mapping[str, bytes]) -> dict[str, Path]:
        """Put every file in place, the map last, once they are sealed.

        Returns
        -------
        dict of str to Path
            Files by kind.
        """
        files = {"map": self.path}
        beside = dict(sidecars)
        if self._page is not None and PAGE in beside:
            self._page.put(beside.pop(PAGE))
            files[KINDS[PAGE]] = self._page.path
        for name in self.writing.layers:
            self._sinks[name].finish()
            files[name] = self._places[name]
        self._sinks["map"].finish(beside)
        for suffix in beside:
            files[KINDS[suffix]] = belonging(self.path, suffix)
        return files


def legend_sidecars(legend: Legend, labelled: Labelled) -> dict[str, bytes]:
    """Legend and style of a map."""
    hectares = None if np.isnan(labelled.hectares).any() else labelled.hectares
    return {".aux.xml": pam_xml(legend, labelled.stats.count, hectares), ".qml": qml(legend)}


def statistics_sidecars(
    legend: Legend, labelled: Labelled, extra: Mapping[str, Any]
) -> dict[str, bytes]:
    """Statistics of a map's classes as JSON and CSV."""
    return {
        ".stats.json": stats_json(labelled.stats, legend, labelled.hectares, extra),
        ".stats.csv": stats_csv(labelled.stats, legend, labelled.hectares),
    }


def now() -> str:
    """The time, in UTC and to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

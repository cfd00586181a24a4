"""A class map to be read window by window, with the names and colors of its values."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.colors import fill_colors
from rsclass.core.grid import TileGrid
from rsclass.core.ground import Ground
from rsclass.core.legend import HIGHEST_VALUE, Legend, LegendClass
from rsclass.core.types import Labels, Mask, Window
from rsclass.errors import DataError, NoValidPixelsError
from rsclass.io.handles import open_dataset
from rsclass.io.map_legend import FoundLabels, find_labels
from rsclass.io.maps import RECIPE_TAG, parse_recipe
from rsclass.io.names import gdal_name, given_name
from rsclass.io.reading import Reading
from rsclass.io.source import RasterSource, open_source
from rsclass.io.stats_file import StatsFile, stats_beside
from rsclass.io.target import BELONGINGS, belonging

__all__ = ["ClassMap", "open_class_map"]

Report = Callable[[float, float, str], None]

_SCANNED_PIXELS = 2**21


class ClassMap:
    """A class map described: any raster of whole numbers, one a class.

    Opens its file late, once for each thread, and travels without its handles. Made by
    :func:`open_class_map`.

    Attributes
    ----------
    path : Path
    name : str
        Short, for messages and for names of outputs.
    source : RasterSource
        The file as one band of values.
    height, width : int
        Pixels.
    dtype : dtype
        Of the file.
    nodata : float or None
        That the file declares.
    georef : Georeference
    legend : Legend
        Of the values from 1 on; 0 is no class. Complete, unless the map was changed by others.
    recipe : dict or None
        How rsclass made the map.
    statistics : StatsFile or None
        Of its classes, where they lie beside it.
    inputs : tuple of str
        Local files that belong to the map, which no output may replace.
    warnings : list of str
    """

    def __init__(
        self,
        path: Path,
        source: RasterSource,
        nodata: float | None,
        legend: Legend,
        recipe: dict[str, Any] | None,
        statistics: StatsFile | None,
        warnings: Iterable[str] = (),
    ) -> None:
        self.path = path
        self.name = source.name
        self.source = source
        self.height, self.width = source.height, source.width
        self.dtype, self.nodata, self.georef = source.dtype, nodata, source.georef
        self.legend = legend
        self.recipe = recipe
        self.statistics = statistics
        beside = (belonging(path, suffix) for suffix in BELONGINGS)
        self.inputs = tuple(
            dict.fromkeys([*source.files, *(str(file) for file in beside if file.is_file())])
        )
        self.warnings = [*source.warnings, *warnings]

    def read(self, window: Window) -> Labels:
        """The values (height, width) of a window as int32; 0 is no class.

        Parameters
        ----------
        window : Window
            Inside the map.

        Raises
        ------
        DataError
            A value is no whole number, or none that a class can have.
        """
        return _class_values(self.source, window)[0]

    @cached_property
    def ground(self) -> Ground:
        """What a pixel of each row weighs on the ground."""
        return Ground.of_rows(self.source.pixel_areas(), self.height)

    def close(self) -> None:
        """Close every handle; no thread may be reading."""
        self.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_class_map(path: Any, *, band: int | None = None, report: Report | None = None) -> ClassMap:
    """Describe a class map of rsclass or of any other software.

    The legend comes from the files beside the map and its palette. Maps of other software are read
    once, so that no value is missing in it.

    Parameters
    ----------
    path : path, or open rasterio dataset
        Any raster GDAL opens.
    band : int, optional
        1-based; needed where the file has several.
    report : callable (done, total, message), optional
        Told how far the reading is.

    Raises
    ------
    UnreadableRasterError
        There is no such raster.
    DataError
        It holds several bands, or values that are no classes.
    NoValidPixelsError
        It has no pixel with a class.
    """
    path = Path(given := given_name(path))
    with open_dataset(gdal_name(given)) as dataset:
        count, tags, labels = dataset.count, dataset.tags(), find_labels(path, dataset)
        nodata = dataset.nodatavals[(band or 1) - 1] if (band or 1) <= count else None
    if band is None and count > 1:
        raise DataError(
            f"{path} has {count} bands, and a class map has one; cut that of the classes out first "
            "(gdal_translate -b N; 'rsclass merge' takes --band N)."
        )
    recipe = parse_recipe(tags[RECIPE_TAG], path) if RECIPE_TAG in tags else None
    source = open_source(given, Reading(bands=(band or 1,), scaled=False, palette_as_values=True))
    warnings = list(labels.warnings)
    try:
        if recipe is not None and labels.names:
            values = sorted(labels.names)
        else:
            values, holds_zero = _scan(source, report)
            if holds_zero and nodata is not None:
                warnings.append(_zero_is_no_class(source.name, nodata))
        if not values:
            raise NoValidPixelsError(f"{path} has no pixel with a class: all are 0 or nodata.")
    except BaseException:
        source.close()
        raise
    statistics = None
    try:
        statistics = stats_beside(path)
    except DataError as error:
        warnings.append(f"the spectra of the classes are not known: {error}")
    return ClassMap(path, source, nodata, _legend(values, labels), recipe, statistics, warnings)


def _zero_is_no_class(name: str, nodata: float) -> str:
    return (
        f"{name} holds the value 0 beside its nodata value {nodata:g}; 0 is no class here, so add "
        "1 to all values if it is one there."
    )


def _legend(values: Iterable[int], labels: FoundLabels) -> Legend:
    """Names and colors as found, and ``class <value>`` in a color of its own for the others."""
    every = sorted(values)
    colors = fill_colors([labels.colors.get(value) for value in every])
    return Legend(
        tuple(
            LegendClass(value, labels.names.get(value, f"class {value}"), color)
            for value, color in zip(every, colors, strict=True)
        )
    )


def _scan(source: RasterSource, report: Report | None) -> tuple[list[int], bool]:
    """The values from 1 on, and whether valid pixels hold 0."""
    height, width = source.storage_block
    width = min(max(width, 1024), source.width)
    grid = TileGrid(source.height, source.width, max(height, _SCANNED_PIXELS // width), width)
    found = np.zeros(HIGHEST_VALUE + 1, dtype=np.int64)
    n_valid = 0
    for done, window in enumerate(grid, 1):
        values, valid = _class_values(source, window)
        found += np.bincount(values.ravel(), minlength=len(found))
        n_valid += int(valid.sum())
        if report is not None:
            report(done, len(grid), "reading the map")
    return [int(value) for value in np.flatnonzero(found[1:]) + 1], n_valid > found[1:].sum()


def _class_values(source: RasterSource, window: Window) -> tuple[Labels, Mask]:
    block = source.read(window)
    values, valid = block.values[0], block.valid
    if values.dtype != np.uint8:
        _check_values(values[valid], source.name)
    labels = np.zeros(values.shape, dtype=np.int32)
    np.copyto(labels, values, where=valid, casting="unsafe")
    return labels, valid


def _check_values(values: NDArray[Any], name: str) -> None:
    wrong = (values < 0) | (values > HIGHEST_VALUE)
    if wrong.any():
        raise DataError(
            f"{name} holds the value {values[wrong][0]:g}, which is no class; classes are whole "
            f"numbers from 1 to {HIGHEST_VALUE}, and 0 is none. Is it a class map, and is its "
            "nodata value declared?"
        )
    if values.dtype.kind == "f":
        broken = values != np.floor(values)
        if broken.any():
            raise DataError(
                f"{name} holds the value {values[broken][0]:g}; a class map holds whole numbers."
            )

"""From whatever names a scene to an open stream of its pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from rsclass.core.arrays import ArrayStream, register_opener
from rsclass.core.grid import TileGrid, canonical_side
from rsclass.core.types import Band, Window
from rsclass.errors import UsageError
from rsclass.flow.stream import SceneStream
from rsclass.io.source import RasterSource, Reading, open_source
from rsclass.run.pools import open_pool
from rsclass.run.settings import GIB, Running


def open_scene(scene: Any, reading: Reading) -> RasterSource:
    """Open a scene; bands without a single valid pixel are left out unless bands were chosen.

    One such band would make every pixel invalid. Sensors deliver them: where the atmosphere is
    opaque, or a detector is dead.
    """
    source = open_source(scene, reading)
    if reading.bands is not None or len(source.bands) == 1 or _has_valid_pixel(source):
        return source
    empty = []
    for number in _uniform_bands(source):
        band = source.with_bands((number,))
        if not _has_valid_pixel(band):
            empty.append(number)
        band.close()
    kept = tuple(number for number in source.band_numbers if number not in empty)
    if not empty or not kept:
        return source
    names = [
        band.name
        for number, band in zip(source.band_numbers, source.bands, strict=True)
        if number in empty
    ]
    source.close()
    source = source.with_bands(kept)
    source.warnings.append(
        f"{', '.join(names)} of {source.name} hold no valid pixel and are left out."
    )
    return source


def _uniform_bands(source: RasterSource) -> list[int]:
    """Numbers of the bands of one value in the middle of the scene: those that may be empty."""
    values = source.read(_from_the_middle(source)[0]).values
    return [
        number
        for number, band in zip(source.band_numbers, values, strict=True)
        if np.unique(band[np.isfinite(band)]).size < 2
    ]


def _has_valid_pixel(source: RasterSource) -> bool:
    return any(source.read(window).valid.any() for window in _from_the_middle(source))


def _from_the_middle(source: RasterSource) -> list[Window]:
    """Windows that cover the scene, the middle first: the edges of a scene are often empty."""
    side = canonical_side(source.dtype.itemsize * len(source.bands))
    middle = (source.height / 2, source.width / 2)

    def distance(window: Window) -> float:
        row, col = window.row + window.height / 2, window.col + window.width / 2
        return math.hypot(row - middle[0], col - middle[1])

    return sorted(TileGrid(source.height, source.width, side, side), key=distance)


@contextmanager
def open_stream(source: RasterSource, running: Running) -> Iterator[SceneStream]:
    """A stream over ``source`` with its workers."""
    # One BLAS thread: tiles are the unit of parallel work, and sums keep their order.
    with open_pool(running) as executor, threadpool_limits(1):
        stream = SceneStream(source, running, executor)
        try:
            yield stream
        finally:
            stream.forget()


def stream_of(data: Any) -> Any:
    """What ``fit`` and ``predict`` of an engine accept besides numpy arrays; None if unknown.

    Paths and open datasets are read with default settings; a DataArray is (band, y, x) or (y, x),
    in any order if its dimensions have names.
    """
    if isinstance(data, str) or hasattr(data, "__fspath__") or _is_dataset(data):
        # Whatever the process holds already is not this stream's to count.
        resident = psutil.Process().memory_info().rss
        running = Running(jobs=1, max_mem=resident + 2 * GIB)
        return SceneStream(open_source(data, Reading()), running)
    if hasattr(data, "dims") and hasattr(data, "coords"):
        return _array_stream(data)
    return None


def _is_dataset(data: Any) -> bool:
    return hasattr(data, "read") and hasattr(data, "indexes") and hasattr(data, "name")


_AXES = {
    "band": {"band", "bands", "wavelength", "wavelengths", "variable", "channel", "channels"},
    "y": {"y", "lat", "latitude", "row", "rows", "northing"},
    "x": {"x", "lon", "longitude", "col", "column", "columns", "easting"},
}


def _turned(data: Any) -> Any:
    """A DataArray as (band, y, x) or (y, x); dimensions without a known name stay as they are.

    Raises
    ------
    UsageError
        Some dimensions are known by name, but not all; or there are not 2 or 3.
    """
    wanted = list(_AXES)[-data.ndim :]
    axes = {axis: dim for dim in data.dims for axis in _AXES if str(dim).lower() in _AXES[axis]}
    if data.ndim in (2, 3) and not axes:
        return data
    if sorted(axes) != sorted(wanted) or data.ndim != len(axes):
        raise UsageError(
            f"the DataArray has the dimensions ({', '.join(map(str, data.dims))}); rename or "
            "select them so that they are band, y and x, or y and x."
        )
    return data.transpose(*(axes[axis] for axis in wanted))


def _array_stream(data: Any) -> ArrayStream:
    data = _turned(data)
    values = np.asarray(data.values)
    if values.ndim == 2:
        values = values[None]
    valid = None
    nodata = data.attrs.get("_FillValue", data.attrs.get("nodata"))
    if nodata is not None and not np.isnan(nodata):
        valid = (values != nodata).all(axis=0)
    names = data.attrs.get("long_name")
    bands = None
    if isinstance(names, tuple | list) and len(names) == len(values):
        bands = [Band(str(name)) for name in names]
    return ArrayStream(values, valid, bands)


register_opener(stream_of)

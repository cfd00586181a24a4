"""From whatever names a scene to an open stream of its pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from rsclass.core.arrays import ArrayStream, register_opener
from rsclass.core.types import Band
from rsclass.flow.stream import SceneStream
from rsclass.io.source import RasterSource, Reading, open_source
from rsclass.run.pools import open_pool
from rsclass.run.settings import Running


@contextmanager
def open_stream(source: RasterSource, running: Running) -> Iterator[SceneStream]:
    """A stream over ``source`` with its workers; checks at the end that no input has changed."""
    # One BLAS thread: tiles are the unit of parallel work, and sums keep their order.
    with open_pool(running) as executor, threadpool_limits(1):
        stream = SceneStream(source, running, executor)
        try:
            yield stream
        finally:
            stream.forget()
        source.check_unchanged()


def stream_of(data: Any) -> Any:
    """What ``fit`` and ``predict`` of an engine accept besides numpy arrays; None if unknown.

    Paths and open datasets are read with default settings; a DataArray is (band, y, x) or (y, x).
    """
    if isinstance(data, str) or hasattr(data, "__fspath__") or _is_dataset(data):
        return SceneStream(open_source(data, Reading()), Running(jobs=1))
    if hasattr(data, "dims") and hasattr(data, "coords"):
        return _array_stream(data)
    return None


def _is_dataset(data: Any) -> bool:
    return hasattr(data, "read") and hasattr(data, "indexes") and hasattr(data, "name")


def _array_stream(data: Any) -> ArrayStream:
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

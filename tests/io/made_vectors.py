"""Small vector files written by tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import shapely
from made_rasters import NORTH_UP, UTM

from rsclass.core.grid import Georeference


def place(transform: Any = NORTH_UP, crs: str | None = UTM) -> Georeference:
    """Where a made raster lies."""
    six = None if transform is None else tuple(transform)[:6]
    wkt = None if crs is None else geopandas.GeoSeries(crs=crs).crs.to_wkt()
    return Georeference(transform=six, crs=wkt)


def on_ground(shape: Any, transform: Any = NORTH_UP) -> Any:
    """A shape given in (column, row) as one in CRS units."""
    t = transform

    def moved(xy: Any) -> Any:
        x, y = xy[:, 0], xy[:, 1]
        import numpy as np

        return np.column_stack((t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f))

    return shapely.transform(shape, moved)


def box(left: float, top: float, right: float, bottom: float) -> Any:
    """A rectangle given in columns and rows of a made raster."""
    return on_ground(shapely.box(left, top, right, bottom))


def write_vectors(
    path: Path,
    shapes: Sequence[Any],
    columns: Mapping[str, Sequence[Any]] | None = None,
    *,
    crs: str | None = UTM,
    **options: Any,
) -> Path:
    """Write shapes with geopandas alone."""
    frame = geopandas.GeoDataFrame(dict(columns or {}), geometry=list(shapes), crs=crs)
    frame.to_file(path, **options)
    return path

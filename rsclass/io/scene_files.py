"""Scenes with their truth, reference polygons and points, and class schema, as files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import rasterio
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.enums import ColorInterp
from rasterio.windows import Window as RasterWindow
from shapely.geometry import Point, Polygon

from rsclass.core.grid import Georeference
from rsclass.core.groundtruth import Patch, Place
from rsclass.core.legend import Legend
from rsclass.core.types import Band, Window
from rsclass.io.atomic import write_bytes
from rsclass.io.placing import place, placing_options
from rsclass.io.sidecars import pam_xml

Pieces = Iterable[tuple[Window, NDArray[Any]]]

_TILE = 256
_COLORS = {
    "red": ColorInterp.red,
    "green": ColorInterp.green,
    "blue": ColorInterp.blue,
    "gray": ColorInterp.gray,
}
# GeoPackages name the moment of writing; a fixed one makes equal content equal bytes.
_MOMENT = "2024-01-01T00:00:00.000Z"


def wkt(epsg: int) -> str:
    """The coordinate reference system with this EPSG code, as WKT."""
    return str(CRS.from_epsg(epsg).to_wkt())


def write_scene(
    path: Path,
    pieces: Pieces,
    shape: tuple[int, int],
    bands: Sequence[Band],
    georef: Georeference,
    dtype: str,
    nodata: float,
) -> None:
    """Write a compressed, tiled GeoTIFF with band names, wavelengths, gain and offset.

    Parameters
    ----------
    path : Path
    pieces : iterable of (Window, array (bands, height, width))
        Together they cover the scene.
    shape : tuple of int
        Height and width in pixels.
    bands : sequence of Band
    georef : Georeference
    dtype : str
    nodata : float
    """
    with _raster(path, shape, len(bands), dtype, nodata, georef) as dataset:
        for number, band in enumerate(bands, start=1):
            dataset.set_band_description(number, band.name)
            if band.wavelength is not None:
                dataset.update_tags(
                    number, WAVELENGTH=f"{band.wavelength:g}", WAVELENGTH_UNITS="nm"
                )
        dataset.scales = [b.gain for b in bands]
        dataset.offsets = [b.offset for b in bands]
        dataset.colorinterp = [_COLORS.get(b.role or "", ColorInterp.undefined) for b in bands]
        for window, values in pieces:
            dataset.write(values, window=_slot(window))


def write_truth(
    path: Path, pieces: Pieces, shape: tuple[int, int], legend: Legend, georef: Georeference
) -> None:
    """Write class codes (height, width) as a GeoTIFF with a palette; 0 is nodata.

    The names of the classes stand beside it, in ``.aux.xml``.
    """
    count = np.zeros(256, dtype=np.int64)
    with _raster(path, shape, 1, "uint8", 0, georef) as dataset:
        dataset.set_band_description(1, "land cover")
        # Before any pixel: libtiff does not turn a file into a palette that has pixels already.
        dataset.write_colormap(1, {0: (0, 0, 0, 0)} | legend.colormap())
        for window, codes in pieces:
            dataset.write(codes, 1, window=_slot(window))
            count += np.bincount(codes.ravel(), minlength=256)
    names = pam_xml(legend, count[list(legend.values)])
    write_bytes(path.with_name(f"{path.name}.aux.xml"), names, overwrite=True)


def write_reference(
    path: Path,
    patches: Sequence[Patch],
    places: Sequence[Place],
    legend: Legend,
    georef: Georeference,
) -> None:
    """Write the layers ``polygons`` and ``points`` with ``class_id`` and ``class_name``."""
    to_ground = rasterio.Affine(*(georef.transform or (1, 0, 0, 0, 1, 0)))
    shapes = [Polygon([to_ground @ (col, row) for row, col in p.corners]) for p in patches]
    points = [Point(to_ground @ (p.col + 0.5, p.row + 0.5)) for p in places]
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.gpkg")
    with _fixed_moment(), _renamed(part, path):
        for layer, geometry, codes in (
            ("polygons", shapes, [p.code for p in patches]),
            ("points", points, [p.code for p in places]),
        ):
            names = dict(zip(legend.values, legend.names, strict=True))
            frame = geopandas.GeoDataFrame(
                {
                    "class_id": np.array(codes, dtype=np.int32),
                    "class_name": [names[c] for c in codes],
                },
                geometry=geometry,
                crs=georef.crs,
            )
            frame.to_file(part, layer=layer, driver="GPKG", engine="pyogrio", SPATIAL_INDEX="NO")


def write_schema(path: Path, classes: Sequence[Mapping[str, Any]]) -> None:
    """Write a class schema as JSON, one class a line."""
    lines = ",\n".join("    " + json.dumps(dict(c), ensure_ascii=False) for c in classes)
    head = '{\n  "format": "rsclass-schema",\n  "format_version": 1,\n  "classes": [\n'
    write_bytes(path, f"{head}{lines}\n  ]\n}}\n".encode(), overwrite=True)


@contextmanager
def _raster(
    path: Path,
    shape: tuple[int, int],
    count: int,
    dtype: str,
    nodata: float,
    georef: Georeference,
) -> Iterator[Any]:
    height, width = shape
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    kind = np.dtype(dtype)
    profile = {
        "driver": "GTiff",
        "height": height,
        "width": width,
        "count": count,
        "dtype": dtype,
        "nodata": nodata,
        "tiled": True,
        "blockxsize": _TILE,
        "blockysize": _TILE,
        # A palette or a class code has no neighbor to be predicted from.
        "predictor": 1 if count == 1 else 3 if kind.kind == "f" else 2,
        "compress": "deflate",
        "zlevel": 9,
        "interleave": "band",
        "bigtiff": "if_safer",
    }
    with (
        _renamed(part, path),
        rasterio.open(part, "w", **profile, **placing_options(georef)) as out,
    ):
        place(out, georef)
        yield out


@contextmanager
def _renamed(part: Path, path: Path) -> Iterator[None]:
    try:
        yield
        part.replace(path)
    finally:
        # After the rename there is nothing left to remove.
        part.unlink(missing_ok=True)


@contextmanager
def _fixed_moment() -> Iterator[None]:
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _MOMENT})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _slot(window: Window) -> RasterWindow:
    return RasterWindow(window.col, window.row, window.width, window.height)

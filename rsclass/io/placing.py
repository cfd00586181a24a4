"""Give a raster its georeference, and ask whether it has it."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.errors import NotGeoreferencedWarning
from rasterio.transform import Affine

from rsclass.core.grid import Georeference

__all__ = ["differences", "place", "placing_options", "without_placing_warnings"]

_filters = threading.Lock()  # Python's warning filters belong to all threads


@contextmanager
def without_placing_warnings() -> Iterator[None]:
    """Open a raster that has no georeference, or only control points, without a warning."""
    with _filters, warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        yield


def placing_options(georef: Georeference) -> dict[str, Any]:
    """What ``rasterio.open`` needs to know to create a raster with ``georef``."""
    options: dict[str, Any] = {}
    if georef.gcps:
        options["gcps"] = [GroundControlPoint(g.row, g.col, g.x, g.y, g.z) for g in georef.gcps]
        if georef.gcp_crs:
            options["crs"] = CRS.from_wkt(georef.gcp_crs)
        return options
    if georef.transform is not None:
        options["transform"] = Affine(*georef.transform)
    if georef.crs:
        options["crs"] = CRS.from_wkt(georef.crs)
    return options


def place(dataset: Any, georef: Georeference) -> None:
    """Write the parts of ``georef`` that are tags; to be called before the first pixel."""
    if georef.point and (georef.crs or georef.gcp_crs):
        # GDAL makes up a local CRS for a raster of points that has none.
        dataset.update_tags(AREA_OR_POINT="Point")
    if georef.rpcs:
        dataset.update_tags(ns="RPC", **dict(georef.rpcs))


def differences(dataset: Any, georef: Georeference) -> list[str]:
    """Names of the parts of ``georef`` that a reopened dataset does not show."""
    wrong = []
    gcps, gcp_crs = dataset.gcps
    if georef.gcps:
        found = [(g.row, g.col, g.x, g.y, g.z or 0.0) for g in gcps]
        if found != [(g.row, g.col, g.x, g.y, g.z) for g in georef.gcps]:
            wrong.append("ground control points")
        if georef.gcp_crs and gcp_crs != CRS.from_wkt(georef.gcp_crs):
            wrong.append("CRS of the ground control points")
    else:
        if georef.transform and tuple(dataset.transform)[:6] != georef.transform:
            wrong.append("transform")
        if georef.crs and dataset.crs != CRS.from_wkt(georef.crs):
            wrong.append("CRS")
    if georef.rpcs and set(dataset.tags(ns="RPC")) < {key for key, _ in georef.rpcs}:
        wrong.append("rational polynomial coefficients")
    return wrong

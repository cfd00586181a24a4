"""From a finished GeoTIFF to a cloud-optimized one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import rasterio
import rasterio.shutil

from rsclass.io.placing import without_placing_warnings

__all__ = ["convert"]


def convert(source: Path, cog: Path, options: Mapping[str, str]) -> None:
    """Write ``source`` with overviews as the cloud-optimized GeoTIFF ``cog``.

    Parameters
    ----------
    source : Path
        A GeoTIFF that is closed and, for a class map, has its palette.
    cog : Path
        A temporary name; GDAL puts its own temporary files beside it.
    options : mapping
        Of GDAL's COG driver, see :func:`rsclass.io.creation.cog_options`.
    """
    with rasterio.Env(GDAL_NUM_THREADS="1"), without_placing_warnings():
        rasterio.shutil.copy(source, cog, driver="COG", **options)

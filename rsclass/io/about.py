"""What GDAL is here and what it can do."""

from __future__ import annotations

from dataclasses import dataclass

import rasterio
from rasterio.drivers import raster_driver_extensions
from rasterio.errors import RasterioError

__all__ = ["Gdal", "gdal"]

_ASKED = ("GTiff", "COG", "VRT", "JP2OpenJPEG", "netCDF", "HDF5")


@dataclass(frozen=True)
class Gdal:
    """GDAL as rasterio brings it.

    Parameters
    ----------
    version, proj : str
    drivers, missing : tuple of str
        Of those that scenes and maps often need.
    knows_crs : bool
        Whether PROJ finds its database; a PROJ_DATA of another version hides it.
    """

    version: str
    proj: str
    drivers: tuple[str, ...]
    missing: tuple[str, ...]
    knows_crs: bool


def gdal() -> Gdal:
    """Ask GDAL about itself."""
    with rasterio.Env() as env:
        known = set(env.drivers()) | set(raster_driver_extensions().values())
        try:
            knows_crs = bool(rasterio.crs.CRS.from_epsg(32633).to_wkt())
        except RasterioError:
            knows_crs = False
    return Gdal(
        rasterio.__gdal_version__,
        rasterio.__proj_version__,
        tuple(name for name in _ASKED if name in known),
        tuple(name for name in _ASKED if name not in known),
        knows_crs,
    )

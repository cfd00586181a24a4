"""Places of a raster in meters, to measure distances between them."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS

from rsclass.core.grid import Georeference
from rsclass.core.types import Float

__all__ = ["in_meters", "pixel_centers"]

_METERS_PER_RADIAN = 6_371_008.8  # mean radius of the Earth: Moritz 2000, J. Geodesy 74, 128-133


def pixel_centers(
    georef: Georeference, rows: NDArray[np.integer], cols: NDArray[np.integer]
) -> tuple[Float, Float]:
    """x and y of the middles of pixels in CRS units; col and row where there is no geotransform."""
    a, b, c, d, e, f = georef.transform or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    col, row = cols + 0.5, rows + 0.5
    return a * col + b * row + c, d * col + e * row + f


def in_meters(
    georef: Georeference, height: int, rows: NDArray[np.integer], cols: NDArray[np.integer]
) -> tuple[Float, Float] | None:
    """East and north of the middles of pixels, in meters from an arbitrary point.

    In geographic coordinates a degree of longitude is as long as in the middle of the raster.

    Parameters
    ----------
    georef : Georeference
    height : int
        Of the raster, in pixels.
    rows, cols : int arrays (places,)

    Returns
    -------
    tuple of 2 float64 arrays (places,), or None
        None where the ground is not known.
    """
    if georef.transform is None or georef.crs is None:
        return None
    crs = CRS.from_wkt(georef.crs)
    x, y = pixel_centers(georef, rows, cols)
    if crs.is_projected:
        _, to_meters = crs.linear_units_factor
        return x * to_meters, y * to_meters
    if not crs.is_geographic:
        return None
    _, to_radians = crs.units_factor
    scale = to_radians * _METERS_PER_RADIAN
    _, e, f = georef.transform[3:]
    middle = e * height / 2 + f
    return x * scale * math.cos(middle * to_radians), y * scale

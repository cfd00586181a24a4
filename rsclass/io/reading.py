"""How a scene is to be read."""

from __future__ import annotations

from dataclasses import dataclass

ON_BAD_TILE = ("fail", "nodata")


@dataclass(frozen=True, slots=True)
class Reading:
    """How a scene is to be read; all of it changes the result.

    Parameters
    ----------
    bands : str, tuple of int or str, or None
        1-based numbers (``4,3,2``), ranges (``1..6``, ``1-6``), names (``B04,B08``) or roles
        (``red,nir``), mixed; None: every band that is not alpha.
    src_nodata : float or None
        Stored value that means "no data" in every band, instead of what the files declare.
    mask : str or None
        A raster (0 or masked: out) or a vector file (a pixel whose center lies inside a polygon:
        in), reprojected where its CRS differs.
    bounds : (left, bottom, right, top) or None
        In CRS units; the scene is cropped to the pixels whose centers lie inside.
    resolution : float or None
        Size of a pixel in CRS units; None: that of the finest band chosen.
    scaled : bool
        Honor scale and offset: physical value = stored * gain + offset.
    palette_as_values : bool
        Take the indices of a color table for measurements.
    max_pixels : int
        Refuse larger scenes.
    on_bad_tile : {"fail", "nodata"}
        What to do where a stored block cannot be decoded.
    """

    bands: str | tuple[int | str, ...] | None = None
    src_nodata: float | None = None
    mask: str | None = None
    bounds: tuple[float, float, float, float] | None = None
    resolution: float | None = None
    scaled: bool = True
    palette_as_values: bool = False
    max_pixels: int = 10**11
    on_bad_tile: str = "fail"

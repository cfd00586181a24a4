"""Where two rasters on one grid lie over each other."""

from __future__ import annotations

import contextlib
from typing import Protocol

from affine import Affine
from rasterio.crs import CRS

from rsclass.core.grid import Georeference
from rsclass.core.types import Window
from rsclass.errors import DataError
from rsclass.io.grids import Grid, Placement, extent, place

__all__ = ["Placed", "overlap", "same_crs"]

_MOST_DRIFT = 0.1
"""Pixels that grids may be apart at their far ends for pixel sizes written with fewer digits."""


class Placed(Protocol):
    """A raster that knows where it lies."""

    name: str
    height: int
    width: int
    georef: Georeference


def overlap(one: Placed, other: Placed) -> tuple[Window, Window]:
    """The part that two rasters have in common, as a window of the first and of the second.

    Their pixels must coincide; their extents may differ. Rasters without a geotransform must be of
    the same size.

    Raises
    ------
    DataError
        The coordinate systems or the grids differ, or the rasters lie apart.
    """
    _refuse_other_crs(one, other)
    grids = [_grid(one), _grid(other)]
    if (grids[0].transform is None) != (grids[1].transform is None):
        lacking = one if grids[0].transform is None else other
        raise DataError(f"{lacking.name} has no geotransform and the other map has; assign one.")
    placement = _placed(one, other, grids)
    row, col = round(placement.shift[0]), round(placement.shift[1])
    top, left = max(-row, 0), max(-col, 0)
    height = min(one.height, other.height - row) - top
    width = min(one.width, other.width - col) - left
    if height < 1 or width < 1:
        raise DataError(
            f"{one.name} and {other.name} lie apart: {extent(grids[0])} and {extent(grids[1])} "
            "(left, bottom, right, top); give maps of the same place."
        )
    return Window(top, left, height, width), Window(top + row, left + col, height, width)


def same_crs(one: str | None, other: str | None) -> bool:
    """Whether two texts (WKT) mean the same coordinate system."""
    systems = [None if text is None else CRS.from_wkt(text) for text in (one, other)]
    return bool(systems[0] == systems[1])


def _refuse_other_crs(one: Placed, other: Placed) -> None:
    texts = [raster.georef.crs or raster.georef.gcp_crs for raster in (one, other)]
    if same_crs(*texts):
        return
    shown = ["none" if text is None else _short(CRS.from_wkt(text)) for text in texts]
    raise DataError(
        f"the coordinate systems of {one.name} ({shown[0]}) and {other.name} ({shown[1]}) differ; "
        "warp one to the grid of the other first (gdalwarp -r near)."
    )


def _short(crs: CRS) -> str:
    code = crs.to_authority()
    return ":".join(code) if code else crs.to_wkt()[:60]


def _grid(raster: Placed) -> Grid:
    transform = raster.georef.transform
    return Grid(raster.height, raster.width, None if transform is None else Affine(*transform))


def _placed(one: Placed, other: Placed, grids: list[Grid]) -> Placement:
    placement: Placement | None = None
    with contextlib.suppress(DataError):  # turned, flipped or of another size: told below
        placement = place(grids[1], grids[0], other.name)
    if placement is not None and placement.same:
        ends = (one.height * (placement.scale[0] - 1), one.width * (placement.scale[1] - 1))
        if max(map(abs, ends)) <= _MOST_DRIFT:
            return placement
    raise DataError(
        f"the pixels of {one.name} and {other.name} do not coincide: {_told(grids[0])}, and "
        f"{_told(grids[1])}; warp one to the grid of the other first (gdalwarp -r near -tap)."
    )


def _told(grid: Grid) -> str:
    if grid.transform is None:
        return f"{grid.height} x {grid.width} pixels"
    t = grid.transform
    return (
        f"{grid.height} x {grid.width} pixels of {abs(t.a):.6g} x {abs(t.e):.6g} from "
        f"{t.c:.10g} {t.f:.10g}"
    )

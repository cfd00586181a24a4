"""A class map read on the grid of another one: in each pixel what lies below its center."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from affine import Affine
from pyproj import CRS, Transformer

from rsclass.core.grid import Georeference, split
from rsclass.core.types import Float, Labels, Window
from rsclass.errors import DataError
from rsclass.io.class_map import ClassMap

__all__ = ["NearestMap"]

_BLOCK = 256
_MOST_PIXELS = 2**24  # read at once, where the map below is far finer
_ON_EDGE = 1e-6  # of a pixel: a center on an edge belongs to the later pixel, whatever the rounding


class NearestMap:
    """A class map on another grid, by nearest neighbor.

    The grids may differ in anything: coordinate system, pixel size, extent, rotation. Each pixel is
    worked out for itself, so that the values do not depend on the windows that are read.

    Parameters
    ----------
    class_map : ClassMap
    georef : Georeference
        Where the pixels shall lie.

    Raises
    ------
    DataError
        One of the two does not tell where it lies.
    """

    def __init__(self, class_map: ClassMap, georef: Georeference) -> None:
        places = (class_map.georef, georef)
        if any(place.transform is None for place in places) or (places[0].crs is None) != (
            places[1].crs is None
        ):
            raise DataError(
                f"{class_map.name} is not on the grid of the map and cannot be laid over it, "
                "because one of them has no coordinate system or no geotransform; warp it first "
                "(gdalwarp -r near)."
            )
        self.class_map = class_map
        self.georef = georef
        self._local = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return NearestMap, (self.class_map, self.georef)

    def read(self, window: Window) -> Labels:
        """The values (height, width) of a window of the other grid; 0 is no class."""
        out: Labels = np.zeros((window.height, window.width), dtype=np.int32)
        for part in split(window, _BLOCK):
            out[part.inside(window)] = self._read(part)
        return out

    def _read(self, window: Window) -> Labels:
        rows, cols = self._below(window)
        own = self.class_map
        with np.errstate(invalid="ignore"):
            inside = (rows >= 0) & (rows < own.height) & (cols >= 0) & (cols < own.width)
        out: Labels = np.zeros((window.height, window.width), dtype=np.int32)
        if not inside.any():
            return out
        row, col = rows[inside].astype(np.int64), cols[inside].astype(np.int64)
        top, left = int(row.min()), int(col.min())
        box = Window(top, left, int(row.max()) - top + 1, int(col.max()) - left + 1)
        if box.pixels > _MOST_PIXELS and window.pixels > 1:
            for part in split(window, max(window.height, window.width) // 2):
                out[part.inside(window)] = self._read(part)
            return out
        out[inside] = own.read(box)[row - top, col - left]
        return out

    def _below(self, window: Window) -> tuple[Float, Float]:
        """Rows and columns (height, width) of the map below the centers of a window's pixels."""
        cols, rows = np.meshgrid(
            np.arange(window.col, window.col_end) + 0.5,
            np.arange(window.row, window.row_end) + 0.5,
        )
        x, y = _moved(Affine(*self.georef.transform or ()), cols, rows)
        transformer = self._transformer()
        if transformer is not None:
            x, y = transformer.transform(x, y)
        own_cols, own_rows = _moved(~Affine(*self.class_map.georef.transform or ()), x, y)
        return np.floor(own_rows + _ON_EDGE), np.floor(own_cols + _ON_EDGE)

    def _transformer(self) -> Transformer | None:
        """From the other coordinate system to the map's own; one for each thread."""
        if not hasattr(self._local, "transformer"):
            own, other = self.class_map.georef.crs, self.georef.crs
            same = own == other or CRS.from_user_input(own) == CRS.from_user_input(other)
            self._local.transformer = (
                None if same else Transformer.from_crs(other, own, always_xy=True)
            )
        found: Transformer | None = self._local.transformer
        return found


def _moved(t: Affine, x: Float, y: Float) -> tuple[Float, Float]:
    return t.a * x + t.b * y + t.c, t.d * x + t.e * y + t.f

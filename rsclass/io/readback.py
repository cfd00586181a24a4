"""What a written raster must show when it is opened again."""

from __future__ import annotations

import math
import warnings
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from rasterio.enums import ColorInterp
from rasterio.windows import Window as RasterWindow

from rsclass.core.grid import Georeference, TileGrid
from rsclass.core.types import Window
from rsclass.errors import RsclassWarning
from rsclass.io.placing import differences, without_placing_warnings

__all__ = ["Expected", "raster_window"]


def raster_window(window: Window) -> RasterWindow:
    """The window in rasterio's terms, which put the column first."""
    return RasterWindow(window.col, window.row, window.width, window.height)


@dataclass(frozen=True, slots=True)
class Expected:
    """All that was sent to a file.

    Parameters
    ----------
    grid : TileGrid
        The raster, cut into the blocks that have a checksum.
    crc : sequence of int
        CRC-32 of each block (bands, height, width), in the order of ``grid``.
    count, dtype, nodata, georef
        As given to the writer.
    compress : str
        GDAL's name of the compression.
    colormap, descriptions, tags
        As given to the writer; empty where none was.
    """

    grid: TileGrid
    crc: Sequence[int]
    count: int
    dtype: np.dtype[Any]
    nodata: float | None
    georef: Georeference
    compress: str
    colormap: Mapping[int, tuple[int, int, int, int]]
    descriptions: tuple[str, ...]
    tags: Mapping[str, str]

    def fault(self, path: Path) -> str | None:
        """The first thing that ``path`` shows otherwise; None where all is as it was sent.

        Warns of a georeference that GeoTIFF cannot describe.
        """
        with without_placing_warnings():
            dataset = rasterio.open(path, driver="GTiff", sharing=False)
        with dataset:
            wrong = self._other_header(dataset) or self._other_pixels(dataset)
            lost = differences(dataset, self.georef)
        if lost and wrong is None:
            warnings.warn(
                f"the output does not hold the scene's {' and '.join(lost)} exactly; "
                "GeoTIFF cannot describe it.",
                RsclassWarning,
                stacklevel=2,
            )
        return wrong

    def _other_header(self, dataset: Any) -> str | None:
        structure = dataset.tags(ns="IMAGE_STRUCTURE")
        shape = (dataset.count, dataset.height, dataset.width)
        tags = dataset.tags()
        as_sent = {
            "size": shape == (self.count, self.grid.height, self.grid.width),
            "data type": set(dataset.dtypes) == {self.dtype.name},
            "nodata value": _same(dataset.nodata, self.nodata),
            "compression": structure.get("COMPRESSION", "NONE") == self.compress,
            "palette": not self.colormap or _shows(dataset, self.colormap),
            "band descriptions": self.descriptions in ((), dataset.descriptions),
            # TIFF drops empty tags.
            "tags": all(tags.get(name, "") == value for name, value in self.tags.items()),
        }
        return next((what for what, right in as_sent.items() if not right), None)

    def _other_pixels(self, dataset: Any) -> str | None:
        for crc, block in zip(self.crc, self.grid, strict=True):
            if zlib.crc32(dataset.read(window=raster_window(block)).data) != crc:
                return f"pixels in {block}"
        return None


def _same(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return a == b or (math.isnan(a) and math.isnan(b))


def _shows(dataset: Any, wanted: Mapping[int, tuple[int, int, int, int]]) -> bool:
    if dataset.colorinterp[0] != ColorInterp.palette:
        return False
    found = dataset.colormap(1)
    # TIFF has no alpha in palettes; GDAL makes the nodata entry transparent.
    return all(found[value][:3] == color[:3] for value, color in wanted.items())

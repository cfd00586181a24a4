"""Bands of one or several files, read together on one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from affine import Affine
from rasterio.crs import CRS

from rsclass.core.grid import Georeference
from rsclass.core.types import Mask, Window
from rsclass.errors import DataError
from rsclass.io.grids import TOLERANCE, Grid, at_resolution, place
from rsclass.io.handles import Handles
from rsclass.io.rasters import Layer, RasterFile
from rsclass.io.sheets import BadBlock, Pixels, Sheet, reading_dtype
from rsclass.io.validity import NodataRule


@dataclass(frozen=True, slots=True)
class Stack:
    """Sheets on one grid.

    Parameters
    ----------
    grid : Grid
    georef : Georeference
    sheets : tuple of Sheet
    block : tuple of int
        (height, width) in which the finest file is stored, in pixels of the grid.
    """

    grid: Grid
    georef: Georeference
    sheets: tuple[Sheet, ...]
    block: tuple[int, int]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type that holds every band."""
        return np.result_type(*(sheet.dtype for sheet in self.sheets))

    def read(self, window: Window, handles: Handles, bad: set[BadBlock] | None) -> Pixels:
        """Values (bands, height, width) and validity of a window of the grid."""
        if len(self.sheets) == 1:
            return self.sheets[0].read(window, handles, bad)
        count = sum(len(sheet.layers) for sheet in self.sheets)
        values = np.empty((count, window.height, window.width), dtype=self.dtype)
        valid: Mask = np.ones((window.height, window.width), dtype=np.bool_)
        for sheet in self.sheets:
            part, part_valid = sheet.read(window, handles, bad)
            values[list(sheet.positions)] = part
            valid &= part_valid
        return values, valid


def stacked(
    parts: Sequence[tuple[RasterFile, Layer]],
    resolution: float | None,
    src_nodata: float | None,
) -> Stack:
    """Lay the chosen bands on one grid: that of the finest, or one of ``resolution``.

    Raises
    ------
    DataError
        The files differ in CRS, extent or orientation.
    UsageError
        A resolution is asked for where there is no geotransform.
    """
    finest = min((file for file, _ in parts), key=lambda file: grid_of(file).pixel)
    grid = at_resolution(grid_of(finest), resolution)
    groups: dict[tuple[str, str], list[int]] = {}
    for position, (file, layer) in enumerate(parts):
        groups.setdefault((file.name, layer.dtype), []).append(position)
    sheets = tuple(_sheet(positions, parts, grid, src_nodata) for positions in groups.values())
    _check_together(finest, sheets, grid)
    georef = finest.georef
    if resolution is not None and grid.transform is not None:
        t = grid.transform
        georef = replace(georef, transform=(t.a, t.b, t.c, t.d, t.e, t.f), rpcs=())
    zoom = place(grid_of(finest), grid, finest.name).scale
    high, wide = (
        max(round(side / scale), 1) for side, scale in zip(finest.block, zoom, strict=True)
    )
    return Stack(grid, georef, sheets, (min(high, grid.height), min(wide, grid.width)))


def grid_of(file: RasterFile) -> Grid:
    """The file's own grid."""
    t = file.georef.transform
    return Grid(file.height, file.width, None if t is None else Affine(*t))


def _sheet(
    positions: Sequence[int],
    parts: Sequence[tuple[RasterFile, Layer]],
    grid: Grid,
    src_nodata: float | None,
) -> Sheet:
    file = parts[positions[0]][0]
    layers = tuple(parts[position][1] for position in positions)
    dtype = reading_dtype(layers[0].dtype, file.name)
    rules = tuple(
        NodataRule.of(layer.nodata if src_nodata is None else src_nodata, dtype) for layer in layers
    )
    return Sheet(
        file, layers, tuple(positions), dtype, rules, place(grid_of(file), grid, file.name)
    )


def _check_together(finest: RasterFile, sheets: Sequence[Sheet], grid: Grid) -> None:
    for sheet in sheets:
        if not _same_crs(sheet.file.georef.crs, finest.georef.crs):
            raise DataError(_table("lie in different coordinate systems", sheets))
        p = sheet.placement
        sizes = zip(p.shift, p.scale, (grid.height, grid.width), (p.height, p.width), strict=True)
        for shift, scale, target, source in sizes:
            # Products of mixed resolution may differ by a part of a coarse pixel at their edges.
            most = max(1.0, scale) + TOLERANCE
            if abs(shift) > most or abs(shift + scale * target - source) > most:
                raise DataError(_table("cover different ground", sheets))


def _same_crs(one: str | None, other: str | None) -> bool:
    if one is None or other is None or one == other:
        return one == other
    return bool(CRS.from_wkt(one) == CRS.from_wkt(other))


def _table(fault: str, sheets: Sequence[Sheet]) -> str:
    rows = []
    for sheet in sheets[:6]:
        grid = grid_of(sheet.file)
        t = grid.transform
        corner = "no geotransform" if t is None else f"corner {t.c:.10g} {t.f:.10g}"
        crs = sheet.file.georef.crs
        system = CRS.from_wkt(crs).to_string()[:40] if crs else "no CRS"
        rows.append(
            f"{sheet.file.name}: {grid.height} x {grid.width} pixels of {grid.pixel:g}, "
            f"{corner}, {system}"
        )
    return (
        f"the files {fault} ({'; '.join(rows)}{'; ...' if len(sheets) > 6 else ''}); "
        "warp them to one grid first (gdalwarp)."
    )

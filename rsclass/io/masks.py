"""The user's mask: a raster or polygons that say where a scene counts."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from affine import Affine
from rasterio.crs import CRS
from rasterio.enums import Resampling
from rasterio.features import rasterize
from rasterio.vrt import WarpedVRT

from rsclass.core.grid import split
from rsclass.core.types import Float, Mask, Window
from rsclass.errors import DataError, UnreadableRasterError, UsageError
from rsclass.io.grids import Grid, Placement, extent, place
from rsclass.io.handles import Handles, reading_env
from rsclass.io.names import gdal_name
from rsclass.io.rasters import RasterFile, describe

_BLOCK = 512
_BLOCKS_KEPT = 16
_WARP_TOLERANCE = 1e-4  # of a mask's pixel; GDAL takes no 0 here
_NOT_OURS = (" Set SHAPE_RESTORE_SHX", "; It might help")  # advice that our users cannot follow
_IDS_TOLD = 10


class UserMask(Protocol):
    """Where a scene counts."""

    @property
    def files(self) -> tuple[str, ...]:
        """Local files that it is kept in."""
        ...

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know of it."""
        ...

    def inside(self, window: Window) -> Mask:
        """Whether each pixel of a window of the scene's grid counts."""
        ...


def open_mask(
    name: str, grid: Grid, crs: str | None, handles: Handles, max_pixels: int
) -> UserMask:
    """The mask kept in a raster (0 or masked: out) or in a file of polygons (inside: in).

    Raises
    ------
    DataError
        It cannot be read, or cannot be laid over the scene.
    """
    path = gdal_name(name)
    try:
        file = describe(path, max_pixels)
    except UnreadableRasterError:
        return _polygon_mask(name, path, grid, crs)
    return _raster_mask(file, grid, crs, handles)


@dataclass(frozen=True, slots=True)
class _RasterMask:
    file: RasterFile
    placement: Placement
    handles: Handles

    @property
    def files(self) -> tuple[str, ...]:
        return self.file.files

    @property
    def warnings(self) -> tuple[str, ...]:
        return ()

    def inside(self, window: Window) -> Mask:
        rows = self.placement.rows(window.row, window.height)
        cols = self.placement.cols(window.col, window.width)
        in_rows = (rows >= 0) & (rows < self.file.height)
        in_cols = (cols >= 0) & (cols < self.file.width)
        out: Mask = np.zeros((window.height, window.width), dtype=np.bool_)
        if not (in_rows.any() and in_cols.any()):
            return out
        rows, cols = rows[in_rows], cols[in_cols]
        span = ((int(rows[0]), int(rows[-1]) + 1), (int(cols[0]), int(cols[-1]) + 1))
        with reading_env():
            counted = _counted(self.handles.get(self.file.name), span, self.file.name)
        out[np.ix_(in_rows, in_cols)] = counted[np.ix_(rows - rows[0], cols - cols[0])]
        return out


class _BlockMask:
    """A mask made in whole blocks of a fixed layout, so that no edge depends on the windows."""

    files: tuple[str, ...]
    warnings: tuple[str, ...]

    def __init__(self, grid: Grid, files: tuple[str, ...], warnings: tuple[str, ...] = ()) -> None:
        self.grid = grid
        self.files = files
        self.warnings = warnings
        self._recent = threading.local()

    def inside(self, window: Window) -> Mask:
        out: Mask = np.zeros((window.height, window.width), dtype=np.bool_)
        for part in split(window, _BLOCK):
            row, col = part.row // _BLOCK * _BLOCK, part.col // _BLOCK * _BLOCK
            block = Window(
                row, col, min(_BLOCK, self.grid.height - row), min(_BLOCK, self.grid.width - col)
            )
            rows, cols = part.inside(window)
            out[rows, cols] = self._known(block)[part.inside(block)]
        return out

    def _known(self, block: Window) -> Mask:
        known: dict[Window, Mask] = self._recent.__dict__.setdefault("blocks", {})
        if block not in known:
            if len(known) >= _BLOCKS_KEPT:
                known.clear()
            known[block] = self._made(block)
        return known[block]

    def _made(self, block: Window) -> Mask:
        raise NotImplementedError

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_recent"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._recent = threading.local()


class _WarpedMask(_BlockMask):
    """A raster in another coordinate system."""

    def __init__(self, file: RasterFile, grid: Grid, crs: str, handles: Handles) -> None:
        super().__init__(grid, file.files)
        self.file, self.crs, self.handles = file, crs, handles

    def _made(self, block: Window) -> Mask:
        span = ((block.row, block.row_end), (block.col, block.col_end))
        with (
            reading_env(),
            WarpedVRT(
                self.handles.get(self.file.name),
                crs=self.crs,
                transform=self.grid.transform,
                height=self.grid.height,
                width=self.grid.width,
                resampling=Resampling.nearest,
                tolerance=_WARP_TOLERANCE,
                nodata=0,
            ) as warped,
        ):
            return _counted(warped, span, self.file.name)


def _counted(dataset: Any, span: tuple[tuple[int, int], tuple[int, int]], name: str) -> Mask:
    try:
        values = dataset.read(1, window=span)
        shown = dataset.read_masks(1, window=span)
    except Exception as error:  # GDAL raises more than rasterio's own classes
        raise UnreadableRasterError(
            f"the mask {name} cannot be read at rows {span[0]}: {error}", path=name
        ) from error
    counted: Mask = (values != 0) & (shown != 0)
    return counted & np.isfinite(values) if values.dtype.kind == "f" else counted


def _raster_mask(file: RasterFile, grid: Grid, crs: str | None, handles: Handles) -> UserMask:
    t = file.georef.transform
    own = Grid(file.height, file.width, None if t is None else Affine(*t))
    differ = (
        crs is not None
        and file.georef.crs is not None
        and CRS.from_wkt(crs) != CRS.from_wkt(file.georef.crs)
    )
    turned = own.transform is not None and not own.transform.is_rectilinear
    if crs is not None and file.georef.crs is not None and (differ or turned):
        if grid.transform is None or own.transform is None:
            raise UsageError(f"--mask {file.name} needs a geotransform to be laid over the scene.")
        return _WarpedMask(file, grid, crs, handles)
    return _RasterMask(file, place(own, grid, file.name), handles)


class _PolygonMask(_BlockMask):
    """Polygons in pixel coordinates of the scene."""

    def __init__(
        self,
        grid: Grid,
        files: tuple[str, ...],
        warnings: tuple[str, ...],
        shapes: list[Any],
        boxes: Float,
    ) -> None:
        super().__init__(grid, files, warnings)
        self.shapes, self.boxes = shapes, boxes

    def _made(self, block: Window) -> Mask:
        left, top, right, bottom = self.boxes.T
        near = np.flatnonzero(
            (left < block.col_end)
            & (right > block.col)
            & (top < block.row_end)
            & (bottom > block.row)
        )
        if len(near) == 0:
            return np.zeros((block.height, block.width), dtype=np.bool_)
        burnt = rasterize(
            [(self.shapes[i], 1) for i in near],
            out_shape=(block.height, block.width),
            transform=Affine.translation(block.col, block.row),
            dtype="uint8",
        )
        return np.asarray(burnt, dtype=np.bool_)


def _polygon_mask(name: str, path: str, grid: Grid, crs: str | None) -> UserMask:
    import shapely

    geometry, warnings = _polygons(name, path)
    if (geometry.crs is None) != (crs is None):
        raise DataError(_without_crs(name, path, geometry.crs is None))
    if crs is not None:
        geometry = geometry.to_crs(crs)
    if not np.isfinite(geometry.total_bounds).all():
        raise DataError(
            f"--mask {name} cannot be brought to the scene's CRS; check its coordinates and CRS."
        )
    inverse = ~(grid.transform or Affine.identity())
    shapes = [_pixel_shape(shapely, shape, inverse) for shape in geometry]
    boxes = np.array([shape.bounds for shape in shapes])
    if (
        boxes[:, 0].min() >= grid.width
        or boxes[:, 2].max() <= 0
        or boxes[:, 1].min() >= grid.height
        or boxes[:, 3].max() <= 0
    ):
        own = " ".join(f"{value:.10g}" for value in geometry.total_bounds)
        raise DataError(
            f"--mask {name} lies outside the scene: in the scene's CRS it spans {own}, the scene "
            f"{extent(grid)}; check its CRS."
        )
    files = (path,) if Path(path).is_file() else ()
    return _PolygonMask(grid, files, warnings, shapes, boxes)


def _polygons(name: str, path: str) -> tuple[Any, tuple[str, ...]]:
    """Single valid polygons (GeoSeries), and what is wrong with the others."""
    import geopandas

    try:
        frame = geopandas.read_file(path, fid_as_index=True)
    except Exception as error:  # pyogrio passes on what GDAL raises
        reason = str(error).splitlines()[0]
        for advice in _NOT_OURS:
            reason = reason.partition(advice)[0]
        raise DataError(
            f"--mask {name} is neither a raster nor a vector file ({reason.rstrip('.')}); give a "
            "raster or polygons."
        ) from error
    geometry = frame.geometry if isinstance(frame, geopandas.GeoDataFrame) else None
    if geometry is None:
        raise DataError(f"--mask {name} holds no geometries; give a raster or polygons.")
    present = geometry[~(geometry.isna() | geometry.is_empty)]
    crossing = present.index[~present.is_valid].tolist()
    # Twice: a mended polygon may be a collection that holds lines beside multipolygons.
    polygons = present.make_valid().explode(index_parts=False).explode(index_parts=False)
    polygons = polygons[polygons.geom_type == "Polygon"]
    if len(polygons) == 0:
        raise DataError(f"--mask {name} holds no polygon; give a raster or polygons.")
    warnings = []
    if len(present) < len(geometry):
        warnings.append(
            f"--mask {name}: {len(geometry) - len(present)} of {len(geometry)} features have no "
            "geometry and were left out."
        )
    if crossing:
        ids = ", ".join(map(str, crossing[:_IDS_TOLD])) + (", ..." if crossing[_IDS_TOLD:] else "")
        warnings.append(f"--mask {name}: polygons that cross themselves were mended: {ids}.")
    return polygons, tuple(warnings)


def _without_crs(name: str, path: str, mask_lacks_it: bool) -> str:
    if not mask_lacks_it:
        return f"the scene has no CRS, so --mask {name} cannot be laid over it; assign one first."
    prj = Path(path).with_suffix(".prj")
    lost = f" ({prj.name} is missing)" if path.lower().endswith(".shp") and not prj.exists() else ""
    return f"--mask {name} has no CRS{lost}, so it cannot be laid over the scene; assign one first."


def _pixel_shape(shapely: Any, shape: Any, inverse: Affine) -> Any:
    def to_pixels(xy: Any) -> Any:
        x, y = xy[:, 0], xy[:, 1]
        return np.column_stack(
            (
                inverse.a * x + inverse.b * y + inverse.c,
                inverse.d * x + inverse.e * y + inverse.f,
            )
        )

    return shapely.transform(shapely.force_2d(shape), to_pixels)

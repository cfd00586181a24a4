"""The verified writer: a raster is whole and read back, or absent."""

from __future__ import annotations

import contextlib
import os
import threading
import zlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError
from rasterio.errors import RasterioError

from rsclass.core.grid import Georeference, TileGrid
from rsclass.core.types import Window
from rsclass.errors import IncompleteOutputError
from rsclass.io.blocks import BlockBuffer
from rsclass.io.cog import convert
from rsclass.io.creation import block_shape, check_creation, cog_options, gtiff_options
from rsclass.io.disk import disk_full, expect_room, lacks_room, write_failures
from rsclass.io.placing import place, placing_options, without_placing_warnings
from rsclass.io.readback import Expected, raster_window
from rsclass.io.swap import sync
from rsclass.io.target import BELONGINGS, Target
from rsclass.io.writing import Writing, class_dtype

__all__ = ["RasterSink", "Writing", "class_dtype"]

Color = tuple[int, int, int, int]

# GDAL reports failed writes as any of these; SystemError where it lost its own message.
_FAILURES = (OSError, RasterioError, CPLE_BaseError, SystemError)


class RasterSink:
    """One output raster: takes windows in any order, shows nothing until all is verified.

    The bytes of the file depend on the pixels alone. Use it as a context manager and end with
    :meth:`finish`; leaving without it, for whatever reason, leaves no trace. :meth:`write` may be
    called from several threads.

    Parameters
    ----------
    path : path or Target
        Where the raster will stand. A :class:`~rsclass.io.target.Target` was checked and locked
        before, so that long work is not done in vain; the sink releases it.
    height, width, count : int
        Size in pixels and bands.
    dtype : dtype
    nodata : float, int or None
    georef : Georeference
        Copied as it is; what is missing stays missing.
    writing : Writing
    inputs : sequence of paths
        Files that may not be the output; only for a plain ``path``.
    colormap : dict of value to (red, green, blue, alpha), optional
        For one band of uint8 only (:attr:`takes_palette`).
    descriptions : sequence of str
        One for each band.
    tags : mapping
    belongings : sequence of str
        Suffixes of the files beside the output that are replaced with it; only for a plain path.

    Raises
    ------
    UsageError, OutputExistsError, OutputLockedError, OutputError
        As :class:`~rsclass.io.target.Target`.
    DiskFullError
        There is no room.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | Target,
        *,
        height: int,
        width: int,
        count: int,
        dtype: Any,
        nodata: float | None,
        georef: Georeference,
        writing: Writing,
        inputs: Sequence[str | os.PathLike[str]] = (),
        colormap: Mapping[int, Color] | None = None,
        descriptions: Sequence[str] = (),
        tags: Mapping[str, str] | None = None,
        belongings: Sequence[str] = BELONGINGS,
    ) -> None:
        self.height, self.width, self.count = height, width, count
        self.dtype = np.dtype(dtype)
        self.nodata = nodata
        self._georef = georef
        self._format = writing.format
        self._options = check_creation(writing.format, dict(writing.creation))
        self._colormap: dict[int, Color] = {}
        self._descriptions: tuple[str, ...] = ()
        self._tags: dict[str, str] = {}
        self.set_colormap(colormap or {})
        self.set_descriptions(descriptions)
        self.set_tags(tags or {})
        pixel = self.dtype.itemsize * count
        blocks = block_shape(height, width, pixel, self._options)
        self._profile = gtiff_options(blocks, self.dtype, self._options)
        self._grid = TileGrid(height, width, *blocks)
        self._buffer = BlockBuffer(self._grid, count, self.dtype)
        self._crc: list[int] = []
        self._turn = threading.Lock()
        self._dataset: Any = None
        self._finished: Path | None = None
        self._target = (
            path
            if isinstance(path, Target)
            else Target(
                path, inputs, overwrite=writing.overwrite, belongings=belongings, raster=True
            )
        )
        self._part = self._target.part(".tif")
        try:
            size = height * width * pixel
            # A COG is converted from the finished GeoTIFF, so both exist for a while.
            expect_room(
                self.path.parent, 2 * size if self._format == "COG" else size, self.path.name
            )
            with self._failures(self._part):
                self._create()
        except BaseException:
            self.abandon()
            raise

    @property
    def path(self) -> Path:
        """Where the raster will stand."""
        return self._target.path

    @property
    def takes_palette(self) -> bool:
        """Whether the raster can have colors: other types than uint8 lose them in silence."""
        return self.dtype == np.uint8 and self.count == 1

    def set_colormap(self, colormap: Mapping[int, Color]) -> None:
        """Set the colors of the values; possible until :meth:`seal`.

        Raises
        ------
        ValueError
            The raster cannot have colors.
        """
        if colormap and not self.takes_palette:
            raise ValueError(f"{self.count} band(s) of {self.dtype} cannot have a palette.")
        self._colormap = dict(colormap)

    def set_descriptions(self, descriptions: Sequence[str]) -> None:
        """Set the names of the bands; possible until :meth:`seal`."""
        if descriptions and len(descriptions) != self.count:
            raise ValueError(f"{len(descriptions)} descriptions for {self.count} bands.")
        self._descriptions = tuple(descriptions)

    def set_tags(self, tags: Mapping[str, str]) -> None:
        """Add tags in the default domain, the only one that survives a copy."""
        self._tags.update(tags)

    def write(self, window: Window, data: NDArray[Any]) -> None:
        """Write the pixels of ``window``.

        Parameters
        ----------
        window : Window
            Any part of the raster that was not written before.
        data : array (height, width) or (count, height, width)
            Of the raster's own type.

        Raises
        ------
        TypeError, ValueError
            GDAL would cast, resample or unmask ``data``, or ``window`` lies outside.
        DiskFullError, OutputError
        """
        if type(data) is not np.ndarray and isinstance(data, np.ma.MaskedArray):
            raise TypeError("masked arrays lose their mask in a file; fill them first.")
        if data.dtype != self.dtype:
            raise TypeError(f"the raster is {self.dtype}, the pixels are {data.dtype}.")
        cube = data[None] if data.ndim == 2 else data
        if cube.shape != (self.count, window.height, window.width):
            raise ValueError(f"{window} of {self.count} band(s) got an array {data.shape}.")
        if min(window) < 0 or window.row_end > self.height or window.col_end > self.width:
            raise ValueError(f"{window} is not inside {self.height} x {self.width} pixels.")
        with self._turn, self._failures(self._part):
            for place_of_block, block in self._buffer.add(window, cube):
                self._crc.append(zlib.crc32(block.data))
                # One whole block at a time: GDAL then compresses each once and in this order.
                self._dataset.write(block, window=raster_window(place_of_block))

    def seal(self) -> None:
        """Close the file and read everything back, but do not show it yet.

        With several rasters in one run: seal all, then finish all, so that a disk that fills up
        leaves none of them.

        Raises
        ------
        IncompleteOutputError
            Pixels are missing, or what is read back is not what was written.
        DiskFullError, OutputError
        """
        with self._turn:
            if self._finished is None:
                self._finished = self._closed_and_verified()

    def finish(self, sidecars: Mapping[str, bytes] | None = None) -> Path:
        """Seal the raster, and put it and its sidecars in place.

        Parameters
        ----------
        sidecars : mapping of suffix to content
            ``.aux.xml`` is appended to the full name; ``.qml`` and the like replace ``.tif``.

        Returns
        -------
        Path
            Where the raster stands.

        Raises
        ------
        IncompleteOutputError, DiskFullError, OutputError
            As :meth:`seal`; nothing is left then, and what stood there before is untouched.
        """
        try:
            self.seal()
            assert self._finished is not None  # noqa: S101 - sealed
            with self._failures(self._finished):
                self._target.fill(self._finished, sidecars or {})
        finally:
            self.abandon()
        return self.path

    def abandon(self) -> None:
        """Remove what was written so far and release the place; nothing after :meth:`finish`."""
        try:
            if self._dataset is not None:
                # The file is thrown away; its failure is already on its way up.
                with contextlib.suppress(*_FAILURES):
                    self._dataset.close()
                self._dataset = None
        finally:
            self._target.release()

    def __enter__(self) -> RasterSink:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.abandon()

    def _create(self) -> None:
        with rasterio.Env(GDAL_NUM_THREADS="1"), without_placing_warnings():
            self._dataset = rasterio.open(
                self._part,
                "w",
                driver="GTiff",
                height=self.height,
                width=self.width,
                count=self.count,
                dtype=self.dtype.name,
                nodata=self.nodata,
                sharing=False,
                **placing_options(self._georef),
                **self._profile,
            )
            place(self._dataset, self._georef)

    def _closed_and_verified(self) -> Path:
        if not self._buffer.finished:
            raise IncompleteOutputError(
                f"{self.path.name} was not written: {self._buffer.missing} of "
                f"{self.height * self.width} pixels are missing."
            )
        with self._failures(self._part):
            dataset, self._dataset = self._dataset, None
            dataset.close()
            self._describe()
            sync(self._part)
        self._verify(self._part)
        if self._format == "GTiff":
            return self._part
        cog = self._target.part(".cog.tif")
        with self._failures(cog):
            convert(self._part, cog, cog_options(self.dtype, self._options))
            sync(cog)
        self._verify(cog)
        return cog

    def _describe(self) -> None:
        # Reopened, because libtiff does not turn a file into a palette while it writes pixels.
        with without_placing_warnings():
            dataset = rasterio.open(self._part, "r+", driver="GTiff", sharing=False)
        with dataset:
            if self._colormap:
                dataset.write_colormap(1, self._colormap)
            for i, description in enumerate(self._descriptions, start=1):
                dataset.set_band_description(i, description)
            if self._tags:
                dataset.update_tags(**self._tags)

    def _verify(self, part: Path) -> None:
        expected = Expected(
            self._grid,
            self._crc,
            self.count,
            self.dtype,
            self.nodata,
            self._georef,
            self._options.get("COMPRESS", "DEFLATE"),
            self._colormap,
            self._descriptions,
            self._tags,
        )
        # What TIFF cannot hold GDAL puts beside the file; it would not move along.
        part.with_name(part.name + ".aux.xml").unlink(missing_ok=True)
        try:
            fault = expected.fault(part)
        except _FAILURES as error:
            fault = f"content ({error})"
        if fault:
            if lacks_room(None, part):
                raise disk_full(self.path)
            raise IncompleteOutputError(
                f"{self.path} was not written: its {fault} read back differently from what was "
                "sent; try again, on another disk if it persists.",
                path=str(self.path),
                fault=fault,
            )

    def _failures(self, part: Path) -> AbstractContextManager[None]:
        return write_failures(self.path, part, _FAILURES)

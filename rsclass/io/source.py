"""A scene as something to be read window by window, by any number of threads."""

from __future__ import annotations

import copy
import math
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from rsclass.core.bands import parse_bands
from rsclass.core.grid import Georeference
from rsclass.core.types import Band, Block, Float, Mask, Sample, Window
from rsclass.errors import ChangedInputError, DataError, UsageError
from rsclass.io.digests import sha256_of
from rsclass.io.grids import centers_inside, cropped, pixel_areas, window_of_bounds
from rsclass.io.handles import Handles
from rsclass.io.masks import UserMask, open_mask
from rsclass.io.names import local_archive
from rsclass.io.products import Part, Scene, find_scene
from rsclass.io.reading import ON_BAD_TILE, Reading
from rsclass.io.sheets import BadBlock
from rsclass.io.stack import stacked
from rsclass.io.validity import suspected_nodata

RESAMPLING_RULE = (
    "bands are laid on the grid of the finest band, or of the resolution asked for: where a pixel "
    "is made of a whole number of a band's pixels, their mean; else the band's pixel that holds "
    "the pixel's center (nearest)"
)

__all__ = ["BadBlock", "RasterSource", "Reading", "open_source", "source_from_recipe"]

Stamp = dict[str, tuple[int, int, int]]


class RasterSource:
    """A scene described; it opens late, once for each thread, and travels without its handles.

    Made by :func:`open_source`.

    Attributes
    ----------
    name : str
        Short, for messages and for names of outputs.
    path : str
        As the user gave it; the first of a list.
    height, width : int
        Pixels, after cropping.
    bands : tuple of Band
        Those chosen, in the order asked for; gain 1 and offset 0 where not scaled.
    band_numbers : tuple of int
        1-based, among all bands that the scene offers.
    dtype : dtype
        Of the values of blocks.
    georef : Georeference
    storage_block : tuple of int
        (height, width) in which the finest file is stored, in pixels of the scene.
    striped : bool
        Blocks are as wide as the file.
    files : tuple of str
        Local files that the pixels depend on.
    warnings : list of str
    bad_windows : list of BadBlock
        Blocks met so far that could not be decoded and were taken as invalid.
    """

    def __init__(self, scene: Scene, reading: Reading) -> None:
        if reading.on_bad_tile not in ON_BAD_TILE:
            raise UsageError(
                f"--on-bad-tile is {reading.on_bad_tile!r}; choose one of {', '.join(ON_BAD_TILE)}."
            )
        self.name = scene.name
        self.path = scene.paths[0]
        self.reading = reading
        self._scene = scene
        chosen = parse_bands(reading.bands, [part.layer.band for part in scene.parts])
        self.band_numbers = tuple(index + 1 for index in chosen)
        parts = [scene.parts[index] for index in chosen]
        self._check_palette(parts)
        self.bands = tuple(self._band(part) for part in parts)
        self._declared = tuple(part.layer.nodata for part in parts)
        self._handles = Handles()
        self._lock = threading.Lock()
        self._bad: set[BadBlock] = set()
        self._stack = stacked(
            [(part.file, part.layer) for part in parts], reading.resolution, reading.src_nodata
        )
        whole = Window(0, 0, self._stack.grid.height, self._stack.grid.width)
        if whole.pixels > reading.max_pixels:
            raise DataError(
                f"{self.name} has {whole.height} x {whole.width} pixels, more than --max-pixels "
                f"{reading.max_pixels}; raise it if that is right."
            )
        self._crop = (
            window_of_bounds(self._stack.grid, reading.bounds, self.name)
            if reading.bounds
            else whole
        )
        self.height, self.width = self._crop.height, self._crop.width
        self.georef: Georeference = cropped(self._stack.georef, self._crop)
        self.dtype = self._stack.dtype
        self.storage_block = (
            min(self._stack.block[0], self.height),
            min(self._stack.block[1], self.width),
        )
        self._mask: UserMask | None = None
        if reading.mask is not None:
            self._mask = open_mask(
                reading.mask,
                self._stack.grid,
                self.georef.crs,
                self._handles,
                reading.max_pixels,
            )
        self.files = self._local_files(parts)
        self._stamp = self.stamp()
        doubts_of_mask = self._mask.warnings if self._mask else ()
        self.warnings = [*scene.warnings, *doubts_of_mask, *self._doubts()]

    def _check_palette(self, parts: list[Part]) -> None:
        if self.reading.palette_as_values:
            return
        for part in parts:
            if part.layer.palette:
                raise DataError(
                    f"{part.file.name} holds indices of a color table, not measurements; pass "
                    "--palette-as-values to take them as numbers, or expand it to RGB."
                )

    def _band(self, part: Part) -> Band:
        band = part.layer.band
        return band if self.reading.scaled else replace(band, gain=1.0, offset=0.0)

    def _local_files(self, parts: list[Part]) -> tuple[str, ...]:
        files: dict[str, None] = {}
        for part in parts:
            files |= dict.fromkeys(part.file.files)
            archive = local_archive(part.file.name)
            files |= {archive: None} if archive else {}
        files |= dict.fromkeys(self._scene.files)
        files |= dict.fromkeys(self._mask.files if self._mask else ())
        return tuple(files)

    def _doubts(self) -> list[str]:
        georef = self.georef
        if georef.transform is None and (georef.gcps or georef.rpcs):
            kind = "ground control points" if georef.gcps else "rational polynomials (RPC)"
            return [
                f"{self.name} is georeferenced by {kind} only; they are copied to the output, "
                "and areas are counted in pixels."
            ]
        return []

    @property
    def striped(self) -> bool:
        """Whether storage blocks are as wide as the scene and lower than it."""
        return self.storage_block[1] == self.width and self.storage_block[0] < self.height

    @property
    def bad_windows(self) -> list[BadBlock]:
        """Blocks met so far that could not be decoded and were taken as invalid."""
        with self._lock:
            return sorted(self._bad, key=lambda bad: (bad.file, bad.window))

    def read(self, window: Window) -> Block:
        """The pixels of a window; safe to call from any number of threads.

        Parameters
        ----------
        window : Window
            Inside the (cropped) scene.

        Raises
        ------
        UnreadableRasterError
            A stored block cannot be decoded, and ``on_bad_tile`` is not ``"nodata"``.
        """
        if (
            min(window.row, window.col) < 0
            or min(window.height, window.width) < 1
            or window.row_end > self.height
            or window.col_end > self.width
        ):
            raise ValueError(f"{window} does not lie inside {self.height} x {self.width} pixels")
        place = Window(
            window.row + self._crop.row, window.col + self._crop.col, window.height, window.width
        )
        counted = self._counted(place)
        if counted is not None and not counted.any():
            shape = (len(self.bands), window.height, window.width)
            values, valid = np.zeros(shape, dtype=self.dtype), counted
        else:
            bad: set[BadBlock] | None = set() if self.reading.on_bad_tile == "nodata" else None
            values, valid = self._stack.read(place, self._handles, bad)
            if bad:
                with self._lock:
                    self._bad |= bad
            if counted is not None:
                valid &= counted
        gain = np.array([band.gain for band in self.bands])
        offset = np.array([band.offset for band in self.bands])
        return Block(window, values, valid, gain, offset)

    def _counted(self, place: Window) -> Mask | None:
        """Where the user's bounds and mask let pixels count; None: everywhere."""
        bounds = self.reading.bounds
        inside = centers_inside(self._stack.grid, place, bounds) if bounds else None
        if self._mask is None:
            return inside
        masked = self._mask.inside(place)
        return masked if inside is None else masked & inside

    def pixel_areas(self) -> Float | None:
        """Area in square meters of a pixel of every row; None where the ground is not known."""
        return pixel_areas(self.georef, np.arange(self.height), self.width)

    def suspect_nodata(self, sample: Sample) -> list[str]:
        """Sentences on values of a sample that look like undeclared nodata."""
        if self.reading.src_nodata is not None:
            return []
        gain = np.array([band.gain for band in self.bands])
        offset = np.array([band.offset for band in self.bands])
        stored = (sample.values - offset) / gain
        if self.dtype.kind in "iu":
            stored = np.rint(stored)
        names = [band.name for band in self.bands]
        return suspected_nodata(stored, self._declared, names, self.name)

    def with_bands(self, numbers: tuple[int, ...]) -> RasterSource:
        """The same scene with other bands, given by their 1-based numbers."""
        return RasterSource(self._scene, replace(self.reading, bands=numbers))

    def with_scale(self, bands: tuple[Band, ...]) -> RasterSource:
        """The same scene with other gains and offsets of its bands; it shares the open files."""
        other = copy.copy(self)
        other.bands = bands
        return other

    def nothing_valid(self) -> str:
        """The sentence that says why no pixel is left."""
        declared = sorted({f"{value:g}" for value in self._declared if value is not None})
        if self.reading.src_nodata is not None:
            declared = [f"{self.reading.src_nodata:g}"]
        bands = ",".join(map(str, self.band_numbers))
        names = f"band {bands}" if len(self.bands) == 1 else f"bands {bands}"
        told = f"{self.name} has no valid pixel in {names}."
        if declared:
            told += f" Its nodata value is {' and '.join(declared)}; set --src-nodata if that is"
            told += " wrong."
        if self.reading.mask or self.reading.bounds:
            told += " Check --mask and --bounds."
        return told

    def stamp(self) -> Stamp:
        """Size, time of change (ns) and inode of every local file."""
        stamps = {}
        for file in self.files:
            try:
                stat = os.stat(file)
            except FileNotFoundError:
                raise ChangedInputError(
                    f"{file} was removed while it was in use; run again on files at rest.",
                    path=file,
                ) from None
            stamps[file] = (stat.st_size, stat.st_mtime_ns, stat.st_ino)
        return stamps

    def check_unchanged(self) -> None:
        """Make sure that no file was rewritten since the source was opened.

        Raises
        ------
        ChangedInputError
        """
        now = self.stamp()
        changed = [file for file, stamp in self._stamp.items() if now[file] != stamp]
        if changed:
            raise ChangedInputError(
                f"{', '.join(changed)} changed while being read, so the result would mix old and "
                "new pixels; run again on files at rest.",
                paths=changed,
            )

    def sha256(self) -> dict[str, str]:
        """SHA-256 of every local file."""
        return sha256_of(self.files)

    def recipe(self) -> dict[str, Any]:
        """What is needed to open the same source again, for JSON; see `source_from_recipe`."""
        reading = asdict(self.reading) | {"bands": list(self.band_numbers)}
        if self.reading.bounds:
            reading["bounds"] = [float(side) for side in self.reading.bounds]
        if self.reading.mask is not None:
            reading["mask"] = _lasting(self.reading.mask)
        if self.reading.src_nodata is not None:
            nodata = float(self.reading.src_nodata)
            reading["src_nodata"] = "nan" if math.isnan(nodata) else nodata  # JSON has no NaN
        return {
            "scene": [_lasting(path) for path in self._scene.paths],
            "product": self._scene.product,
            "reading": reading,
            "bands": [
                {"number": number, **asdict(band)}
                for number, band in zip(self.band_numbers, self.bands, strict=True)
            ],
            "height": self.height,
            "width": self.width,
            "resampling": {
                Path(sheet.file.name).name: sheet.placement.rule for sheet in self._stack.sheets
            },
            "resampling_rule": RESAMPLING_RULE,
            "files": list(self.files),
        }

    def close(self) -> None:
        """Close every handle; no thread may be reading."""
        self._handles.close()

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        del state["_lock"]
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        names = ", ".join(band.name for band in self.bands[:6])
        more = ", ..." if len(self.bands) > 6 else ""
        return f"<RasterSource {self.name}: {self.height} x {self.width}, {names}{more}>"


def open_source(scene: Any, reading: Reading | None = None) -> RasterSource:
    """Describe a scene so that it can be read by window; no pixel is read yet.

    Parameters
    ----------
    scene : path, str, open rasterio dataset, or sequence of these
        Any raster GDAL opens; a ``/vsi`` path; a URL (https, s3, gs, az); an archive (``x.zip``,
        ``zip://x.zip!inner.tif``); a Sentinel-2 SAFE folder; a Landsat folder or its
        ``_MTL.txt``/``_MTL.json``; a folder of band files; a list of band files.
    reading : Reading, optional

    Returns
    -------
    RasterSource

    Raises
    ------
    UsageError
        Bands, bounds or a resolution were asked for that do not exist.
    UnreadableRasterError
        A file is missing or no raster.
    DataError
        The files do not fit together, or hold what cannot be classified.
    """
    reading = reading or Reading()
    return RasterSource(find_scene(scene, reading.max_pixels), reading)


def source_from_recipe(recipe: Mapping[str, Any], scene: Any = None) -> RasterSource:
    """Open again the source that wrote ``recipe``.

    Parameters
    ----------
    recipe : dict
        Of :meth:`RasterSource.recipe`.
    scene : as for :func:`open_source`, optional
        Where the scene lies now, if it was moved.
    """
    options = dict(recipe["reading"])
    options["bands"] = tuple(options["bands"])
    if options["src_nodata"] is not None:
        options["src_nodata"] = float(options["src_nodata"])
    if options["bounds"] is not None:
        options["bounds"] = tuple(options["bounds"])
    return open_source(recipe["scene"] if scene is None else scene, Reading(**options))


def _lasting(path: str) -> str:
    return os.path.abspath(path) if Path(path).exists() else path

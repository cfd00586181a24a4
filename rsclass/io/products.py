"""What a user calls a scene, as a list of bands of files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rsclass.core.bands import distinct_names, with_roles
from rsclass.errors import UnreadableRasterError, UsageError
from rsclass.io.names import gdal_name, given_name, short_name
from rsclass.io.rasters import Layer, RasterFile, describe

_RASTER_SUFFIXES = frozenset(
    [".tif", ".tiff", ".jp2", ".img", ".vrt", ".png", ".jpg", ".jpeg", ".bil", ".bip", ".bsq"]
    + [".dat", ".lan", ".gis", ".nc", ".hdf", ".h5", ".asc", ".ntf"]
)


@dataclass(frozen=True, slots=True)
class Part:
    """A band of a scene: a layer of a file."""

    file: RasterFile
    layer: Layer


@dataclass(frozen=True, slots=True)
class Scene:
    """Every band that a scene offers, before any is chosen.

    Parameters
    ----------
    name : str
        Short, for messages and names of outputs.
    paths : tuple of str
        As the user gave them.
    parts : tuple of Part
    product : str
        What kind of scene it was found to be.
    files : tuple of str
        Local metadata files that the bands' meaning was read from.
    warnings : tuple of str
    """

    name: str
    paths: tuple[str, ...]
    parts: tuple[Part, ...]
    product: str = "raster"
    files: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def find_scene(scene: Any, max_pixels: int) -> Scene:
    """The bands of a path, URL, open dataset, product folder, archive or list of band files.

    Raises
    ------
    UsageError
        It is none of these.
    UnreadableRasterError
        A file cannot be opened.
    """
    if isinstance(scene, list | tuple):
        if not scene:
            raise UsageError("the list of band files is empty; name at least one.")
        names = [given_name(item) for item in scene]
        if len(names) > 1:
            return _of_files(names, names, max_pixels)
        scene = names[0]
    name = given_name(scene)
    path = gdal_name(name)
    if Path(path).is_dir():
        return _of_folder(name, path, max_pixels)
    file = describe(path, max_pixels)
    return _named(short_name(name), (name,), [Part(file, layer) for layer in file.layers], (name,))


def _of_folder(name: str, path: str, max_pixels: int) -> Scene:
    names = sorted(
        (entry.path for entry in os.scandir(path) if entry.is_file() and _is_raster(entry.name)),
        key=natural_key,
    )
    if not names:
        raise UnreadableRasterError(
            f"{name} is a folder without rasters; give a file or a product folder.", path=name
        )
    return _of_files([name], names, max_pixels)


def _is_raster(name: str) -> bool:
    return Path(name).suffix.lower() in _RASTER_SUFFIXES


def _of_files(given: Sequence[str], names: Sequence[str], max_pixels: int) -> Scene:
    files = [describe(gdal_name(name), max_pixels) for name in names]
    parts = []
    for file, token in zip(files, band_tokens(names), strict=True):
        for layer in file.layers:
            own = layer.band.name
            if len(file.layers) == 1:
                own = token
            elif own.startswith("band "):
                own = f"{token} {own}"
            band = replace(layer.band, name=own, role=None if own == token else layer.band.role)
            parts.append(Part(file, replace(layer, band=band)))
    return _named(short_name(given[0]), tuple(given), parts, names, product="band files")


def band_tokens(names: Sequence[str]) -> list[str]:
    """What tells each file from the others: ``B02`` of ``T32UPU_20240101_B02_10m.tif``."""
    stems = [short_name(name) for name in names]
    words = [re.split(r"[_\-. ]+", stem) for stem in stems]
    shortest = min(len(w) for w in words)
    for place in range(1, shortest + 1):
        tokens = [w[-place] for w in words]
        if len({token.lower() for token in tokens}) == len(tokens) > 1:
            return tokens
    return stems


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sorts ``B2`` before ``B10``, and ``B8A`` right after ``B8``."""
    pieces = re.findall(r"\d+|\D+", name.lower())
    return [(int(p), "") if p.isdecimal() else (-1, p) for p in pieces]


def _named(
    name: str,
    paths: tuple[str, ...],
    parts: Sequence[Part],
    hints: Iterable[str],
    product: str = "raster",
) -> Scene:
    meta = [hint for part in {p.file.name: p for p in parts}.values() for hint in part.file.hints]
    bands = with_roles([part.layer.band for part in parts], [*hints, *meta])
    bands, warnings = distinct_names(bands)
    named = tuple(
        Part(part.file, replace(part.layer, band=band))
        for part, band in zip(parts, bands, strict=True)
    )
    return Scene(name, paths, named, product, (), tuple(f"{name}: {text}" for text in warnings))

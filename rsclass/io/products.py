"""What a user calls a scene, as a list of bands of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rsclass.core.bands import distinct_names, with_roles
from rsclass.errors import UnreadableRasterError, UsageError
from rsclass.io.landsat import landsat_product
from rsclass.io.names import gdal_name, given_name, short_name
from rsclass.io.rasters import Layer, RasterFile, describe
from rsclass.io.sentinel2 import sentinel2_product
from rsclass.io.shelves import Entry, Product, Shelf, is_raster_name, shelf_of

_METADATA_FILE = re.compile(r"MTD_MSIL(1C|2A)\.xml|.*_MTL\.(txt|json)", re.I)


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
            return _of_files(names, [gdal_name(name) for name in names], max_pixels)
        scene = names[0]
    name = given_name(scene)
    path = gdal_name(name)
    if _METADATA_FILE.fullmatch(Path(path).name) and Path(path).is_file():
        path = str(Path(path).parent)
    shelf = shelf_of(path)
    if shelf is not None:
        return _of_shelf(name, shelf, max_pixels)
    return _of_files([name], [path], max_pixels)


def _of_shelf(name: str, shelf: Shelf, max_pixels: int) -> Scene:
    product = _product(shelf)
    if product is not None:
        parts = [_part(entry, max_pixels) for entry in product.entries]
        named = _named(product.name, (name,), parts, product.hints, product.kind)
        return replace(named, files=product.files, warnings=product.warnings + named.warnings)
    paths = _band_files(shelf)
    if not paths:
        raise UnreadableRasterError(
            f"{name} holds no rasters; give a file, a product folder or a folder of band files.",
            path=name,
        )
    return _of_files([name], paths, max_pixels)


def _product(shelf: Shelf) -> Product | None:
    return sentinel2_product(_safe(shelf)) or landsat_product(_single_folder(shelf))


def _safe(shelf: Shelf) -> Shelf:
    """The one SAFE folder that an archive or a download folder wraps."""
    tops = {name.split("/", 1)[0] for name in shelf.names() if "/" in name}
    wrapped = [top for top in tops if top.upper().endswith(".SAFE")]
    return shelf.folder(wrapped[0]) if len(wrapped) == 1 else shelf


def _single_folder(shelf: Shelf) -> Shelf:
    """The folder in which an archive keeps everything."""
    tops = {name.split("/", 1)[0] if "/" in name else "" for name in shelf.names()}
    return shelf.folder(tops.pop()) if shelf.zipped and len(tops) == 1 and "" not in tops else shelf


def _band_files(shelf: Shelf) -> list[str]:
    """Rasters directly in the folder; of an archive those nearest to its root."""
    rasters = [name for name in shelf.names() if is_raster_name(name)]
    if not shelf.zipped:
        rasters = [name for name in rasters if "/" not in name]
    depth = min((name.count("/") for name in rasters), default=0)
    nearest = [name for name in rasters if name.count("/") == depth]
    return [shelf.path(name) for name in sorted(nearest, key=natural_key)]


def _of_files(given: Sequence[str], paths: Sequence[str], max_pixels: int) -> Scene:
    tokens = band_tokens(paths) if len(paths) > 1 else [None]
    parts: list[Part] = []
    hints: list[str] = []
    metadata: dict[str, None] = {}
    known: dict[str, Product | None] = {}
    for path, token in zip(paths, tokens, strict=True):
        product = _product_around(path, known)
        entry = next((e for e in product.entries if e.path == path), None) if product else None
        if product and entry:
            parts.append(_part(entry, max_pixels))
            metadata |= dict.fromkeys(product.files)
            hints += product.hints
        else:
            parts += _parts_of_file(path, token, max_pixels)
    hints += [Path(path).name for path in paths] + list(given)
    kind = "raster" if len(paths) == 1 else "band files"
    scene = _named(short_name(given[0]), tuple(given), parts, hints, kind)
    return replace(scene, files=tuple(metadata))


def _product_around(path: str, known: dict[str, Product | None]) -> Product | None:
    """The product that a local band file belongs to, which knows its scale and offset."""
    if not Path(path).is_file() or not re.search(r"_B\d", path):
        return None
    safe = next((p for p in Path(path).parents if p.suffix.upper() == ".SAFE"), None)
    folder = str(safe or Path(path).parent)
    if folder not in known:
        listed = any(Path(folder).glob("*_MTL.*"))
        known[folder] = _product(Shelf(folder)) if safe or listed else None
    return known[folder]


def _part(entry: Entry, max_pixels: int) -> Part:
    file = describe(entry.path, max_pixels)
    layer = file.layers[0]
    nodata = entry.nodata if layer.nodata is None else layer.nodata
    return Part(file, replace(layer, band=entry.band, nodata=nodata))


def _parts_of_file(path: str, token: str | None, max_pixels: int) -> list[Part]:
    file = describe(path, max_pixels)
    if token is None:
        return [Part(file, layer) for layer in file.layers]
    parts = []
    for layer in file.layers:
        band = layer.band
        if len(file.layers) == 1:
            band = replace(band, name=token, role=None)
        elif band.name == f"band {layer.number}":
            band = replace(band, name=f"{token} {band.name}")
        parts.append(Part(file, replace(layer, band=band)))
    return parts


def band_tokens(names: Sequence[str]) -> list[str]:
    """What tells each file from the others: ``B02`` of ``T32UPU_20240101_B02_10m.tif``."""
    stems = [short_name(name) for name in names]
    words = [re.split(r"[_\-. ]+", stem) for stem in stems]
    for place in range(1, min(map(len, words)) + 1):
        tokens = [word[-place] for word in words]
        if len({token.lower() for token in tokens}) == len(tokens):
            return tokens
    return stems


def natural_key(name: str) -> list[tuple[int, str]]:
    """Sorts ``B2`` before ``B10``, and ``B8A`` right after ``B8``."""
    pieces = re.findall(r"\d+|\D+", name.lower())
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces]


def _named(
    name: str,
    paths: tuple[str, ...],
    parts: Sequence[Part],
    hints: Iterable[str],
    product: str,
) -> Scene:
    meta = [hint for part in {p.file.name: p for p in parts}.values() for hint in part.file.hints]
    bands = with_roles([part.layer.band for part in parts], [*meta, *hints])
    bands, warnings = distinct_names(bands)
    named = tuple(
        Part(part.file, replace(part.layer, band=band))
        for part, band in zip(parts, bands, strict=True)
    )
    masking = {
        f"band {number} of {part.file.name} is tagged alpha, so it masks and is not classified; "
        "tag it otherwise if it is data (gdal_edit -colorinterp)."
        for part in parts
        for number in part.file.alpha
    }
    notes = [f"{name}: {text}" for text in warnings] + sorted(masking)
    return Scene(name, paths, named, product, (), tuple(notes))

"""Single raster files: what they hold, and one handle on them for each thread."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasterio.enums import ColorInterp, Interleaving, MaskFlags
from rasterio.errors import RasterioError

from rsclass.core.bands import wavelength_in_nm
from rsclass.core.grid import Georeference, GroundControlPoint
from rsclass.core.types import Band
from rsclass.errors import DataError, UnreadableRasterError
from rsclass.io.handles import open_dataset, reading_env, sentence

MAX_BANDS = 4096
MAX_BLOCK_BYTES = 512 * 2**20

_COLOR_ROLES = {ColorInterp.red: "red", ColorInterp.green: "green", ColorInterp.blue: "blue"}
_ALPHA_NAME = re.compile(r"alpha|mask|opacity|transparen", re.I)
_ITEM_BYTES = {"complex_int16": 4, "complex64": 8, "complex128": 16}


@dataclass(frozen=True, slots=True)
class Layer:
    """One band of one file.

    Parameters
    ----------
    number : int
        1-based, in the file.
    band : Band
    dtype : str
    nodata : float or None
    has_mask : bool
        GDAL keeps validity of this band in a mask that is neither nodata nor alpha.
    palette : bool
        Its values are indices into a color table.
    """

    number: int
    band: Band
    dtype: str
    nodata: float | None = None
    has_mask: bool = False
    palette: bool = False


@dataclass(frozen=True, slots=True)
class RasterFile:
    """What is known of a raster without reading a pixel.

    Parameters
    ----------
    name : str
        As GDAL opens it.
    height, width : int
    georef : Georeference
    layers : tuple of Layer
        Without alpha bands.
    alpha : tuple of int
        1-based numbers of alpha bands.
    block : tuple of int
        (height, width) of the blocks in which the file is stored.
    files : tuple of str
        Local files that it consists of.
    hints : tuple of str
        Metadata values that may name the sensor.
    shared_mask : bool
        All bands share one mask.
    """

    name: str
    height: int
    width: int
    georef: Georeference
    layers: tuple[Layer, ...]
    alpha: tuple[int, ...]
    block: tuple[int, int]
    files: tuple[str, ...]
    hints: tuple[str, ...] = ()
    shared_mask: bool = False


def describe(name: str, max_pixels: int) -> RasterFile:
    """What the raster ``name`` holds; no pixel is read.

    Raises
    ------
    UnreadableRasterError
        It cannot be opened or has no bands of its own.
    DataError
        It has more pixels or bands, or larger blocks, than may be read.
    """
    dataset = open_dataset(name)
    try:
        with reading_env():
            _check_size(name, dataset, max_pixels)
            return _described(name, dataset)
    except RasterioError as error:
        raise UnreadableRasterError(
            f"the metadata of {name} cannot be read: {sentence(error)}", path=name
        ) from error
    finally:
        dataset.close()


def _check_size(name: str, dataset: Any, max_pixels: int) -> None:
    if dataset.count == 0:
        inner = ", ".join(dataset.subdatasets[:10])
        remedy = f"choose one of its subdatasets: {inner}." if inner else "choose another file."
        raise UnreadableRasterError(f"{name} holds no bands itself; {remedy}", path=name)
    if dataset.width * dataset.height > max_pixels:
        raise DataError(
            f"{name} claims {dataset.height} x {dataset.width} pixels, more than --max-pixels "
            f"{max_pixels}; raise it if the file is right."
        )
    if dataset.count > MAX_BANDS:
        raise DataError(f"{name} has {dataset.count} bands; at most {MAX_BANDS} can be read.")
    rows, cols = dataset.block_shapes[0]
    item = max(_item_bytes(dtype) for dtype in dataset.dtypes)
    together = dataset.count if dataset.interleaving == Interleaving.pixel else 1
    if rows * cols * item * together > MAX_BLOCK_BYTES:
        raise DataError(
            f"{name} is stored in blocks of {rows} x {cols} pixels "
            f"({rows * cols * item * together / 2**20:.0f} MiB each), too large to be read in "
            "pieces; convert it first: gdal_translate -co TILED=YES."
        )


def _item_bytes(dtype: str) -> int:
    digits = re.search(r"\d+$", dtype)
    return _ITEM_BYTES.get(dtype, int(digits.group()) // 8 if digits else 8)


def _described(name: str, dataset: Any) -> RasterFile:
    # Each of these properties visits every band, so none may be asked for once a band.
    interps, flags = dataset.colorinterp, dataset.mask_flag_enums
    descriptions = [(text or "").strip() for text in dataset.descriptions]
    dtypes, nodatavals = dataset.dtypes, dataset.nodatavals
    scales, offsets = dataset.scales, dataset.offsets
    alpha = tuple(
        i + 1
        for i, interp in enumerate(interps)
        # GDAL tags the fourth of four byte bands alpha unasked; a name says what it really is.
        if interp == ColorInterp.alpha and _ALPHA_NAME.search(descriptions[i] or "alpha")
    )
    layers = tuple(
        Layer(
            number=i + 1,
            band=_band(dataset, i, descriptions[i], interps[i], scales[i], offsets[i]),
            dtype=dtypes[i],
            nodata=nodatavals[i],
            has_mask=MaskFlags.alpha not in flags[i]
            and (MaskFlags.per_dataset in flags[i] or not flags[i]),
            palette=interps[i] == ColorInterp.palette,
        )
        for i in range(dataset.count)
        if i + 1 not in alpha
    )
    if not layers:
        raise UnreadableRasterError(f"{name} holds alpha bands only.", path=name)
    tags = dataset.tags()
    return RasterFile(
        name=name,
        height=dataset.height,
        width=dataset.width,
        georef=_georeference(dataset, tags),
        layers=layers,
        alpha=alpha,
        block=tuple(dataset.block_shapes[layers[0].number - 1]),
        files=tuple(os.path.abspath(f) for f in dataset.files if Path(f).is_file()),
        hints=tuple(str(value)[:500] for value in tags.values()),
        shared_mask=all(MaskFlags.per_dataset in flags[layer.number - 1] for layer in layers),
    )


def _band(
    dataset: Any, i: int, description: str, interp: ColorInterp, gain: float, offset: float
) -> Band:
    color = _COLOR_ROLES.get(interp)
    gain, offset = float(gain), float(offset)
    usable = gain != 0 and abs(gain) < float("inf") and abs(offset) < float("inf")
    return Band(
        name=description or f"band {i + 1}",
        role=color if not description else None,
        wavelength=_wavelength(dataset, i + 1, description),
        gain=gain if usable else 1.0,
        offset=offset if usable else 0.0,
    )


def _wavelength(dataset: Any, number: int, description: str) -> float | None:
    tags = {key.upper(): value for key, value in dataset.tags(number, ns="IMAGERY").items()}
    tags |= {key.upper(): value for key, value in dataset.tags(number).items()}
    unit = tags.get("WAVELENGTH_UNITS", tags.get("WAVELENGTH_UNIT", ""))
    for key, unit_of_key in (
        ("WAVELENGTH", unit),
        ("CENTRAL_WAVELENGTH", unit),
        ("CENTER_WAVELENGTH", unit),
        ("CENTRAL_WAVELENGTH_UM", "um"),
        ("CENTRAL_WAVELENGTH_NM", "nm"),
    ):
        found = re.match(r"\s*([\d.]+(?:e[+-]?\d+)?)\s*([a-zµμ]*)", tags.get(key, ""), re.I)
        if found:
            return wavelength_in_nm(float(found.group(1)), unit_of_key or found.group(2))
    said = re.search(r"([\d.]*\d)\s*(nm|nanomet|um\b|µm|micromet)", description, re.I)
    return wavelength_in_nm(float(said.group(1)), said.group(2)) if said else None


def _georeference(dataset: Any, tags: dict[str, str]) -> Georeference:
    points, points_crs = dataset.gcps
    rpcs = tuple(sorted(dataset.tags(ns="RPC").items()))
    crs = dataset.crs.to_wkt() if dataset.crs else None
    placed = crs is not None or not dataset.transform.is_identity
    return Georeference(
        transform=tuple(dataset.transform)[:6] if placed and not points else None,
        crs=crs,
        gcps=tuple(GroundControlPoint(p.row, p.col, p.x, p.y, p.z or 0.0) for p in points),
        gcp_crs=points_crs.to_wkt() if points and points_crs else None,
        rpcs=rpcs,
        point=tags.get("AREA_OR_POINT", "").lower() == "point",
    )

"""Single raster files: what they hold, and one handle on them for each thread."""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
import weakref
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rasterio
from rasterio.enums import ColorInterp, Interleaving, MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from rsclass.core.bands import wavelength_in_nm
from rsclass.core.grid import Georeference, GroundControlPoint
from rsclass.core.types import Band
from rsclass.errors import DataError, UnreadableRasterError

MAX_BANDS = 4096
MAX_BLOCK_BYTES = 512 * 2**20
HANDLES_PER_THREAD = 32

_CACHE_MB = 64
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_COLOR_ROLES = {ColorInterp.red: "red", ColorInterp.green: "green", ColorInterp.blue: "blue"}
_ALPHA_NAME = re.compile(r"alpha|mask|opacity|transparen", re.I)
_ITEM_BYTES = {"complex_int16": 4, "complex64": 8, "complex128": 16}

logging.getLogger("rasterio._env").setLevel(logging.CRITICAL)


def reading_env(**options: Any) -> rasterio.Env:
    """GDAL's settings for reading; they hold for the thread that enters them."""
    options.setdefault("GDAL_PAM_ENABLED", "YES")  # nodata may be kept in .aux.xml alone
    options.setdefault("GDAL_VRT_ENABLE_PYTHON", "NO")
    options.setdefault("GDAL_HTTP_MAX_RETRY", "3")
    options.setdefault("GDAL_HTTP_RETRY_DELAY", "0.2")
    if "GDAL_CACHEMAX" not in os.environ:
        options.setdefault("GDAL_CACHEMAX", _CACHE_MB)
    return rasterio.Env(**options)


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


def is_remote(name: str) -> bool:
    """Whether a GDAL name is read over the network."""
    return re.search(r"/vsi(curl|s3|gs|az|oss|swift|hdfs|webhdfs)(_streaming)?/", name) is not None


def open_dataset(name: str, *, cached: bool = True) -> Any:
    """Open ``name`` for the calling thread alone.

    Parameters
    ----------
    name : str
        As GDAL knows it.
    cached : bool
        Take what GDAL remembers of a remote file; it also remembers answers that were cut off.

    Raises
    ------
    UnreadableRasterError
        GDAL cannot open it, or it is a virtual raster from where none may come.
    """
    local = Path(name)
    driver = "GTiff" if local.is_file() and _magic(local) in _TIFF_MAGIC else None
    options = {} if cached else {"CPL_VSIL_CURL_NON_CACHED": name[_remote_start(name) :]}
    try:
        with reading_env(**options), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            dataset = rasterio.open(name, driver=driver, sharing=False)
    except Exception as error:  # GDAL raises more than rasterio's own classes
        if cached and is_remote(name):
            return open_dataset(name, cached=False)
        raise UnreadableRasterError(
            f"{name} cannot be opened as a raster: {sentence(error)}", path=name
        ) from error
    if dataset.driver == "VRT":
        _check_virtual(name, local, dataset)
    return dataset


def _remote_start(name: str) -> int:
    found = re.search(r"/vsi(?!zip|tar|gzip)[a-z0-9_]+/", name)
    return found.start() if found else 0


def _magic(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise UnreadableRasterError(
            f"{path} cannot be read: {error.strerror}.", path=str(path)
        ) from error


def _check_virtual(name: str, local: Path, dataset: Any) -> None:
    if not (local.is_file() and local.suffix.lower() == ".vrt"):
        dataset.close()
        raise UnreadableRasterError(
            f"{name} is a virtual raster (VRT), which is read from local .vrt files only.",
            path=name,
        )
    text = local.read_text(encoding="utf-8", errors="replace")
    for raw in re.findall(r"<VRTRasterBand[^>]*VRTRawRasterBand.*?</VRTRasterBand>", text, re.S):
        for source in re.findall(r"<SourceFilename[^>]*>(.*?)</SourceFilename>", raw, re.S):
            target = (local.parent / source.strip()).resolve()
            if not target.is_relative_to(local.parent.resolve()):
                dataset.close()
                raise UnreadableRasterError(
                    f"{name} reads raw bytes of {source.strip()}, which lies outside its folder; "
                    "move the data beside the .vrt file.",
                    path=name,
                )


def sentence(error: BaseException) -> str:
    """What a GDAL error says, as one line."""
    # rasterio wraps what GDAL said in a sentence that only points to it.
    text = " ".join(str(error.__cause__ or error).split()).rstrip(".")
    return f"{text or type(error).__name__}."


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
    interps = dataset.colorinterp
    flags = dataset.mask_flag_enums
    alpha = tuple(
        i + 1
        for i, interp in enumerate(interps)
        # GDAL tags the fourth of four byte bands alpha unasked; a name says what it really is.
        if interp == ColorInterp.alpha and _ALPHA_NAME.search(dataset.descriptions[i] or "alpha")
    )
    layers = tuple(
        Layer(
            number=i + 1,
            band=_band(dataset, i),
            dtype=dataset.dtypes[i],
            nodata=dataset.nodatavals[i],
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


def _band(dataset: Any, i: int) -> Band:
    description = (dataset.descriptions[i] or "").strip()
    color = _COLOR_ROLES.get(dataset.colorinterp[i])
    gain, offset = float(dataset.scales[i]), float(dataset.offsets[i])
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


class Handles:
    """Open datasets, each seen by one thread of one process only; none travels with a pickle."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._all: weakref.WeakSet[Any] = weakref.WeakSet()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Handles], tuple[()]]:
        return Handles, ()

    def get(self, name: str) -> Any:
        """The calling thread's dataset of ``name``."""
        mine = self._mine()
        if name in mine:
            mine.move_to_end(name)
            return mine[name]
        dataset = open_dataset(name)
        self._keep(name, dataset)
        return dataset

    def _keep(self, name: str, dataset: Any) -> None:
        mine = self._mine()
        mine[name] = dataset
        with self._lock:
            self._all.add(dataset)
        if len(mine) > HANDLES_PER_THREAD:
            mine.popitem(last=False)[1].close()

    def drop(self, name: str) -> None:
        """Close the calling thread's dataset of ``name``, so that it is opened anew."""
        dataset = self._mine().pop(name, None)
        if dataset is not None:
            dataset.close()

    def renew(self, name: str) -> None:
        """Open ``name`` anew for the calling thread, past what GDAL remembers of it."""
        self.drop(name)
        self._keep(name, open_dataset(name, cached=False))

    def close(self) -> None:
        """Close every dataset; no thread may be reading."""
        with self._lock:
            for dataset in list(self._all):
                dataset.close()
            self._all.clear()
        self._local = threading.local()

    def _mine(self) -> OrderedDict[str, Any]:
        # A forked child shares its parent's file positions: it must open its own handles.
        if getattr(self._local, "process", None) != os.getpid():
            self._local.process = os.getpid()
            self._local.datasets = OrderedDict()
        mine: OrderedDict[str, Any] = self._local.datasets
        return mine

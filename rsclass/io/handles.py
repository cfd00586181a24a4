"""Opening rasters: GDAL's settings, what is refused, and one handle for each thread."""

from __future__ import annotations

import os
import re
import threading
import weakref
from collections import OrderedDict
from pathlib import Path
from typing import Any

import rasterio

from rsclass.errors import UnreadableRasterError
from rsclass.io.names import shown_name
from rsclass.io.placing import without_placing_warnings

HANDLES_PER_THREAD = 32

_CACHE_MB = 32
_TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def reading_env(**options: Any) -> rasterio.Env:
    """GDAL's settings for reading; they hold for the thread that enters them."""
    options.setdefault("GDAL_PAM_ENABLED", "YES")  # nodata may be kept in .aux.xml alone
    options.setdefault("GDAL_VRT_ENABLE_PYTHON", "NO")
    options.setdefault("GDAL_HTTP_MAX_RETRY", "3")
    options.setdefault("GDAL_HTTP_RETRY_DELAY", "0.2")
    if "GDAL_CACHEMAX" not in os.environ:
        options.setdefault("GDAL_CACHEMAX", _CACHE_MB)
    return rasterio.Env(**options)


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
    if is_remote(name):
        # With several decoding threads GDAL takes a body that was cut off for zeros, in silence.
        options["GDAL_NUM_THREADS"] = "1"
    try:
        with reading_env(**options), without_placing_warnings():
            dataset = rasterio.open(name, driver=driver, sharing=False)
    except Exception as error:  # GDAL raises more than rasterio's own classes
        if cached and is_remote(name):
            return open_dataset(name, cached=False)
        reason = sentence(error).removeprefix(f"'{name}' ").rstrip(".")
        raise UnreadableRasterError(
            f"{shown_name(name)} cannot be opened as a raster ({reason}); check that it is a "
            "complete raster file.",
            path=name,
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

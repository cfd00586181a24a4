"""From what a user calls a raster to the name under which GDAL opens it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from rsclass.errors import UnreadableRasterError, UsageError

_CURL = ("http", "https", "ftp")
_CLOUD = {"s3": "vsis3", "gs": "vsigs", "az": "vsiaz", "oss": "vsioss", "swift": "vsiswift"}
_ARCHIVE = ("zip", "tar", "gzip")
_SCHEME = re.compile(r"([a-z0-9+]+)://", re.I)
_SUBDATASET = re.compile(
    r'(NETCDF|HDF5|HDF4_SDS|HDF4_EOS:EOS_GRID|GPKG|GTIFF_DIR:\d+|ZARR|GRIB):"?([^"]+?)"?(:.*)?$',
    re.I,
)


def given_name(scene: Any) -> str:
    """The name of a path, a string or an open dataset, refused where GDAL would misread it.

    Raises
    ------
    UsageError
        It holds a NUL or bytes that are not UTF-8, or it is no name at all.
    """
    if not isinstance(scene, str | os.PathLike):
        scene = getattr(scene, "name", None)
        if not isinstance(scene, str):
            raise UsageError("a scene is a path, a URL, an open dataset or a list of band files.")
    name = os.fspath(scene)
    if not isinstance(name, str) or "\0" in name:
        raise UsageError(f"the path {name!r} holds a NUL or is made of bytes; rename the file.")
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"the path {name!a} is not valid UTF-8; rename the file.") from None
    return name


def gdal_name(name: str) -> str:
    """The GDAL name of an existing file, a ``/vsi`` path, a URL or a subdataset.

    A file that exists is always taken as that file, whatever its name looks like.

    Raises
    ------
    UnreadableRasterError
        There is no such file, and the name has no scheme that says it lies elsewhere.
    """
    if name.startswith("/vsi"):
        return name
    if Path(name).exists():
        return os.path.abspath(name)
    scheme = _SCHEME.match(name)
    if scheme:
        return _remote_name(name, scheme.group(1).lower())
    subdataset = _SUBDATASET.match(name)
    if subdataset and Path(subdataset.group(2)).exists():
        return name
    raise UnreadableRasterError(f"{name} does not exist; check the path.", path=name)


def _remote_name(name: str, scheme: str) -> str:
    rest = name.split("://", 1)[1]
    if scheme == "file":
        return gdal_name(rest)
    if scheme in _CURL:
        return f"/vsicurl/{name}"
    if scheme in _CLOUD:
        return f"/{_CLOUD[scheme]}/{rest}"
    first, _, inner = scheme.partition("+")
    if first in _ARCHIVE:
        archive, _, member = rest.partition("!")
        outer = gdal_name(f"{inner}://{archive}" if inner else archive)
        return f"/vsi{first}/{outer}" + (f"/{member.lstrip('/')}" if member else "")
    raise UnreadableRasterError(
        f"{name} begins with the unknown scheme {scheme}://; use https, s3, gs, az, zip or /vsi.",
        path=name,
    )


def shown_name(name: str) -> str:
    """The path or URL that a GDAL name stands for, as a user knows it."""
    return name.removeprefix("/vsicurl/")


def short_name(name: str) -> str:
    """Stem of a path or URL, for messages and for names of outputs."""
    last = re.split(r"[?#]", name, maxsplit=1)[0] if "://" in name else name
    last = last.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
    for suffix in (".SAFE.zip", ".SAFE", "_MTL.txt", "_MTL.json", "_MTL.xml"):
        if last.lower().endswith(suffix.lower()):
            return last[: -len(suffix)]
    return Path(last).stem or "scene"


def local_archive(name: str) -> str | None:
    """The local archive inside which a GDAL name lies."""
    found = re.match(
        r"/vsi(?:zip|tar|gzip)/\{?(/.*?\.(?:zip|tar|tgz|tar\.gz|gz|kmz))(?:\}?/|$)", name
    )
    return found.group(1) if found and Path(found.group(1)).is_file() else None

"""Folders and archives of rasters, seen alike."""

from __future__ import annotations

import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from rsclass.core.types import Band
from rsclass.errors import UnreadableRasterError

RASTER_SUFFIXES = frozenset(
    (
        *(".tif", ".tiff", ".jp2", ".img", ".vrt", ".png", ".jpg", ".jpeg", ".bil", ".bip"),
        *(".bsq", ".dat", ".lan", ".gis", ".nc", ".hdf", ".h5", ".asc", ".ntf"),
    )
)
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Shelf:
    """A local folder, or a folder inside a local ``.zip``.

    Parameters
    ----------
    root : str
        Path of the folder or of the archive.
    inner : str
        Folder inside the archive; empty for folders.
    zipped : bool
    """

    root: str
    inner: str = ""
    zipped: bool = False

    @property
    def title(self) -> str:
        """The folder's own name."""
        return PurePosixPath(self.inner).name if self.inner else Path(self.root).name

    def names(self) -> list[str]:
        """Files below the folder, a few levels deep, as relative paths with ``/``."""
        if self.zipped:
            return self._zipped_names()
        found = []
        for folder, folders, files in os.walk(self.root):
            below = Path(folder).relative_to(self.root)
            if len(below.parts) >= _DEEPEST:
                folders.clear()
            found += [(below / file).as_posix() for file in files]
        return sorted(found)

    def _zipped_names(self) -> list[str]:
        prefix = f"{self.inner}/" if self.inner else ""
        try:
            with zipfile.ZipFile(self.root) as archive:
                listed = archive.namelist()
        except (OSError, zipfile.BadZipFile) as error:
            raise UnreadableRasterError(
                f"{self.root} cannot be read as a zip archive: {error}.", path=self.root
            ) from error
        return sorted(
            name[len(prefix) :]
            for name in listed
            if name.startswith(prefix) and not name.endswith("/")
        )

    def path(self, name: str) -> str:
        """The GDAL name of a file of the folder."""
        if not self.zipped:
            return os.path.abspath(Path(self.root, name))
        inner = f"{self.inner}/{name}" if self.inner else name
        return f"/vsizip/{os.path.abspath(self.root)}/{inner}"

    def text(self, name: str) -> str:
        """The content of a text file of the folder."""
        if not self.zipped:
            return Path(self.root, name).read_text(encoding="utf-8", errors="replace")
        with zipfile.ZipFile(self.root) as archive:
            inner = f"{self.inner}/{name}" if self.inner else name
            return archive.read(inner).decode("utf-8", errors="replace")

    def local_file(self, name: str) -> str:
        """The local file in which ``name`` is kept: itself or the archive."""
        return os.path.abspath(self.root if self.zipped else Path(self.root, name))

    def folder(self, name: str) -> Shelf:
        """A folder of this one."""
        if self.zipped:
            return Shelf(self.root, f"{self.inner}/{name}" if self.inner else name, True)
        return Shelf(str(Path(self.root, name)))


def shelf_of(path: str) -> Shelf | None:
    """The folder or ``.zip`` archive that a GDAL name means as a whole, or None."""
    whole = re.fullmatch(r"/vsizip/(/.*\.zip)/?", path)
    local = whole.group(1) if whole else path
    if Path(local).is_dir():
        return Shelf(local)
    if local.lower().endswith(".zip") and Path(local).is_file():
        return Shelf(local, zipped=True)
    return None


def is_raster_name(name: str) -> bool:
    """Whether a file's suffix is that of a raster format."""
    return PurePosixPath(name).suffix.lower() in RASTER_SUFFIXES


@dataclass(frozen=True, slots=True)
class Entry:
    """A band file of a product, and what the product says of it.

    Parameters
    ----------
    path : str
        As GDAL opens it.
    band : Band
    nodata : float or None
        Stored value that means "no data", where the file itself declares none.
    """

    path: str
    band: Band
    nodata: float | None


@dataclass(frozen=True, slots=True)
class Product:
    """The band files of a product folder.

    Parameters
    ----------
    kind, name : str
    entries : tuple of Entry
    hints : tuple of str
        What names the sensor.
    files : tuple of str
        Local metadata files that were read.
    warnings : tuple of str
    """

    kind: str
    name: str
    entries: tuple[Entry, ...]
    hints: tuple[str, ...]
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()

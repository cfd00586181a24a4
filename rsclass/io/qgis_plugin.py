"""The QGIS plugin that comes along: as an archive, and in a folder of plugins."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from configparser import ConfigParser
from configparser import Error as IniError
from contextlib import suppress
from pathlib import Path, PurePosixPath
from uuid import uuid4

from rsclass.errors import OutputError, OutputExistsError

__all__ = ["PLUGIN", "archive", "install", "plugin_files", "plugin_version", "uninstall"]

PLUGIN = "rsclass_qgis"
"""Name of the folder in QGIS; one called ``qgis`` would hide QGIS's own Python package."""

_SOURCE = Path(__file__).parents[1] / "qgis"
_METADATA = "metadata.txt"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date that an archive can hold
_MODE = 0o100644


def plugin_files(folder: Path = _SOURCE) -> dict[str, bytes]:
    """What the plugin consists of: content by name, sorted; no caches and no hidden files."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        hidden = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not hidden and path.suffix not in (".pyc", ".pyo"):
            found[name.as_posix()] = path.read_bytes()
    return dict(sorted(found.items()))


def plugin_version(folder: Path = _SOURCE) -> str:
    """The version in the plugin's metadata; empty where they cannot be read."""
    metadata = ConfigParser(interpolation=None)
    with suppress(OSError, IniError, UnicodeDecodeError):
        metadata.read_string((folder / _METADATA).read_text(encoding="utf-8"))
    return metadata.get("general", "version", fallback="")


def archive() -> bytes:
    """The plugin as a ZIP archive for QGIS and its plugin repository.

    One folder, sorted names, a fixed time and fixed rights: the same bytes whenever it is made.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in plugin_files().items():
            entry = zipfile.ZipInfo(str(PurePosixPath(PLUGIN, name)), _EPOCH)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3  # of Unix
            entry.external_attr = _MODE << 16
            packed.writestr(entry, content)
    return buffer.getvalue()


def install(plugins: Path, *, overwrite: bool) -> Path:
    """Put the plugin into a folder of plugins, whole or not at all.

    Returns
    -------
    Path
        The plugin's own folder.

    Raises
    ------
    OutputExistsError
        Another version of it is there, or something else, and ``overwrite`` is false.
    OutputError
        The folder cannot be written to.
    """
    place, files = plugins / PLUGIN, plugin_files()
    if os.path.lexists(place):
        if not place.is_symlink() and place.is_dir() and plugin_files(place) == files:
            return place
        if not overwrite:
            raise OutputExistsError(
                f"{place} exists{_holding(place)}; add --overwrite to replace it.", path=str(place)
            )
    # QGIS takes every folder beside the plugins for a plugin; the new one grows elsewhere.
    new = plugins.parent / f"{PLUGIN}.{uuid4().hex}.part"
    try:
        for name, content in files.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        plugins.mkdir(exist_ok=True)
        _remove(place)
        new.rename(place)
    except OSError as error:
        raise OutputError(
            f"the plugin cannot be put into {plugins}: {error.strerror or error}."
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return place


def uninstall(plugins: Path) -> bool:
    """Take the plugin out of a folder of plugins; tells whether it was there.

    Raises
    ------
    OutputError
        The folder cannot be written to.
    """
    place = plugins / PLUGIN
    if not os.path.lexists(place):
        return False
    try:
        _remove(place)
    except OSError as error:
        raise OutputError(f"{place} cannot be removed: {error.strerror or error}.") from error
    return True


def _holding(place: Path) -> str:
    version = plugin_version(place)
    return f" and holds version {version} of the plugin" if version else ""


def _remove(place: Path) -> None:
    """Remove what stands there; of a link, the link alone."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        old = place.parent.parent / f"{PLUGIN}.{uuid4().hex}.old"
        place.rename(old)  # at once, so that QGIS never sees half of it
        shutil.rmtree(old)

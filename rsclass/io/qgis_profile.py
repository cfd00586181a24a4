"""Where a user's QGIS keeps its plugins and settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rsclass.errors import DataError, OutputError, UsageError
from rsclass.io.atomic import write_bytes
from rsclass.io.qt_settings import Key, changed, value_in

__all__ = ["CONFIG_VARIABLE", "Profile", "find_profile"]

CONFIG_VARIABLE = "QGIS_CUSTOM_CONFIG_PATH"

_GENERATIONS = ("QGIS4", "QGIS3")
"""Names of the folders and settings files of the versions of QGIS, the newest first."""


@dataclass(frozen=True)
class Profile:
    """One set of plugins and settings of a user of QGIS.

    Parameters
    ----------
    folder : Path
    others : tuple of str
        Names of the profiles beside it.
    """

    folder: Path
    others: tuple[str, ...] = ()

    @property
    def plugins(self) -> Path:
        """Folder of the plugins."""
        return self.folder / "python" / "plugins"

    @property
    def settings(self) -> list[Path]:
        """The files of the settings: one for each version of QGIS that used the profile."""
        known = [self.folder / "QGIS" / f"{name}.ini" for name in _GENERATIONS]
        newest = next((name for name in _GENERATIONS if name in self.folder.parts), "QGIS3")
        return [path for path in known if path.exists()] or [self.folder / "QGIS" / f"{newest}.ini"]

    def forget_program(self) -> None:
        """Remove what the plugin noted of the program that it started."""
        noted = self.folder / "rsclass" / "program.json"
        noted.unlink(missing_ok=True)
        with suppress(OSError):  # it holds files of somebody else, or was never there
            noted.parent.rmdir()

    def configure(self, values: Mapping[Key, str | None]) -> list[Path]:
        """Change single settings; those that are None are removed.

        Returns
        -------
        list of Path
            The files that hold the settings.

        Raises
        ------
        DataError
            A file cannot be read.
        OutputError
            A file cannot be written; it is as it was.
        """
        for path in self.settings:
            content = _content(path)
            new = changed(content, values)
            if new != content:
                _replace(path, new)
        return self.settings


def find_profile(name: str | None = None) -> Profile:
    """The profile of that name or in that folder; without either, the one QGIS begins with.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    if name is not None and Path(name).name != name:
        folder = Path(name).expanduser().absolute()
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}; give that of a QGIS profile.")
        return Profile(folder)
    profiles = _home() / "profiles"
    known = sorted(p.name for p in profiles.iterdir() if p.is_dir()) if profiles.is_dir() else []
    chosen = name or value_in(_content(profiles / "profiles.ini"), ("core", "defaultProfile"))
    chosen = chosen or "default"
    if name is not None and name not in known:
        told = f"the profiles are {', '.join(known)}" if known else "it has no profile yet"
        raise UsageError(
            f"QGIS has no profile named {name!r} in {profiles}; {told}. Profiles are made in QGIS, "
            "under Settings > User Profiles."
        )
    return Profile(profiles / chosen, tuple(other for other in known if other != chosen))


def _home() -> Path:
    """The folder in which QGIS keeps all profiles of the user."""
    custom = os.environ.get(CONFIG_VARIABLE)
    if custom:
        return Path(custom).absolute()
    if sys.platform == "win32":
        data = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    homes = [data / "QGIS" / name for name in _GENERATIONS]
    return next((home for home in homes if home.is_dir()), homes[-1])


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise DataError(
            f"the settings of QGIS in {path} cannot be read: {error.strerror}."
        ) from error


def _replace(path: Path, content: bytes) -> None:
    real = Path(os.path.realpath(path))  # a link to settings kept elsewhere stays a link
    try:
        real.parent.mkdir(parents=True, exist_ok=True)
        mode = real.stat().st_mode if real.exists() else None
        write_bytes(real, content, overwrite=True)
        if mode is not None:
            real.chmod(mode)
    except OSError as error:
        raise OutputError(
            f"the settings of QGIS in {path} cannot be changed: {error.strerror or error}."
        ) from error

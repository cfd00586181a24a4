"""The database of coordinate systems, which each version of PROJ wants of its own kind."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

__all__ = ["VARIABLES", "forget_foreign"]

VARIABLES = ("PROJ_DATA", "PROJ_LIB")

_LAYOUT = "SELECT value FROM metadata WHERE key = 'DATABASE.LAYOUT.VERSION.' || ?"
_PARTS = ("MAJOR", "MINOR")


def forget_foreign() -> list[str]:
    """Take variables out of the environment that lead to the database of an older PROJ.

    QGIS and other programs set them for themselves, and what they start inherits them; every
    look-up of a coordinate system would fail. To be called before GDAL is loaded.

    Returns
    -------
    list of str
        Those that were taken out. Where the libraries bring no database of their own, as in
        conda, the variables are needed and none is.
    """
    spec = find_spec("rasterio")
    own = Path(spec.origin).parent / "proj_data" if spec is not None and spec.origin else None
    needed = None if own is None else _layout(own)
    if needed is None:
        return []
    foreign = [name for name in VARIABLES if _leads_astray(os.environ.get(name, ""), needed)]
    for name in foreign:
        del os.environ[name]
    return foreign


def _leads_astray(folders: str, needed: tuple[int, int]) -> bool:
    """Whether the first database in a list of folders is older than needed."""
    found = (_layout(Path(folder)) for folder in folders.split(os.pathsep) if folder)
    return next((layout < needed for layout in found if layout is not None), False)


def _layout(folder: Path) -> tuple[int, int] | None:
    """Version of the layout of the database in a folder; None where there is none."""
    path = folder / "proj.db"
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            major, minor = (database.execute(_LAYOUT, (part,)).fetchone() for part in _PARTS)
        return (int(major[0]), int(minor[0]))
    except (sqlite3.Error, TypeError, ValueError):  # from before PROJ 6 told a version
        return (0, 0)

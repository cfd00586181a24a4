"""Legends on disk: JSON, CSV or a ``.clr`` color table, told apart by the suffix."""

from __future__ import annotations

from pathlib import Path

from rsclass.core.legend import Legend
from rsclass.errors import DataError, UsageError
from rsclass.io.atomic import write_bytes

_READERS = {".json": Legend.from_json, ".csv": Legend.from_csv, ".clr": Legend.from_clr}
_WRITERS = {".json": Legend.to_json, ".csv": Legend.to_csv, ".clr": Legend.to_clr}


def read_legend(path: str | Path) -> Legend:
    """The legend in a ``.json``, ``.csv`` or ``.clr`` file.

    Raises
    ------
    UsageError
        The suffix is another.
    DataError
        The file cannot be read, or is no legend.
    """
    path = Path(path)
    suffix = _suffix(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(
            f"the legend {path} cannot be read: {error.strerror or error}.", path=str(path)
        ) from error
    except UnicodeDecodeError as error:
        raise DataError(f"the legend {path} is not UTF-8 text; save it as UTF-8.") from error
    return _READERS[suffix](text, str(path))


def write_legend(path: str | Path, legend: Legend, *, overwrite: bool) -> None:
    """Write a legend as its suffix says; whole or not at all."""
    path = Path(path)
    write_bytes(path, _WRITERS[_suffix(path)](legend).encode(), overwrite=overwrite)


def _suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise UsageError(f"{path}: a legend is a .json, .csv or .clr file.")
    return suffix

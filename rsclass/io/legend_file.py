"""Legends on disk: JSON, CSV or a ``.clr`` color table, told apart by the suffix."""

from __future__ import annotations

from pathlib import Path

from rsclass.core.legend import Legend
from rsclass.errors import UsageError
from rsclass.io.atomic import read_text, write_bytes

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
    text = read_text(path, "the legend")
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

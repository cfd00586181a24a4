"""Land-cover schemas on disk, and those that come with rsclass."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from rsclass.core.legend import FORMAT as LEGEND_FORMAT
from rsclass.core.legend import Legend
from rsclass.core.schema import Schema
from rsclass.core.schema_text import (
    schema_csv,
    schema_from_csv,
    schema_from_json,
    schema_json,
)
from rsclass.errors import DataError, UsageError
from rsclass.io.atomic import read_text, write_bytes
from rsclass.io.class_map import open_class_map
from rsclass.io.map_legend import qml_legend
from rsclass.io.sidecars import clr, qml

__all__ = ["named_schemas", "read_schema", "write_schema"]

_SUFFIXES = (".json", ".csv", ".clr", ".qml")


def named_schemas() -> dict[str, Schema]:
    """The schemas that come with rsclass, by the names under which they are read."""
    folder = resources.files("rsclass") / "data"
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".json")),
        key=lambda file: file.name,
    )
    return {
        file.name.removesuffix(".json"): schema_from_json(file.read_text("utf-8"), file.name)
        for file in files
    }


def read_schema(name: str | Path) -> Schema:
    """The schema of a file, or one that comes with rsclass by its name.

    Parameters
    ----------
    name : path or str
        A ``.json`` or ``.csv`` schema; a legend of rsclass, a ``.clr`` color table or a ``.qml``
        style, whose classes are all on one level; a class map, for its legend; or a name of
        :func:`named_schemas`.

    Raises
    ------
    UsageError
        There is no such name, or the suffix is another.
    DataError
        The file cannot be read, or is no schema, or two of its classes have one name.
    """
    path = Path(name)
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        return _named(str(name)) if not path.is_file() else _of_map(path)
    text = read_text(path, "the schema")
    source = str(path)
    if suffix == ".json":
        if f'"{LEGEND_FORMAT}"' in text:
            return _flat(Legend.from_json(text, source), path)
        return schema_from_json(text, source)
    if suffix == ".csv":
        return schema_from_csv(text, source, path.stem)
    legend = Legend.from_clr(text, source) if suffix == ".clr" else qml_legend(text, source)
    return _flat(legend, path)


def _named(name: str) -> Schema:
    known = named_schemas()
    if name not in known:
        raise UsageError(
            f"no schema is named {name!r}; give one of {', '.join(known)}, or a .json, .csv, .clr "
            "or .qml file, or a class map."
        )
    return known[name]


def _of_map(path: Path) -> Schema:
    with open_class_map(path) as class_map:
        return _flat(class_map.legend, path)


def _flat(legend: Legend, path: Path) -> Schema:
    try:
        return Schema.of(legend, path.stem)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def write_schema(path: str | Path, schema: Schema, *, overwrite: bool = False) -> None:
    """Write a schema as the suffix says; ``.clr`` and ``.qml`` hold codes, names and colors alone.

    Parameters
    ----------
    path : path
    schema : Schema
    overwrite : bool
        Whether it may replace a file that stands there.

    Raises
    ------
    UsageError
        The suffix is another.
    OutputExistsError, OutputError, DiskFullError
        As :func:`rsclass.io.atomic.write_bytes`.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise UsageError(f"{path}: a schema is a .json, .csv, .clr or .qml file.")
    if suffix == ".json":
        data = schema_json(schema).encode()
    elif suffix == ".csv":
        data = schema_csv(schema).encode()
    else:
        legend = schema.legend(schema.codes)
        data = clr(legend) if suffix == ".clr" else qml(legend)
    write_bytes(path, data, overwrite=overwrite)

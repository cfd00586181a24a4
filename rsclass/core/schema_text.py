"""Schemas as text: JSON, and CSV for spreadsheets; both with one class a line, sorted by code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rsclass.core.cells import read_lines, unguard, write_lines
from rsclass.core.colors import fill_colors
from rsclass.core.legend import HIGHEST_VALUE, RGB, hex_color, parse_color
from rsclass.core.schema import Schema, SchemaClass
from rsclass.errors import DataError

__all__ = ["schema_csv", "schema_from_csv", "schema_from_json", "schema_json"]

FORMAT = "rsclass-schema"
FORMAT_VERSION = 1

_COLUMNS = ("code", "name", "color", "parent", "description")


def schema_json(schema: Schema) -> str:
    """One class a line, sorted by code."""
    rows = [
        {
            "code": c.code,
            "name": c.name,
            "color": hex_color(c.color),
            "parent": c.parent,
            "description": c.description,
        }
        for c in schema
    ]
    lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in rows)
    name = json.dumps(schema.name, ensure_ascii=False)
    return (
        f'{{\n "format": "{FORMAT}",\n "format_version": {FORMAT_VERSION},\n "name": {name},\n'
        f' "classes": [\n{lines}\n ]\n}}\n'
    )


def schema_from_json(text: str, source: str = "the schema") -> Schema:
    """Read what :func:`schema_json` writes; all but code and name may be missing.

    Raises
    ------
    DataError
        The text is no JSON, no schema, or of a newer format.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{source} is no readable JSON: {error}.") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f'{source} is no schema: it does not say "format": "{FORMAT}".')
    if content.get("format_version") != FORMAT_VERSION:
        raise DataError(
            f"{source} has format version {content.get('format_version')}, this rsclass reads "
            f"{FORMAT_VERSION}; update rsclass."
        )
    rows = content.get("classes")
    if not isinstance(rows, list):
        raise DataError(f'{source} has no list of "classes".')
    name = content.get("name", "")
    return _collect(enumerate(rows, 1), _cells_of_row, source, "class", str(name))


def schema_csv(schema: Schema) -> str:
    """Columns ``code,name,color,parent,description``."""
    return write_lines(
        _COLUMNS, ((c.code, c.name, hex_color(c.color), c.parent, c.description) for c in schema)
    )


def schema_from_csv(text: str, source: str = "the schema", name: str = "") -> Schema:
    """Read columns ``code`` (or ``value``) and ``name``, and those others that there are.

    ``color``, or ``red``, ``green`` and ``blue``; ``parent``; ``description``. Classes without
    a color get one that is unlike the others.

    Raises
    ------
    DataError
        A column is missing, or a line is no class.
    """
    columns, lines = read_lines(text, source)
    if not (columns & {"code", "value"} and "name" in columns):
        raise DataError(
            f"{source} has the columns {', '.join(sorted(columns)) or '(none)'}; a schema "
            "needs code and name, and takes color, parent and description."
        )
    return _collect(lines, _cells_of_line, source, "line", name)


_Cells = tuple[int, str, RGB | None, int | None, str]


def _collect(
    entries: Iterable[tuple[int, Any]],
    convert: Callable[[Any], _Cells],
    source: str,
    unit: str,
    name: str,
) -> Schema:
    """A schema from numbered entries; an error names the entry."""
    found: list[_Cells] = []
    for number, entry in entries:
        try:
            cells = convert(entry)
            # Every rule for a single class is asked here, where its place is known.
            SchemaClass(cells[0], cells[1], cells[2] or (0, 0, 0), cells[3], cells[4])
        except DataError as error:
            raise DataError(f"{source}, {unit} {number}: {error}") from error
        found.append(cells)
    classes = [
        SchemaClass(code, text, color, parent, description)
        for (code, text, _, parent, description), color in zip(
            found, fill_colors([cells[2] for cells in found]), strict=True
        )
    ]
    try:
        return Schema(tuple(classes), name, colored=any(cells[2] for cells in found))
    except DataError as error:
        raise DataError(f"{source}: {error}") from error


def _cells_of_row(row: Any) -> _Cells:
    if not isinstance(row, Mapping) or not {"code", "name"} <= set(row) <= set(_COLUMNS):
        raise DataError("it is not {code, name, color, parent, description}.")
    color = row.get("color")
    return (
        _whole(row["code"], "code"),
        _text(row["name"], "name"),
        None if color in (None, "") else parse_color(_text(color, "color")),
        None if row.get("parent") is None else _whole(row["parent"], "parent"),
        _text(row.get("description", ""), "description"),
    )


def _cells_of_line(row: Mapping[str, str]) -> _Cells:
    parent = row.get("parent", "").strip()
    return (
        _number(row.get("code") or row.get("value", ""), "code"),
        unguard(row["name"]),
        _color_of_line(row),
        _number(parent, "parent") if parent else None,
        unguard(row.get("description", "")),
    )


def _color_of_line(row: Mapping[str, str]) -> RGB | None:
    if row.get("color", "").strip():
        return parse_color(row["color"])
    parts = [row.get(name, "").strip() for name in ("red", "green", "blue")]
    if not any(parts):
        return None
    red, green, blue = (_number(part, "color") for part in parts)
    return red, green, blue


def _whole(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DataError(f"its {what} is {value!r}; it must be a whole number to {HIGHEST_VALUE}.")
    return value


def _number(text: str, what: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise DataError(f"its {what} is {text!r}, which is no whole number.") from error


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise DataError(f"its {what} is {value!r}; it must be a text.")
    return value

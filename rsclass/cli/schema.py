"""``rsclass schema``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import OVERWRITE, Option
from rsclass.cli.session import Session

if TYPE_CHECKING:
    from rsclass.core.schema import Schema

_NAME = click.Argument(["schema"], metavar="[NAME|FILE|MAP]", required=False, type=values.path)
_FLAGS = (
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="Write it as a .json, .csv, .clr or .qml file.",
    ),
    OVERWRITE,
)

_EXAMPLES = """\
  rsclass schema
  rsclass schema corine1
  rsclass schema simple8 -o mine.csv
  rsclass schema map.qml -o mine.json
"""


@make_command("schema", _NAME, *_FLAGS, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """List the land-cover schemas that come along, or show and convert one.

    A schema is a list of classes, each with code, name, color, the class above it and a
    description. Begin one of your own by writing a copy with -o and editing it. A .json, .csv,
    .clr or .qml FILE is read, and of a class map its legend.
    """
    session.working = True
    from rsclass.io.schema_file import named_schemas, read_schema, write_schema

    if flags["schema"] is None:
        known = named_schemas()
        session.put(
            {"schemas": [{"name": name, **_head(schema)} for name, schema in known.items()]},
            "\n".join(f"{name:<10} {_title(schema)}" for name, schema in known.items()),
        )
        return
    schema = read_schema(flags["schema"])
    told = _page(schema)
    if flags["output"] is not None:
        write_schema(flags["output"], schema, overwrite=flags["overwrite"])
        told += f"\n  schema  {flags['output']}"
    session.put(_described(schema) | _files(flags["output"]), told)


def _head(schema: Schema) -> dict[str, Any]:
    return {"title": schema.name, "n_classes": len(schema), "levels": schema.levels}


def _files(output: str | None) -> dict[str, Any]:
    return {} if output is None else {"files": {"schema": output}}


def _described(schema: Schema) -> dict[str, Any]:
    from rsclass.core.legend import hex_color

    classes = [
        {
            "code": c.code,
            "name": c.name,
            "color": hex_color(c.color),
            "parent": c.parent,
            "level": schema.level(c.code),
            "description": c.description,
        }
        for c in schema
    ]
    return _head(schema) | {"classes": classes}


def _title(schema: Schema) -> str:
    levels = f"{schema.levels} levels" if schema.levels > 1 else "one level"
    return f"{schema.name or 'a schema'}: {len(schema)} classes on {levels}"


def _page(schema: Schema) -> str:
    """The classes as a tree, those below a class under it."""
    from rsclass.core.legend import hex_color

    order = sorted(schema, key=lambda c: [one.code for one in schema.line(c.code)])
    lines = [_title(schema)]
    width = max(len(c.name) + 2 * schema.level(c.code) for c in order)
    for entry in order:
        name = "  " * (schema.level(entry.code) - 1) + entry.name
        text = f"{entry.code:>6}  {hex_color(entry.color)}  {name:<{width}}{entry.description}"
        lines.append(text.rstrip())
    return "\n".join(lines)

"""``--json-usage``: the flags as data, for programs that build dialogs from them."""

from __future__ import annotations

import json
from typing import Any

import click

from rsclass.cli.session import put_text

__all__ = ["EXIT_CODES", "print_usage", "usage_of"]

EXIT_CODES = {
    0: "done, also with warnings",
    1: "a bug in rsclass",
    2: "the request is wrong",
    3: "the input data cannot serve it",
    4: "the output exists or cannot be written",
    5: "a quality gate was not passed",
    6: "out of memory or disk",
    130: "stopped",
}


def print_usage(ctx: click.Context) -> None:
    """Write the usage of the command of ``ctx``, or of all, to stdout."""
    command = ctx.command
    if isinstance(command, click.Group):
        found: dict[str, Any] = {
            name: usage_of(part)
            for name in command.list_commands(ctx)
            if (part := command.get_command(ctx, name)) is not None
        }
        put_text(json.dumps({"commands": found, "exit_codes": EXIT_CODES}, indent=1))
    else:
        put_text(json.dumps(usage_of(command) | {"exit_codes": EXIT_CODES}, indent=1))


def usage_of(command: click.Command) -> dict[str, Any]:
    """Arguments and options of a command as JSON-able values."""
    return {
        "name": command.name,
        "help": (command.help or "").split("\f")[0].strip(),
        "arguments": [_argument(p) for p in command.params if isinstance(p, click.Argument)],
        "options": [_option(p) for p in command.params if isinstance(p, click.Option)],
    }


def _argument(param: click.Argument) -> dict[str, Any]:
    return {
        "name": param.name,
        "required": param.required,
        "multiple": param.nargs == -1,
    }


def _option(param: click.Option) -> dict[str, Any]:
    kind = param.type
    return {
        "name": max(param.opts, key=_shown(param)).lstrip("-"),
        "flags": param.opts,
        "off_flags": param.secondary_opts,
        "variable": param.envvar,
        "group": getattr(param, "group", "General"),
        "type": _kind(param),
        "metavar": param.metavar,
        "default": None if param.multiple else _plain(param.default),
        "choices": list(kind.choices) if isinstance(kind, click.Choice) else [],
        "low": getattr(kind, "min", None),
        "high": getattr(kind, "max", None),
        "multiple": param.multiple,
        "help": param.help,
    }


def _shown(param: click.Option) -> Any:
    also = getattr(param, "also", ())
    return lambda flag: (flag not in also, flag.startswith("--"))


def _kind(param: click.Option) -> str:
    if param.is_flag:
        return "boolean"
    if isinstance(param.type, click.Choice):
        return "choice"
    if param.count or isinstance(param.type, type(click.INT)):
        return "integer"
    if isinstance(param.type, type(click.FLOAT)):
        return "number"
    return "text"


def _plain(value: Any) -> Any:
    """A default as JSON; click has a marker of its own for none."""
    return value if isinstance(value, bool | int | float | str) else None

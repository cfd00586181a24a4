"""Defaults from a TOML file: keys for every command, and sections for one."""

from __future__ import annotations

import tomllib
from typing import Any

import click

from rsclass.cli.commands import COMMANDS, load
from rsclass.cli.values import did_you_mean
from rsclass.errors import UsageError

__all__ = ["read_config"]


def read_config(path: str, command: click.Command) -> dict[str, Any]:
    """What the file says about the flags of ``command``.

    Keys are the names of flags, with or without their aliases, dashes or underscores. Those at
    the top hold for every command that has the flag, those under ``[classify]`` for that one.

    Raises
    ------
    UsageError
        The file cannot be read, or holds a key that no flag has.
    """
    table = _read(path)
    sections = {key: table.pop(key) for key in COMMANDS if isinstance(table.get(key), dict)}
    everywhere = {name for key in COMMANDS for name in _names(load(key))}
    own = _names(command)
    found: dict[str, Any] = {}
    for key, value in table.items():
        name = _known(path, key, everywhere | set(COMMANDS))
        if name in own:
            _keep(path, found, own[name], key, value)
    special: dict[str, Any] = {}
    for section, entries in sections.items():
        names = _names(load(section))
        for key, value in entries.items():
            name = _known(f"{path} [{section}]", key, set(names))
            if section == command.name:
                _keep(path, special, names[name], key, value)
    return found | special


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8-sig")
        return tomllib.loads(text)
    except OSError as error:
        raise UsageError(f"the file {path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise UsageError(f"the file {path} is no TOML: {error}.") from error


def _names(command: click.Command) -> dict[str, tuple[click.Parameter, bool]]:
    """Flags by every name that may stand in a file; False where the name turns a flag off."""
    names: dict[str, tuple[click.Parameter, bool]] = {}
    for param in command.params:
        if isinstance(param, click.Option) and param.name not in ("config_file", "json_usage"):
            names |= {_plain(flag): (param, True) for flag in param.opts if flag[:2] == "--"}
            names |= {_plain(flag): (param, False) for flag in param.secondary_opts}
    return names


def _plain(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")


def _known(place: str, key: str, names: set[str]) -> str:
    name = _plain(key)
    if name not in names:
        known = sorted(n.replace("_", "-") for n in names)
        raise UsageError(f"{place}: no flag is named {key!r}{did_you_mean(key, known)}.")
    return name


def _keep(
    path: str,
    found: dict[str, Any],
    flag: tuple[click.Parameter, bool],
    key: str,
    value: Any,
) -> None:
    param, on = flag
    name = str(param.name)
    if name in found:
        raise UsageError(f"{path}: {key!r} gives the flag --{name.replace('_', '-')} again.")
    if not on:
        value = not value
    elif getattr(param, "multiple", False):
        value = list(value.items()) if isinstance(value, dict) else value
        value = value if isinstance(value, list) else [value]
    found[name] = value

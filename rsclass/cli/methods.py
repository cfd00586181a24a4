"""``rsclass methods``."""

from __future__ import annotations

import inspect
import textwrap
from typing import Any, get_args, get_type_hints

import click

from rsclass.cli.command import command as make_command
from rsclass.cli.session import Session

_EXAMPLES = """\
  rsclass methods
  rsclass methods isodata
  rsclass methods isodata --json
"""
_WIDTH, _NAME = 96, 17
_WORDS = {
    "init": "starting centers",
    "iter": "iterations",
    "l2": "L2 penalty",
    "max": "maximum",
    "min": "minimum",
    "n": "number of",
    "std": "standard deviation",
}
"""What stands shortened in names of parameters."""

_SAMPLES = {
    "none": "",
    "possible": " (with or without --training)",
    "needed": " (needs --training)",
}


@make_command(
    "methods", click.Argument(["method"], metavar="[METHOD]", required=False), examples=_EXAMPLES
)
def command(session: Session, method: str | None) -> None:
    """List the methods, or the parameters of METHOD with their defaults and ranges.

    Parameters are set with --set NAME=VALUE; the aliases are the names that other software uses.
    """
    session.working = True
    if method is None:
        found = [_described(name) for name in _names()]
        session.put({"methods": found}, "\n".join(_line(entry) for entry in found))
    else:
        entry = _described(method)
        session.put(entry, _page(entry))


def _names() -> tuple[str, ...]:
    from rsclass.engines.catalogue import method_names

    return method_names()


def _described(name: str) -> dict[str, Any]:
    from rsclass.engines.catalogue import engine_class

    kind = engine_class(name)
    hints = get_type_hints(kind.__init__)
    defaults = inspect.signature(kind.__init__).parameters
    return {
        "name": name,
        "title": kind.title,
        "help": (inspect.getdoc(kind) or "").partition("\n")[0],
        "paper": kind.paper,
        "training": _training(kind.takes_training, kind.needs_training),
        "layers": list(kind.layers),
        "parameters": [
            {
                "name": parameter,
                "title": _in_words(parameter),
                "type": _type(hints[parameter], spec.choices),
                "optional": type(None) in get_args(hints[parameter]),
                "default": defaults[parameter].default,
                "low": spec.low,
                "high": spec.high,
                "choices": list(spec.choices),
                "unit": spec.unit,
                "aliases": list(spec.aliases),
                "help": spec.help,
            }
            for parameter, spec in kind.parameters.items()
        ],
    }


def _in_words(name: str) -> str:
    """The name of a parameter for people: ``Maximum iterations`` for ``max_iter``."""
    words = " ".join(_WORDS.get(word, word) for word in name.split("_"))
    return words[:1].upper() + words[1:]


def _training(takes: bool, needs: bool) -> str:
    """Whether it learns from samples."""
    return "needed" if needs else "possible" if takes else "none"


def _type(hint: Any, choices: tuple[str, ...]) -> str:
    """The words of ``--json-usage``."""
    kinds = get_args(hint) or (hint,)
    if choices:
        return "choice"
    for kind, word in ((bool, "boolean"), (float, "number"), (int, "integer")):
        if kind in kinds:
            return word
    return "text"


def _line(entry: dict[str, Any]) -> str:
    """Name and title, and below them what it does and who published it."""
    title = entry["title"] + _SAMPLES[entry["training"]]
    lines = [f"{entry['name']:<{_NAME}} {title}"]
    for text in (entry["help"], entry["paper"]):
        indent = " " * (_NAME + 1)
        lines.append(textwrap.indent(textwrap.fill(text, _WIDTH - len(indent)), indent))
    return "\n".join(lines)


def _page(entry: dict[str, Any]) -> str:
    title = entry["title"] + _SAMPLES[entry["training"]]
    lines = [f"{entry['name']}: {title}", entry["help"], ""]
    width = max(len(p["name"]) for p in entry["parameters"]) + 2
    for parameter in entry["parameters"]:
        text = f"{parameter['help']} [{_range(parameter)}]"
        if parameter["aliases"]:
            text += f" (also {', '.join(parameter['aliases'])})"
        head = f"  {parameter['name']:<{width}}"
        lines.append(
            textwrap.fill(text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head))
        )
    lines += ["", textwrap.fill(entry["paper"], _WIDTH)]
    return "\n".join(lines)


def _range(parameter: dict[str, Any]) -> str:
    default = "none" if parameter["default"] is None else parameter["default"]
    low, high, unit = parameter["low"], parameter["high"], parameter["unit"]
    measured = bool(unit) and parameter["default"] is not None
    parts = [f"default {default}{' ' + unit if measured else ''}"]
    if parameter["choices"]:
        parts.append(" or ".join(parameter["choices"]))
    elif low is not None and high is not None:
        parts.append(f"{low:,g} to {high:,g}" if high < 1e5 else f"{low:,g} to {high:,.0f}")
    elif low is not None:
        parts.append(f"{low:,g} or more")
    if parameter["type"] == "boolean":
        parts.append("true or false")
    return "; ".join(parts)

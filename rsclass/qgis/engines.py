"""Methods as parameters of algorithms, made from what ``rsclass methods --json`` tells."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from qgis.core import QgsProcessingException

from . import parameters
from .algorithm import Algorithm
from .request import Request

__all__ = ["OWN_FLAGS", "cleared", "lines", "supervised", "take_parameters", "unsupervised"]

OWN_FLAGS = {"n_classes": "CLASSES", "random_state": "SEED"}
"""Parameters of methods that have flags, and so parameters in QGIS, of their own."""

_NONE = "none"

Method = Mapping[str, Any]


def unsupervised(methods: Sequence[Method]) -> list[str]:
    """Names of the methods that need no training samples."""
    return [method["name"] for method in methods if method["training"] != "needed"]


def supervised(methods: Sequence[Method]) -> list[str]:
    """Names of the methods that take training samples."""
    return [method["name"] for method in methods if method["training"] != "none"]


def take_parameters(algorithm: Algorithm, method: Method) -> None:
    """Declare the parameters of a method, each with its type, range, default and help.

    Those that no user needs to know at first, because the method chooses a value, are advanced.
    """
    for told in method["parameters"]:
        if told["name"] not in OWN_FLAGS:
            algorithm.take(
                _definition(told),
                _flag(told),
                _meaning(told),
                advanced=told["optional"],
            )


def _definition(told: Mapping[str, Any]) -> Any:
    name, kind, default = told["name"].upper(), told["type"], told["default"]
    title = str(told["title"])
    if told["unit"]:
        title += f" ({told['unit']})"
    if kind == "boolean":
        return parameters.switch(name, title, default)
    # All are optional, so that models made for an older version do without the newer ones.
    if kind == "choice":
        return parameters.choice(name, title, told["choices"], default, optional=True)
    if kind in ("integer", "number"):
        limits = {"low": told["low"], "high": told["high"]}
        real = kind == "number"
        return parameters.number(name, title, default, real=real, optional=True, **limits)
    return parameters.text(name, title, default)


def _meaning(told: Mapping[str, Any]) -> str:
    meaning = str(told["help"])
    return f"{meaning[:1].upper()}{meaning[1:]}."


def _flag(told: Mapping[str, Any]) -> Any:
    """``--set NAME=VALUE`` unless the value is the one that the method has anyway."""

    def words(request: Request, name: str) -> list[str]:
        if told["type"] == "boolean":
            wanted = request.truth(name)
            if wanted == bool(told["default"]):
                return []
            return ["--set", f"{told['name']}={str(wanted).lower()}"]
        value, usual = _written(request, name, told["type"]), told["default"]
        same = float(value) == usual if isinstance(usual, (int, float)) else value == usual
        return [] if same else ["--set", f"{told['name']}={value}"]

    return words


def _written(request: Request, name: str, kind: str) -> str:
    if kind in ("integer", "number"):
        return request.number(name)
    return ",".join(request.choices(name)) if kind == "choice" else request.text(name)


def cleared(request: Request, method: Method) -> list[str]:
    """``--set NAME=none`` for each parameter whose default the user has taken away."""
    words = []
    for told in method["parameters"]:
        name = told["name"].upper()
        emptied = name in request.parameters and request.parameters[name] is None
        if emptied and told["optional"] and told["default"] is not None:
            words += ["--set", f"{told['name']}={_NONE}"]
    return words


def lines(request: Request, name: str, flag: str) -> list[str]:
    """``flag`` for each line NAME=VALUE of a text; semicolons part lines too.

    Raises
    ------
    QgsProcessingException
        A line is none.
    """
    words = []
    for line in re.split(r"[;\n]", request.text(name)):
        if line.strip():
            key, equals, value = (piece.strip() for piece in line.partition("="))
            if not (key and equals and value):
                raise QgsProcessingException(
                    f"'{line.strip()}' cannot be read; write NAME=VALUE, one a line."
                )
            words += [flag, f"{key}={value}"]
    return words

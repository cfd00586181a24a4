"""Parameters of a method that stand in files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rsclass.core.priors import KINDS
from rsclass.engines.catalogue import engine_class
from rsclass.io.priors import read_priors

_PRIORS = "priors"


def read_parameters(method: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    """The parameters with the content of files instead of their paths.

    So a recipe holds all that shapes a map, wherever the files are later.

    Raises
    ------
    UsageError
        There is no such method.
    DataError
        A file cannot be used.
    """
    found = dict(parameters or {})
    spec = engine_class(method).parameters.get(_PRIORS)
    if spec is not None:
        for name in (_PRIORS, *spec.aliases):
            value = found.get(name)
            if isinstance(value, str | Path) and str(value) not in KINDS:
                found[name] = read_priors(value)
    return found

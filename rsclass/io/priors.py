"""Prior probabilities of classes on disk."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from rsclass.core.cells import read_lines, unguard
from rsclass.errors import DataError
from rsclass.io.atomic import read_text

_COLUMNS = {"class", "prior"}


def read_priors(path: str | Path) -> dict[str, float]:
    """Classes and their priors.

    A CSV file has the columns ``class`` and ``prior``; a JSON file is one object,
    ``{"forest": 0.4, "water": 0.1}``.

    Raises
    ------
    DataError
        The file cannot be read, names a class twice, or holds what is no share from 0 to 1.
    """
    source = f"the file of priors {path}"
    text = read_text(path, "the file of priors")
    pairs = _of_json(text, source) if text.lstrip()[:1] in ("{", "[") else _of_csv(text, source)
    if not pairs:
        raise DataError(f"{source} names no class.")
    found: dict[str, float] = {}
    for name, cell in pairs:
        if not name:
            raise DataError(f"{source} has a prior without a class.")
        if name in found:
            raise DataError(f"{source} names the class {name!r} twice; remove one.")
        found[name] = _share(cell, name, source)
    total = math.fsum(found.values())
    if total > 1 + 1e-6:
        raise DataError(f"{source} has priors that add up to {total:.6g}, more than 1.")
    return found


def _of_json(text: str, source: str) -> list[tuple[str, Any]]:
    try:
        content = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{source} is no readable JSON: {error}.") from error
    if not all(isinstance(pair, tuple) for pair in content):
        raise DataError(f'{source} is no object of classes and priors: {{"forest": 0.4}}.')
    return [(str(name).strip(), value) for name, value in content]


def _of_csv(text: str, source: str) -> list[tuple[str, Any]]:
    columns, lines = read_lines(text, source)
    if not columns >= _COLUMNS:
        raise DataError(
            f"{source} has the columns {', '.join(sorted(columns)) or '(none)'}; it needs class "
            "and prior."
        )
    return [(unguard(cells["class"]).strip(), cells["prior"]) for _, cells in lines]


def _share(cell: Any, name: str, source: str) -> float:
    try:
        if isinstance(cell, bool):
            raise ValueError
        share = float(cell)
    except (TypeError, ValueError):
        share = math.nan
    if not 0 <= share <= 1:
        raise DataError(
            f"{source} gives {name!r} the prior {cell!r}; it must be a number from 0 to 1."
        )
    return share

"""The engines by name; each is imported only when it is asked for."""

from __future__ import annotations

import difflib
from importlib import import_module

from rsclass.engines.base import Engine
from rsclass.errors import UsageError

# In the order in which they are listed: module and class.
_ENGINES = {
    "uic": ("uic", "UIC"),
    "kmeans": ("kmeans", "KMeans"),
    "minibatch": ("minibatch", "MiniBatchKMeans"),
    "competitive": ("competitive", "CompetitiveKMeans"),
    "isodata": ("isodata", "Isodata"),
    "migrating": ("migrating", "MigratingMeans"),
    "fuzzy": ("fuzzy", "FuzzyKMeans"),
}


def method_names() -> tuple[str, ...]:
    """Names of all methods."""
    return tuple(_ENGINES)


def engine_class(method: str) -> type[Engine]:
    """The engine of that name.

    Raises
    ------
    UsageError
        No method has that name.
    """
    if method not in _ENGINES:
        close = difflib.get_close_matches(method, _ENGINES, n=1, cutoff=0.6)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(
            f"no method is named {method!r}.{hint} Known methods: {', '.join(sorted(_ENGINES))}."
        )
    module, name = _ENGINES[method]
    found: type[Engine] = getattr(import_module(f"rsclass.engines.{module}"), name)
    return found

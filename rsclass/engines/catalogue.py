"""The engines by name; each is imported only when it is asked for."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from types import NoneType
from typing import Any

from rsclass.engines.base import PREPARING, Engine
from rsclass.engines.parameters import in_words, kinds_of
from rsclass.errors import UsageError

# In the order in which they are listed: module and class.
_ENGINES = {
    "uic": ("uic", "UIC"),
    "deepcluster": ("deepcluster", "DeepCluster"),
    "selflabel": ("selflabel", "SelfLabel"),
    "scan": ("scan", "SCAN"),
    "iic": ("iic", "IIC"),
    "self-classifier": ("selfclassifier", "SelfClassifier"),
    "consensus": ("consensus", "Consensus"),
    "kmeans": ("kmeans", "KMeans"),
    "minibatch": ("minibatch", "MiniBatchKMeans"),
    "competitive": ("competitive", "CompetitiveKMeans"),
    "isodata": ("isodata", "Isodata"),
    "migrating": ("migrating", "MigratingMeans"),
    "fuzzy": ("fuzzy", "FuzzyKMeans"),
    "maxlike": ("maxlike", "MaximumLikelihood"),
    "hybrid": ("hybrid", "Hybrid"),
    "mindist": ("mindist", "MinimumDistance"),
    "sam": ("sam", "SpectralAngle"),
    "parallelepiped": ("parallelepiped", "Parallelepiped"),
    "rf": ("forest", "RandomForest"),
    "svm": ("svm", "SupportVectorMachine"),
    "gradient-boosting": ("boosting", "GradientBoosting"),
    "sklearn": ("sklearn_", "SklearnClassifier"),
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


def make_engine(method: str, values: Mapping[str, Any]) -> Engine:
    """An engine with these parameters; texts are turned into what the parameter holds.

    Parameters
    ----------
    values : mapping
        By the parameter's name or one of its aliases; text as it stands on a command line.

    Raises
    ------
    UsageError
        A parameter is unknown, or a text is not what it holds.
    """
    kind = engine_class(method)
    values, preparing = _apart(kind, values)
    names = {alias: name for name, spec in kind.parameters.items() for alias in spec.aliases}
    names |= {name: name for name in kind.parameters}
    kinds = kinds_of(kind)
    arguments: dict[str, Any] = {}
    for given, value in values.items():
        if given not in names:
            close = difflib.get_close_matches(given, names, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise UsageError(
                f"{method} has no parameter {given!r}.{hint} "
                f"Its parameters: {', '.join(kind.parameters)}."
            )
        name = names[given]
        arguments[name] = _parse(method, name, value, kinds[name])
    if "scale" in kind.parameters and preparing.get("features") == "views":
        arguments = {"scale": "none"} | arguments  # views are brought to one scale already
    return _prepared(kind(**arguments), preparing)


def remade_engine(method: str, values: Mapping[str, Any]) -> Engine:
    """An engine with the parameters that :meth:`Engine.plain_parameters` gave.

    Raises
    ------
    UsageError
        No method has that name.
    TypeError
        It has no such parameters.
    """
    kind = engine_class(method)
    own, preparing = _apart(kind, values)
    return _prepared(kind(**own), preparing)


def _apart(kind: type[Engine], values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Parameters of a method, and those that say how a scene is prepared for it."""
    own = {name: value for name, value in values.items() if name not in PREPARING}
    preparing = {name: str(value) for name, value in values.items() if name in PREPARING}
    if kind.prepares_itself and preparing:
        raise UsageError(
            f"{kind.method} forms views and smooths them itself; leave "
            f"{' and '.join(f'--{name}' for name in preparing)} out."
        )
    return own, preparing


def _prepared(engine: Engine, preparing: dict[str, str]) -> Engine:
    """The engine, which sees the scene as it is prepared."""
    if all(value in ("bands", "none") for value in preparing.values()):
        return engine
    from rsclass.engines.prepared import Prepared

    return Prepared(engine, **preparing)


_NOTHING = ("none", "all", "off")
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def _parse(method: str, name: str, value: Any, kinds: tuple[Any, ...]) -> Any:
    if not isinstance(value, str):
        return value
    text = value.strip()
    if NoneType in kinds and text.lower() in _NOTHING:
        return None
    if bool in kinds and text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    for kind in (int, float):
        if kind in kinds:
            try:
                return kind(text)
            except ValueError:
                continue
    if str in kinds or Any in kinds:
        return text
    raise UsageError(f"{method}: {name} is {value!r}; it must be {in_words(kinds)}.")

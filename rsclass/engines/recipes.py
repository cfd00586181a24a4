"""Estimators of scikit-learn written as text, ``KNeighborsClassifier(n_neighbors=3)``, and back.

Only names that scikit-learn itself lists as classifiers, and those that scale or reduce bands
before one, are ever looked up; arguments are literals or such estimators. So no text can run code.
"""

from __future__ import annotations

import ast
import difflib
from functools import cache
from inspect import signature
from typing import Any

import numpy as np

from rsclass.errors import UsageError

_BEFORE = ("MinMaxScaler", "PCA", "QuantileTransformer", "RobustScaler", "StandardScaler")
_REFUSED = ("memory",)  # a folder of pickles


def written(estimator: Any) -> str:
    """The text of an estimator: its class and the parameters that are not the default ones.

    Raises
    ------
    UsageError
        It holds what cannot be written as text, or is none of scikit-learn's classifiers.
    """
    if isinstance(estimator, str):
        return estimator
    if not hasattr(estimator, "get_params"):
        raise UsageError(f"{type(estimator).__name__} is no estimator of scikit-learn.")
    text = _written(estimator)
    again = _written(built(text))
    if again != text:
        raise UsageError(
            f"{type(estimator).__name__} cannot be written as text and read again, which a model "
            "file needs; set its parameters to numbers and words."
        )
    return text


def built(text: str) -> Any:
    """A new estimator from its text.

    Raises
    ------
    UsageError
        The text is none, or names what is no classifier of scikit-learn.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise UsageError(
            f"{text[:200]!r} is no estimator; write it as KNeighborsClassifier(n_neighbors=3)."
        ) from error
    if isinstance(tree, ast.Name):
        tree = ast.Call(tree, [], [])
    if not isinstance(tree, ast.Call):
        raise UsageError(
            f"{text[:200]!r} is no estimator; write it as KNeighborsClassifier(n_neighbors=3)."
        )
    estimator = _value(tree, _known())
    if not hasattr(estimator, "predict"):
        raise UsageError(f"{type(estimator).__name__} labels nothing; name a classifier.")
    return estimator


@cache
def _known() -> dict[str, Any]:
    from sklearn import pipeline, utils

    kinds = dict(utils.all_estimators(type_filter="classifier"))
    kinds |= {name: kind for name, kind in utils.all_estimators() if name in _BEFORE}
    return kinds | {"Pipeline": pipeline.Pipeline}


def _value(node: ast.expr, known: dict[str, Any]) -> Any:
    if isinstance(node, ast.Call):
        return _estimator(node, known)
    if isinstance(node, ast.List):
        return [_value(item, known) for item in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(item, known) for item in node.elts)
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise UsageError(
            f"{ast.unparse(node)[:100]!r} is no number, word or estimator of scikit-learn."
        ) from error


def _estimator(node: ast.Call, known: dict[str, Any]) -> Any:
    name = node.func.id if isinstance(node.func, ast.Name) else ast.unparse(node.func)
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise UsageError(f"scikit-learn has no classifier {name[:100]!r}.{hint}")
    if node.args or any(word.arg is None for word in node.keywords):
        raise UsageError(f"{name}: name its parameters, as in KNeighborsClassifier(n_neighbors=3).")
    words = {str(word.arg): _value(word.value, known) for word in node.keywords}
    for refused in _REFUSED:
        if words.get(refused) is not None:
            raise UsageError(f"{name}: {refused} cannot be set here.")
    try:
        return known[name](**words)
    except TypeError as error:
        raise UsageError(f"{name}: {error}.") from error


def _written(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, tuple):
        return f"({', '.join(map(_written, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, np.generic):
        return repr(value.item())
    if not hasattr(value, "get_params"):
        return repr(value)
    defaults = signature(type(value)).parameters
    changed = [
        f"{name}={_written(given)}"
        for name, given in value.get_params(deep=False).items()
        if repr(defaults[name].default) != repr(given)
    ]
    return f"{type(value).__name__}({', '.join(changed)})"

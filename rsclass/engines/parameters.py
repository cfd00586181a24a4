"""What a parameter of an engine is and may hold."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from numbers import Integral, Real
from types import NoneType
from typing import Any, get_args, get_type_hints

import numpy as np

from rsclass.errors import UsageError

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", NoneType: "none"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an engine as the command line and other front ends show it.

    Parameters
    ----------
    help : str
        One line.
    low, high : float or None
        Inclusive range of numbers.
    choices : tuple of str
        Of words.
    aliases : tuple of str
        The names that other software uses for it.
    unit : str
        Of the number, where it has one.
    """

    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    unit: str = ""

    def check(self, name: str, value: Any, kinds: tuple[Any, ...]) -> None:
        """Raise UsageError unless ``value`` is of one of ``kinds`` and lies in the range.

        Parameters
        ----------
        name : str
            The method's and the parameter's, for the error.
        kinds : tuple of type
            From :func:`kinds_of`.
        """
        if value is None and NoneType in kinds:
            return
        if self.choices:
            if not isinstance(value, str) or value not in self.choices:
                raise UsageError(f"{name} is {value!r}; choose one of {', '.join(self.choices)}.")
            return
        if not _holds(value, kinds):
            raise UsageError(f"{name} is {value!r}; it must be {in_words(kinds)}.")
        if not isinstance(value, Real):
            return
        number = float(value)
        low = -inf if self.low is None else self.low
        high = inf if self.high is None else self.high
        if not low <= number <= high:
            bounds = f"{low:g} or more" if high == inf else f"between {low:g} and {high:g}"
            raise UsageError(f"{name} is {number:g}; it must be {bounds}.")


def kinds_of(engine: type) -> dict[str, tuple[Any, ...]]:
    """The types that each parameter of an engine class may have."""
    hints = get_type_hints(engine.__init__)  # type: ignore[misc]
    return {name: get_args(hint) or (hint,) for name, hint in hints.items()}


def in_words(kinds: tuple[Any, ...]) -> str:
    """What a parameter of one of these types must be."""
    return " or ".join(_WORDS[kind] for kind in kinds if kind in _WORDS)


def _holds(value: Any, kinds: tuple[Any, ...]) -> bool:
    if Any in kinds:
        return True
    if isinstance(value, bool | np.bool_):
        return bool in kinds
    if isinstance(value, Integral):
        return int in kinds or float in kinds
    if isinstance(value, Real):
        return float in kinds
    return isinstance(value, str) and str in kinds

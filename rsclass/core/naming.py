"""Which class of a map a label of other people means."""

from __future__ import annotations

import re
from collections.abc import Iterable

from rsclass.core.legend import Legend
from rsclass.errors import DataError

__all__ = ["ClassNames", "told"]

_MOST_TOLD = 12


def told(labels: Iterable[str]) -> str:
    """Labels for a message: ``'water', 'bare soil'``; of many, the first twelve."""
    every = list(labels)
    more = f" and {len(every) - _MOST_TOLD:,} more" if len(every) > _MOST_TOLD else ""
    return ", ".join(map(repr, every[:_MOST_TOLD])) + more


class ClassNames:
    """The classes of a map by what people call them.

    A label means the class of its exact name; or else of the same name in other letters (upper or
    lower case, with spaces, underscores or hyphens); or else the class whose value it is.

    Parameters
    ----------
    legend : Legend
    """

    def __init__(self, legend: Legend) -> None:
        self.legend = legend
        self._values = {entry.value: i for i, entry in enumerate(legend)}
        self._exact: dict[str, list[int]] = {}
        self._loose: dict[str, list[int]] = {}
        for i, entry in enumerate(legend):
            self._exact.setdefault(entry.name, []).append(i)
            self._loose.setdefault(_loosely(entry.name), []).append(i)

    def by_value(self, label: str) -> bool:
        """Whether a label is understood as a value, although that class has a name of its own."""
        at = self.find(label)
        if at is None or _loosely(label) in self._loose:
            return False
        entry = self.legend.classes[at]
        return entry.name != f"class {entry.value}"

    def find(self, label: str) -> int | None:
        """Position of the class in the legend; None for no class.

        Raises
        ------
        DataError
            Several classes have that name.
        """
        for found in (self._exact.get(label.strip()), self._loose.get(_loosely(label))):
            if found is not None and len(found) > 1:
                values = ", ".join(str(self.legend.values[i]) for i in found)
                raise DataError(
                    f"{label!r} is the name of several classes of the map ({values}); give them "
                    "different names, or label by their values."
                )
            if found is not None:
                return found[0]
        number = _whole(label)
        return None if number is None else self._values.get(number)

    def described(self) -> str:
        """The classes for a message: ``1 'water', 2 'forest'``."""
        shown = [f"{entry.value} {entry.name!r}" for entry in self.legend]
        more = f" and {len(shown) - _MOST_TOLD:,} more" if len(shown) > _MOST_TOLD else ""
        return ", ".join(shown[:_MOST_TOLD]) + more


def _loosely(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


def _whole(label: str) -> int | None:
    found = re.fullmatch(r"\s*(\d{1,9})(?:\.0*)?\s*", label)
    return None if found is None else int(found[1])

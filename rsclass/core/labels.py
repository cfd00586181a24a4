"""Labels of training and reference features as names of classes, in one order."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from rsclass.core.legend import HIGHEST_VALUE
from rsclass.errors import UsageError


def whole_numbers(names: Sequence[str]) -> tuple[int, ...] | None:
    """The names as whole numbers, if every one is written as such."""
    try:
        numbers = tuple(int(name) for name in names)
    except ValueError:
        return None
    return numbers if tuple(map(str, numbers)) == tuple(names) else None


def distinct_labels(labels: Iterable[str]) -> tuple[str, ...]:
    """Every label once: whole numbers by size, other texts by the alphabet."""
    names = sorted(set(labels), key=lambda name: (name.casefold(), name))
    numbers = whole_numbers(names)
    return tuple(names if numbers is None else map(str, sorted(numbers)))


def map_values(names: Sequence[str]) -> tuple[int, ...]:
    """The value of each class in a map: its own number where every name is one that fits.

    A map holds 1 to 65,534; otherwise the classes are numbered from 1 in their order.
    """
    numbers = whole_numbers(names)
    if numbers is not None and all(1 <= number <= HIGHEST_VALUE for number in numbers):
        return numbers
    return tuple(range(1, len(names) + 1))


def parse_mergers(mergers: Iterable[str], names: Sequence[str]) -> dict[str, str]:
    """The new name of every class that ``old1,old2=new`` renames.

    Parameters
    ----------
    mergers : iterable of str
    names : sequence of str
        Of the classes that there are; one that holds a comma may stand alone.

    Raises
    ------
    UsageError
        It is not written so, or names a class that does not exist or was renamed before.
    """
    renamed: dict[str, str] = {}
    for merger in mergers:
        left, equals, new = (part.strip() for part in merger.rpartition("="))
        old = [left] if left in names else [part.strip() for part in left.split(",")]
        if not equals or not new or not all(old):
            raise UsageError(f"--merge is {merger!r}; write it as old1,old2=new.")
        for name in old:
            if name not in names:
                close = difflib.get_close_matches(name, names, 1)
                hint = f" Did you mean {close[0]!r}?" if close else ""
                raise UsageError(
                    f"--merge speaks of {name!r}, which is no class.{hint} The classes are "
                    f"{', '.join(names)}."
                )
            if name in renamed:
                raise UsageError(f"--merge gives {name!r} two new names; give it one.")
            renamed[name] = new
    return renamed

"""Labels of training and reference features as names of classes, in one order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rsclass.core.legend import HIGHEST_VALUE


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

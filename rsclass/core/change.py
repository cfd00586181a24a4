"""What changed from one class map to another: gains, losses, and classes that changed places.

References
----------
Pontius, R. G., Shusas, E., McEachern, M. (2004), Agriculture, Ecosystems & Environment 101,
251-268, doi:10.1016/j.agee.2003.09.008: gain, loss, net change and swap of each class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.colors import separate
from rsclass.core.legend import RGB, Legend
from rsclass.core.transitions import Transitions

__all__ = ["BY", "ClassChange", "CommonClasses", "change_legend", "class_changes"]

BY = ("name", "value")
UNCHANGED: RGB = (225, 225, 225)


@dataclass(frozen=True)
class CommonClasses:
    """The classes of two legends, each of them once.

    Parameters
    ----------
    names : tuple of str
        Those of the first legend in its order, then those of the second alone.
    colors : tuple of (red, green, blue)
    first, second : dict of int to int
        Position in ``names`` of each value of the first and of the second legend.
    """

    names: tuple[str, ...]
    colors: tuple[RGB, ...]
    first: dict[int, int]
    second: dict[int, int]

    @classmethod
    def of(cls, first: Legend, second: Legend, by: str) -> CommonClasses:
        """Match two legends.

        Parameters
        ----------
        by : {"name", "value"}
            What makes two classes the same. Names may differ in upper and lower case. Values of
            different names get both.
        """
        keys: dict[str | int, int] = {}
        names: list[str] = []
        colors: list[RGB] = []
        places: list[dict[int, int]] = []
        for legend in (first, second):
            place: dict[int, int] = {}
            for entry in legend:
                key = entry.name.casefold() if by == "name" else entry.value
                if key not in keys:
                    keys[key] = len(names)
                    names.append(entry.name)
                    colors.append(entry.color)
                elif by == "value" and names[keys[key]].casefold() != entry.name.casefold():
                    names[keys[key]] += f" / {entry.name}"
                place[entry.value] = keys[key]
            places.append(place)
        return cls(tuple(names), tuple(colors), *places)

    @property
    def shared(self) -> tuple[int, ...]:
        """Positions of the classes that both legends have."""
        return tuple(sorted(set(self.first.values()) & set(self.second.values())))

    def matrix(self, transitions: Transitions) -> NDArray[np.int64]:
        """What went from each class (rows) to each class (columns); nodata is left out."""
        counts = np.zeros((len(self.names), len(self.names)), dtype=np.int64)
        rows = _positions(self.first, transitions.before)
        cols = _positions(self.second, transitions.after)
        known = (rows >= 0) & (cols >= 0)
        np.add.at(counts, (rows[known], cols[known]), transitions.pixels[known])
        return counts


def _positions(place: Mapping[int, int], values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.array([place.get(int(value), -1) for value in values], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class ClassChange:
    """How one class changed, in pixels or in what they weigh.

    Parameters
    ----------
    before, after : int
        In the first and in the second map.
    kept : int
        In both.
    """

    before: int
    after: int
    kept: int

    @property
    def gain(self) -> int:
        """In the second map alone."""
        return self.after - self.kept

    @property
    def loss(self) -> int:
        """In the first map alone."""
        return self.before - self.kept

    @property
    def net(self) -> int:
        """Gain less loss."""
        return self.after - self.before

    @property
    def swap(self) -> int:
        """Gain in one place that makes up for loss in another, both counted."""
        return 2 * min(self.gain, self.loss)


def class_changes(matrix: NDArray[np.int64]) -> list[ClassChange]:
    """How each class changed, from a matrix of from (rows) and to (columns)."""
    before, after, kept = matrix.sum(axis=1), matrix.sum(axis=0), np.diagonal(matrix)
    return [
        ClassChange(int(b), int(a), int(k)) for b, a, k in zip(before, after, kept, strict=True)
    ]


def change_legend(
    matrix: NDArray[np.int64], classes: CommonClasses
) -> tuple[Legend, NDArray[np.int64]]:
    """Legend of a map of changes: 1 is unchanged, and each change that occurs has a value.

    A change has the color of the class that it leads to, mixed with a third of that it comes from,
    moved as far as it takes to tell it from the others.

    Returns
    -------
    Legend
    int64 array (classes, classes)
        Value of each pair of from (row) and to (column); 0 where it does not occur.
    """
    moves = [(int(row), int(col)) for row, col in np.argwhere(matrix > 0) if row != col]
    wished = [_mixed(classes.colors[row], classes.colors[col]) for row, col in moves]
    colors = separate(np.array([UNCHANGED, *wished]))
    names = [f"{classes.names[row]} → {classes.names[col]}" for row, col in moves]
    values = np.zeros(matrix.shape, dtype=np.int64)
    np.fill_diagonal(values, 1)
    for value, (row, col) in enumerate(moves, 2):
        values[row, col] = value
    return Legend.of(["unchanged", *names], colors), values


def _mixed(start: RGB, end: RGB) -> RGB:
    red, green, blue = ((a + 2 * b) // 3 for a, b in zip(start, end, strict=True))
    return red, green, blue

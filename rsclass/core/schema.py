"""Land-cover classes in two or more levels: what a finished map is to say."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from rsclass.core.legend import RGB, Legend, LegendClass, clean_name
from rsclass.errors import DataError, UsageError

__all__ = ["Schema", "SchemaClass"]


@dataclass(frozen=True, slots=True)
class SchemaClass:
    """One land-cover class.

    Parameters
    ----------
    code : int
        What a map stores for it, 1 to 65,534.
    name : str
        Kept as one line of clean text.
    color : tuple of 3 ints
        Red, green, blue, 0 to 255.
    parent : int or None
        Code of the class one level up; None on the first level.
    description : str
        What belongs to the class; one line.
    """

    code: int
    name: str
    color: RGB
    parent: int | None = None
    description: str = ""

    def __post_init__(self) -> None:
        # A legend's class has the same rules.
        checked = LegendClass(self.code, self.name, self.color)
        object.__setattr__(self, "code", checked.value)
        object.__setattr__(self, "name", checked.name)
        object.__setattr__(self, "color", checked.color)
        object.__setattr__(self, "description", clean_name(self.description))


@dataclass(frozen=True)
class Schema:
    """Land-cover classes, sorted by code.

    Parameters
    ----------
    classes : tuple of SchemaClass
        At least one.
    name : str
        Of the schema; one line.
    colored : bool
        Whether somebody chose the colors; if not, those of a merged map are better.

    Raises
    ------
    DataError
        No class; a code or a name (whatever its case) that occurs twice; a parent that is missing,
        or is the class itself or one of those below it.
    """

    classes: tuple[SchemaClass, ...]
    name: str = ""
    colored: bool = field(default=True, compare=False)

    def __post_init__(self) -> None:
        classes = tuple(sorted(self.classes, key=lambda c: c.code))
        if not classes:
            raise DataError("the schema has no class; it needs one at least.")
        for one, other in pairwise(classes):
            if one.code == other.code:
                raise DataError(
                    f"the schema lists code {one.code} twice, as {one.name!r} and {other.name!r}; "
                    "give one of them another code."
                )
        known: dict[str, int] = {}
        for entry in classes:
            first = known.setdefault(entry.name.casefold(), entry.code)
            if first != entry.code:
                raise DataError(
                    f"the schema gives the name {entry.name!r} to codes {first} and {entry.code}; "
                    "name one of them differently."
                )
        object.__setattr__(self, "classes", classes)
        object.__setattr__(self, "name", clean_name(self.name))
        for entry in classes:
            self._check_line(entry)

    def _check_line(self, entry: SchemaClass) -> None:
        """The line of parents above a class must end on the first level."""
        known = self._by_code
        passed = [entry.code]
        parent = entry.parent
        while parent is not None:
            if parent not in known:
                raise DataError(
                    f"class {passed[-1]} of the schema has the parent {parent}, which is not in "
                    "it; add that class or leave the parent empty."
                )
            if parent in passed:
                circle = " -> ".join(map(str, [*passed[passed.index(parent) :], parent]))
                raise DataError(
                    f"the parents of the schema run in a circle ({circle}); leave the parent of "
                    "one of them empty."
                )
            passed.append(parent)
            parent = known[parent].parent

    @classmethod
    def of(cls, legend: Legend, name: str = "") -> Schema:
        """The classes of a legend, all on one level."""
        return cls(tuple(SchemaClass(c.value, c.name, c.color) for c in legend), name)

    def __len__(self) -> int:
        return len(self.classes)

    def __iter__(self) -> Iterator[SchemaClass]:
        return iter(self.classes)

    @cached_property
    def _by_code(self) -> dict[int, SchemaClass]:
        return {c.code: c for c in self.classes}

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __getitem__(self, code: int) -> SchemaClass:
        """The class of a code.

        Raises
        ------
        KeyError
            There is none.
        """
        return self._by_code[code]

    @property
    def codes(self) -> tuple[int, ...]:
        """What maps store for the classes."""
        return tuple(c.code for c in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each class."""
        return tuple(c.name for c in self.classes)

    def find(self, text: str | int) -> SchemaClass:
        """The class with this code or, whatever its case, this name.

        Raises
        ------
        UsageError
            There is none.
        """
        asked = str(text).strip()
        for entry in self.classes:
            if asked.casefold() == entry.name.casefold() or asked == str(entry.code):
                return entry
        close = difflib.get_close_matches(
            asked.casefold(), [name.casefold() for name in self.names], 1
        )
        near = next((name for name in self.names if name.casefold() in close), None)
        hint = f" Did you mean {near!r}?" if near else ""
        listed = ", ".join(f"{c.code} {c.name}" for c in self.classes[:20])
        more = ", ..." if len(self) > 20 else ""
        raise UsageError(f"the schema has no class {asked!r}.{hint} Its classes: {listed}{more}.")

    # -- levels -----------------------------------------------------------------------------

    def line(self, code: int) -> tuple[SchemaClass, ...]:
        """A class and those above it, from the first level down."""
        entry = self[code]
        found = [entry]
        while entry.parent is not None:
            entry = self[entry.parent]
            found.insert(0, entry)
        return tuple(found)

    def level(self, code: int) -> int:
        """Level of a class, from 1."""
        return len(self.line(code))

    @property
    def levels(self) -> int:
        """How many levels there are."""
        return max(self.level(c.code) for c in self.classes)

    def lifted(self, code: int, level: int) -> SchemaClass:
        """The class on ``level`` above a class; the class itself where it is not below that.

        Raises
        ------
        UsageError
            The schema has no such level.
        """
        if not 1 <= level <= self.levels:
            raise UsageError(
                f"level {level} was asked for; the schema has levels 1 to {self.levels}."
            )
        line = self.line(code)
        return line[min(level, len(line)) - 1]

    def legend(self, codes: Iterable[int] | None = None) -> Legend:
        """Of a map that stores ``codes``; None: every class without classes below it."""
        above = {c.parent for c in self.classes}
        chosen = {c.code for c in self.classes if c.code not in above}
        if codes is not None:
            chosen = set(codes)
        return Legend(tuple(LegendClass(*_told(self[code])) for code in chosen))


def _told(entry: SchemaClass) -> tuple[int, str, RGB]:
    return entry.code, entry.name, entry.color

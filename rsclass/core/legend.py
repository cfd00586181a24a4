"""What the values of a class map mean: a name and a color for each."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rsclass.core.cells import read_lines, unguard, write_lines
from rsclass.errors import DataError

RGB = tuple[int, int, int]

HIGHEST_VALUE = 65_534  # of 16 bits, but for the last, which stays free
FORMAT = "rsclass-legend"
FORMAT_VERSION = 1

_NOT_IN_TEXT_FILES = {"Cc", "Zl", "Zp"}


def clean_name(text: str) -> str:
    """One line of text that every file format can hold.

    Control characters and runs of white space become one space; what is no Unicode character
    becomes U+FFFD.
    """
    kept = "".join(
        " "
        if unicodedata.category(c) in _NOT_IN_TEXT_FILES
        else "\ufffd"
        if unicodedata.category(c) == "Cs" or c in "\ufffe\uffff"
        else c
        for c in text
    )
    return " ".join(kept.split())


def hex_color(color: RGB) -> str:
    """``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def parse_color(text: str) -> RGB:
    """The color of ``#rrggbb``.

    Raises
    ------
    DataError
        The text is nothing of that kind.
    """
    match = re.fullmatch(r"#?([0-9a-fA-F]{6})", text.strip())
    if match is None:
        raise DataError(f"{text!r} is no color; write it as #rrggbb.")
    number = int(match[1], 16)
    return number >> 16, number >> 8 & 255, number & 255


@dataclass(frozen=True, slots=True)
class LegendClass:
    """One class of a map.

    Parameters
    ----------
    value : int
        What the map stores, 1 to 65,535; 0 is always nodata.
    name : str
        Kept as one line of clean text; see :func:`clean_name`.
    color : tuple of 3 ints
        Red, green, blue, 0 to 255.
    """

    value: int
    name: str
    color: RGB

    def __post_init__(self) -> None:
        value = int(self.value)
        if not 1 <= value <= HIGHEST_VALUE:
            raise DataError(
                f"class {value} cannot be in a legend; values go from 1 to {HIGHEST_VALUE} "
                "and 0 is nodata."
            )
        color = tuple(int(c) for c in self.color)
        if len(color) != 3 or not all(0 <= c <= 255 for c in color):
            raise DataError(
                f"class {value} has the color {self.color!r}; a color is red, green and blue "
                "from 0 to 255."
            )
        name = clean_name(self.name)
        if not name:
            raise DataError(f"class {value} has an empty name; give it one.")
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "color", color)


@dataclass(frozen=True)
class Legend:
    """The classes of a map, sorted by value.

    Parameters
    ----------
    classes : tuple of LegendClass
        At least one; values differ, names need not.

    Raises
    ------
    DataError
        No class, or two with the same value.
    """

    classes: tuple[LegendClass, ...]

    def __post_init__(self) -> None:
        classes = tuple(sorted(self.classes, key=lambda c: c.value))
        if not classes:
            raise DataError("the legend has no class; it needs one at least.")
        for one, other in pairwise(classes):
            if one.value == other.value:
                raise DataError(
                    f"the legend lists class {one.value} twice, as {one.name!r} and "
                    f"{other.name!r}; remove one."
                )
        object.__setattr__(self, "classes", classes)

    @classmethod
    def of(cls, names: Sequence[str], colors: Sequence[RGB]) -> Legend:
        """Classes 1, 2, ... with these names and colors."""
        pairs = zip(names, colors, strict=True)
        return cls(tuple(LegendClass(i, name, color) for i, (name, color) in enumerate(pairs, 1)))

    def __len__(self) -> int:
        return len(self.classes)

    def __iter__(self) -> Iterator[LegendClass]:
        return iter(self.classes)

    @property
    def values(self) -> tuple[int, ...]:
        """What the map stores for each class."""
        return tuple(c.value for c in self.classes)

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each class."""
        return tuple(c.name for c in self.classes)

    @property
    def colors(self) -> tuple[RGB, ...]:
        """One color for each class."""
        return tuple(c.color for c in self.classes)

    def colormap(self) -> dict[int, tuple[int, int, int, int]]:
        """Red, green, blue and alpha of every value; nodata is transparent, classes opaque."""
        return {0: (0, 0, 0, 0)} | {c.value: (*c.color, 255) for c in self.classes}

    # -- as rows ----------------------------------------------------------------------------

    def to_rows(self) -> list[dict[str, Any]]:
        """One ``{"value", "name", "color"}`` for each class, with colors as ``#rrggbb``."""
        return [{"value": c.value, "name": c.name, "color": hex_color(c.color)} for c in self]

    @classmethod
    def from_rows(cls, rows: Sequence[Mapping[str, Any]], source: str = "the legend") -> Legend:
        """The legend of which :meth:`to_rows` gave ``rows``; ``source`` is named in errors."""
        return _collect(enumerate(rows, 1), _class_of_row, source, "entry")

    # -- as JSON ----------------------------------------------------------------------------

    def to_json(self) -> str:
        """One class a line, sorted by value."""
        lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in self.to_rows())
        return (
            f'{{\n "format": "{FORMAT}",\n "format_version": {FORMAT_VERSION},\n'
            f' "classes": [\n{lines}\n ]\n}}\n'
        )

    @classmethod
    def from_json(cls, text: str, source: str = "the legend") -> Legend:
        """Read what :meth:`to_json` writes.

        Raises
        ------
        DataError
            The text is no JSON, no legend, or of a newer format.
        """
        try:
            content = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{source} is no readable JSON: {error}.") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise DataError(f'{source} is no legend: it does not say "format": "{FORMAT}".')
        if content.get("format_version") != FORMAT_VERSION:
            raise DataError(
                f"{source} has format version {content.get('format_version')}, this rsclass reads "
                f"{FORMAT_VERSION}; update rsclass."
            )
        rows = content.get("classes")
        if not isinstance(rows, list):
            raise DataError(f'{source} has no list of "classes".')
        return cls.from_rows(rows, source)

    # -- as CSV -----------------------------------------------------------------------------

    def to_csv(self) -> str:
        """Columns ``value,name,color``."""
        return write_lines(
            ("value", "name", "color"), ((c.value, c.name, hex_color(c.color)) for c in self)
        )

    @classmethod
    def from_csv(cls, text: str, source: str = "the legend") -> Legend:
        """Read columns ``value``, ``name``, and ``color`` or ``red``, ``green``, ``blue``."""
        columns, rows = read_lines(text, source)
        if not {"value", "name"} <= columns or not ("color" in columns or columns >= _RGB):
            raise DataError(
                f"{source} has the columns {', '.join(sorted(columns)) or '(none)'}; a legend "
                "needs value, name and color (or red, green and blue)."
            )
        return _collect(rows, _class_of_cells, source, "line")

    # -- as a color table -------------------------------------------------------------------

    def to_clr(self) -> str:
        """One line ``value red green blue alpha name`` for each class."""
        return "".join(f"{c.value} {' '.join(map(str, c.color))} 255 {c.name}\n" for c in self)

    @classmethod
    def from_clr(cls, text: str, source: str = "the color table") -> Legend:
        """Read ``value red green blue [alpha] [name]``, parted by spaces, tabs or commas.

        Value 0 and ``nv`` are nodata and left out; a class without a name is ``class <value>``.
        """
        lines = [
            (number, line.strip())
            for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1)
        ]
        entries = [(n, line) for n, line in lines if line and not _NO_CLASS_LINE.match(line)]
        return _collect(entries, _class_of_clr, source, "line")


_RGB = {"red", "green", "blue"}
_NO_CLASS_LINE = re.compile(r"#|INTERPOLATION|nv\b|0(\.0*)?[\s,]", re.IGNORECASE)
_CLR_LINES = tuple(
    re.compile(
        r"(?P<value>\d+)(?:\.0*)?{sep}(?P<red>\d+){sep}(?P<green>\d+){sep}(?P<blue>\d+)"
        r"(?:{sep}\d+(?={sep}|$))?(?:{sep}(?P<name>.*))?".replace("{sep}", separator)
    )
    for separator in (r"\s+", r"\s*,\s*")
)


def _collect(entries: Any, convert: Callable[[Any], LegendClass], source: str, unit: str) -> Legend:
    """A legend from numbered entries; an error names the entry."""
    classes = []
    for number, entry in entries:
        try:
            classes.append(convert(entry))
        except (DataError, ValueError, TypeError, KeyError, AttributeError) as error:
            reason = str(error) if isinstance(error, DataError) else "it is no class of a legend."
            raise DataError(f"{source}, {unit} {number}: {reason}") from error
    try:
        return Legend(tuple(classes))
    except DataError as error:
        raise DataError(f"{source}: {error}") from error


def _class_of_row(row: Mapping[str, Any]) -> LegendClass:
    if set(row) != {"value", "name", "color"}:
        raise DataError(f"it has {', '.join(sorted(row))}; a class has value, name and color.")
    value, name = row["value"], row["name"]
    if not isinstance(value, int) or isinstance(value, bool) or not isinstance(name, str):
        raise DataError("value must be a whole number and name a text.")
    return LegendClass(value, name, parse_color(row["color"]))


def _class_of_cells(row: Mapping[str, str]) -> LegendClass:
    try:
        value = int(row["value"])
    except (ValueError, TypeError) as error:
        raise DataError(f"{row['value']!r} is no whole number.") from error
    if row.get("color"):
        color = parse_color(row["color"])
    else:
        color = int(row["red"]), int(row["green"]), int(row["blue"])
    return LegendClass(value, unguard(row["name"]), color)


def _class_of_clr(line: str) -> LegendClass:
    match = next(filter(None, (pattern.fullmatch(line) for pattern in _CLR_LINES)), None)
    if match is None:
        raise DataError(f"{line[:60]!r} is not 'value red green blue [alpha] [name]'.")
    value = int(match["value"])
    color = int(match["red"]), int(match["green"]), int(match["blue"])
    return LegendClass(value, clean_name(match["name"] or "") or f"class {value}", color)

"""CSV tables: their lines, and text that a spreadsheet must not take for a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from rsclass.errors import DataError

Line = tuple[int, dict[str, str]]
"""Number of a line in its file, from 1, and its cells by the lower-case names of their columns."""

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def guard(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def unguard(text: str) -> str:
    """The text that ``guard`` was given."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def read_lines(text: str, source: str, separator: str = ",") -> tuple[set[str], list[Line]]:
    """The columns of a CSV table and its lines; cells that are missing are empty.

    Parameters
    ----------
    text : str
    source : str
        Named in errors.
    separator : str, default=","
        What stands between cells.

    Raises
    ------
    DataError
        ``source`` is no readable CSV.
    """
    reader = csv.DictReader(
        io.StringIO(text.removeprefix("\ufeff"), newline=""),
        restkey="",
        restval="",
        delimiter=separator,
    )
    try:
        columns = {str(name).strip().lower() for name in reader.fieldnames or ()}
        lines = [
            (reader.line_num, {str(key).strip().lower(): str(cell) for key, cell in row.items()})
            for row in reader
        ]
    except csv.Error as error:
        raise DataError(f"{source} is no readable CSV: {error}.") from error
    return columns, lines


def write_lines(columns: Iterable[str], lines: Iterable[Iterable[object]]) -> str:
    """A CSV table with ``\\n`` line ends; text is guarded, None is an empty cell."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns)
    for line in lines:
        writer.writerow([guard(cell) if isinstance(cell, str) else cell for cell in line])
    return out.getvalue()

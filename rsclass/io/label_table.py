"""Tables of labels: what a map says and what the reference says, one unit a line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rsclass.core.cells import read_lines, unguard
from rsclass.errors import DataError

__all__ = ["MAP", "LabelTable", "read_label_table"]

MAP = "map"
"""Column of what the map says."""


@dataclass(frozen=True)
class LabelTable:
    """Labels of units.

    Parameters
    ----------
    name : str
        Of the file.
    columns : tuple of str
    cells : dict of str to list of str
        By column, one cell for each unit; empty where there is none.
    """

    name: str
    columns: tuple[str, ...]
    cells: dict[str, list[str]]

    def __len__(self) -> int:
        return len(self.cells[MAP])


def read_label_table(path: str | Path) -> LabelTable | None:
    """Read a CSV table that has a column ``map``.

    Parameters
    ----------
    path : path
        UTF-8; cells parted by commas, semicolons or tabs.

    Returns
    -------
    LabelTable or None
        None where the file is no such table.

    Raises
    ------
    DataError
        It is no readable CSV, or has no line.
    """
    file = Path(path)
    if file.suffix.lower() not in (".csv", ".tsv", ".txt") or not file.is_file():
        return None
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not UTF-8; save it as UTF-8.") from error
    head = text.split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    columns, lines = read_lines(text, str(file), separator)
    if MAP not in columns:
        return None
    if not lines:
        raise DataError(f"{file} has no line below its heading; give one line for each unit.")
    cells = {name: [unguard(line.get(name, "")).strip() for _, line in lines] for name in columns}
    return LabelTable(file.name, tuple(sorted(columns)), cells)

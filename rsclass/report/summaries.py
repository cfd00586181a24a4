"""What results have in common when they tell themselves at a prompt or in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from rsclass.report.texts import percent

__all__ = ["aligned", "class_page", "cut", "file_lines"]

_WIDEST_NAME = 24


def aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells as columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]


def cut(name: str) -> str:
    """A class name that is no wider than a column should be."""
    return name if len(name) <= _WIDEST_NAME else f"{name[: _WIDEST_NAME - 1]}…"


def file_lines(files: Mapping[str, Path]) -> list[str]:
    """Kind and place of each file."""
    width = max(map(len, files), default=0)
    return [f"  {kind:<{width}}  {path}" for kind, path in files.items()]


def class_page(path: Path, classes: Sequence[Mapping[str, Any]]) -> str:
    """The classes of a map as HTML for a notebook; texts are escaped.

    Parameters
    ----------
    path : Path
    classes : sequence of mapping
        With color, value, name, pixels and share.
    """
    rows = "".join(
        f"<tr><td style='background:{entry['color']}'>&emsp;</td><td>{entry['value']}</td>"
        f"<td>{escape(entry['name'])}</td><td>{entry['pixels']:,}</td>"
        f"<td>{percent(entry['share'])}</td></tr>"
        for entry in classes
    )
    return (
        f"<p>{escape(str(path))}</p><table><tr><th></th><th>value</th><th>class</th>"
        f"<th>pixels</th><th>share</th></tr>{rows}</table>"
    )

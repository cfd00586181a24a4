"""Merge tables filled in step by step: begun, changed, and changes taken back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from rsclass.core.legend import Legend
from rsclass.core.merging import NOTHING, MergeRow, MergeTable
from rsclass.core.naming import ClassNames, told
from rsclass.core.schema import Schema
from rsclass.errors import UsageError
from rsclass.io.class_map import open_class_map
from rsclass.io.merge_file import (
    Edit,
    edit_merge_table,
    journal_of,
    read_merge_table,
    undo_merge_table,
    write_merge_table,
)
from rsclass.io.schema_file import read_schema
from rsclass.report.texts import counted

__all__ = ["Decided", "begin_merge_table", "decide", "undo_decision"]

_NO_CLASS = {"0", "none"}


@dataclass(frozen=True)
class Decided:
    """A merge table as it is now, and what was done to it.

    Attributes
    ----------
    path : Path
    table : MergeTable
    edit : Edit or None
        None for a table that was begun.
    warnings : list of str
    """

    path: Path
    table: MergeTable
    edit: Edit | None = None
    warnings: list[str] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        files = {"table": str(self.path)}
        if journal_of(self.path).exists():
            files["journal"] = str(journal_of(self.path))
        return {
            "path": str(self.path),
            "files": files,
            "rows": [asdict(row) for row in self.table],
            "undecided": list(self.table.undecided),
            "edit": None if self.edit is None else self.edit.to_dict(),
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """A few lines for people."""
        n = counted(len(self.table), "cluster", "clusters")
        lines = [f"{self.path}: {n}, {len(self.table.undecided)} of them without a class yet."]
        if self.edit is not None:
            if not self.edit.after:
                lines.append("  nothing changed")
            earlier = {row.cluster: row for row in self.edit.before}
            lines += [
                f"  cluster {row.cluster}: {_said(earlier[row.cluster])} -> {_said(row)}"
                for row in self.edit.after
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{row.cluster}</td><td>{escape(row.cluster_name)}</td>"
            f"<td>{escape(_said(row))}</td><td>{escape(row.by)}</td><td>{escape(row.why)}</td></tr>"
            for row in self.table
        )
        return (
            f"<p>{escape(str(self.path))}</p><table><tr><th>cluster</th><th></th><th>class</th>"
            f"<th>by</th><th>why</th></tr>{rows}</table>"
        )


def _said(row: MergeRow) -> str:
    if row.code is None:
        return "undecided"
    return "no class" if row.code == NOTHING else f"{row.code} {row.class_name}".strip()


def begin_merge_table(
    class_map: str | Path, table: str | Path, *, band: int | None = None, overwrite: bool = False
) -> Decided:
    """Write a merge table of every class of a map, none of them decided.

    Parameters
    ----------
    class_map : path
    table : path
        A ``.csv`` file.
    band : int or None
        1-based, of a map file with several bands.
    overwrite : bool
        Replace a table that stands there, and its journal.

    Returns
    -------
    Decided

    Raises
    ------
    UsageError, DataError, OutputError
        The map cannot be read, or the table not be written.
    """
    with open_class_map(class_map, band=band) as opened:
        fresh = MergeTable.empty(opened.legend)
        write_merge_table(table, fresh, inputs=opened.inputs, overwrite=overwrite)
        return Decided(Path(table), fresh, warnings=list(opened.warnings))


def decide(
    class_map: str | Path,
    table: str | Path,
    choices: Iterable[tuple[str, str]],
    *,
    schema: Schema | str | Path | None = None,
    by: str = "",
    why: str = "",
    band: int | None = None,
) -> Decided:
    """Say in a merge table which class some clusters become; noted in its journal.

    Parameters
    ----------
    class_map : path
    table : path
    choices : iterable of (clusters, class)
        Clusters as values, ranges or names (``3``, ``3,5``, ``7-9``, ``deep water``); the class as
        a code or as its name, in the schema or else in the table; ``0`` or ``none``: no class;
        empty: undecided again.
    schema : Schema, path, name or None
    by, why : str
        Who decided, and on what evidence; kept in every row that changes.
    band : int or None

    Returns
    -------
    Decided

    Raises
    ------
    UsageError
        A cluster or a class is unknown.
    DataError
        The map, the table or the schema cannot be read.
    """
    known = schema if isinstance(schema, Schema) or schema is None else read_schema(schema)
    with open_class_map(class_map, band=band) as opened:
        legend = opened.legend
    present = read_merge_table(table, schema=known, legend=legend)
    rows: dict[int, MergeRow] = {}
    for clusters, name in choices:
        code, class_name = _class(name, known, present)
        for cluster in _clusters(clusters, legend):
            if cluster not in present:
                present.with_rows([MergeRow(cluster)])  # says which clusters there are
            rows[cluster] = replace(
                present[cluster], code=code, class_name=class_name, by=by, why=why
            )
    changed, edit = edit_merge_table(
        table, rows.values(), by=by, why=why, schema=known, legend=legend
    )
    return Decided(Path(table), changed, edit)


def undo_decision(table: str | Path, *, by: str = "") -> Decided:
    """Take back the last edit of a merge table; noted in its journal.

    Parameters
    ----------
    table : path
    by : str
        Who takes it back.

    Returns
    -------
    Decided

    Raises
    ------
    UsageError
        There is no edit to take back, or one of its rows was changed by hand since.
    DataError
        The table or its journal cannot be read.
    """
    changed, edit = undo_merge_table(table, by=by)
    return Decided(Path(table), changed, edit)


def _class(name: str, schema: Schema | None, table: MergeTable) -> tuple[int | None, str]:
    """Code and name of a class as the user calls it."""
    text = name.strip()
    if not text:
        return None, ""
    if text.casefold() in _NO_CLASS:
        return NOTHING, ""
    if schema is not None:
        found = schema.find(text)
        return found.code, found.name
    if not text.isdecimal():
        return _class_of_table(text, table)
    code = int(text)
    return code, next((row.class_name for row in table if row.code == code), "")


def _class_of_table(name: str, table: MergeTable) -> tuple[int, str]:
    """Code and name of a class that other clusters of the table have already."""
    found = dict.fromkeys(
        (row.code, row.class_name) for row in table if row.code and row.class_name
    )
    same = [(code, text) for code, text in found if text.casefold() == name.casefold()]
    if len({code for code, _ in same}) == 1:
        return same[0]
    which = "two codes have in the table" if same else "no cluster of the table has yet"
    known = f" (known are {told(text for _, text in found)})" if found and not same else ""
    raise UsageError(
        f"the class {name!r} is given by its name, which {which}{known}; say with --schema which "
        "classes there are, or give its code."
    )


def _clusters(text: str, legend: Legend) -> Sequence[int]:
    """The clusters that ``3``, ``3,5``, ``7-9`` or a name mean."""
    if re.fullmatch(r"[\d\s,-]+", text) is None:
        place = ClassNames(legend).find(text)
        if place is None:
            raise UsageError(f"the map has no class {text.strip()!r}; give its value.")
        return [legend.values[place]]
    found: list[int] = []
    for part in text.split(","):
        bounds = re.fullmatch(r"\s*(\d+)(?:\s*-\s*(\d+))?\s*", part)
        if bounds is None:
            raise UsageError(f"{part.strip()!r} is neither a value nor a range such as 7-9.")
        first, last = int(bounds[1]), bounds[2]
        if last is None:
            found.append(first)
            continue
        inside = [value for value in legend.values if first <= value <= int(last)]
        if not inside:
            raise UsageError(f"no class of the map lies in the range {part.strip()}.")
        found += inside
    return found

"""Merge tables on disk, each with a journal of its edits beside it, so that any can be taken back.

The table is CSV, to be read and edited by anyone. The journal holds one JSON object a line: who
changed which rows, why and when, with the rows before and after. Nothing is ever removed from it:
taking back an edit is an entry too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rsclass.core.legend import Legend
from rsclass.core.merging import MergeRow, MergeTable
from rsclass.core.schema import Schema
from rsclass.errors import DataError, UsageError
from rsclass.io.atomic import read_text, write_bytes
from rsclass.io.target import Target, belonging

__all__ = [
    "Edit",
    "edit_merge_table",
    "journal_of",
    "read_journal",
    "read_merge_table",
    "undo_merge_table",
    "write_merge_table",
]

_JOURNAL = ".journal.jsonl"


@dataclass(frozen=True)
class Edit:
    """Rows that changed together.

    Parameters
    ----------
    before, after : tuple of MergeRow
        Of the same clusters.
    by, why : str
    time : str
        UTC, ISO 8601.
    undoes : int or None
        Place in the journal, from 0, of the edit that this one takes back.
    """

    before: tuple[MergeRow, ...]
    after: tuple[MergeRow, ...]
    by: str
    why: str
    time: str
    undoes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return asdict(self)


def read_merge_table(
    path: str | Path, *, schema: Schema | None = None, legend: Legend | None = None
) -> MergeTable:
    """The merge table in a CSV file; see :meth:`rsclass.core.merging.MergeTable.from_csv`.

    Parameters
    ----------
    path : path
    schema : Schema or None
        Needed where classes are given by their names alone.
    legend : Legend or None
        Of the map; needed where clusters are given by their names alone.

    Raises
    ------
    DataError
        The file cannot be read, or is no merge table.
    """
    text = read_text(path, "the merge table")
    return MergeTable.from_csv(text, str(path), schema=schema, legend=legend)


def write_merge_table(
    path: str | Path, table: MergeTable, *, inputs: Iterable[str] = (), overwrite: bool = False
) -> None:
    """Write a new table; one that stood there goes, and its journal with it.

    Parameters
    ----------
    path : path
        A ``.csv`` file.
    table : MergeTable
    inputs : iterable of str
        Files that it must not replace.
    overwrite : bool
        Whether it may replace a table that stands there.

    Raises
    ------
    UsageError, OutputError, DiskFullError
        As :class:`rsclass.io.target.Target`.
    """
    with _place(path, inputs, overwrite=overwrite) as target:
        target.put(table.to_csv().encode())


def journal_of(path: str | Path) -> Path:
    """Where the journal of a table lies."""
    return belonging(Path(path), _JOURNAL)


def read_journal(path: str | Path) -> list[Edit]:
    """The edits of the table at ``path``, the first one first; none where there is no journal.

    Raises
    ------
    DataError
        The journal is damaged.
    """
    journal = journal_of(path)
    if not journal.exists():
        return []
    lines = read_text(journal, "the journal").splitlines()
    return [_edit(line, f"{journal}, line {number}") for number, line in enumerate(lines, 1)]


def edit_merge_table(
    path: str | Path,
    rows: Iterable[MergeRow],
    *,
    by: str = "",
    why: str = "",
    schema: Schema | None = None,
    legend: Legend | None = None,
) -> tuple[MergeTable, Edit]:
    """Put rows in place of those of the same clusters, and note it in the journal.

    Rows that are as they were are left out.

    Parameters
    ----------
    path : path
        Of the table, which exists.
    rows : iterable of MergeRow
    by, why : str
        Of the edit, for the journal.
    schema, legend
        As for :func:`read_merge_table`.

    Raises
    ------
    DataError
        The table or its journal cannot be read.
    UsageError
        A cluster is not in the table.
    OutputLockedError
        Another run is changing it.
    """
    with _place(path, overwrite=True) as target:
        table = read_merge_table(path, schema=schema, legend=legend)
        new = sorted(
            (row for row in rows if row.cluster not in table or table[row.cluster] != row),
            key=lambda row: row.cluster,
        )
        changed = table.with_rows(new)
        edit = Edit(tuple(table[row.cluster] for row in new), tuple(new), by, why, _now())
        if new:
            _keep(path, edit)
            _put(target, changed)
    return changed, edit


def undo_merge_table(path: str | Path, *, by: str = "") -> tuple[MergeTable, Edit]:
    """Take back the last edit that has not been taken back yet.

    Returns
    -------
    MergeTable
        As it is now.
    Edit
        What was done.

    Raises
    ------
    UsageError
        There is no such edit, or one of its rows was changed by hand since.
    DataError
        The table or its journal cannot be read.
    """
    with _place(path, overwrite=True) as target:
        table, journal = read_merge_table(path), read_journal(path)
        gone = {edit.undoes for edit in journal}
        open_edits = [i for i, edit in enumerate(journal) if edit.undoes is None and i not in gone]
        if not open_edits:
            raise UsageError(f"{path} has no edit that could be taken back.")
        last = journal[open_edits[-1]]
        clusters = [row.cluster for row in last.before]
        current = [table[cluster] for cluster in clusters if cluster in table]
        # A run that was killed between journal and table has left the rows as they were.
        as_left = {row.cluster for row in current if row in last.before or row in last.after}
        foreign = [str(cluster) for cluster in clusters if cluster not in as_left]
        if foreign:
            raise UsageError(
                f"the last edit of {path} cannot be taken back, because its line for cluster "
                f"{', '.join(foreign)} was changed by hand since; set it anew."
            )
        changed = table.with_rows(last.before)
        edit = Edit(tuple(current), last.before, by, "", _now(), open_edits[-1])
        _keep(path, edit)
        _put(target, changed)
    return changed, edit


def _place(path: str | Path, inputs: Iterable[str] = (), *, overwrite: bool) -> Target:
    file = Path(path)
    if file.suffix.lower() != ".csv":
        raise UsageError(f"{path}: a merge table is a .csv file.")
    # An edit keeps the journal; a new table replaces it.
    return Target(file, list(inputs), overwrite=overwrite, belongings=(_JOURNAL,))


def _put(target: Target, table: MergeTable) -> None:
    write_bytes(target.path, table.to_csv().encode(), overwrite=True)


def _keep(path: str | Path, edit: Edit) -> None:
    """Add to the journal, before the table changes: what is noted can be taken back."""
    journal = journal_of(path)
    earlier = journal.read_bytes() if os.path.lexists(journal) else b""
    line = json.dumps(edit.to_dict(), ensure_ascii=False)
    write_bytes(journal, earlier + line.encode() + b"\n", overwrite=True)


def _edit(line: str, source: str) -> Edit:
    try:
        content = json.loads(line)
        before, after = (tuple(map(_row, content.pop(name))) for name in ("before", "after"))
        return Edit(before, after, **content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{source} is damaged: {error}.") from error


def _row(content: Mapping[str, Any]) -> MergeRow:
    return MergeRow(**{field.name: content[field.name] for field in fields(MergeRow)})


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Merge tables on disk: edited with a journal, and every edit can be taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rsclass.core.legend import Legend
from rsclass.core.merging import MergeRow, MergeTable
from rsclass.core.schema import Schema, SchemaClass
from rsclass.errors import DataError, OutputExistsError, OutputLockedError, UsageError
from rsclass.io.locks import OutputLock
from rsclass.io.merge_file import (
    edit_merge_table,
    journal_of,
    read_journal,
    read_merge_table,
    undo_merge_table,
    write_merge_table,
)

LEGEND = Legend.of(["a", "b", "c"], [(1, 1, 1), (2, 2, 2), (3, 3, 3)])
FRESH = MergeTable.empty(LEGEND)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_merge_table(tmp_path / "table.csv", FRESH)
    return tmp_path / "table.csv"


def rows(**codes: int) -> list[MergeRow]:
    return [replace(FRESH[int(name[1:])], code=code, by="me") for name, code in codes.items()]


def test_a_table_is_written_and_read(path):
    assert read_merge_table(path) == FRESH
    assert read_journal(path) == []


def test_an_edit_changes_its_rows_alone_and_is_noted(path):
    table, edit = edit_merge_table(path, rows(c1=4, c2=4), by="me", why="both wet")
    assert read_merge_table(path) == table
    assert [row.code for row in table] == [4, 4, None]
    assert read_journal(path) == [edit]
    assert (edit.by, edit.why) == ("me", "both wet")
    lines = journal_of(path).read_text().splitlines()
    assert len(lines) == 1
    assert [row["code"] for row in json.loads(lines[0])["after"]] == [4, 4]


def test_edits_are_taken_back_one_by_one_until_none_is_left(path):
    states = [path.read_bytes()]
    for edit in (rows(c1=1), rows(c1=2, c3=2), rows(c2=3)):
        edit_merge_table(path, edit)
        states.append(path.read_bytes())
    for state in reversed(states[:-1]):
        undo_merge_table(path)
        assert path.read_bytes() == state
    with pytest.raises(UsageError, match="no edit that could be taken back"):
        undo_merge_table(path)
    # Nothing leaves the journal.
    assert [edit.undoes for edit in read_journal(path)] == [None, None, None, 2, 1, 0]


def test_after_an_edit_taken_back_another_one_can_be_made_and_taken_back(path):
    edit_merge_table(path, rows(c1=1))
    undo_merge_table(path)
    edit_merge_table(path, rows(c1=2))
    edit_merge_table(path, rows(c2=2))
    undo_merge_table(path)
    assert [row.code for row in read_merge_table(path)] == [2, None, None]
    undo_merge_table(path)
    assert read_merge_table(path) == FRESH


def test_an_edit_that_changes_nothing_is_not_noted(path):
    edit_merge_table(path, rows(c1=1))
    before = path.stat().st_mtime_ns
    _, edit = edit_merge_table(path, rows(c1=1))
    assert edit.after == ()
    assert len(read_journal(path)) == 1
    assert path.stat().st_mtime_ns == before


def test_what_was_changed_by_hand_since_is_not_taken_back(path):
    edit_merge_table(path, rows(c1=1, c2=1))
    path.write_text(path.read_text().replace("2,b,1,,me,", "2,b,9,,hand,"))
    with pytest.raises(UsageError, match="cluster 2 was changed by hand since"):
        undo_merge_table(path)
    assert read_merge_table(path)[2].code == 9
    path.write_text("".join(line for line in path.open() if not line.startswith("2,")))
    with pytest.raises(UsageError, match="cluster 2 was changed by hand since"):
        undo_merge_table(path)


def test_rows_changed_by_hand_elsewhere_stay(path):
    edit_merge_table(path, rows(c1=1))
    path.write_text(path.read_text().replace("3,c,,,,", "3,c,9,,hand,"))
    undo_merge_table(path)
    assert [row.code for row in read_merge_table(path)] == [None, None, 9]


def test_an_edit_that_was_killed_before_the_table_changed_can_be_taken_back(path):
    """P07: the journal is written first."""
    before = path.read_bytes()
    edit_merge_table(path, rows(c1=1))
    path.write_bytes(before)
    undo_merge_table(path)
    assert path.read_bytes() == before
    with pytest.raises(UsageError, match="no edit"):
        undo_merge_table(path)


def test_a_damaged_journal_is_told_by_its_line(path):
    edit_merge_table(path, rows(c1=1))
    with journal_of(path).open("a") as file:
        file.write('{"before": [')
    with pytest.raises(DataError, match=r"table\.journal\.jsonl, line 2 is damaged"):
        undo_merge_table(path)
    assert read_merge_table(path)[1].code == 1


def test_names_are_looked_up_when_a_table_is_edited(path):
    schema = Schema((SchemaClass(5, "Water", (0, 0, 255)),))
    path.write_text("cluster,class\n1,water\n2,\n3,\n")
    table, _ = edit_merge_table(path, [MergeRow(2, 5)], schema=schema, legend=LEGEND)
    assert [row.code for row in table] == [5, 5, None]


def test_unknown_clusters_and_missing_tables_are_refused(path, tmp_path):
    with pytest.raises(UsageError, match="no cluster 8"):
        edit_merge_table(path, [MergeRow(8, 1)])
    with pytest.raises(DataError, match=r"none\.csv cannot be read"):
        edit_merge_table(tmp_path / "none.csv", [MergeRow(1, 1)])
    assert not journal_of(path).exists()


def test_a_new_table_takes_the_place_of_an_old_one_and_its_journal(path):
    """P03."""
    edit_merge_table(path, rows(c1=1))
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_merge_table(path, FRESH)
    write_merge_table(path, FRESH, overwrite=True)
    assert read_merge_table(path) == FRESH
    assert not journal_of(path).exists()


def test_a_table_is_a_csv_file(tmp_path):
    with pytest.raises(UsageError, match=r"a merge table is a \.csv file"):
        write_merge_table(tmp_path / "table.json", FRESH)


def test_two_edits_at_once_are_refused(path):
    """P09."""
    lock = OutputLock(path.resolve())
    try:
        with pytest.raises(OutputLockedError, match="in use by"):
            edit_merge_table(path, rows(c1=1))
    finally:
        lock.release()
    assert read_merge_table(path) == FRESH


def test_nothing_is_left_beside_table_and_journal(path):
    edit_merge_table(path, rows(c1=1))
    undo_merge_table(path)
    names = {file.name for file in path.parent.iterdir()}
    assert names == {"table.csv", "table.journal.jsonl"}

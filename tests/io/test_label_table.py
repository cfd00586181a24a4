"""CSV tables of labels."""

from __future__ import annotations

from pathlib import Path

import pytest

from rsclass.errors import DataError
from rsclass.io.label_table import read_label_table


def written(tmp_path: Path, text: str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding=encoding, newline="")
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_cells_may_be_parted_and_ended_in_many_ways(tmp_path, separator, end, encoding):
    """P13"""
    lines = [["Map", "Reference"], ["wood", "Größe"], [" a b ", ""]]
    text = end.join(separator.join(line) for line in lines) + end
    table = read_label_table(written(tmp_path, text, encoding=encoding))
    assert table.columns == ("map", "reference")
    assert table.cells == {"map": ["wood", "a b"], "reference": ["Größe", ""]}


def test_a_table_of_points_is_no_table_of_labels(tmp_path):
    assert read_label_table(written(tmp_path, "x,y,reference\n1,2,wood\n")) is None
    assert read_label_table(written(tmp_path, "map,reference\n", "t.gpkg")) is None
    assert read_label_table(tmp_path / "absent.csv") is None


def test_tables_that_cannot_be_read_are_told_so(tmp_path):
    with pytest.raises(DataError, match="no line below its heading"):
        read_label_table(written(tmp_path, "map,reference\n"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_label_table(written(tmp_path, "map,reference\nä,ö\n", encoding="cp1252"))


def test_text_that_was_guarded_for_spreadsheets_is_read_as_it_was(tmp_path):
    """H14"""
    table = read_label_table(written(tmp_path, "map,reference\n'=1+1,'-x\n"))
    assert table.cells == {"map": ["=1+1"], "reference": ["-x"]}

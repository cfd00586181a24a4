from __future__ import annotations

import json
import zlib

import numpy as np
import pytest
from shapely.geometry import Point, box

from rsclass.core.legend import Legend
from rsclass.core.types import Window
from rsclass.errors import DataError
from rsclass.io.edit_log import ChangedBlock, EditedFeature, EditLog, LoggedEdit, read_edit_log

LEGEND = Legend.of(["wäter", "forest"], [(0, 0, 255), (0, 99, 0)])
WINDOW = Window(0, 512, 3, 4)
OLD = np.array([[1, 2, 0, 65_534]] * 3, np.int32)
NEW = np.array([[2, 2, 1, 1]] * 3, np.int32)


def log(created="2026-01-01T00:00:00Z"):
    facts = {"created": created, "polygons": "/x/ö.gpkg", "layer": "a", "field": "c", "fill": True}
    features = (
        EditedFeature(7, "water", 1, None, 9, {2: 5, 0: 3}, box(0.1, 0.2, 3.3, 4.4)),
        EditedFeature(9, "2", 2, (1,), 0, {}, Point(1 / 3, 2 / 3)),
    )
    block = ChangedBlock.of(WINDOW, OLD, NEW)
    edit = LoggedEdit(facts, LEGEND, LEGEND, features, (block,))
    return EditLog((edit, edit))


def test_a_log_that_is_written_is_the_log_that_is_read(tmp_path):
    file = tmp_path / "map.edits.jsonl"
    file.write_bytes(log().to_bytes())
    assert read_edit_log(tmp_path / "map.tif") == log()
    assert read_edit_log(file) == log()
    assert all(json.loads(line) for line in file.read_text().splitlines())


def test_a_block_gives_back_the_old_values_and_nothing_but_them():
    block = ChangedBlock.of(WINDOW, OLD, NEW)
    np.testing.assert_array_equal(block.restored(NEW), OLD)
    other = NEW.copy()
    other[1, 1] = 5
    with pytest.raises(DataError, match="changed after the edit"):
        block.restored(other)


def test_the_digest_does_not_depend_on_the_time_of_writing():
    assert log("2026-01-01T00:00:00Z").digest() == log("2027-01-01T00:00:00Z").digest()
    assert log().digest() != EditLog(log().edits[:1]).digest()


def test_the_placed_features_carry_the_names_of_their_classes():
    placed = log().edits[0].placed()
    assert placed.labels == ("wäter", "forest")
    assert placed.ids == (7, 9)


def damaged(change):
    rows = [json.loads(line) for line in log().to_bytes().decode().splitlines()]
    change(rows)
    return "\n".join(json.dumps(row) for row in rows).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"format": "rsclass-legend"}',
        b"[" * 100_000,
        damaged(lambda rows: rows[0].update(format_version=9)),
        damaged(lambda rows: rows.pop()),
        damaged(lambda rows: rows[1].update(features=-1)),
        damaged(lambda rows: rows[1].pop("before")),
        damaged(lambda rows: rows[2].update(shape="zz")),
        damaged(lambda rows: rows[2].update(shape="0101")),
        damaged(lambda rows: rows[4].update(before="not base64!")),
        damaged(lambda rows: rows[4].update(block=[1, 2])),
    ],
)
def test_what_is_no_whole_log_is_refused(tmp_path, content):
    file = tmp_path / "log.jsonl"
    file.write_bytes(content)
    with pytest.raises(DataError):
        read_edit_log(file)


def test_a_missing_log_is_told(tmp_path):
    with pytest.raises(DataError, match="there is no edit log"):
        read_edit_log(tmp_path / "map.tif")


@pytest.mark.parametrize("size", [0, 23, 10**8], ids=["empty", "short", "a bomb"])
def test_packed_values_of_a_wrong_size_are_refused_before_they_are_unpacked(size):
    """H11"""
    block = ChangedBlock.of(WINDOW, OLD, NEW)
    wrong = ChangedBlock(WINDOW, block.crc32, zlib.compress(bytes(size)))
    with pytest.raises(DataError, match="size is wrong"):
        wrong.restored(NEW)


def test_values_that_are_not_packed_are_refused():
    block = ChangedBlock.of(WINDOW, OLD, NEW)
    with pytest.raises(DataError, match="damaged"):
        ChangedBlock(WINDOW, block.crc32, b"nothing").restored(NEW)

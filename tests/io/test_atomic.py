"""A small file is there whole, or as it was."""

import errno
import os
import stat

import pytest
from sink_helpers import lose_a_byte_on_fsync

from rsclass.errors import DiskFullError, IncompleteOutputError, OutputError, OutputExistsError
from rsclass.io.atomic import write_bytes


def test_writes_the_bytes_and_leaves_nothing_else(tmp_path):
    write_bytes(tmp_path / "a.json", b"one", overwrite=False)
    write_bytes(tmp_path / "a.json", b"two", overwrite=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.json": b"two"}


def test_a_new_file_has_the_rights_that_the_user_gives_new_files(tmp_path):
    (tmp_path / "plain").touch()
    write_bytes(tmp_path / "a.json", b"one", overwrite=False)
    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.json", "plain")]
    assert rights[0] == rights[1]


def test_what_exists_is_kept_even_where_it_is_a_link_to_nothing(tmp_path):
    (tmp_path / "link").symlink_to("gone")
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_bytes(tmp_path / "link", b"one", overwrite=False)
    assert [p.name for p in tmp_path.iterdir()] == ["link"]


@pytest.mark.parametrize("place", ["gone/a.json", "file/a.json", "folder", "x" * 300])
def test_an_impossible_place_is_one_sentence_and_leaves_nothing(tmp_path, place):
    (tmp_path / "file").write_bytes(b"text")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot be written: "):
        write_bytes(tmp_path / place, b"one", overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_keeps_the_old_file(tmp_path, monkeypatch, number):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFullError, match=r"full before .*a\.json was complete"):
        write_bytes(path, b"new", overwrite=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.json": b"old"}


def test_a_file_that_reads_back_differently_is_not_shown(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    lose_a_byte_on_fsync(monkeypatch)
    with pytest.raises(IncompleteOutputError, match=r"a\.json was not written: it read back"):
        write_bytes(path, b"new", overwrite=True)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a.json": b"old"}

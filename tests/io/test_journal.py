"""The journal gives back what was finished, and nothing that was damaged."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rsclass.core.types import Window
from rsclass.errors import DiskFullError, OutputError, RsclassWarning
from rsclass.io.journal import Journal


def piece(i: int) -> tuple[Window, dict[str, np.ndarray]]:
    rng = np.random.default_rng(i)
    return Window(100 * i, 7, 20, 30), {
        "labels": rng.integers(0, 9, (20, 30)).astype(np.uint8),
        "membership": rng.random((3, 20, 30)).astype(np.float32),
    }


def filled(path: Path, n: int) -> list[int]:
    """A journal of ``n`` pieces; returns the file size after each."""
    ends = []
    with Journal.open(path, "config", resume=False) as journal:
        ends.append(path.stat().st_size)
        for i in range(n):
            journal.add(*piece(i))
            ends.append(path.stat().st_size)
    return ends


def kept(path: Path, config: str = "config") -> list[int]:
    """Numbers of the pieces found again, each compared bit by bit with what was put in."""
    numbers = []
    with Journal.open(path, config, resume=True) as journal:
        for window, layers in journal.pieces():
            i = window.row // 100
            wanted_window, wanted = piece(i)
            assert window == wanted_window
            assert list(layers) == list(wanted)
            for name, array in layers.items():
                assert array.dtype == wanted[name].dtype
                np.testing.assert_array_equal(array, wanted[name])
            numbers.append(i)
    return numbers


def test_a_resumed_run_finds_every_piece_bit_by_bit(tmp_path):
    filled(tmp_path / "j", 5)
    assert kept(tmp_path / "j") == [0, 1, 2, 3, 4]


def test_a_resumed_run_adds_to_the_pieces_it_found(tmp_path):
    path = tmp_path / "j"
    filled(path, 2)
    with Journal.open(path, "config", resume=True) as journal:
        assert len(list(journal.pieces())) == 2
        journal.add(*piece(2))
        assert len(list(journal.pieces())) == 3
    assert kept(path) == [0, 1, 2]


def test_without_resume_the_journal_starts_empty(tmp_path):
    path = tmp_path / "j"
    filled(path, 3)
    with Journal.open(path, "config", resume=False) as journal:
        assert list(journal.pieces()) == []


def test_pieces_of_other_settings_are_not_used_and_the_user_is_told(tmp_path):
    path = tmp_path / "j"
    filled(path, 3)
    with pytest.warns(RsclassWarning, match="other settings"):
        journal = Journal.open(path, "other", resume=True)
    with journal:
        assert list(journal.pieces()) == []
        journal.add(*piece(7))
    assert kept(path, "other") == [7]


def test_a_file_torn_at_any_byte_keeps_exactly_the_whole_records(tmp_path):
    """P07: power loss while a record was written."""
    path = tmp_path / "j"
    ends = filled(path, 3)
    whole = path.read_bytes()
    first = ends[0]
    for cut in [*range(first, first + 30), *range(first, len(whole), 97), *ends]:
        path.write_bytes(whole[:cut])
        assert kept(path) == list(range(sum(end <= cut for end in ends[1:])))
        with Journal.open(path, "config", resume=True) as journal:
            journal.add(*piece(9))
        assert kept(path)[-1] == 9


def test_a_flipped_bit_costs_pieces_but_never_gives_a_wrong_one(tmp_path):
    """P07: a tile is used again only if its CRC matches."""
    path = tmp_path / "j"
    ends = filled(path, 3)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.integers(ends[0], ends[-1], 60):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        hit = sum(end <= position for end in ends[1:])
        found = kept(path)
        assert hit not in found
        assert found[:hit] == list(range(hit))
        in_payload = position >= ends[hit] + 12
        if in_payload:  # the frame still shows where the next record begins
            assert found == [i for i in range(3) if i != hit]


def test_a_damaged_title_is_taken_for_another_run(tmp_path):
    path = tmp_path / "j"
    filled(path, 1)
    data = bytearray(path.read_bytes())
    data[20] ^= 1
    path.write_bytes(data)
    with pytest.warns(RsclassWarning):
        assert kept(path) == []


def test_a_window_that_was_added_twice_comes_once(tmp_path):
    path = tmp_path / "j"
    with Journal.open(path, "config", resume=False) as journal:
        journal.add(*piece(1))
        journal.add(*piece(1))
    assert kept(path) == [1]


def test_discard_removes_the_file_and_close_keeps_it(tmp_path):
    path = tmp_path / "j"
    with Journal.open(path, "config", resume=False) as journal:
        journal.add(*piece(0))
    assert path.exists()
    Journal.open(path, "config", resume=True).discard()
    assert not path.exists()


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(OutputError, match="nowhere"):
        Journal.open(tmp_path / "nowhere" / "j", "config", resume=False)


CHILD = """
import sys, os, signal
sys.path.insert(0, {here!r})
from test_journal import piece
from rsclass.io.journal import Journal
{before}
journal = Journal.open(sys.argv[1], "config", resume=False)
for i in range(1000):
    journal.add(*piece(i))
    {after}
"""


def run(path: Path, before: str = "", after: str = "") -> subprocess.CompletedProcess[str]:
    code = CHILD.format(here=str(Path(__file__).parent), before=before, after=after)
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60
    )


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX")
def test_a_killed_run_leaves_its_finished_pieces(tmp_path):
    """P07: kill -9."""
    done = run(tmp_path / "j", after="i == 4 and os.kill(os.getpid(), signal.SIGKILL)")
    assert done.returncode == -signal.SIGKILL
    assert kept(tmp_path / "j") == [0, 1, 2, 3, 4]


@pytest.mark.skipif(os.name == "nt", reason="file limits are POSIX")
def test_a_full_disk_is_reported_and_the_pieces_before_it_remain(tmp_path):
    """P04: the size limit of the process stands for a full disk."""
    # Bytecode that is cut short would stay behind.
    limit = "import resource; sys.dont_write_bytecode = True; "
    limit += "resource.setrlimit(resource.RLIMIT_FSIZE, (40000, 40000))"
    done = run(tmp_path / "j", before=limit)
    assert DiskFullError.__name__ in done.stderr
    found = kept(tmp_path / "j")
    assert found
    assert found == list(range(len(found)))

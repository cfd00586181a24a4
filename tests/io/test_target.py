"""A small file goes through its place whole, read back, or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from sink_helpers import contents, lose_a_byte_on_fsync

from rsclass.errors import (
    DiskFullError,
    IncompleteOutputError,
    OutputError,
    RsclassError,
    UsageError,
)
from rsclass.io.target import Target


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """What stood in the place before."""
    path = tmp_path / "m.safetensors"
    path.write_bytes(b"old")
    return path


def put(path: Path, content: bytes) -> None:
    with Target(path, overwrite=True, belongings=()) as target:
        target.put(content)


def test_a_put_file_stands_alone_in_its_place(old):
    put(old, b"new")
    assert contents(old.parent) == {old.name: b"new"}


@pytest.mark.parametrize(
    ("number", "expected", "code"),
    [
        (errno.ENOSPC, DiskFullError, 6),
        (errno.EFBIG, DiskFullError, 6),
        (errno.EIO, OutputError, 4),
    ],
)
@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_put_is_told_and_leaves_what_was_there(
    old, monkeypatch, step, number, expected: type[RsclassError], code
):
    """P04."""
    real, failed = getattr(os, step), []

    def failing(*args: object) -> None:
        if failed:
            return real(*args)
        failed.append(step)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, step, failing)
    with pytest.raises(expected, match=old.name) as caught:
        put(old, b"new")
    assert caught.value.exit_code == code
    assert contents(old.parent) == {old.name: b"old"}


def test_a_put_file_that_reads_back_differently_is_not_shown(old, monkeypatch):
    lose_a_byte_on_fsync(monkeypatch)
    with pytest.raises(IncompleteOutputError, match="it read back differently"):
        put(old, b"new")
    assert contents(old.parent) == {old.name: b"old"}


def test_a_sidecar_that_reads_back_differently_keeps_the_old_map(tmp_path, monkeypatch):
    with Target(tmp_path / "map.tif") as target:
        finished = target.part(".tif")
        finished.write_bytes(b"map")
        lose_a_byte_on_fsync(monkeypatch)
        with pytest.raises(IncompleteOutputError, match=r"map\.qml was not written"):
            target.fill(finished, {".qml": b"style"})
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", ["map.png", "map.jp2", "map", "map.tif.gz", ".tif", "map.vrt"])
def test_a_raster_is_named_as_what_it_is(name, tmp_path):
    stem = Path(name).stem
    with pytest.raises(UsageError, match=f"name it {stem}.tif") as caught:
        Target(tmp_path / name, raster=True)
    assert caught.value.exit_code == 2
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("name", ["map.tif", "map.TIF", "map.tiff", "a.b.Tiff"])
def test_every_usual_name_of_a_geotiff_is_taken(name, tmp_path):
    with Target(tmp_path / name, raster=True) as target:
        assert target.path == tmp_path / name


def test_an_input_as_output_is_refused_as_that_whatever_its_name(tmp_path):
    """P02."""
    scene = tmp_path / "scene.img"
    scene.write_bytes(b"pixels")
    with pytest.raises(UsageError, match="same file as the input"):
        Target(scene, [scene], raster=True)

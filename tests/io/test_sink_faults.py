"""Whatever fails while a raster is written: a correct output, or the old one and no leftovers."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from sink_helpers import COLORS, contents, image, sink_for, small_disk, tiles, write_raster

import rsclass.io.sink as sink_module
from rsclass.errors import (
    DiskFullError,
    IncompleteOutputError,
    OutputError,
)
from rsclass.io.sink import Writing

OLD_SIDECARS = {".aux.xml": b"<old/>", ".qml": b"old", ".stats.json": b"{}"}
NEW_SIDECARS = {".aux.xml": b"<new/>", ".clr": b"new"}
posix = pytest.mark.skipif(os.name == "nt", reason="signals and file limits are POSIX")


class Fuse:
    """Lets the first ``n`` operations pass and fails the next one."""

    def __init__(self, n: int, error: BaseException) -> None:
        self.left, self.error, self.blown = n, error, ""

    def burn(self, what: str) -> None:
        if not self.blown and self.left == 0:
            self.blown = what
            raise self.error
        self.left -= 1


class FailingDataset:
    """A rasterio dataset whose writes and whose close may fail."""

    def __init__(self, dataset: Any, fuse: Fuse) -> None:
        self._dataset, self._fuse = dataset, fuse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dataset, name)

    def __enter__(self) -> FailingDataset:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def write(self, *args: Any, **kwargs: Any) -> None:
        self._fuse.burn("write")
        self._dataset.write(*args, **kwargs)

    def read(self, *args: Any, **kwargs: Any) -> Any:
        self._fuse.burn("read")
        return self._dataset.read(*args, **kwargs)

    def close(self) -> None:
        self._fuse.burn("close")
        self._dataset.close()


def lay_fuse(monkeypatch: pytest.MonkeyPatch, fuse: Fuse) -> None:
    def fused(what: str, call: Any) -> Any:
        def run(*args: Any, **kwargs: Any) -> Any:
            fuse.burn(what)
            return call(*args, **kwargs)

        return run

    for name in ("fsync", "replace", "link"):
        monkeypatch.setattr(os, name, fused(name, getattr(os, name)))
    real_open = rasterio.open

    def opened(*args: Any, **kwargs: Any) -> FailingDataset:
        fuse.burn("open")
        return FailingDataset(real_open(*args, **kwargs), fuse)

    monkeypatch.setattr(rasterio, "open", opened)
    monkeypatch.setattr(sink_module, "convert", fused("convert", sink_module.convert))


NEW = image(530, 100)
OLD = NEW[:, ::-1].copy()


def write_new(path: Path, driver: str) -> None:
    write_raster(
        NEW,
        path,
        Writing(driver, overwrite=True),
        side=512,
        sidecars=NEW_SIDECARS,
        colormap=COLORS,
    )


EIO = OSError(errno.EIO, "input/output error")


@pytest.mark.parametrize("old", [False, True], ids=["nothing before", "an old output"])
@pytest.mark.parametrize(
    ("driver", "error"),
    [
        pytest.param("GTiff", EIO, id="EIO"),
        pytest.param("COG", EIO, id="COG-EIO"),
        pytest.param("GTiff", KeyboardInterrupt(), id="Ctrl-C"),
        pytest.param("GTiff", SystemError("Unknown GDAL Error"), id="SystemError"),
    ],
)
def test_the_failure_of_any_single_step_leaves_all_or_nothing(driver, old, error, tmp_path):
    """P03, P04, P05: the N-th write, read, close, fsync, rename or link fails, for every N."""
    reference = tmp_path / "reference"
    reference.mkdir()
    write_new(reference / "map.tif", driver)
    new = contents(reference)
    blown = []
    for n in range(1000):
        folder = tmp_path / str(n)
        folder.mkdir()
        if old:
            write_raster(OLD, folder / "map.tif", sidecars=OLD_SIDECARS)
        before = contents(folder)
        fuse = Fuse(n, error)
        failed = None
        with pytest.MonkeyPatch.context() as patch:
            lay_fuse(patch, fuse)
            try:
                write_new(folder / "map.tif", driver)
            except (OutputError, KeyboardInterrupt) as problem:
                failed = problem
        if not fuse.blown:
            break
        blown.append(fuse.blown)
        if failed is None:  # a file system without links is not a failure
            assert (fuse.blown, error) == ("link", EIO)
        expected = new if failed is None else before
        assert contents(folder) == expected, f"step {n}, {fuse.blown}"
    assert contents(folder) == new
    steps = {"open", "write", "close", "fsync", "read", "replace"}
    steps |= {"link"} if old else set()
    steps |= {"convert"} if driver == "COG" else set()
    assert set(blown) == steps


class SilentlyShort(FailingDataset):
    """GDAL's way to fail at close: no error, and the end of the file is missing."""

    def close(self) -> None:
        path, writes = self._dataset.name, self._dataset.mode == "r+"
        self._dataset.close()
        if writes:
            os.truncate(path, os.path.getsize(path) // 2)


class SilentlyWrong(FailingDataset):
    """A write that loses its pixels."""

    def write(self, pixels: np.ndarray, **kwargs: Any) -> None:
        self._dataset.write(np.zeros_like(pixels), **kwargs)


@pytest.mark.parametrize("kind", [SilentlyShort, SilentlyWrong])
def test_what_gdal_does_not_report_is_found_when_read_back(kind, tmp_path, monkeypatch):
    real_open = rasterio.open
    monkeypatch.setattr(
        rasterio,
        "open",
        lambda *a, **k: kind(real_open(*a, **k), Fuse(-1, OSError())),
    )
    with pytest.raises(IncompleteOutputError) as caught:
        write_raster(NEW, tmp_path / "map.tif")
    assert caught.value.exit_code == 4
    assert contents(tmp_path) == {}


def noise(side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (1, side, side)).astype(np.uint8)


@pytest.mark.parametrize("driver", ["GTiff", "COG"])
@pytest.mark.parametrize("side", [1500, 2048, 2900, 4096])
def test_a_full_disk_leaves_nothing(driver, side, tmp_path, monkeypatch):
    """P04: on a real disk of 3 MB; the sizes fail at the start, in between and after the end."""
    monkeypatch.setenv("GDAL_NUM_THREADS", "ALL_CPUS")  # would hide the error, if it were obeyed
    pixels = noise(side)
    with small_disk(tmp_path / "disk", "3m") as disk:
        if side == 1500 and driver == "GTiff":
            write_raster(pixels, disk / "map.tif")
            assert [p.name for p in disk.iterdir()] == ["map.tif"]
            return
        with (
            pytest.warns(match="free"),
            pytest.raises(DiskFullError) as caught,
        ):
            write_raster(pixels, disk / "map.tif", Writing(driver))
        assert caught.value.exit_code == 6
        assert list(disk.iterdir()) == []


def test_a_full_disk_leaves_the_old_output(tmp_path):
    """P03, P04."""
    with small_disk(tmp_path / "disk", "3m") as disk:
        write_raster(noise(1000), disk / "map.tif", sidecars=OLD_SIDECARS)
        before = contents(disk)
        with pytest.warns(match="free"), pytest.raises(DiskFullError):
            write_raster(noise(1700), disk / "map.tif", Writing(overwrite=True))
        assert contents(disk) == before


def test_of_several_rasters_all_are_kept_or_none(tmp_path):
    """P04: the second fills the disk when the first is already verified."""

    def write_both(disk: Path) -> None:
        first, second = noise(1200), noise(1400)
        with sink_for(first, disk / "a.tif") as a, sink_for(second, disk / "b.tif") as b:
            for sink, pixels in ((a, first), (b, second)):
                for window, data in tiles(pixels, 512):
                    sink.write(window, data)
                sink.seal()
                assert not sink.path.exists()
            a.finish()
            b.finish()

    with small_disk(tmp_path / "small", "3m") as disk:
        with pytest.raises(DiskFullError):
            write_both(disk)
        assert list(disk.iterdir()) == []
    with small_disk(tmp_path / "large", "6m") as disk:
        write_both(disk)
        assert set(contents(disk)) == {"a.tif", "b.tif"}


def test_an_output_that_cannot_fit_is_refused_before_the_work(tmp_path):
    """P01."""
    with (
        small_disk(tmp_path / "disk", "64k") as disk,
        pytest.raises(DiskFullError, match="make room"),
    ):
        sink_for(np.zeros((1, 20000, 20000), np.uint8), disk / "map.tif")


def run(code: str, *args: Any) -> subprocess.CompletedProcess[str]:
    header = f"import os, sys, signal; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    return subprocess.run(
        [sys.executable, "-c", header + textwrap.dedent(code), *map(str, args)],
        capture_output=True,
        text=True,
        timeout=60,
    )


@posix
@pytest.mark.parametrize("limit", [20_000, 200_000, 262_500, 900_000])
def test_the_size_limit_of_a_process_counts_as_a_full_disk(limit, tmp_path):
    """P04: 'ulimit -f'; GDAL may only fail at close, and then says nothing."""
    done = run(
        """
        import resource
        from test_sink_faults import noise
        from sink_helpers import write_raster
        sys.dont_write_bytecode = True  # cut short, it would stay behind
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
        try:
            write_raster(noise(1024), sys.argv[1])
        except Exception as error:
            print(type(error).__name__)
        """,
        tmp_path / "map.tif",
        limit,
    )
    assert done.stdout == "DiskFullError\n", done.stderr
    assert list(tmp_path.iterdir()) == []


KILLED = """
    from sink_helpers import *
    pixels = image(1100, 1100)
    with sink_for(pixels, sys.argv[1], Writing(overwrite=True)) as sink:
        for i, (window, data) in enumerate(tiles(pixels, 256)):
            sink.write(window, data)
            if i == 15:
                os.kill(os.getpid(), signal.SIGKILL)
"""


@posix
def test_a_killed_run_leaves_no_output_and_the_next_one_clears_up(tmp_path):
    """P07: kill -9."""
    path = tmp_path / "map.tif"
    done = run(KILLED, path)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    assert any(".part." in name for name in contents(tmp_path))
    other = tmp_path / "map.tif.123.part.tif.txt"  # of nobody's naming: map.tif.<pid>.part.<what>
    other.write_text("left by the same dead run")
    mine = tmp_path / "map.tif.notes.part.txt"
    mine.write_text("not ours")
    write_raster(NEW, path)
    assert set(contents(tmp_path)) == {"map.tif", mine.name}


@posix
def test_a_run_killed_during_the_exchange_never_shows_a_wrong_legend(tmp_path):
    """F9, P07: killed at each rename in turn."""
    for n in range(1, 20):
        folder = tmp_path / str(n)
        folder.mkdir()
        map_path, legend = folder / "map.tif", folder / "map.tif.aux.xml"
        for name in ("map.tif", "map.tif.aux.xml", "map.qml", "map.stats.json"):
            (folder / name).write_bytes(b"old")
        done = run(
            """
            from rsclass.io.target import Target
            left, real = int(sys.argv[2]), os.replace
            def replace(a, b):
                global left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                real(a, b)
            os.replace = replace
            with Target(sys.argv[1], overwrite=True) as target:
                target.part(".tif").write_bytes(b"new")
                target.fill(target.part(".tif"), {".aux.xml": b"new", ".clr": b"new"})
            """,
            map_path,
            n,
        )
        assert map_path.read_bytes() in (b"old", b"new")
        if legend.exists():
            assert legend.read_bytes() == map_path.read_bytes()
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL, done.stderr
        write_new(map_path, "GTiff")
        assert set(contents(folder)) == {"map.tif", "map.tif.aux.xml", "map.clr"}
    # Three old belongings leave, one raster and two sidecars come; there is no seventh rename.
    assert n == 7

"""Faults of outputs: places that cannot be written, inputs in the way, old files, odd options."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import rasterio
from fault_scenes import classes_of, write
from filelock import FileLock
from workplace import FEW, Workplace

PROTECTED = Path("/sys") if hasattr(os, "geteuid") and os.geteuid() == 0 else None
"""Where even root may not write."""


# -- P01, P02, P03: the place ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "said"),
    [
        pytest.param("none/map.tif", "none does not exist; create it first", id="P01-missing"),
        pytest.param("folder", "folder is a folder; give the name of a file", id="P01-folder"),
        pytest.param("file/map.tif", "file does not exist", id="P01-file"),
    ],
)
def test_an_output_that_cannot_be_is_refused(
    place: Workplace, scene: Path, output: str, said: str
) -> None:
    (place.outputs / "folder").mkdir()
    (place.outputs / "file").touch()
    place.classify(scene, "-o", place.outputs / output).refused(4, said)


def test_a_folder_that_may_not_be_written_is_refused(place: Workplace, scene: Path) -> None:
    """P01."""
    place.outputs.chmod(0o500)
    try:
        ended = place.classify(scene, "-o", (PROTECTED or place.outputs) / "map.tif")
    finally:
        place.outputs.chmod(0o700)
    ended.refused(4, "map.tif cannot be written: Permission denied", "choose a folder")


@pytest.mark.parametrize(
    ("output", "code", "said"),
    [
        pytest.param("none/m", 4, "none does not exist; create it first", id="P01-missing"),
        pytest.param("folder", 4, "folder is a folder; give the name of a file", id="P01-folder"),
        pytest.param("old", 4, "old exists; add --overwrite", id="P03"),
        pytest.param("../in/scene.tif", 2, "is the same file as the input", id="P02"),
    ],
)
def test_a_model_obeys_the_same_rules_as_a_map(
    place: Workplace, scene: Path, output: str, code: int, said: str
) -> None:
    (place.outputs / "folder").mkdir()
    (place.outputs / "old").write_text("dear")
    flags = (*FEW, "--progress", "none", "-o", place.outputs / output)
    overwrite = ("--overwrite",) if code == 2 else ()
    place.run("train", scene, *flags, *overwrite).refused(code, said)


@pytest.mark.parametrize("way", ["same", "dots", "symlink", "hard link"])
def test_the_scene_is_never_the_output(place: Workplace, scene: Path, way: str) -> None:
    """P02."""
    output = place.outputs / "map.tif"
    if way == "symlink":
        output.symlink_to(scene)
    elif way == "hard link":
        os.link(scene, output)
    else:
        output = scene if way == "same" else f"{scene.parent}/./../in/scene.tif"
    place.classify(scene, "-o", output, "--overwrite").refused(
        2, "is the same file as the input", "scene.tif", "choose another output"
    )


@pytest.mark.parametrize("old", ["map.tif", "map.qml", "map.tif.aux.xml", "map.stats.csv"])
def test_what_stands_there_is_kept(place: Workplace, scene: Path, old: str) -> None:
    """P03."""
    (place.outputs / old).write_text("dear")
    place.classify(scene).refused(4, f"{old} exists", "--overwrite")


def test_what_belonged_to_an_old_map_goes_with_it(place: Workplace, scene: Path) -> None:
    """F9, P03: GDAL would show the new map with the old mask, overviews and statistics."""
    place.classify(scene).done()
    for suffix in (".ovr", ".msk", ".vat.dbf"):
        Path(f"{place.map}{suffix}").write_bytes(b"of the old map")
    (place.outputs / "map.html").write_text("of the old map")
    ended = place.classify(scene, "--overwrite", "-k", "2")
    assert ended.code == 0
    left = {path.name: path.read_bytes() for path in place.outputs.iterdir()}
    assert set(left) == {"map.tif", "map.tif.aux.xml", "map.qml", "map.stats.json",
                         "map.stats.csv", "map.safetensors"}  # fmt: skip
    assert b"class 3" not in b"".join(left.values())


def test_a_failed_run_keeps_the_old_map(place: Workplace, scene: Path) -> None:
    """P03, F4."""
    place.classify(scene).done()
    scene.write_bytes(scene.read_bytes()[:-700])
    place.classify(scene, "--overwrite").refused(3, "scene.tif cannot be decoded")


# -- P08, P09: others and memory ---------------------------------------------------------------


def test_too_little_memory_is_said_before_the_work(place: Workplace, scene: Path) -> None:
    """P08."""
    place.classify(scene, "--max-mem", "50MiB").refused(6, "--max-mem allows 50 MiB; raise it")


@contextmanager
def another_run(output: Path) -> Iterator[None]:
    """Hold the lock of an output as another process would."""
    with FileLock(f"{output}.lock"):
        Path(f"{output}.lock").write_text("4242\n")
        yield
        Path(f"{output}.lock").unlink()


def test_two_runs_do_not_write_the_same_map(place: Workplace, scene: Path) -> None:
    """P09, F6."""
    with another_run(place.map):
        place.classify(scene).refused(4, "map.tif is in use by pid 4242; wait for it")
    place.classify(scene).done()


# -- P07: what a killed run left ---------------------------------------------------------------


def test_a_lock_and_parts_of_a_dead_run_block_nobody(place: Workplace, scene: Path) -> None:
    """P07."""
    for name in ("map.tif.lock", "map.tif.4242.part.tif", "map.tif.4242.part.new.qml"):
        (place.outputs / name).write_bytes(b"left behind")
    ended = place.classify(scene)
    assert ended.code == 0
    assert not [p for p in place.outputs.iterdir() if "part" in p.name or "lock" in p.name]


# -- W: what GDAL would write in silence -------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "said"),
    [
        pytest.param("COMPRESS=defalte", "Did you mean 'DEFLATE'?", id="W04-value"),
        pytest.param("COMPRES=DEFLATE", "Did you mean 'COMPRESS'?", id="W04-name"),
        pytest.param("COMPRESS=JPEG", "lossy", id="W04-lossy"),
        pytest.param("NUM_THREADS=4", "hides write errors", id="F2"),
        pytest.param("BIGTIFF=IF_NEEDED", "BIGTIFF is one of YES, IF_SAFER", id="F3"),
    ],
)
def test_creation_options_that_gdal_would_not_heed_are_refused(
    place: Workplace, scene: Path, option: str, said: str
) -> None:
    place.classify(scene, "--co", option).refused(2, said)


def test_more_than_254_classes_make_a_16_bit_map_without_a_palette(place: Workplace) -> None:
    """W02, W05."""
    values = np.arange(1, 301, dtype="uint16").reshape(1, 15, 20) * 100
    scene = write(place.inputs / "a.tif", values)
    place.classify(scene, "-k", "300", "--set", "restarts=1").done("hold no palette")
    with rasterio.open(place.map) as made:
        assert made.dtypes == ("uint16",)
        assert made.colorinterp[0].name != "palette"
    np.testing.assert_array_equal(classes_of(place.map), values[0] // 100)


def test_overviews_show_classes_of_the_map_only(place: Workplace) -> None:
    """W06, F8: the mean of two class numbers is a third class."""
    values = np.full((1, 256, 256), 10, "uint8")
    values[:, :128, ::2] = 90  # every other column, so that the mean of classes 1 and 3 is 2
    values[:, 128:] = 50
    scene = write(place.inputs / "a.tif", values)
    place.classify(scene, "-f", "COG", "--co", "BLOCKSIZE=128").done()
    assert np.unique(classes_of(place.map)).tolist() == [1, 2, 3]
    with rasterio.open(place.map, overview_level=0) as small:
        overview = small.read(1)
    assert set(np.unique(overview[:64])) <= {1, 3}
    assert np.unique(overview[64:]).tolist() == [2]

"""Where an output may stand, who may write it, and what belongs to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio
from sink_helpers import contents, image, sink_for, small_disk, write_raster

from rsclass.core.types import Window
from rsclass.errors import OutputError, OutputExistsError, OutputLockedError, UsageError
from rsclass.io.locks import OutputLock
from rsclass.io.sink import Writing
from rsclass.io.target import BELONGINGS, Target, belonging


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch):
    """Nothing here asks what a power loss leaves, so nothing waits for the disk."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


PIXELS = image(40, 40)


def test_a_missing_folder_is_named(tmp_path):
    """P01."""
    with pytest.raises(OutputError, match="nowhere does not exist") as caught:
        sink_for(PIXELS, tmp_path / "nowhere" / "map.tif")
    assert caught.value.exit_code == 4


def test_a_folder_is_not_an_output(tmp_path):
    """P01."""
    (tmp_path / "map.tif").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        sink_for(PIXELS, tmp_path / "map.tif", Writing(overwrite=True))
    assert [p.name for p in tmp_path.iterdir()] == ["map.tif"]


def test_a_read_only_folder_is_refused(tmp_path):
    """P01: a read-only disk, because root may write to any folder of others."""
    with small_disk(tmp_path / "disk", "1m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(OutputError, match="Read-only") as caught:
            sink_for(PIXELS, disk / "map.tif")
        assert caught.value.exit_code == 4


@pytest.mark.parametrize("way", ["same", "dots", "symlink", "hard link", "linked folder"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_an_input_is_never_the_output(way, overwrite, tmp_path):
    """P02."""
    scene = write_raster(PIXELS, tmp_path / "scene.tif")
    before = scene.read_bytes()
    out = tmp_path / "out.tif"
    if way == "same":
        out = scene
    elif way == "dots":
        out = Path(f"{tmp_path}/./../{tmp_path.name}/scene.tif")
    elif way == "symlink":
        out.symlink_to(scene)
    elif way == "hard link":
        os.link(scene, out)
    else:
        (tmp_path / "folder").symlink_to(tmp_path)
        out = tmp_path / "folder" / "scene.tif"
    with pytest.raises(UsageError, match="same file as the input") as caught:
        sink_for(PIXELS, out, Writing(overwrite=overwrite), inputs=[str(scene)])
    assert caught.value.exit_code == 2
    assert scene.read_bytes() == before


def test_an_input_is_not_removed_as_a_belonging_of_the_old_output(tmp_path):
    """P02."""
    write_raster(PIXELS, tmp_path / "map.tif")
    colors = tmp_path / "map.clr"
    colors.write_text("1 0 0 255 Water")
    with pytest.raises(UsageError, match=r"map\.clr"):
        sink_for(PIXELS, tmp_path / "map.tif", Writing(overwrite=True), inputs=[colors])
    assert colors.exists()


def test_a_remote_input_does_not_disturb(tmp_path):
    path = write_raster(PIXELS, tmp_path / "map.tif", inputs=["https://example.org/scene.tif"])
    assert path.exists()


@pytest.mark.parametrize("existing", ["map.tif", "map.qml", "map.tif.aux.xml", "map.stats.json"])
def test_nothing_is_replaced_without_being_asked(existing, tmp_path):
    """P03."""
    (tmp_path / existing).write_text("old")
    with pytest.raises(OutputExistsError, match="--overwrite") as caught:
        sink_for(PIXELS, tmp_path / "map.tif")
    assert caught.value.exit_code == 4
    assert contents(tmp_path) == {existing: b"old"}


def test_the_old_output_is_whole_until_the_new_one_is(tmp_path):
    """P03."""
    path = write_raster(PIXELS, tmp_path / "map.tif", sidecars={".qml": b"old"})
    before = contents(tmp_path)
    with sink_for(PIXELS[:, ::-1], path, Writing(overwrite=True)) as sink:
        sink.write(Window(0, 0, 40, 40), PIXELS[:, ::-1])
        during = contents(tmp_path)
        assert {name: during[name] for name in before} == before
    assert contents(tmp_path) == before


def test_everything_that_spoke_of_the_old_output_goes(tmp_path):
    """F9: a rename alone would show the old overviews, mask, statistics and legend."""
    path = write_raster(PIXELS, tmp_path / "map.tif")
    for suffix in BELONGINGS:
        belonging(path, suffix).write_text("old")
    (tmp_path / "map.gpkg").write_text("mine")
    (tmp_path / "map.safetensors").write_text("mine")
    write_raster(
        PIXELS[:, ::-1],
        path,
        Writing(overwrite=True),
        sidecars={".aux.xml": b"<PAMDataset/>", ".qml": b"new", ".stats.json": b"{}"},
    )
    after = contents(tmp_path)
    del after["map.tif"]
    assert after == {
        "map.tif.aux.xml": b"<PAMDataset/>",
        "map.qml": b"new",
        "map.stats.json": b"{}",
        "map.gpkg": b"mine",
        "map.safetensors": b"mine",
    }


def test_gdal_reads_the_legend_beside_the_map(tmp_path):
    pam = b"""<PAMDataset><PAMRasterBand band="1"><CategoryNames><Category>none</Category>
        </CategoryNames></PAMRasterBand></PAMDataset>"""
    path = write_raster(PIXELS, tmp_path / "map.tif", sidecars={".aux.xml": pam})
    with rasterio.open(path) as dataset:
        assert sorted(dataset.files) == [str(path), f"{path}.aux.xml"]


def test_a_link_to_another_place_is_replaced_and_not_followed(tmp_path):
    elsewhere = tmp_path / "elsewhere.tif"
    elsewhere.write_bytes(b"kept")
    out = tmp_path / "map.tif"
    out.symlink_to(elsewhere)
    with pytest.raises(OutputExistsError):
        sink_for(PIXELS, out)
    write_raster(PIXELS, out, Writing(overwrite=True))
    assert not out.is_symlink()
    assert elsewhere.read_bytes() == b"kept"


def test_a_link_to_nowhere_counts_as_an_output(tmp_path):
    out = tmp_path / "map.tif"
    out.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputExistsError):
        sink_for(PIXELS, out)


def test_a_second_run_is_told_who_writes_the_output(tmp_path):
    """P09."""
    path = tmp_path / "map.tif"
    with sink_for(PIXELS, path) as first:
        code = (
            "import sys; from rsclass.io.target import Target\n"
            "try: Target(sys.argv[1], overwrite=True)\n"
            "except Exception as e: print(type(e).__name__, e.exit_code, e)"
        )
        second = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60
        )
        assert second.stdout.startswith("OutputLockedError 4 ")
        assert f"in use by pid {os.getpid()};" in second.stdout
        first.write(Window(0, 0, 40, 40), PIXELS)
        first.finish()
    assert set(contents(tmp_path)) == {"map.tif"}


def test_one_process_cannot_write_an_output_twice_at_once(tmp_path):
    """P09."""
    with sink_for(PIXELS, tmp_path / "map.tif"), pytest.raises(OutputLockedError):
        sink_for(PIXELS, tmp_path / "map.tif", Writing(overwrite=True))
    assert contents(tmp_path) == {}


def test_a_lock_file_of_a_dead_run_blocks_nobody(tmp_path):
    """P07, P09: the lock goes with the process; only the file stays."""
    (tmp_path / "map.tif.lock").write_text("999999999")
    assert write_raster(PIXELS, tmp_path / "map.tif").exists()
    assert set(contents(tmp_path)) == {"map.tif"}


def test_a_lock_may_be_released_twice(tmp_path):
    first = OutputLock(tmp_path / "map.tif")
    first.release()
    second = OutputLock(tmp_path / "map.tif")
    first.release()
    assert second.path.exists()
    second.release()
    assert contents(tmp_path) == {}


def test_a_target_reserved_before_the_work_is_used_by_the_sink(tmp_path):
    with Target(tmp_path / "map.tif") as target:
        with pytest.raises(OutputLockedError):
            Target(tmp_path / "map.tif")
        assert write_raster(PIXELS, target) == tmp_path / "map.tif"
    assert set(contents(tmp_path)) == {"map.tif"}


@pytest.mark.parametrize(
    "name",
    [
        "my map.tif",
        "Karte Łódź 地图.tif",
        "two\nlines.tif",
        'quote\'s "map".tif',
        "a#b?c.tif",
        "-map.tif",
        "100%20.tif",
        "http:map.tif",
        "s3:map.tif",
        "<GDALRasterAttributeTable>.tif",
        "[a-z]*.tif",
    ],
)
def test_any_file_name_is_a_file_name(name, tmp_path, monkeypatch):
    """P10, P11: the name is never taken for a URL, a pattern or an option."""
    monkeypatch.chdir(tmp_path)
    path = write_raster(PIXELS, name, sidecars={".aux.xml": b"<PAMDataset/>", ".qml": b"x"})
    assert path == tmp_path / name
    stem = name.removesuffix(".tif")
    assert set(contents(tmp_path)) == {name, f"{name}.aux.xml", f"{stem}.qml"}
    write_raster(PIXELS, name, Writing(overwrite=True))
    assert set(contents(tmp_path)) == {name}


@pytest.mark.parametrize("name", ["map\udcff.tif", "map.tif\0.png", "<VRTDataset>.tif", ""])
def test_a_name_that_gdal_would_misread_is_refused(name, tmp_path):
    """P11, P12."""
    with pytest.raises(UsageError) as caught:
        sink_for(PIXELS, f"{tmp_path}/{name}" if name else name)
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("letter", ["m", "地"])
def test_the_longest_name_works_to_the_end_and_a_longer_one_is_refused_at_once(letter, tmp_path):
    name = letter * (196 // len(letter.encode())) + ".tif"
    for writing in (Writing("COG"), Writing(overwrite=True)):
        write_raster(PIXELS, tmp_path / name, writing, sidecars={".stats.json": b"{}"})
    assert len(contents(tmp_path)) == 2
    with pytest.raises(UsageError, match="too long"):
        sink_for(PIXELS, tmp_path / ("mmmmm" + name))

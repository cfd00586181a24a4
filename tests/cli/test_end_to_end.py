"""From file to file through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from calls import Caller

QUICK = ("-m", "kmeans", "-k", "3", "--no-report")


def _classes(path: Path) -> set[int]:
    with rasterio.open(path) as dataset:
        return set(np.unique(dataset.read(1)).tolist()) - {0}


def test_classify_writes_a_map_and_says_where_all_of_it_lies(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    out = tmp_path / "map.tif"
    told = call("classify", scene, *QUICK, "--report", "-o", out, "--json", "--progress", "json")
    assert told.code == 0, told.err
    assert told.data["path"] == str(out)
    assert {row["value"] for row in told.data["classes"]} == _classes(out) == {1, 2, 3}
    assert {"map", "legend", "style", "statistics", "model", "report"} <= set(told.data["files"])
    for path in told.data["files"].values():
        assert Path(path).stat().st_size > 0
    assert told.events[0]["event"] == "progress"
    assert told.events[-1]["event"] == "done"
    assert told.events[-1]["exit_code"] == 0


def test_the_summary_names_every_file(call: Caller, scene: Path, tmp_path: Path) -> None:
    told = call("classify", scene, *QUICK, "-o", tmp_path / "map.tif", "--progress", "none")
    assert told.code == 0
    assert told.err == ""
    for path in tmp_path.iterdir():
        assert str(path) in told.out


def test_train_then_predict_gives_the_map_of_classify(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    model, first, second = (tmp_path / name for name in ("m.safetensors", "a.tif", "b.tif"))
    assert call("train", scene, *QUICK[:-1], "-o", model).code == 0
    assert call("predict", model, scene, "-o", first, "--no-report").code == 0
    assert call("classify", scene, *QUICK, "-o", second).code == 0
    with rasterio.open(first) as one, rasterio.open(second) as other:
        assert np.array_equal(one.read(1), other.read(1))


def test_replay_makes_the_same_map_again(call: Caller, scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "map.tif"
    call("classify", scene, *QUICK, "-o", out)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    told = call("replay", out, "--json")
    assert told.code == 0, told.err
    assert told.data["identical"] is True
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_replay_of_a_map_that_was_edited_fails_its_gate_and_still_prints_the_result(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    out = tmp_path / "map.tif"
    call("classify", scene, *QUICK, "-o", out)
    with rasterio.open(out, "r+") as dataset:
        values = dataset.read(1)
        at = np.argwhere(values > 0)[0]
        values[tuple(at)] = values[tuple(at)] % 3 + 1
        dataset.write(values, 1)
    told = call("replay", out, "--json")
    assert told.code == 5
    assert told.data["identical"] is False
    assert told.data["differing_pixels"] == 1
    assert "could not be made again" in told.err


def test_a_dry_run_tells_the_plan_and_writes_nothing(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    told = call("classify", scene, *QUICK, "-o", tmp_path / "map.tif", "--dry-run", "--json")
    assert told.code == 0, told.err
    assert (told.data["height"], told.data["width"]) == (60, 70)
    assert {"tiles", "memory_bytes", "disk_bytes", "seconds"} <= set(told.data)
    assert list(tmp_path.iterdir()) == []
    spoken = call("classify", scene, *QUICK, "-o", tmp_path / "map.tif", "--dry-run")
    for word in ("tiles", "memory", "disk", "time"):
        assert word in spoken.out


def test_a_preview_is_a_smaller_map_beside_the_map(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    told = call("classify", scene, *QUICK, "-o", tmp_path / "map.tif", "--preview", "20", "--json")
    assert told.code == 0, told.err
    assert told.data["path"] == str(tmp_path / "map_preview.tif")
    with rasterio.open(tmp_path / "map_preview.tif") as dataset:
        assert max(dataset.shape) <= 20
    assert not (tmp_path / "map.tif").exists()


def test_the_second_run_is_refused_until_it_may_overwrite(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    out = tmp_path / "map.tif"
    assert call("classify", scene, *QUICK, "-o", out).code == 0
    before = out.read_bytes()
    told = call("classify", scene, *QUICK, "-k", "5", "-o", out)
    assert told.code == 4
    assert told.err.splitlines()[-1] == f"rsclass: {out} exists; add --overwrite to replace it."
    assert out.read_bytes() == before
    assert call("classify", scene, *QUICK, "-k", "5", "-o", out, "--overwrite").code == 0
    assert _classes(out) == {1, 2, 3, 4, 5}


def test_a_missing_model_is_one_sentence_and_exit_code_3(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    """Pain 57"""
    told = call("predict", tmp_path / "no.safetensors", scene, "--progress", "none")
    assert told.code == 3
    assert told.err.count("\n") == 1
    assert "no.safetensors" in told.err


def test_bad_requests_and_bad_data_end_with_their_codes(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    """Pain 44: no output, no success."""
    text = tmp_path / "text.tif"
    text.write_text("this is no raster")
    for code, *flags in (
        (3, tmp_path / "absent.tif"),
        (3, text),
        (2, scene, "-m", "kmean"),
        (2, scene, *QUICK, "--set", "restart=3"),
        (2, scene, *QUICK, "-b", "99"),
        (2, scene, *QUICK, "-o", scene, "--overwrite"),
        (4, scene, *QUICK, "-o", tmp_path / "no" / "folder" / "map.tif"),
        (6, scene, *QUICK, "-o", tmp_path / "map.tif", "--max-mem", "1MiB"),
    ):
        told = call("classify", *flags, "--progress", "none")
        assert told.code == code, (flags, told.err)
        assert told.err.startswith("rsclass: ")
        assert told.err.count("\n") == 1
        assert told.out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["text.tif"]


def test_unknown_parameters_are_answered_with_the_nearest(call: Caller, scene: Path) -> None:
    told = call("classify", scene, *QUICK, "--set", "restart=3", "--progress", "none")
    assert "kmeans has no parameter 'restart'. Did you mean 'restarts'?" in told.err


@pytest.mark.parametrize(
    "name",
    [
        "with space.tif",
        "söme ünïcode 地図.tif",
        "new\nline.tif",
        "quo'te\"s.tif",
        "-dash.tif",
        "per%20cent%s.tif",
        "hash#query?.tif",
        "[brackets]{}.tif",
    ],
)
def test_names_of_files_may_be_odd(
    call: Caller,
    scene: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """P10"""
    monkeypatch.chdir(tmp_path)
    Path(name).write_bytes(scene.read_bytes())
    out = name.replace(".tif", "_map.tif")
    told = call("classify", *QUICK, "--json", "-q", "-o", out, "--", name)
    assert told.code == 0, told.err
    assert told.data["path"] == out
    assert _classes(Path("./" + out)) == {1, 2, 3}


@pytest.mark.skipif(sys.platform != "linux", reason="file names that are bytes")
def test_names_that_are_not_utf8_are_refused(scene: Path, tmp_path: Path) -> None:
    """P12"""
    odd = os.fsencode(tmp_path) + b"/sc\xe8ne.tif"
    with open(odd, "wb") as file:
        file.write(scene.read_bytes())
    for args in ([odd], [os.fsencode(scene), b"-o", b"m\xe8p.tif"]):
        done = subprocess.run(
            [sys.executable, "-m", "rsclass", "classify", *args], capture_output=True, check=False
        )
        assert done.returncode == 2
        assert b"is not valid UTF-8" in done.stderr
        assert done.stderr.count(b"\n") == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_result_that_cannot_be_printed_is_no_success(scene: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "rsclass", "--help"], stdout=full, stderr=subprocess.PIPE
        )
    assert done.returncode == 6
    assert done.stderr.startswith(b"rsclass: the disk is full")


def test_a_reader_who_leaves_is_no_error() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "rsclass", "classify", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    assert child.wait(60) == 0
    assert child.stderr.read() == b""
    child.stderr.close()


def test_json_lines_are_utf8_whatever_the_locale() -> None:
    """P13"""
    config = ("--config-file", "地図.toml")
    done = subprocess.run(
        [sys.executable, "-m", "rsclass", "train", "s.tif", "--progress=json", *config],
        capture_output=True,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "latin-1"},
    )
    assert done.returncode == 2
    assert "地図.toml cannot be read" in json.loads(done.stderr.decode("utf-8"))["message"]


def test_the_log_file_keeps_the_command_and_the_error(
    call: Caller, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log.txt"
    monkeypatch.setenv("RSCLASS_LOG_FILE", str(log))
    call("classify", scene, *QUICK, "-b", "99", "--progress", "none")
    kept = log.read_text("utf-8").splitlines()
    assert f"INFO rsclass rsclass classify {scene}" in kept[0]
    assert "ERROR rsclass" in kept[-1]
    assert "99" in kept[-1]


def test_a_log_file_that_cannot_be_written_is_one_sentence(
    call: Caller, scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RSCLASS_LOG_FILE", str(tmp_path / "no" / "log.txt"))
    told = call("classify", scene, *QUICK)
    assert told.code == 4
    assert told.err.count("\n") == 1
    monkeypatch.setenv("RSCLASS_LOG_FILE", str(tmp_path / "log.txt"))
    monkeypatch.setenv("RSCLASS_LOG_LEVEL", "loud")
    assert call("classify", scene, *QUICK).code == 2

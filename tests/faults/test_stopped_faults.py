"""Runs that are stopped, killed, or find no room: real processes, real signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fault_scenes import write
from workplace import FEW, Workplace, content

QUICK = ("--sample", "1000", "--set", "restarts=1")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and limits")


@pytest.fixture
def large_scene(place: Workplace) -> Path:
    """Sixteen million noisy pixels, so that a signal meets the run at work."""
    noise = np.random.default_rng(0).integers(1, 255, (1, 4000, 4000), dtype="uint8")
    return write(place.inputs / "large.tif", noise)


def at_work(place: Workplace, *args: Any) -> subprocess.Popen[str]:
    """A run that has begun to write its map."""
    flags = ("--no-report", "--progress", "json", "-o", place.map)
    process = place.start("classify", *FEW, *QUICK, *flags, *args)
    assert process.stderr is not None
    for line in process.stderr:
        if json.loads(line).get("message") == "classifying":
            return process
    raise AssertionError("the run ended before it wrote its map")


@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="P05"), pytest.param(signal.SIGTERM, id="P06")],
)
def test_a_stopped_run_leaves_the_old_map_and_says_so(
    place: Workplace, large_scene: Path, number: int
) -> None:
    place.map.write_bytes(b"the old map")
    before = content(place.inputs)
    process = at_work(place, "--overwrite", large_scene)
    assert [path.name for path in place.outputs.iterdir() if ".part" in path.name]
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    last = json.loads(told.splitlines()[-1])
    assert (last["event"], last["exit_code"]) == ("cancelled", 130)
    assert "stopped" in last["message"]
    assert content(place.outputs) == {"map.tif": b"the old map"}
    assert content(place.inputs) == before


def test_a_killed_run_shows_no_map_and_blocks_nobody(
    place: Workplace, scene: Path, large_scene: Path
) -> None:
    """P07, F4: no clean-up can run; the next run of the same output clears up."""
    process = at_work(place, large_scene)
    process.kill()
    process.communicate(timeout=60)
    left = set(content(place.outputs))
    assert left
    assert all(".part" in name or name.endswith(".lock") for name in left)
    assert place.classify(scene).code == 0
    names = {path.name for path in place.outputs.iterdir()}
    assert "map.tif" in names
    assert not [name for name in names if ".part" in name or ".lock" in name]


def test_a_full_disk_leaves_nothing(place: Workplace, large_scene: Path) -> None:
    """P04, F1, F2: GDAL itself accepts most of these writes and says nothing."""
    import resource

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))

    flags = (*place.usual, *QUICK)
    ended = place.run_apart("classify", *flags, large_scene, preexec_fn=little_room)
    # libtiff speaks for itself here, past every handler of GDAL.
    said = [line for line in ended.err.splitlines(keepends=True) if "_tiffWriteProc" not in line]
    replace(ended, err="".join(said)).refused(
        6, "the disk was full before", "map.tif", "Make room or write elsewhere"
    )

"""The benchmarks run, look at what they measure, and fill in their page; nothing is timed here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio

from benchmarks import floor, scenes
from benchmarks.bench import Finding
from benchmarks.checks import fault
from benchmarks.goals import GOALS
from benchmarks.inspection import Inspection
from benchmarks.pairs import Contestant, Measurement, alternate, ratio
from benchmarks.processes import CommandError, Usage, measured
from benchmarks.tables import fill
from benchmarks.training import SIDE, find_squares
from benchmarks.workplace import Scene

ROOT = Path(__file__).parents[1]
PAGE = """Words before.
<!-- machine -->
<!-- /machine -->
<!-- goals -->
<!-- /goals -->
Words between.
<!-- runs -->
<!-- /runs -->
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    folder = tmp_path_factory.mktemp("scene")
    scenes.make(folder, "S", 300, ["tiled", "striped"], 0.35)
    return Scene("S", 300, "tiled", folder)


def page_of_a_quick_run(folder: Path, *goals: str) -> str:
    """With the one peer that is installed wherever rsclass is."""
    page = folder / "page.md"
    page.write_text(PAGE)
    command = [sys.executable, "-m", "benchmarks", *goals, "--quick", "--out", str(page)]
    command += ["--peers", "scikit-learn", "--work", str(folder / "work")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return page.read_text()


def test_the_whole_program_runs_on_tiny_scenes_and_fills_in_a_page(tmp_path):
    text = page_of_a_quick_run(tmp_path, "3")
    assert text.startswith("Words before.\n")
    assert "| rsclass maximum likelihood | M |" in text
    assert "| 3 | rsclass maximum likelihood / scikit-learn QDA, M | " in text
    assert "| 3 | rsclass maximum likelihood / Orfeo ToolBox bayes, M | not " in text


@pytest.mark.slow
def test_every_other_subject_runs_on_tiny_scenes(tmp_path):
    others = [goal for goal in GOALS if goal != "3"]
    text = page_of_a_quick_run(tmp_path, *others)
    assert all(f"\n| {goal} | " in text for goal in others)


def test_the_same_arguments_make_the_same_scene_in_every_layout(scene, tmp_path):
    scenes.make(tmp_path, "S", 300, ["raw"], 0.35)
    pixels = [
        rasterio.open(path).read()
        for path in (scene.path, scene.folder / "S_striped.tif", tmp_path / "S_raw.tif")
    ]
    truth = rasterio.open(scene.truth).read(1)
    assert (pixels[0] == pixels[1]).all()
    assert (pixels[0] == pixels[2]).all()
    assert set(np.unique(truth)) == set(range(13))
    assert ((pixels[0] == 0).all(axis=0) == (truth == 0)).all()


def test_training_squares_hold_one_class_each_and_do_not_overlap(scene):
    truth = rasterio.open(scene.truth).read(1)
    seen = np.zeros(truth.shape, dtype=int)
    squares = find_squares(scene.truth)
    for square in squares:
        here = np.s_[square.row : square.row + SIDE, square.col : square.col + SIDE]
        assert (truth[here] == square.code).all()
        seen[here] += 1
    assert {square.code for square in squares} == set(range(1, 13))
    assert seen.max() == 1


def test_the_floor_reads_everything_and_writes_a_map_of_the_same_shape(scene, tmp_path):
    out = tmp_path / "floor.tif"
    for layout in ("tiled", "striped"):
        floor.copy(str(scene.folder / f"S_{layout}.tif"), str(out))
        with rasterio.open(out) as copied, rasterio.open(scene.truth) as truth:
            assert copied.crs == truth.crs
            assert ((copied.read(1) == 1) == (truth.read(1) > 0)).all()


def test_a_map_is_judged_by_its_border_and_by_its_number_of_classes(scene, tmp_path):
    with rasterio.open(scene.truth) as source:
        truth, profile = source.read(1), source.profile

    def judged(labels: np.ndarray, classes: int) -> str | None:
        path = tmp_path / "map.tif"
        with rasterio.open(path, "w", **profile) as target:
            target.write(labels, 1)
        return fault(str(path), str(scene.truth), classes)

    assert judged(truth, 12) is None
    assert "11 classes" in judged(np.where(truth == 12, 11, truth).astype("u1"), 12)
    assert "no data" in judged(np.maximum(truth, 1), 12)
    assert "shows no class" in judged(np.where(truth == 3, 0, truth).astype("u1"), 12)
    assert judged(np.maximum(truth, 1), 0) is None
    assert "all pixels" in judged(np.ones_like(truth), 0)


def test_a_command_that_fails_ends_the_measurement_with_what_it_said(tmp_path):
    with pytest.raises(CommandError, match=r"(?s)exit code 3.*so it was"):
        measured([sys.executable, "-c", "print('so it was'); raise SystemExit(3)"], tmp_path)


def test_time_processors_and_memory_of_a_command_are_its_own(tmp_path):
    held = measured(
        [sys.executable, "-c", "import time; a = b'1' * 2**28; time.sleep(.3)"], tmp_path
    )
    idle = measured([sys.executable, "-c", "pass"], tmp_path)
    assert held.wall >= 0.3
    assert held.cpu < held.wall
    assert held.peak - idle.peak == pytest.approx(2**28, rel=0.02)  # 256 MiB, and pages of code


def test_contestants_alternate_and_ratios_are_those_of_the_pairs(scene, tmp_path):
    turns: list[str] = []
    one, two = (Contestant(name, scene, (sys.executable, "-c", "pass")) for name in ("one", "two"))
    found = alternate([one, two], 2, tmp_path, lambda c: turns.append(c.name), set())
    assert turns == ["one", "two", "one", "two", "one", "two"]
    assert [len(measurement.runs) for measurement in found] == [2, 2]
    slow, fast = (
        Measurement(one, tuple(Usage(wall, 0, 0) for wall in walls))
        for walls in ((2, 9, 3), (1, 1, 3))
    )
    assert ratio(slow, fast) == 2  # of 2, 9 and 1, where the ratio of the medians is 3


def test_maps_that_must_be_alike_are_compared_byte_by_byte(scene, tmp_path):
    look = Inspection().look
    one, two = tmp_path / "one.tif", tmp_path / "two.tif"
    one.write_bytes(scene.truth.read_bytes())
    two.write_bytes(scene.truth.read_bytes() + b"?")
    look(Contestant("one", scene, (), one, 12, "k-means"))
    look(Contestant("two", scene, (), two, 12, "other work"))
    with pytest.raises(CommandError, match="other bytes than one"):
        look(Contestant("two", scene, (), two, 12, "k-means"))
    with pytest.raises(CommandError, match="wrote no map"):
        look(Contestant("none", scene, (), tmp_path / "none.tif"))


def test_only_what_was_measured_again_is_replaced_in_the_page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    order = ["1", "2", "threads"]
    first = [Finding("threads", "a", "1.00"), Finding("1", "b", "2.00", "≤ 1", False)]
    fill(page, ["- machine one"], first, [], order)
    fill(page, ["- machine two"], [Finding("1", "c", "0.50", "≤ 1", True)], [], order)
    rows = [line for line in page.read_text().splitlines() if line.startswith(("| 1", "| thr"))]
    assert [row.split(" | ")[:5] for row in rows] == [
        ["| 1", "c", "0.50", "≤ 1", "yes"],
        ["| threads", "a", "1.00", "", ""],
    ]
    assert "machine one" not in page.read_text()


def test_the_page_of_the_project_can_be_filled_in(tmp_path):
    page = tmp_path / "performance.md"
    page.write_text((ROOT / "docs" / "performance.md").read_text(encoding="utf-8"))
    fill(page, ["- here"], [Finding("1", "a", "1.00")], [], list(GOALS))
    assert "- here" in page.read_text()

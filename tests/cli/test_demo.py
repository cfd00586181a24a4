from __future__ import annotations

from pathlib import Path

import pytest
from calls import Caller

QUICK = ("--method", "kmeans", "--size", "64")


def test_the_demo_says_where_map_legend_statistics_and_report_lie(
    call: Caller, tmp_path: Path
) -> None:
    folder = tmp_path / "look"
    told = call("demo", folder, *QUICK)
    assert told.code == 0, told.err
    for kind, name in {
        "scene": "scene.tif",
        "truth": "scene_truth.tif",
        "map": "map.tif",
        "legend": "map.tif.aux.xml",
        "statistics": "map.stats.json",
        "model": "map.safetensors",
        "report": "map.html",
    }.items():
        assert (folder / name).stat().st_size > 0
        assert any(line.split() == [kind, str(folder / name)] for line in told.out.splitlines()), (
            kind
        )


def test_the_demo_uses_its_own_folder_where_none_is_given(
    call: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = call("demo", *QUICK, "--json")
    assert told.code == 0, told.err
    assert told.data["path"] == "rsclass-demo/map.tif"
    assert told.data["simulated"]["truth"] == "rsclass-demo/scene_truth.tif"


def test_the_demo_does_not_mix_with_what_lies_there(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    told = call("demo", tmp_path, *QUICK)
    assert told.code == 4
    assert "is not empty; add --overwrite" in told.err
    assert call("demo", tmp_path, *QUICK, "--overwrite", "-q").code == 0
    assert (tmp_path / "map.tif").exists()
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_folder_that_cannot_be_made_is_one_sentence(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    told = call("demo", tmp_path / "file", *QUICK)
    assert told.code == 4
    assert told.err.count("\n") == 1

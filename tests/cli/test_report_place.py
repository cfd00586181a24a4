from __future__ import annotations

from pathlib import Path

import pytest
from calls import Caller

QUICK = ("-m", "kmeans", "-k", "3", "--progress", "none")


@pytest.mark.parametrize(
    "flags", [["--report", "{page}"], ["--report={page}"], ["--report-to", "{page}"]]
)
def test_the_report_of_a_map_goes_where_it_is_asked_for(
    call: Caller, scene: Path, tmp_path: Path, flags: list[str]
) -> None:
    page, out = tmp_path / "pages.html", tmp_path / "map.tif"
    asked = [flag.format(page=page) for flag in flags]
    told = call("classify", *asked, scene, *QUICK, "-o", out, "--json")
    assert told.code == 0, told.err
    assert told.data["files"]["report"] == str(page)
    assert b"by K-means" in page.read_bytes()
    assert not (tmp_path / "map.html").exists()


def test_report_before_a_scene_stays_a_switch(call: Caller, scene: Path, tmp_path: Path) -> None:
    told = call("classify", "--report", scene, *QUICK, "-o", tmp_path / "map.tif", "--json")
    assert told.code == 0, told.err
    assert told.data["files"]["report"] == str(tmp_path / "map.html")


def test_the_usual_place_may_be_named(call: Caller, scene: Path, tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    told = call("classify", scene, *QUICK, "-o", tmp_path / "map.tif", "--report", page, "--json")
    assert told.code == 0, told.err
    assert told.data["files"]["report"] == str(page)


def test_a_page_that_stands_there_is_refused_before_the_work(
    call: Caller, scene: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    flags = (*QUICK, "-o", tmp_path / "map.tif", "--report", page)
    told = call("classify", scene, *flags)
    assert told.code == 4
    assert "--overwrite" in told.err
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert page.read_text() == "mine"
    assert call("classify", scene, *flags, "--overwrite").code == 0
    assert page.read_text() != "mine"


def test_predict_knows_it_too(call: Caller, scene: Path, tmp_path: Path) -> None:
    model, page = tmp_path / "m.safetensors", tmp_path / "page.html"
    assert call("train", scene, *QUICK, "-o", model).code == 0
    told = call(
        "predict", model, scene, "-o", tmp_path / "p.tif", "--report", page, "--progress", "none"
    )
    assert told.code == 0, told.err
    assert page.exists()


def test_a_page_that_is_no_html_is_refused(call: Caller, scene: Path) -> None:
    told = call("classify", scene, *QUICK, "--report-to", "page.pdf")
    assert told.code == 2
    assert "not named as an HTML file" in told.err

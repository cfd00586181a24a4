"""Faults of names and surroundings: odd paths, names that GDAL misreads, locales, line ends."""

from __future__ import annotations

import csv
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fault_scenes import write
from workplace import OF_CLASSIFY, Workplace

ODD = [
    "a b.tif", "ümläut_日本.tif", "new\nline.tif", "quo'te\".tif", "q#?x.tif", "-dash.tif",
    ".hidden.tif", "100%25.tif", "s3:x.tif", "http:x.tif", "zip:a!b.tif", "<VRTDataset>.tif",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_odd_names_are_names_of_files(
    place: Workplace, scene: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P10, P11, H08: as scene and as output, seen from their own folder."""
    scene.rename(place.inputs / name)
    monkeypatch.chdir(place.inputs)
    stem = name.removesuffix(".tif").replace("<VRTDataset>", "plain")
    output = os.path.join("..", "out", f"{stem}.tif")
    ended = place.classify("-o", output, "--", name)
    ended.done(files={made.replace("map", stem, 1) for made in OF_CLASSIFY})


@pytest.mark.parametrize(
    "name",
    [
        "s3:x.tif",
        "http:x.tif",
        "zip:x.tif",
        '<VRTDataset rasterXSize="1" rasterYSize="1"/>',
        "none.tif",
    ],
)
def test_what_is_no_file_is_not_taken_for_an_address(place: Workplace, name: str) -> None:
    """P11, H08."""
    place.classify(name).refused(3, f"{name} does not exist; check the path")


def test_an_unknown_scheme_is_refused(place: Workplace) -> None:
    """P11."""
    place.classify("gopher://x/a.tif").refused(3, "unknown scheme gopher://", "use https")


@pytest.mark.parametrize("name", ["a\udcff.tif", "a\0b.tif"], ids=["P12-bytes", "P12-nul"])
def test_names_that_cannot_be_written_down_are_refused(
    place: Workplace, scene: Path, name: str
) -> None:
    """P12."""
    place.classify(name).refused(2, "tif'", "UTF-8; rename" if "\0" not in name else "a NUL")
    place.classify(scene, "-o", name).refused(2, "'-o'")


def test_the_locale_changes_nothing(place: Workplace) -> None:
    """P10, P13: numbers with a point, names in UTF-8, times in UTC, wherever the program runs."""
    scene = write(place.inputs / "日本 ü.tif")
    surroundings = {"LC_ALL": "C", "TZ": "Asia/Tokyo"}
    ended = place.run_apart("classify", *place.usual, scene, env={**os.environ, **surroundings})
    ended.done()
    assert str(place.map) in ended.out
    stats = json.loads((place.outputs / "map.stats.json").read_text(encoding="utf-8"))
    created = datetime.fromisoformat(stats["created"])
    assert created.utcoffset() == timedelta(0)
    assert abs(datetime.now(created.tzinfo) - created) < timedelta(minutes=5)
    with (place.outputs / "map.stats.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(float(row["share"]) for row in rows) == pytest.approx(1)


def test_settings_may_come_from_windows(place: Workplace, scene: Path) -> None:
    """P13: byte-order mark and line ends."""
    settings = place.inputs / "settings.toml"
    settings.write_bytes(b'\xef\xbb\xbfmethod = "kmeans"\r\nclasses = 2\r\nreport = false\r\n')
    flags = ("--config-file", settings, "--progress", "none", "-o", place.map)
    ended = place.run("classify", *flags, scene)
    ended.done()
    assert "in 2 classes by K-means" in ended.out

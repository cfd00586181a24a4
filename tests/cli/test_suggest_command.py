from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from calls import Caller


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A scene with its truth and reference, and a map of it."""
    from rsclass import Writing, classify
    from rsclass.datasets import simulate

    folder = tmp_path_factory.mktemp("suggested")
    files = simulate("sentinel2", height=120, width=110, seed=4).write(folder, "scene")
    writing = Writing(report=False)
    classify(files["scene"], folder / "map.tif", method="kmeans", classes=5, writing=writing)
    return files | {"map": folder / "map.tif"}


def test_suggestions_tell_their_evidence_and_touch_nothing(
    call: Caller, made: dict[str, Path]
) -> None:
    before = {path: path.read_bytes() for path in made["map"].parent.iterdir()}
    told = call("suggest", made["map"], "--json", "--progress", "none")
    assert told.code == 0, told.err
    assert told.data["applied"] == []
    for cluster in told.data["clusters"]:
        assert cluster["evidence"]
        assert 0 <= cluster["confidence"] <= 1
        assert (cluster["suggestion"] is None) == (cluster["by"] is None)
    assert {path: path.read_bytes() for path in made["map"].parent.iterdir()} == before
    words = call("suggest", made["map"], "--progress", "none").out
    assert "NDVI" in words
    assert "Nothing is applied" in words


def test_apply_writes_the_table_and_a_second_call_keeps_it(
    call: Caller, made: dict[str, Path], tmp_path: Path
) -> None:
    table = tmp_path / "merge.csv"
    flags = ["--reference", made["reference"], "--field", "class_name", "--layer", "polygons"]
    flags += ["--schema", made["schema"], "--table", table, "--apply", "--json"]
    told = call("suggest", made["map"], *flags)
    assert told.code == 0, told.err
    assert told.data["files"] == {"table": str(table)}
    decided = [c for c in told.data["clusters"] if c["code"] is not None]
    assert told.data["applied"] == [c["value"] for c in decided]
    assert decided
    first = table.read_bytes()
    again = call("suggest", made["map"], *flags)
    assert again.code == 0, again.err
    assert again.data["applied"] == []
    assert table.read_bytes() == first


def test_what_stays_open_is_told_with_the_command_that_decides_it(
    call: Caller, made: dict[str, Path], tmp_path: Path
) -> None:
    table = tmp_path / "merge.csv"
    table.write_text("cluster,code,class\n1,,\n2,3,wood\n3,,\n4,3,wood\n5,3,wood\n")
    flags = ["--min-confidence", "1", "--table", table, "--apply", "--progress", "none"]
    told = call("suggest", made["map"], *flags)
    assert told.code == 0, told.err
    assert "2 clusters stay open: 1, 3. Decide each: rsclass merge" in told.out
    command = told.out.split("Decide each: rsclass ")[1].splitlines()[0]
    decided = call(*shlex.split(command.replace("CODE", "wood")), "--json")
    assert decided.code == 0, decided.err
    assert decided.data["undecided"] == [3]
    again = call("suggest", made["map"], *flags, "--json")
    assert again.data["undecided"] == [3]


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--apply"], 2, "name it with --table"),
        (["--no-spectra"], 2, "nothing to go by"),
        (["--schema", "corine9"], 2, "no schema is named 'corine9'"),
        (["--reference", "missing.gpkg", "--field", "a"], 3, "missing.gpkg"),
        (["--reference", "{reference}", "--field", "colour", "--layer", "points"], 2, "'colour'"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    call: Caller, made: dict[str, Path], flags: list[str], code: int, words: str
) -> None:
    asked = [flag.format(**made) for flag in flags]
    told = call("suggest", made["map"], *asked, "--progress", "none")
    assert told.code == code
    assert words in told.err

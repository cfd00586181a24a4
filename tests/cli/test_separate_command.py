from __future__ import annotations

from pathlib import Path

import pytest
from calls import Caller


@pytest.fixture(scope="module")
def made(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from rsclass import Writing, classify

    out = tmp_path_factory.mktemp("maps") / "map.tif"
    classify(scene, out, method="kmeans", classes=4, writing=Writing(report=False))
    return out


def test_separate_ranks_pairs_and_suggests_without_touching_the_map(
    call: Caller, made: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in made.parent.iterdir()}
    page = tmp_path / "page.html"
    told = call("separate", made, "-o", tmp_path / "t.csv", "--report", page, "--json")
    assert told.code == 0, told.err
    pairs = [pair["jm"] for pair in told.data["pairs"]]
    assert len(pairs) == 6
    assert pairs == sorted(pairs)
    assert told.data["files"] == {"table": str(tmp_path / "t.csv"), "report": str(page)}
    assert all(Path(path).stat().st_size > 0 for path in told.data["files"].values())
    assert {path: path.read_bytes() for path in made.parent.iterdir()} == before


def test_the_summary_says_what_is_least_separable(call: Caller, made: Path) -> None:
    told = call("separate", made, "--measure", "td", "--progress", "none")
    assert told.code == 0
    assert "Least separable by transformed divergence (0 to 2):" in told.out
    assert told.err == ""


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (["--measure", "nearness"], 2, "'nearness' is not one of 'jm'"),
        (["--report", "page.pdf"], 2, "'page.pdf' is not named as an HTML file"),
        (["-o", "missing/t.csv"], 4, "the folder"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_sentence(
    call: Caller, made: Path, flags: list[str], code: int, words: str
) -> None:
    told = call("separate", made, *flags, "--progress", "none")
    assert told.code == code
    assert words in told.err


def test_a_settings_file_shared_with_classify_may_switch_reports_off(
    call: Caller, made: Path, tmp_path: Path
) -> None:
    settings = tmp_path / "rsclass.toml"
    settings.write_text("report = false\n")
    told = call("separate", made, "--config-file", settings, "--json")
    assert told.code == 0, told.err
    assert told.data["files"] == {}


def test_what_is_no_map_is_bad_input(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    (tmp_path / "a.tif").write_bytes(b"nothing")
    for name in ("a.safetensors", "a.tif", "missing.tif"):
        assert call("separate", tmp_path / name, "--progress", "none").code == 3

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from calls import Caller

from rsclass.datasets import simulate


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A scene with its truth, and a network that was trained on it."""
    from rsclass import train

    folder = tmp_path_factory.mktemp("probe")
    files = dict(simulate("sentinel2", height=120, width=130, seed=4).write(folder, "scene"))
    small = {"epochs": 3, "warmup": 1, "tiles": 8, "width": 8, "overcluster": 2}
    small["inputs"] = "bands"
    train(files["scene"], folder / "net.safetensors", classes=4, parameters=small)
    return files | {"net": folder / "net.safetensors"}


def test_scores_are_told_as_a_table_json_csv_and_page(
    call: Caller, made: dict[str, Path], tmp_path: Path
) -> None:
    asked = ["probe", made["net"], made["scene"], "--reference", made["truth"]]
    asked += ["--samples-per-class", "60", "--progress", "none"]
    table, page = tmp_path / "probes.csv", tmp_path / "probes.html"
    told = call(*asked, "-o", table, "--report", page, "--json")
    assert told.code == 0, told.err
    rows = {row["features"]: row["probes"] for row in told.data["features"]}
    lines = list(csv.DictReader(table.open()))
    assert len(lines) == len(rows) * 5
    for line in lines:
        score = rows[line["features"]][line["probe"]]
        assert float(line["accuracy"]) == pytest.approx(score["accuracy"], abs=1e-5)
    assert [row["nmi"] for row in told.data["history"]]
    assert sum(row["share"] for row in told.data["sizes"]) == pytest.approx(1)
    text = page.read_text()
    for words in ("Probes by layer", "embedding", "Course of the training", "agreement (NMI)"):
        assert words in text
    words = call(*asked).out
    assert "10 shots" in words
    assert "5 x 5 means" in words
    assert "NMI" in words


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        ([], 2, "--reference"),
        (["--reference", "{truth}", "--folds", "1"], 2, "--folds"),
        (["--reference", "missing.gpkg", "--field", "a"], 3, "missing.gpkg"),
    ],
)
def test_what_cannot_be_probed_is_refused_in_a_sentence(
    call: Caller, made: dict[str, Path], flags: list[str], code: int, words: str
) -> None:
    asked = [flag.format(**made) for flag in flags]
    told = call("probe", made["net"], made["scene"], *asked, "--progress", "none")
    assert told.code == code
    assert words in told.err

"""What results say of themselves."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

import rsclass
from rsclass.flow.results import Classified, Replayed, Trained


@pytest.fixture(scope="module")
def chosen(small_scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Classified:
    out = tmp_path_factory.mktemp("results") / "map.tif"
    return rsclass.classify(
        small_scene, out, method="kmeans", classes="3..5", parameters={"sample": 500}
    )


def test_a_chosen_number_of_classes_is_explained(chosen: Classified) -> None:
    lines = chosen.summary().split("\n")
    assert f"in {len(chosen.legend)} classes by K-means." in lines[0]
    (marked,) = [line for line in lines if line.startswith(">")]
    assert marked.split()[1] == str(len(chosen.legend))
    assert any(line.startswith("Chosen by the best mean rank") for line in lines)
    assert json.loads(json.dumps(chosen.to_dict()))["evidence"] == chosen.evidence


def test_the_report_tells_the_scene_every_parameter_and_the_chosen_row(chosen: Classified) -> None:
    page = chosen.files["report"].read_text("utf-8")
    for told in (
        "110 x 90 pixels",
        "10 x 10 m",
        "WGS 84 / UTM zone",
        "B02 (blue, 492.4 nm)",
        "tolerance",  # a parameter that nobody set
        '<tr class="chosen"><td class="number">' + str(len(chosen.legend)),
    ):
        assert told in page


def test_paths_of_a_result_are_as_the_user_gave_them(
    small_scene: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scene.tif").write_bytes(small_scene.read_bytes())
    monkeypatch.chdir(tmp_path)
    made = rsclass.classify(
        "scene.tif",
        method="kmeans",
        classes=1,
        parameters={"sample": 100},
        writing=rsclass.Writing(layers=("distance",), report=False),
    )
    assert not any(path.is_absolute() for path in made.files.values())
    assert all(os.path.exists(path) for path in made.files.values())
    assert "in 1 class by K-means." in made.summary()


def test_a_model_shows_its_classes(chosen: Classified) -> None:
    trained = Trained(Path("<m>"), chosen.model, [], chosen.evidence, [], "A reason.")
    assert "\nA reason.\n" in trained.summary()
    assert trained._repr_html_().count("<tr>") == len(chosen.legend) + 1
    assert "<p>&lt;m&gt;</p>" in trained._repr_html_()


def test_a_printed_result_is_one_short_line(chosen: Classified, tmp_path: Path) -> None:
    n, pixels = len(chosen.legend), 110 * 90
    classified = f"pixels={pixels}, classified={chosen.n_classified})"
    assert repr(chosen) == (
        f"Classified({str(chosen.path)!r}, method='kmeans', classes={n}, {classified}"
    )
    trained = Trained(Path("m"), chosen.model, [], [], [])
    assert repr(trained) == f"Trained('m', method='kmeans', classes={n})"
    two = rsclass.merge(chosen.path, tmp_path / "two.tif", to=2)
    parent = f"parent={str(chosen.path)!r}"
    assert repr(two) == f"Derived({str(two.path)!r}, {parent}, classes=2, {classified}"


@pytest.mark.parametrize(
    ("replayed", "words"),
    [
        (Replayed(Path("m"), True, 0, []), "every byte is the same."),
        (
            Replayed(Path("m"), False, 0, ["<b>"], same_pixels=True),
            "every pixel is the same; the files differ in their recorded paths or versions.",
        ),
        (Replayed(Path("m"), False, 1, []), "1 pixel differs."),
        (Replayed(Path("m"), False, 2000, []), "2,000 pixels differ."),
    ],
)
def test_a_replay_claims_what_was_compared(replayed: Replayed, words: str) -> None:
    assert replayed.summary() == f"m: made again, {words}"
    assert replayed._repr_html_().startswith(f"<p>m: made again, {words}</p>")
    assert "<b>" not in replayed._repr_html_()
    assert replayed.to_dict()["same_pixels"] is (replayed.identical or replayed.same_pixels)


def test_the_map_is_read_back(chosen: Classified) -> None:
    assert int(np.count_nonzero(chosen.read())) == chosen.n_classified

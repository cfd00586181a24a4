"""The benchmark of quality: its scores, its scenes, its memory, its tables and a run of it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from benchmarks import labelled, quality, quality_page
from benchmarks.contenders import CONTENDERS, PLAIN, Features, available
from benchmarks.labelled import Labelled, as_mosaic, with_trend
from benchmarks.records import Key, Records
from benchmarks.scores import scores, t_interval


def test_scores_are_those_of_scikit_learn_on_the_known_pixels():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 5, (40, 50))
    labels = np.where(rng.random((40, 50)) < 0.6, truth + 7, rng.integers(-1, 9, (40, 50)))
    found = scores(labels, truth)
    known = truth > 0
    assert found.nmi == pytest.approx(normalized_mutual_info_score(truth[known], labels[known]))
    assert found.ari == pytest.approx(adjusted_rand_score(truth[known], labels[known]))


def test_majority_counts_the_commonest_cover_of_a_class_and_pairing_one_class_for_each():
    truth = np.array([1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 0, 0])
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 3, 3, 3, 3, 1])
    found = scores(labels, truth)
    # by majority 2 + 1 + 2 + 2 of 10; in pairs only one of the classes 2 and 3 can be cover 2
    assert found.majority == pytest.approx(0.7)
    assert found.pairing == pytest.approx(0.6)
    assert found.q == pytest.approx((found.majority + found.nmi + found.ari) / 3)
    assert found.classes == 4


def test_the_interval_of_a_mean_is_the_one_of_students_tables():
    mean, half = t_interval(np.array([1.0, 2.0, 3.0]))
    assert mean == 2
    assert half == pytest.approx(4.3027 / np.sqrt(3), abs=1e-4)  # t of 2 degrees of freedom


def a_scene(seed: int = 0) -> Labelled:
    rng = np.random.default_rng(seed)
    values = rng.uniform(10, 20, (3, 8, 10)).astype(np.float32)
    values[:, 0, 0] = np.nan
    return Labelled("made", values, rng.integers(0, 3, (8, 10)))


def test_a_trend_of_light_multiplies_every_band_of_a_column_by_the_same_gain():
    scene = a_scene()
    gain = with_trend(scene).values / scene.values
    assert gain[:, 1:, 0] == pytest.approx(0.75)
    assert gain[:, 1:, -1] == pytest.approx(1.25)
    assert gain[1, 1:] == pytest.approx(gain[2, 1:])


def test_a_mosaic_changes_the_right_half_by_one_gain_a_band():
    scene = a_scene()
    gain = as_mosaic(scene).values / scene.values
    assert (gain[:, 1:, :5] == 1).all()
    right = gain[:, 1:, 5:].reshape(3, -1)
    assert right == pytest.approx(np.tile(right[:, :1], (1, right.shape[1])))
    assert len(np.unique(right[:, 0])) == 3


def test_windows_average_the_valid_neighbors_only():
    scene = a_scene()
    features = Features(3).learn([scene])
    table = Features().learn([scene])(scene)
    corner = np.nanmean(table[:, 0:3, 0:3], axis=(1, 2))  # without the pixel that has no data
    assert features(scene)[:, 1, 1] == pytest.approx(corner, abs=1e-5)
    assert np.isnan(features(scene)[:, 0, 0]).all()


def test_unit_norm_features_do_not_change_with_the_light():
    scene = a_scene()
    under = with_trend(scene)
    plain, unit = Features(), Features(unit=True)
    same = unit.learn([scene])(scene) - unit.learn([under])(under)
    assert np.nanmax(np.abs(same)) < 1e-3  # float32
    assert np.nanmax(np.abs(plain.learn([scene])(scene) - plain.learn([under])(under))) > 0.1


def test_a_feature_is_learned_from_the_scene_learned_from():
    one, other = a_scene(0), a_scene(1)
    features = Features().learn([one])
    mean = one.values[:, one.valid].mean(axis=1)
    deviation = one.values[:, one.valid].std(axis=1)
    expected = (other.values[:, 4, 4] - mean) / deviation
    assert features(other)[:, 4, 4] == pytest.approx(expected, rel=1e-4)


def test_what_was_measured_is_found_again_and_other_versions_only_where_allowed(tmp_path):
    path = tmp_path / "quality.jsonl"
    old, new = (Key("single", "s", "m", 1, 0, version) for version in ("a", "b"))
    Records(path).add(old, {"q": 0.25})
    assert Records(path).find(old) == {"q": 0.25}
    assert Records(path).find(new) is None
    assert Records(path, any_version=True).find(new) == {"q": 0.25}
    Records(path).add(new, {"q": 0.5})
    assert Records(path, any_version=True).find(old) == {"q": 0.25}


def test_a_choice_for_a_scene_is_made_by_the_other_scenes(tmp_path):
    records = Records(tmp_path / "quality.jsonl")
    q = {
        "k-means on pixels": (0.9, 0.1, 0.1),
        "ISODATA on pixels": (0.2, 0.3, 0.3),
        "fuzzy K-means on pixels": (0.1, 0.0, 0.2),
    }
    for method, values in q.items():
        for scene, value in zip("abc", values, strict=True):
            records.add(Key("single", scene, method, 1, 0, "v"), {"q": value})
    grid = quality_page.Grid(records, "single", ("a", "b", "c"))
    found, chosen = quality_page.held_out_choice(grid, q)
    # without a, ISODATA is best; without b or c, k-means
    assert chosen == ["ISODATA on pixels", "k-means on pixels", "k-means on pixels"]
    assert found == pytest.approx([0.2, 0.1, 0.1])


PAGE = "Before.\n" + "".join(
    f"<!-- {name} -->\n<!-- /{name} -->\n"
    for name in ("about", "overview", "by scene", "further", *labelled.TASKS)
    if name != "single"
)


def test_a_run_measures_once_and_fills_in_the_page(tmp_path, capsys):
    page = tmp_path / "uic.md"
    page.write_text(PAGE)
    words = ["--work", str(tmp_path / "work"), "--scenes", labelled.SYNTHETIC, "--seeds", "2"]
    words += ["--methods", "k-means on pixels,k-means on 5x5 means", "--factors", "1,2"]
    words += ["--tasks", "single,trend"]
    assert quality.main(words) == 0
    assert capsys.readouterr().out.count("k-means on 5x5 means: q ") == 2
    assert quality.main([*words, "--docs", str(page)]) == 0
    assert ": q " not in capsys.readouterr().out  # nothing was left to measure
    lines = (tmp_path / "work" / "quality.jsonl").read_text().splitlines()
    assert len(lines) == 2 * (2 * 2 + 2)
    one = json.loads(lines[0])
    assert one["q"] == pytest.approx((one["majority"] + one["nmi"] + one["ari"]) / 3)
    assert "| k-means on pixels | " in page.read_text().split("<!-- trend -->")[1]


@pytest.mark.parametrize("name", [one.name for one in PLAIN if one.name.endswith("on pixels")])
def test_every_plain_contender_labels_the_seen_pixels_and_no_others(name):
    scene = labelled.read(labelled.SYNTHETIC)
    labels = CONTENDERS[name].learn([scene], 3, 0)(scene)
    assert (labels[~scene.valid] == -1).all()
    assert set(np.unique(labels[scene.valid])) <= {0, 1, 2}
    assert len(np.unique(labels[scene.valid])) > 1


def test_a_method_that_rsclass_lacks_is_told_of():
    assert available("k-means on pixels") is None
    assert available("uic") is None


def test_a_transfer_learns_from_other_pixels_than_it_scores(monkeypatch):
    names = tuple(labelled.SIX_BANDS)
    rng = np.random.default_rng(3)
    made = {
        name: Labelled(name, rng.random((7, 6, 8)).astype(np.float32), rng.integers(0, 3, (6, 8)))
        for name in names
    }
    monkeypatch.setattr(labelled, "absence", lambda name: None)
    monkeypatch.setattr(labelled, "read", made.__getitem__)
    (half, *_) = labelled.cases("half", names)
    learned, scored = half.images()
    whole = made[half.scored].values
    assert np.array_equal(np.concatenate([learned[0].values, scored.values], axis=2), whole)
    pairs = list(labelled.cases("neighbor", names))
    assert {(case.learned[0], case.scored) for case in pairs} == {
        (one, other) for one in names for other in names if one != other
    }
    for case in labelled.cases("joint", names):
        learned, scored = case.images()
        assert {scene.name for scene in learned} == set(names) - {scored.name}
        assert {len(scene.values) for scene in (*learned, scored)} == {6}


def test_a_table_says_what_was_not_measured(tmp_path):
    records = Records(tmp_path / "quality.jsonl")
    for seed, q in enumerate((0.25, 0.75)):
        records.add(Key("trend", "a", "k-means on pixels", 1, seed, "v"), {"q": q})
    records.add(Key("trend", "b", "k-means on pixels", 1, 0, "v"), {"q": 0.25})
    records.add(Key("trend", "b", "uic", 1, 0, "v"), {"q": 0.5})
    table = quality_page.by_scene(quality_page.Grid(records, "trend"))
    assert table.splitlines()[2:] == [
        "| k-means on pixels | 0.500 ± 0.354 (2) | 0.250 ± ? (1) | 0.375 |",
        "| **uic** | - | 0.500 ± ? (1) | - |",
    ]

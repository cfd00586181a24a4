from __future__ import annotations

import csv
import shutil
from dataclasses import replace

import numpy as np
import pytest
import rasterio

import rsclass
from rsclass import Reading, Running, Writing
from rsclass.errors import BandMismatchError, DataError, OutputExistsError, UsageError
from rsclass.flow.separate import separated
from rsclass.flow.signatures import signatures_of

QUICK = {"method": "kmeans", "classes": 5, "writing": Writing(report=False)}


@pytest.fixture(scope="module")
def made(scene, tmp_path_factory):
    """A map of five classes with all that belongs to it."""
    folder = tmp_path_factory.mktemp("separate")
    return rsclass.classify(scene, folder / "map.tif", **QUICK)


@pytest.fixture(scope="module")
def float_map(float_scene, tmp_path_factory):
    """The same of a scene in floating point."""
    folder = tmp_path_factory.mktemp("separate_float")
    return rsclass.classify(float_scene, folder / "map.tif", **QUICK)


def pixels_of(scene, path, value):
    with rasterio.open(scene) as image, rasterio.open(path) as labels:
        scale = np.array(image.scales)[:, None]
        offset = np.array(image.offsets)[:, None]
        return (image.read()[:, labels.read(1) == value] * scale + offset).T


def same(one, other):
    np.testing.assert_array_equal(one.stats.count, other.stats.count)
    np.testing.assert_array_equal(one.stats.mean, other.stats.mean)
    np.testing.assert_array_equal(one.stats.covariance, other.stats.covariance)


def test_the_distance_is_that_of_the_pixels_of_two_classes(made, scene):
    found = rsclass.separate(made.path)
    i, j = found.pairs[0]
    one, other = (pixels_of(scene, made.path, found.legend.values[k]) for k in (i, j))
    s1, s2 = np.cov(one.T), np.cov(other.T)
    apart = one.mean(axis=0) - other.mean(axis=0)
    both = (s1 + s2) / 2
    logarithms = [np.linalg.slogdet(matrix)[1] for matrix in (both, s1, s2)]
    b = apart @ np.linalg.inv(both) @ apart / 8 + (logarithms[0] - sum(logarithms[1:]) / 2) / 2
    assert found.tables["jm"][i, j] == pytest.approx(2 * (1 - np.exp(-b)), rel=1e-8)
    assert found.tables["euclid"][i, j] == pytest.approx(np.linalg.norm(apart), rel=1e-9)


@pytest.mark.parametrize(("kind", "scene_kind"), [("made", "scene"), ("float_map", "float_scene")])
def test_signatures_from_the_scene_are_those_beside_the_map(kind, scene_kind, request):
    made, scene = request.getfixturevalue(kind), request.getfixturevalue(scene_kind)
    beside = signatures_of(made.path)
    assert beside.source == "every pixel (map.stats.json)"
    anew = signatures_of(made.path, scene)
    assert anew.source == f"every pixel of {scene.stem}"
    np.testing.assert_array_equal(beside.stats.count, anew.stats.count)
    # Whole numbers are added up exactly; others as differences from another middle of their band,
    # with sums that cancel in small covariances.
    tolerance = 0 if scene_kind == "scene" else 1e-8
    for name in ("mean", "covariance"):
        ours, theirs = getattr(anew.stats, name), getattr(beside.stats, name)
        np.testing.assert_allclose(ours, theirs, rtol=tolerance)


@pytest.mark.parametrize("running", [Running(jobs=1, tile=64), Running(jobs=3, tile=300)])
def test_signatures_do_not_depend_on_tiles_and_threads(running, float_scene, float_map):
    path = float_map.path
    same(signatures_of(path, float_scene, running), signatures_of(path, float_scene))


def test_a_model_beside_its_map_or_with_its_scene_gives_the_signatures_of_the_map(
    made, scene, tmp_path
):
    of_map = signatures_of(made.path)
    same(signatures_of(made.files["model"]), of_map)
    alone = shutil.copy(made.files["model"], tmp_path / "alone.safetensors")
    found = signatures_of(alone)
    assert found.source == f"every pixel of {scene.stem}"
    same(found, of_map)


def test_a_model_is_judged_on_another_scene_by_the_names_of_its_bands(made, tmp_path, small_scene):
    found = signatures_of(made.files["model"], small_scene)
    assert found.source == f"every pixel of {small_scene.stem}"
    assert found.stats.count.sum() <= 90 * 110
    with rasterio.open(small_scene) as dataset:
        values, profile = dataset.read([1, 2]), dataset.profile | {"count": 2}
    with rasterio.open(tmp_path / "two.tif", "w", **profile) as dataset:
        dataset.write(values)
    with pytest.raises(BandMismatchError, match="does not have the model's bands"):
        rsclass.separate(made.files["model"], scene=tmp_path / "two.tif")


def test_a_map_of_other_software_needs_its_scene(made, scene, tmp_path):
    with rasterio.open(made.path) as dataset:
        values, profile = dataset.read(1), dataset.profile
    with rasterio.open(tmp_path / "other.tif", "w", **profile) as dataset:
        dataset.write(values, 1)
    with pytest.raises(DataError, match=r"no statistics lie beside it; give the scene with --sce"):
        rsclass.separate(tmp_path / "other.tif")
    found = rsclass.separate(tmp_path / "other.tif", scene=scene)
    ours = rsclass.separate(made.path)
    np.testing.assert_allclose(found.tables["jm"], ours.tables["jm"], rtol=1e-9)


def test_a_map_of_a_part_of_the_scene_is_read_with_that_part(small_scene, tmp_path):
    scene = small_scene
    with rasterio.open(scene) as dataset:
        left, bottom, right, top = dataset.bounds
    reading = Reading(bands="2..5", bounds=((left + right) / 2, bottom, right, top))
    part = rsclass.classify(scene, tmp_path / "part.tif", reading=reading, **QUICK)
    same(signatures_of(part.path, scene), signatures_of(part.path))


def test_statistics_of_an_earlier_map_are_not_believed(made, small_scene, tmp_path):
    """The map was replaced by other means than rsclass; its old statistics stayed behind."""
    newer = rsclass.classify(small_scene, tmp_path / "map.tif", **QUICK)
    shutil.copy(made.files["statistics"], newer.files["statistics"])
    assert signatures_of(newer.path).source == f"every pixel of {small_scene.stem}"


def test_a_model_whose_scene_is_gone_says_what_to_give(small_scene, tmp_path):
    lost = shutil.copy(small_scene, tmp_path / "lost.tif")
    trained = rsclass.train(lost, tmp_path / "m.safetensors", method="kmeans", classes=3)
    (tmp_path / "lost.tif").unlink()
    with pytest.raises(DataError, match=r"cannot be opened .*; give the scene with --scene\.$"):
        rsclass.separate(trained.path)


def test_a_scene_on_another_grid_is_refused(made, small_scene):
    with pytest.raises(DataError, match=r"530 x 560 pixels\) and small \(90 x 110\) do not lie"):
        rsclass.separate(made.path, scene=small_scene)


def test_table_and_report_are_written_and_never_silently_replaced(made, tmp_path):
    table, report = tmp_path / "pairs.csv", tmp_path / "page.html"
    found = rsclass.separate(made.path, table=table, report=report, command="rsclass separate")
    assert found.files == {"table": table, "report": report}
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    assert [float(row["jm"]) for row in rows] == sorted(float(row["jm"]) for row in rows)
    assert (int(rows[0]["value_1"]), int(rows[0]["value_2"])) == tuple(
        found.legend.values[k] for k in found.pairs[0]
    )
    assert b"how well its classes can be told apart" in report.read_bytes()
    for place in ({"table": table}, {"report": report}):
        with pytest.raises(OutputExistsError):
            rsclass.separate(made.path, **place)
    rsclass.separate(made.path, table=table, overwrite=True)


def test_too_many_classes_are_refused_in_a_sentence(made, monkeypatch):
    monkeypatch.setattr("rsclass.flow.separate.MOST_CLASSES", 4)
    with pytest.raises(DataError, match="has 5 classes, and separability is told of 4 at most"):
        rsclass.separate(made.path)


def test_the_map_itself_is_never_the_table(made):
    with pytest.raises(UsageError, match="is the same file as the input"):
        rsclass.separate(made.path, table=made.path, overwrite=True)


def test_pairs_are_ranked_by_the_measure_asked_for(made):
    found = rsclass.separate(made.path, measure="angle")
    ranked = [found.tables["angle"][pair] for pair in found.pairs]
    assert ranked == sorted(ranked)
    with pytest.raises(UsageError, match="no measure of separability is named 'JM'"):
        rsclass.separate(made.path, measure="JM")


def test_the_tree_tells_which_classes_join_at_every_step(made):
    steps = rsclass.separate(made.path).to_dict()["tree"]
    assert [step["classes"] for step in steps] == [4, 3, 2, 1]
    last = steps[-1]["joins"]
    assert sorted(last[0] + last[1]) == [1, 2, 3, 4, 5]


def test_a_class_without_pixels_is_unknown_and_has_no_tree(made):
    signatures = signatures_of(made.path)
    stats = signatures.stats
    count, mean, covariance = stats.count.copy(), stats.mean.copy(), stats.covariance.copy()
    count[2], mean[2], covariance[2] = 0, np.nan, np.nan
    empty = replace(stats, count=count, mean=mean, covariance=covariance)
    found = separated(made.path, replace(signatures, stats=empty), "jm", {})
    assert found.tree is None
    told = found.to_dict()
    assert [2, 3] in [pair["classes"] for pair in told["pairs"][-4:]]
    assert told["pairs"][-1]["jm"] is None
    assert any("class 3 has 0 pixels" in warning for warning in found.warnings)


def test_classes_of_few_pixels_are_named(made):
    signatures = signatures_of(made.path)
    count = signatures.stats.count.copy()
    count[[1, 3]] = [99, 100]
    few = replace(signatures, stats=replace(signatures.stats, count=count))
    (warning,) = separated(made.path, few, "jm", {}).warnings
    assert warning.startswith("fewer than 100 pixels, 10 for each band, describe class 2;")


def test_estimates_of_a_tidied_map_are_told_and_the_scene_is_read_as_it_was_then(
    small_scene, tmp_path
):
    scene = small_scene
    with rasterio.open(scene) as dataset:
        left, bottom, right, top = dataset.bounds
    reading = Reading(bands="2..5", bounds=((left + right) / 2, bottom, right, top))
    part = rsclass.classify(scene, tmp_path / "part.tif", reading=reading, **QUICK)
    tidied = rsclass.tidy(part.path, tmp_path / "tidy.tif", majority=3)
    estimated = signatures_of(tidied.path)
    assert estimated.source == "estimates (tidy.stats.json)"
    assert "give the scene with --scene" in estimated.warnings[-1]
    exact = signatures_of(tidied.path, scene)
    assert exact.warnings == []
    np.testing.assert_array_equal(exact.stats.count, estimated.stats.count)
    with rasterio.open(tidied.path) as dataset:
        values = dataset.read(1)
    with rasterio.open(scene) as dataset:
        window = rasterio.windows.from_bounds(*reading.bounds, dataset.transform).round()
        image = dataset.read([2, 3, 4, 5], window=window).astype(float)
        scale, offset = np.array(dataset.scales)[1:5], np.array(dataset.offsets)[1:5]
    pixels = image[:, values == 2].T * scale + offset
    np.testing.assert_allclose(exact.stats.mean[1], pixels.mean(axis=0), rtol=1e-9)

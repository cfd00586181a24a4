"""Real scenes assessed by their own references, with other libraries as oracle."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
from sklearn import metrics

import rsclass


@pytest.fixture(scope="module")
def rondonia(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = shared_data / "landsat8_rondonia_points" / "image.tif"
    out = tmp_path_factory.mktemp("rondonia") / "map.tif"
    return rsclass.classify(scene, out, method="kmeans", classes=4).path


@pytest.fixture(scope="module")
def mexico(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    scene = shared_data / "landsat7_ogt" / "image.tif"
    out = tmp_path_factory.mktemp("mexico") / "map.tif"
    return rsclass.classify(scene, out, method="kmeans", classes=5).path


def test_points_where_class_0_is_a_class(shared_data, rondonia):
    """The column ``class`` of Rondonia's points has the classes 0 to 3."""
    file = shared_data / "landsat8_rondonia_points" / "points.gpkg"
    frame = geopandas.read_file(file)
    with rasterio.open(rondonia) as dataset:
        frame = frame.to_crs(dataset.crs)
        places = [(p.x, p.y) for p in frame.geometry]
        shown = [int(v[0]) for v in dataset.sample(places)]
    found = rsclass.assess(rondonia, file, field="class")
    assert found.clusters.table.sum() == 91
    assert found.clusters.labels == ("0", "1", "2", "3")
    right = frame["class"].astype(int).tolist()
    assert found.figure("nmi") == pytest.approx(metrics.normalized_mutual_info_score(right, shown))
    assert found.figure("ari") == pytest.approx(metrics.adjusted_rand_score(right, shown))


def test_a_map_learned_from_classes_0_to_3_is_judged_by_these_numbers(shared_data, tmp_path):
    folder = shared_data / "landsat8_rondonia_points"
    training = rsclass.Training(folder / "points.gpkg", "class")
    made = rsclass.classify(
        folder / "image.tif", tmp_path / "map.tif", method="mindist", training=training
    )
    assert made.legend.names == ("0", "1", "2", "3")
    frame = geopandas.read_file(folder / "points.gpkg")
    with rasterio.open(made.path) as dataset:
        frame = frame.to_crs(dataset.crs)
        shown = [int(v[0]) - 1 for v in dataset.sample([(p.x, p.y) for p in frame.geometry])]
    found = rsclass.assess(made.path, folder / "points.gpkg", field="class")
    right = metrics.accuracy_score(frame["class"].astype(int), shown)
    assert found.figure("overall") == pytest.approx(right)


def test_polygons_and_the_raster_burnt_from_them_say_the_same(shared_data, mexico):
    folder = shared_data / "landsat7_ogt"
    polygons = rsclass.assess(mexico, folder / "training_polygons.gpkg", field="code")
    raster = rsclass.assess(mexico, folder / "gt.tif")
    with rasterio.open(mexico) as a, rasterio.open(folder / "gt.tif") as b:
        shown, right = a.read(1), b.read(1)
    good = right > 0
    contested = polygons.skipped["claimed by several labels"]
    assert raster.clusters.table.sum() == np.count_nonzero(good)
    assert polygons.clusters.table.sum() + contested == np.count_nonzero(good)
    score = metrics.adjusted_rand_score(right[good], shown[good])
    assert raster.figure("ari") == pytest.approx(score)
    assert polygons.figure("ari") == pytest.approx(score, abs=0.005)


def test_a_map_that_is_judged_by_its_own_training_samples_is_flattered(shared_data, tmp_path):
    folder = shared_data / "landsat7_ogt"
    polygons = folder / "training_polygons.gpkg"
    training = rsclass.Training(polygons, "name")
    out = tmp_path / "map.tif"
    path = rsclass.classify(folder / "image.tif", out, method="maxlike", training=training).path
    own = rsclass.assess(path, polygons, field="name")
    assert any("was trained on training_polygons.gpkg" in warning for warning in own.warnings)
    other = rsclass.assess(path, folder / "gt.tif")
    assert not any("was trained on" in warning for warning in other.warnings)


def test_a_million_labelled_pixels_as_reference(shared_data, tmp_path):
    """Gewata: its land-cover raster against the same with rows swapped, as a map with errors."""
    file = shared_data / "landsat7_gewata" / "gt.tif"
    with rasterio.open(file) as dataset:
        right, profile = dataset.read(1), dataset.profile
    shown = np.where(np.arange(right.shape[0])[:, None] % 7 == 0, np.roll(right, 40, 1), right)
    path = tmp_path / "map.tif"
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(shown, 1)
    found = rsclass.assess(path, file)
    good = (right > 0) & (shown > 0)
    classes = np.unique(right[right > 0])
    matrix = metrics.confusion_matrix(right[good], shown[good], labels=classes)
    np.testing.assert_array_equal(found.accuracy.confusion.counts, matrix)
    kappa = metrics.cohen_kappa_score(right[good], shown[good])
    assert found.accuracy.kappa.value == pytest.approx(kappa)


def test_a_sample_of_a_real_map_finds_the_areas_of_its_complete_truth(shared_data, tmp_path):
    """Gewata again: points labelled from the raster estimate what the raster holds."""
    import pyogrio

    file = shared_data / "landsat7_gewata" / "gt.tif"
    with rasterio.open(file) as dataset:
        right, profile = dataset.read(1), dataset.profile
    valid = right > 0
    shown = np.where(valid, np.roll(right, 5, 0), 0)
    shown[valid & (shown == 0)] = 1
    path = tmp_path / "map.tif"
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(shown, 1)
    sample = rsclass.plan_sample(path, tmp_path / "s.gpkg", n=900, least=60, seed=4).path
    layers = {
        name: pyogrio.read_dataframe(sample, layer=name)
        for name in ("sample", "rsclass_design", "rsclass_units")
    }
    frame, units = layers["sample"], layers["rsclass_units"]
    frame["reference"] = right[units["row"], units["col"]]
    sample.unlink()
    for name, table in layers.items():
        pyogrio.write_dataframe(table, sample, layer=name, driver="GPKG", append=sample.exists())
    found = rsclass.assess(path, sample)
    assert found.basis.source == "recorded"
    inside = shown > 0
    agreement = (shown == right)[inside].mean()
    assert found.accuracy.overall.low < agreement < found.accuracy.overall.high
    for one in found.accuracy.classes:
        true = (right[inside] == one.value).mean()
        if true < 0.01:
            # So rare that 900 points may meet none that the map misses, which no error tells.
            assert any(one.name in warning for warning in found.warnings)
            continue
        assert abs(one.area_share.value - true) < 4 * one.area_share.error

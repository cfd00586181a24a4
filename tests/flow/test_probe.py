"""Probing models on scenes of known truth."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
from scipy import ndimage
from sklearn.metrics import normalized_mutual_info_score
from small_runs import SMALL

import rsclass
from rsclass.core.types import Block, Window
from rsclass.datasets import simulate
from rsclass.errors import DataError, OutputExistsError, UsageError
from rsclass.flow.probe import _means


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A scene of 96 x 110 pixels, its truth, and two models of it."""
    folder = tmp_path_factory.mktemp("probed")
    files = dict(simulate("sentinel2", height=96, width=110, seed=4).write(folder, "scene"))
    for method in ("uic", "kmeans"):
        path = folder / f"{method}.safetensors"
        parameters = SMALL[method] | ({"inputs": "bands"} if method == "uic" else {})
        rsclass.train(files["scene"], path, method=method, classes=6, parameters=parameters)
        files[method] = path
    return files


@pytest.fixture(scope="module")
def probed(made: dict[str, Path]) -> rsclass.flow.probed.Probed:
    return rsclass.probe(made["uic"], made["scene"], made["truth"], per_class=150)


def test_references_and_every_layer_are_probed(probed) -> None:
    names = [row.features for row in probed.rows]
    assert names == [
        "spectra", "5 x 5 means", "stem", "block 1", "block 2", "block 3", "embedding", "logits",
    ]  # fmt: skip
    clusters = len(probed.fits["clusters"].clusters)
    assert [row.dimensions for row in probed.rows] == [10, 10, 8, 8, 8, 8, 32, clusters]
    assert [row.reference for row in probed.rows] == [True] * 2 + [False] * 6
    assert set(probed.rows[0].scores) == {"linear", "neighbors", "shots_1", "shots_5", "shots_10"}
    assert probed.reach == 6  # two receptive fields of 7 pixels do not meet beyond it


def test_a_scene_whose_classes_differ_in_spectra_is_easy_for_all(probed) -> None:
    for row in probed.rows:
        assert row.scores["linear"].accuracy > 2 / len(probed.names), row.features
    assert probed.score("spectra", "linear").accuracy > 0.6


def test_labels_without_meaning_are_found_by_chance_alone(made, tmp_path: Path) -> None:
    """Nothing of the judged pixels may reach those that teach."""
    path = tmp_path / "noise.tif"
    shutil.copy(made["truth"], path)
    with rasterio.open(path, "r+") as raster:
        size = (1, raster.height, raster.width)
        raster.write(np.random.default_rng(0).integers(1, 5, size).astype(raster.dtypes[0]))
    found = rsclass.probe(made["uic"], made["scene"], path, per_class=200)
    judged = int(found.pixels.sum())
    error = np.sqrt(0.25 * 0.75 / judged)
    for row in found.rows:
        for probe in ("linear", "neighbors"):
            assert abs(row.scores[probe].accuracy - 0.25) < 4 * error, (row.features, probe)


def test_the_fit_of_the_classes_is_that_of_the_map(made, tmp_path: Path) -> None:
    """All pixels of the reference are drawn, so the score is that of the map where it reaches."""
    path = tmp_path / "part.tif"
    shutil.copy(made["truth"], path)
    with rasterio.open(path, "r+") as raster:
        truth = raster.read(1)
        truth[40:] = 0
        raster.write(truth, 1)
    options = {"per_class": 10**6, "block_size": 15}
    found = rsclass.probe(made["kmeans"], made["scene"], path, **options)
    mapped = rsclass.predict(made["kmeans"], made["scene"], tmp_path / "map.tif").read()
    both = (mapped > 0) & (truth > 0)
    expected = normalized_mutual_info_score(truth[both], mapped[both])
    assert found.fits["classes"].scores["nmi"] == pytest.approx(expected)
    assert int(found.sizes.sum()) == int((mapped > 0).sum())
    np.testing.assert_array_equal(
        found.sizes, [int((mapped == value).sum()) for value in found.legend.values]
    )


def test_a_model_without_a_network_is_probed_by_its_memberships(made) -> None:
    found = rsclass.probe(made["kmeans"], made["scene"], made["truth"], per_class=60)
    assert [row.features for row in found.rows] == ["spectra", "5 x 5 means", "membership"]
    assert list(found.fits) == ["classes"]


def test_drawn_features_are_a_reference_too(made) -> None:
    options = {"field": "class_name", "layer": "polygons", "block_size": 20}
    found = rsclass.probe(made["kmeans"], made["scene"], made["reference"], **options)
    assert found.score("spectra", "linear").accuracy > 0.6
    assert set(found.names) <= {"water", *found.names}


def test_the_same_question_has_the_same_answer(made, probed) -> None:
    running = rsclass.Running(jobs=1, tile=128)
    again = rsclass.probe(made["uic"], made["scene"], made["truth"], per_class=150, running=running)
    assert again.to_csv() == probed.to_csv()


def test_means_are_those_of_the_valid_pixels_around(probed) -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(100, 20, (2, 20, 24))
    valid = rng.random((20, 24)) > 0.2
    gain, offset = np.array([2.0, 0.5]), np.array([1.0, -3.0])
    whole = Window(0, 0, 20, 24)
    seen = _means(Block(whole, values, valid, gain, offset), whole)
    for band in range(2):
        physical = np.where(valid, values[band] * gain[band] + offset[band], np.nan)
        expected = ndimage.generic_filter(physical, np.nanmean, 5, mode="constant", cval=np.nan)
        # sums of 25 numbers of about 100 keep twelve digits
        np.testing.assert_allclose(seen[band], expected, rtol=1e-6)


def test_a_wider_halo_changes_no_mean() -> None:
    values = np.random.default_rng(0).normal(size=(1, 40, 40))
    block = Block(Window(0, 0, 40, 40), values, np.ones((40, 40), bool), np.ones(1), np.zeros(1))
    tile = Window(10, 12, 16, 16)
    np.testing.assert_array_equal(
        _means(block.cut(tile.grow(2, 40, 40)), tile), _means(block.cut(tile.grow(7, 40, 40)), tile)
    )


def test_what_cannot_be_probed_is_refused(made, tmp_path: Path) -> None:
    scene, truth = made["scene"], made["truth"]
    with pytest.raises(UsageError, match="which has no columns"):
        rsclass.probe(made["kmeans"], scene, truth, field="class")
    with pytest.raises(UsageError, match="say which column"):
        rsclass.probe(made["kmeans"], scene, made["reference"], layer="polygons")
    with pytest.raises(DataError, match="too few for 5 parts"):
        rsclass.probe(made["kmeans"], scene, truth, block_size=200)
    with pytest.raises(DataError, match="none can teach"):
        rsclass.probe(made["kmeans"], scene, truth, block_size=1, per_class=4000)
    table = tmp_path / "table.csv"
    table.write_text("mine")
    with pytest.raises(OutputExistsError):
        rsclass.probe(made["kmeans"], scene, truth, table=table)
    assert table.read_text() == "mine"

"""A network fitted to the light of another scene."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from sklearn.metrics import adjusted_rand_score

from rsclass.errors import UsageError
from rsclass.flow.predict import load, predict
from rsclass.flow.replay import replay
from rsclass.flow.train import train
from rsclass.io.maps import read_recipe
from rsclass.io.sink import Writing

FEW = {"epochs": 8, "warmup": 6, "tiles": 24, "width": 8, "receptive_field": 3, "inputs": "bands"}
QUICK = Writing(report=False)


def written(path: Path, values) -> Path:
    profile = {"driver": "GTiff", "count": len(values), "dtype": "float32"}
    profile |= {"height": values.shape[1], "width": values.shape[2]}
    with rasterio.open(path, "w", **profile) as target:
        target.write(values.astype(np.float32))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A scene, the same land in another light, its classes, and a model of the first."""
    folder = tmp_path_factory.mktemp("scenes")
    rng = np.random.default_rng(0)
    truth = np.kron(rng.permutation(np.arange(16) % 4).reshape(4, 4), np.ones((12, 12), dtype=int))
    means = np.array([[10, 10, 10], [30, 10, 20], [10, 40, 30], [30, 40, 10]], dtype=float)
    values = means[truth].transpose(2, 0, 1) + rng.normal(0, 2, (3, *truth.shape))
    scene = written(folder / "scene.tif", values)
    hazy = written(folder / "hazy.tif", 0.6 * values + np.array([40, 60, 80])[:, None, None])
    model = train(scene, folder / "m.safetensors", classes=4, parameters=FEW).path
    return scene, hazy, truth, model


def agreement(result, truth):
    return adjusted_rand_score(truth.ravel(), result.read().ravel())


def test_an_adapted_network_finds_the_classes_in_another_light(made, tmp_path):
    scene, hazy, truth, model = made
    as_it_is = predict(model, hazy, tmp_path / "plain.tif", writing=QUICK)
    fitted = predict(model, hazy, tmp_path / "fitted.tif", adapt=True, writing=QUICK)
    at_home = predict(model, scene, tmp_path / "home.tif", writing=QUICK)
    assert agreement(at_home, truth) > 0.9
    assert agreement(as_it_is, truth) < 0.6
    assert agreement(fitted, truth) > 0.9
    # Not only the same parts of the land: the same classes.
    assert (fitted.read() == at_home.read()).mean() > 0.95
    assert any("lie outside" in warning for warning in as_it_is.warnings)
    assert not any("lie outside" in warning for warning in fitted.warnings)


def test_the_recipe_tells_and_repeats_the_adaptation(made, tmp_path):
    _, hazy, _, model = made
    result = predict(model, hazy, tmp_path / "fitted.tif", adapt=True, writing=QUICK)
    assert read_recipe(result.path)["adapt"] is True
    assert replay(result.path).identical
    plain = predict(model, hazy, tmp_path / "plain.tif", writing=QUICK)
    assert "adapt" not in read_recipe(plain.path)


def test_a_loaded_model_is_not_changed_by_adapting(made, tmp_path):
    _, hazy, _, path = made
    model = load(path)
    before = model.sha256()
    model.predict(hazy, tmp_path / "a.tif", adapt=True, writing=QUICK)
    assert model.sha256() == before


def test_a_method_without_a_network_cannot_be_adapted(made, tmp_path):
    scene, hazy, _, _ = made
    kmeans = train(scene, tmp_path / "k.safetensors", method="kmeans", classes=4).path
    with pytest.raises(UsageError, match="kmeans has no network"):
        predict(kmeans, hazy, tmp_path / "a.tif", adapt=True, writing=QUICK)
    assert not (tmp_path / "a.tif").exists()

"""First weights, trunks and cleaned labels, as the engines with a network take them."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

import rsclass
from rsclass.deep.pretexts.catalogue import PRETEXTS as KNOWN
from rsclass.engines.networks import PRETEXTS
from rsclass.errors import BrokenModelError, DataError, UsageError

sys.path.append(str(Path(__file__).parents[1] / "deep"))
from test_resnet import torchvision_state

QUICK = {"epochs": 5, "warmup": 4, "tiles": 12, "batch": 4, "receptive_field": 3, "width": 8}
QUICK |= {"inputs": "bands"}


def textures(side=40, bands=3, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.zeros((side, side), dtype=int)
    truth[: side // 2, side // 2 :] = 1
    truth[side // 2 :] = 2
    means = np.array([[10, 10, 30, 20], [40, 20, 10, 20], [20, 50, 50, 40]], dtype=float)
    values = means[truth].transpose(2, 0, 1)[:bands] + rng.normal(0, 2, (bands, side, side))
    return values, truth


@pytest.fixture(scope="module")
def scene():
    return textures()


@pytest.fixture(scope="module")
def model(scene, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "before.safetensors"
    return rsclass.UIC(3, random_state=3, **QUICK).fit(scene[0]).save(path)


def test_the_pretexts_have_one_list_of_names():
    assert tuple(KNOWN) == PRETEXTS


def test_a_network_that_learned_by_a_pretext_finds_the_classes(scene):
    values, truth = scene
    engine = rsclass.UIC(3, init="rotnet", init_epochs=1, **QUICK).fit(values)
    assert adjusted_rand_score(truth.ravel(), engine.predict(values).ravel()) > 0.9
    assert engine.history_[0]["pretext"] == "rotnet"
    assert len(engine.history_) == 1 + 5
    plain = rsclass.UIC(3, **QUICK).fit(values)
    assert not np.array_equal(plain._weights["stem.weight"], engine._weights["stem.weight"])


def test_a_model_goes_on_with_its_clusters_on_the_same_scene(scene, model):
    values, truth = scene
    before = rsclass.load(model).engine
    short = QUICK | {"epochs": 1, "warmup": 1, "learning_rate": 0.005}
    engine = rsclass.UIC(3, init=str(model), **short).fit(values)
    assert adjusted_rand_score(truth.ravel(), before.predict(values).ravel()) > 0.9
    # Labels of the first epoch are those of the model, so it hardly changes.
    assert (engine.predict(values) == before.predict(values)).mean() > 0.95
    assert engine.n_clusters_ <= before.n_clusters_


def test_a_frozen_trunk_of_a_model_is_that_of_the_model(scene, model):
    values, truth = scene
    before = rsclass.load(model).engine
    engine = rsclass.UIC(4, init=str(model), freeze="trunk", **QUICK).fit(values)
    parts = ("stem", "blocks", "embedding")
    for name, value in engine._weights.items():
        if name.startswith(parts):
            assert np.array_equal(value, before._weights[name])
    # Four classes of three: one is split.
    assert adjusted_rand_score(truth.ravel(), engine.predict(values).ravel()) > 0.4


def test_a_model_of_three_bands_starts_one_of_four(scene, model):
    values, truth = textures(bands=4)
    engine = rsclass.UIC(3, init=str(model), trunk_rate=0.1, **QUICK).fit(values)
    assert adjusted_rand_score(truth.ravel(), engine.predict(values).ravel()) > 0.9


def test_a_resnet_of_a_file_is_the_trunk_and_its_model_labels_as_before(tmp_path):
    values, truth = textures(bands=4)
    torch.save(torchvision_state("resnet50"), tmp_path / "resnet.pth")
    how = QUICK | {"epochs": 1, "tiles": 2, "batch": 2}
    engine = rsclass.UIC(
        3, init=str(tmp_path / "resnet.pth"), trunk="resnet50", freeze="trunk", **how
    )
    assert engine.halo == 17
    engine.fit(values)
    kept = rsclass.load(engine.save(tmp_path / "model.safetensors")).engine
    content = (tmp_path / "resnet.pth").read_bytes()
    assert kept.init_file_["sha256"] == hashlib.sha256(content).hexdigest()
    assert kept.halo == 17
    assert np.array_equal(kept.predict(values), engine.predict(values))
    assert adjusted_rand_score(truth.ravel(), engine.predict(values).ravel()) > 0.3


def test_labels_are_cleaned_at_the_end(scene):
    values, truth = scene
    engine = rsclass.UIC(3, clean="ruc", clean_epochs=2, samples=300, **QUICK).fit(values)
    assert [set(entry) >= {"clean", "relabelled"} for entry in engine.history_] == [False] * 5 + [
        True
    ] * 2
    assert adjusted_rand_score(truth.ravel(), engine.predict(values).ravel()) > 0.9


def test_starts_that_cannot_be_are_refused(scene, tmp_path):
    values, _ = scene
    with pytest.raises(DataError, match="no file of weights simclrr"):
        rsclass.UIC(3, init="simclrr", **QUICK).fit(values)
    with pytest.raises(UsageError, match="takes no gradients"):
        rsclass.UIC(3, trunk="resnet18", sobel=True, **QUICK).fit(values)
    (tmp_path / "junk.pth").write_bytes(b"junk")
    with pytest.raises(BrokenModelError, match="holds no weights"):
        rsclass.UIC(3, init=str(tmp_path / "junk.pth"), **QUICK).fit(values)
    kmeans = rsclass.KMeans(3).fit(values).save(tmp_path / "k.safetensors")
    with pytest.raises(BrokenModelError, match="which has no network"):
        rsclass.UIC(3, init=str(kmeans), **QUICK).fit(values)

    eyes = rsclass.UIC(3, **(QUICK | {"inputs": "consensus"})).fit(values)
    path = str(eyes.save(tmp_path / "eyes.safetensors"))
    with pytest.raises(UsageError, match="train it with --set inputs=bands"):
        rsclass.UIC(3, init=path, **QUICK).fit(values)


def test_a_damaged_model_is_found_before_training(scene, model, tmp_path):
    content = bytearray(model.read_bytes())
    content[-9] ^= 1
    (tmp_path / "damaged.safetensors").write_bytes(content)
    with pytest.raises(BrokenModelError, match="SHA-256"):
        rsclass.UIC(3, init=str(tmp_path / "damaged.safetensors"), **QUICK).fit(scene[0])


def test_memory_for_a_pretext_and_for_a_resnet_is_counted():
    plain = rsclass.UIC(3, inputs="bands").learn_bytes(4, 10**6)
    assert rsclass.UIC(3, inputs="bands", init="simclr").learn_bytes(4, 10**6) > plain
    assert rsclass.UIC(3, trunk="resnet18").learn_bytes(4, 10**6) > plain

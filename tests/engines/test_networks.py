"""What all engines with a network promise, and each of the relatives of uic."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
from recut import Recut
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.engines.catalogue import engine_class
from rsclass.errors import RsclassWarning, StoppedError, UsageError

RELATIVES = ("deepcluster", "selflabel", "scan", "iic", "self-classifier")
COMMON = {"width": 8, "receptive_field": 5, "batch": 4}
SAMPLED = ("deepcluster", "selflabel")
QUICK = {
    "deepcluster": {"epochs": 3, "tiles": 16, "samples": 1500},
    "selflabel": {"epochs": 8, "tiles": 16, "updates": 8, "heads": 2, "samples": 1500},
    "scan": {"epochs": 6, "tiles": 8, "samples": 600, "patches": 64, "self_epochs": 1}
    | {"init": "random"},
    "iic": {"epochs": 5, "tiles": 16, "learning_rate": 0.01},
    "self-classifier": {"epochs": 4, "tiles": 16},
}
SHORT = {
    "deepcluster": {"epochs": 2, "tiles": 4, "samples": 300},
    "selflabel": {"epochs": 2, "tiles": 4, "samples": 300, "updates": 4, "heads": 2},
    "scan": {"epochs": 2, "tiles": 4, "samples": 100, "patches": 50, "self_epochs": 1}
    | {"init": "random"},
    "iic": {"epochs": 2, "tiles": 4},
    "self-classifier": {"epochs": 2, "tiles": 4},
}


def make_scene(n_bands=3, side=40, seed=0):
    """Quadrants of noise around four far spectra, and which is where."""
    rng = np.random.default_rng(seed)
    half = np.repeat([0, 1], side // 2)
    truth = 2 * half[:, None] + half[None]
    means = np.array([[1, 1, 1], [3, 1, 2], [1, 4, 3], [3, 4, 1]]) @ (
        np.eye(3) if n_bands == 3 else rng.uniform(0.2, 1, (3, n_bands))
    )
    spread = 0.06 * np.ptp(means, axis=0).max()
    noise = rng.normal(0, spread, (n_bands, side, side))
    return (means[truth].transpose(2, 0, 1) + noise).astype(np.float32), truth


@pytest.fixture(scope="module")
def scene():
    return make_scene()


def engine_of(method, n_classes=4, **options):
    return engine_class(method)(n_classes, **COMMON | QUICK[method] | options)


def briefly(method, n_classes=4, **options):
    """An engine that learns little."""
    return engine_of(method, n_classes, **SHORT[method] | options)


@pytest.fixture(scope="module")
def small():
    return make_scene(side=24)[0]


@pytest.fixture(scope="module")
def fitted(scene):
    made = {}

    def fit(method):
        if method not in made:
            engine = engine_of(method)
            engine.use_machine(2, "cpu")
            made[method] = engine.fit(scene[0])
        return made[method]

    return fit


@pytest.mark.parametrize("method", RELATIVES)
def test_four_textures_are_found(fitted, scene, method):
    engine = fitted(method)
    labels = engine.predict(scene[0])
    assert engine.n_classes_ == 4
    assert engine.n_clusters_ >= 4
    assert adjusted_rand_score(scene[1].ravel(), labels.ravel()) > 0.9
    assert len(engine.history_) == engine.epochs
    assert (np.diff(engine.signatures().mean(axis=1)) > 0).all()


@pytest.mark.parametrize("method", RELATIVES)
def test_any_number_of_threads_and_a_second_run_give_the_same_bytes(small, method):
    found = []
    for jobs in (1, 3):
        engine = briefly(method)
        engine.use_machine(jobs, "cpu")
        engine.fit(small)
        card, arrays = engine.state()
        found.append((json.dumps(card), {name: value.tobytes() for name, value in arrays.items()}))
    assert found[0] == found[1]


@pytest.mark.parametrize("method", RELATIVES)
def test_another_cut_of_the_scene_gives_the_same_bytes(small, method):
    probabilities = []
    for side in (512, 8):
        engine = briefly(method)
        engine.use_machine(2, "cpu")
        engine.fit_stream(Recut.of(small, side))
        probabilities.append(engine.predict_proba(small).tobytes())
    assert probabilities[0] == probabilities[1]


@pytest.mark.parametrize("method", RELATIVES)
def test_a_kept_model_labels_as_before(fitted, scene, method):
    engine = fitted(method)
    card, arrays = engine.state()
    other = engine_of(method)
    other.restore(json.loads(json.dumps(card)), {k: np.array(v) for k, v in arrays.items()})
    assert other.predict_proba(scene[0]).tobytes() == engine.predict_proba(scene[0]).tobytes()
    np.testing.assert_array_equal(other.signatures(), engine.signatures())


@pytest.mark.parametrize("method", RELATIVES)
def test_a_part_of_the_scene_is_labelled_like_the_whole(fitted, method):
    values, _ = make_scene(side=160, seed=2)
    engine, stream = fitted(method), ArrayStream(values)
    whole = engine.predict(values)
    core = Window(128, 0, 32, 128)
    block = stream.read(core.grow(engine.halo, 160, 160))
    assert engine.predict_block(block, core).labels.tobytes() == whole[128:, :128].tobytes()


@pytest.mark.parametrize("n_bands", [1, 10, 200])
@pytest.mark.parametrize("method", RELATIVES)
def test_any_number_of_bands_is_learned_from(method, n_bands):
    values, truth = make_scene(n_bands, 24)
    engine = briefly(method).fit(values)
    labels = engine.predict(values)
    assert engine.signatures().shape == (engine.n_classes_, n_bands)
    # learned briefly; one band mixes textures whose values lie close
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.1


@pytest.mark.parametrize("method", RELATIVES)
def test_the_mode_of_the_paper_has_as_many_clusters_as_classes(small, method):
    engine = briefly(method, 6, mode="paper").fit(small)
    assert engine.n_clusters_ <= 6
    assert engine.n_classes_ == engine.n_clusters_


@pytest.mark.parametrize("method", RELATIVES)
def test_invalid_pixels_are_neither_learned_nor_labelled(small, method):
    values = small.copy()
    values[1, 8:11, 10:15] = np.nan
    values[:, :2] = np.inf
    engine = briefly(method).fit(values)
    np.testing.assert_array_equal(engine.predict(values) == -1, ~np.isfinite(values).all(axis=0))
    assert np.isfinite(engine.signatures()).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 30), (3, 3)])
@pytest.mark.parametrize("method", RELATIVES)
def test_tiny_scenes_are_classified(method, size):
    """R13."""
    values = np.random.default_rng(0).normal(size=(2, *size))
    engine = briefly(method, 3).fit(values)
    labels = engine.predict(values)
    assert labels.shape == size
    assert labels.min() >= 0
    assert labels.max() < engine.n_classes_


@pytest.mark.parametrize("method", RELATIVES)
def test_a_training_can_be_stopped(small, method):
    stream = ArrayStream(small)

    def stop(done, total, message):
        if message.startswith("epoch 2"):
            raise StoppedError("stopped on request.")

    stream.progress = stop
    with pytest.raises(StoppedError):
        briefly(method).fit_stream(stream)


@pytest.mark.parametrize("method", RELATIVES)
def test_a_pretext_comes_first_where_it_is_asked_for(small, method):
    engine = briefly(method, init="simclr", init_epochs=1).fit(small)
    assert engine.history_[0]["pretext"] == "simclr"
    assert len(engine.history_) == 3


def test_scan_has_a_pretext_unless_it_is_told_otherwise():
    assert engine_class("scan")(4).init == "simclr"


@pytest.mark.parametrize("method", RELATIVES)
def test_every_parameter_is_declared_documented_and_kept_by_a_clone(method):
    engine = engine_of(method)
    assert clone(engine).get_params() == engine.get_params()
    assert set(engine.parameters) == set(engine.get_params())
    for name in engine.parameters:
        assert f"    {name} : " in type(engine).__doc__


@pytest.mark.parametrize("method", ["uic", *RELATIVES])
def test_what_helps_against_a_collapse_is_a_parameter_of_the_method(method):
    model = pytest.importorskip("rsclass.deep.model")
    assert model.OBJECTIVES[method].remedy.split()[-1] in engine_class(method)().parameters


@pytest.mark.parametrize("method", RELATIVES)
def test_the_memory_foretold_holds_what_a_fit_allocates(method):
    values = np.random.default_rng(0).normal(size=(3, 180, 180)).astype(np.float32)
    engine = briefly(method, samples=20_000) if method in SAMPLED else briefly(method)
    stream = ArrayStream(values)
    briefly(method).fit(values[:, :12, :12])  # loops are compiled now
    tracemalloc.start()
    try:
        engine.fit_stream(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # tracemalloc sees arrays and no tensors; the estimate must not frighten either
    assert peak < engine.learn_bytes(3, 180 * 180) < 10 * peak


@pytest.mark.parametrize("method", RELATIVES)
def test_a_table_is_refused_by_the_method_s_name(method):
    with pytest.raises(UsageError, match=rf"{method} needs an image \(bands, height, width\)"):
        engine_of(method).fit(np.zeros((100, 3)))


def test_a_missing_accelerator_is_told_by_the_method_s_name(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.warns(RsclassWarning, match="iic computes on the processor"):
        engine_of("iic").use_machine(1, "cuda")


def test_no_relative_imports_torch_before_it_learns():
    names = ", ".join(f"rsclass.engines.{name.replace('-', '')}" for name in RELATIVES)
    code = f"import sys, {names}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

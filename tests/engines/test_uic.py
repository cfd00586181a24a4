from __future__ import annotations

import json
import pickle
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.engines.uic import UIC
from rsclass.errors import (
    BrokenModelError,
    NoValidPixelsError,
    RsclassWarning,
    StoppedError,
    UsageError,
)

QUICK = {"width": 8, "epochs": 8, "warmup": 5, "tiles": 32, "batch": 4, "receptive_field": 5}
QUICK |= {"inputs": "bands"}  # the common space of a consensus has tests of its own
PAPER = {"mode": "paper", "width": 8, "epochs": 4, "samples": 800, "receptive_field": 5}


def make_textures(side=48, seed=0):
    rng = np.random.default_rng(seed)
    truth = np.zeros((side, side), dtype=int)
    truth[: side // 2, side // 2 :] = 1
    truth[side // 2 :, : side // 2] = 2
    truth[side // 2 :, side // 2 :] = 3
    means = np.array([[10, 10, 10], [30, 10, 20], [10, 40, 30], [30, 40, 10]], dtype=float)
    return means[truth].transpose(2, 0, 1) + rng.normal(0, 2, (3, side, side)), truth


@pytest.fixture(scope="module")
def textures():
    return make_textures()


@pytest.fixture(scope="module")
def fitted(textures):
    return UIC(4, **QUICK).fit(textures[0])


def test_four_textures_are_found(fitted, textures):
    values, truth = textures
    labels = fitted.predict(values)
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.95
    assert fitted.n_classes_ == 4
    assert fitted.n_clusters_ > 4
    assert fitted.warnings_ == []


def test_two_runs_give_the_same_bytes_for_any_number_of_threads(textures, fitted):
    values, _ = textures
    for jobs in (1, 3):
        again = UIC(4, **QUICK)
        again.use_machine(jobs, "auto")
        again.fit(values)
        assert again.predict_proba(values).tobytes() == fitted.predict_proba(values).tobytes()
        assert json.dumps(again.state()[0]) == json.dumps(fitted.state()[0])


def test_the_published_loop_gives_the_same_bytes_for_any_number_of_threads(textures):
    values, _ = textures
    results = []
    for jobs in (1, 3):
        engine = UIC(6, **PAPER)
        engine.use_machine(jobs, "cpu")
        results.append(engine.fit(values).predict_proba(values).tobytes())
    assert results[0] == results[1]


def test_another_seed_is_another_network_with_the_same_class_numbers(textures, fitted):
    values, _ = textures
    other = UIC(4, random_state=7, **QUICK).fit(values)
    assert other.predict_proba(values).tobytes() != fitted.predict_proba(values).tobytes()
    assert (other.predict(values) == fitted.predict(values)).mean() > 0.95


def test_classes_are_ordered_by_brightness_and_have_their_mean_spectra(fitted, textures):
    values, _ = textures
    signatures = fitted.signatures()
    assert (np.diff(signatures.mean(axis=1)) > 0).all()
    labels = fitted.predict(values)
    means = np.stack([values[:, labels == c].mean(axis=1) for c in range(4)])
    # signatures are means over clusters, maps are drawn by class: they differ at edges
    np.testing.assert_allclose(signatures, means, atol=0.3)


@pytest.mark.parametrize("space", ["embedding", "logits"])
def test_clusters_can_be_merged_in_the_space_of_the_network(textures, space):
    values, truth = textures
    engine = UIC(4, merge_space=space, **QUICK).fit(values)
    assert engine.tree_.leaves == engine.n_clusters_
    assert adjusted_rand_score(truth.ravel(), engine.predict(values).ravel()) > 0.9


def test_paper_mode_finds_classes_without_k_means(textures):
    values, truth = textures
    engine = UIC(8, logit_norm=True, head="mlp", sobel=True, schedule="linear", **PAPER)
    engine.fit(values)
    assert len(engine.history_) == 4
    assert 1 < engine.n_classes_ <= 8
    assert engine.halo == 2
    assert adjusted_rand_score(truth.ravel(), engine.predict(values).ravel()) > 0.1


@pytest.mark.parametrize("options", [QUICK, PAPER | {"sobel": True, "head": "mlp"}])
def test_a_kept_model_labels_as_before(textures, options):
    values, _ = textures
    engine = UIC(4, **options).fit(values)
    card, arrays = engine.state()
    other = UIC(4, **options)
    other.restore(json.loads(json.dumps(card)), {k: np.array(v) for k, v in arrays.items()})
    assert other.predict_proba(values).tobytes() == engine.predict_proba(values).tobytes()
    np.testing.assert_array_equal(other.signatures(), engine.signatures())
    assert other.history_ == engine.history_
    assert other.n_features_in_ == 3


def test_a_kept_model_computes_where_it_is_told(textures, fitted, monkeypatch):
    """The accelerator that is said to be there cannot be used; ``cpu`` does not try."""
    values, _ = textures
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    asked = []
    to = torch.nn.Module.to
    monkeypatch.setattr(
        torch.nn.Module, "to", lambda net, *args, **kw: asked.append(args) or to(net, *args, **kw)
    )
    engine = UIC(4, **QUICK)
    engine.restore(*fitted.state())
    engine.use_machine(1, "cpu")
    assert engine.predict_proba(values).tobytes() == fitted.predict_proba(values).tobytes()
    assert (torch.device("cpu"),) in asked
    assert (torch.device("cuda"),) not in asked


def test_a_change_of_device_is_a_change_of_the_network_in_use(textures, fitted, monkeypatch):
    values, _ = textures
    engine = UIC(4, **QUICK)
    engine.restore(*fitted.state())
    engine.predict(values)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    moved = []
    monkeypatch.setattr(torch.nn.Module, "to", lambda net, *args, **kw: moved.append(args) or net)
    engine.use_machine(1, "cuda")
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, *args, **kw: tensor)
    engine.predict(values)
    assert (torch.device("cuda"),) in moved


def test_without_an_accelerator_the_processor_computes_and_it_is_said(
    textures, fitted, monkeypatch
):
    values, _ = textures
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    engine = UIC(4, **QUICK)
    engine.restore(*fitted.state())
    with pytest.warns(RsclassWarning, match="cuda was asked for"):
        engine.use_machine(1, "cuda")
    assert engine.predict_proba(values).tobytes() == fitted.predict_proba(values).tobytes()
    assert json.dumps(engine.state()[0]) == json.dumps(fitted.state()[0])


def test_an_engine_travels_without_the_network_in_use(textures, fitted):
    values, _ = textures
    fresh = UIC(4, **QUICK)
    fresh.restore(*fitted.state())
    before = pickle.dumps(fresh)
    fresh.predict(values)
    assert len(pickle.dumps(fresh)) == len(before)
    there = pickle.loads(before)  # noqa: S301
    assert there.predict_proba(values).tobytes() == fitted.predict_proba(values).tobytes()


def test_threads_that_begin_together_share_one_network(textures, fitted, monkeypatch):
    from rsclass.deep import model

    values, _ = textures
    engine = UIC(4, **QUICK)
    engine.restore(*fitted.state())
    made = []
    labeler = model.labeler
    monkeypatch.setattr(model, "labeler", lambda *a: made.append(a) or labeler(*a))
    with ThreadPoolExecutor(4) as pool:
        maps = list(pool.map(engine.predict, [values] * 8))
    assert len(made) == 1
    assert all(labels.tobytes() == maps[0].tobytes() for labels in maps)


def test_a_model_with_a_missing_array_is_refused(fitted):
    card, arrays = fitted.state()
    del arrays["network.stem.weight"]
    with pytest.raises(BrokenModelError, match=r"stem\.weight"):
        UIC(4, **QUICK).restore(card, arrays)


@pytest.mark.parametrize("options", [QUICK, PAPER])
def test_invalid_pixels_are_neither_learned_nor_labelled(textures, options):
    values = textures[0].copy()
    values[1, 10:15, 20:30] = np.nan
    values[:, :4] = np.inf
    engine = UIC(4, **options).fit(values)
    labels = engine.predict(values)
    np.testing.assert_array_equal(labels == -1, ~np.isfinite(values).all(axis=0))
    assert np.isfinite(engine.signatures()).all()


def test_a_scene_without_valid_pixels_is_refused():
    with pytest.raises(NoValidPixelsError):
        UIC(4, **QUICK).fit(np.full((3, 20, 20), np.nan))


def test_a_table_is_refused_because_pixels_need_neighbors():
    with pytest.raises(UsageError, match=r"uic needs an image \(bands, height, width\)"):
        UIC(4).fit(np.zeros((100, 3)))


def test_a_table_is_not_labelled_as_an_image_of_one_column(fitted):
    for label in (fitted.predict, fitted.predict_proba):
        with pytest.raises(UsageError, match="X is a table"):
            label(np.zeros((100, 3)))


def test_a_constant_band_is_named(textures):
    """R11."""
    values, truth = textures
    with_constant = np.concatenate([values, np.full((1, 48, 48), 7.0)])
    engine = UIC(4, **QUICK).fit(with_constant)
    assert any("band 4" in sentence and "one value" in sentence for sentence in engine.warnings_)
    assert adjusted_rand_score(truth.ravel(), engine.predict(with_constant).ravel()) > 0.95


@pytest.mark.parametrize("options", [QUICK, PAPER])
def test_fewer_spectra_than_classes_give_fewer_classes(options):
    """R12."""
    values = np.zeros((2, 40, 40), dtype=np.uint8)
    values[:, :, 20:] = 50
    engine = UIC(5, **options).fit(values)
    assert engine.n_classes_ <= 2
    assert any("5 classes were asked for" in sentence for sentence in engine.warnings_)
    assert engine.predict(values).max() + 1 == engine.n_classes_


@pytest.mark.parametrize("options", [QUICK, PAPER])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 3)])
def test_tiny_scenes_are_classified(size, options):
    """R13."""
    values = np.random.default_rng(0).normal(size=(2, *size))
    engine = UIC(3, **options).fit(values)
    labels = engine.predict(values)
    assert labels.shape == size
    assert labels.min() >= 0
    assert labels.max() < engine.n_classes_


def test_many_bands_are_projected_and_kept():
    values, truth = make_textures()
    mixing = np.random.default_rng(1).normal(size=(40, 3))
    many = np.einsum("bk,khw->bhw", mixing, values).astype(np.float32)
    engine = UIC(4, **QUICK).fit(many)
    labels = engine.predict(many)
    assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.9
    card, arrays = engine.state()
    assert arrays["scaling.projection"].shape == (12, 40)
    other = UIC(4, **QUICK)
    other.restore(card, arrays)
    np.testing.assert_array_equal(other.predict(many), labels)


def test_a_part_of_the_scene_is_labelled_like_the_whole(fitted):
    values, _ = make_textures(side=200, seed=3)
    stream = ArrayStream(values)
    whole = fitted.predict(values)
    for core in (Window(0, 0, 128, 128), Window(128, 0, 72, 128), Window(0, 128, 200, 72)):
        block = stream.read(core.grow(fitted.halo, 200, 200))
        part = fitted.predict_block(block, core).labels
        rows, cols = core.inside(Window(0, 0, 200, 200))
        assert part.tobytes() == whole[rows, cols].tobytes()


def test_classes_far_from_zero_are_told_apart_as_those_near_it():
    """Stripes that differ by 1 to 3, near 0 and where kelvin, meters and counts may lie."""
    rng = np.random.default_rng(0)
    truth = np.repeat(np.arange(3), 16)[:, None].repeat(48, axis=1)
    means = np.array([[0, 0, 0], [1, 3, 2], [3, 1, 1]])
    values = means[truth].transpose(2, 0, 1) + rng.normal(0, 0.3, (3, 48, 48))
    for pedestal in (0, 300, 60_000):
        engine = UIC(3, **QUICK).fit(values + pedestal)
        labels = engine.predict(values + pedestal)
        assert engine.warnings_ == []
        # what is wrong lies within a receptive field of the two borders
        assert adjusted_rand_score(truth.ravel(), labels.ravel()) > 0.85


@pytest.mark.parametrize(
    "options",
    [{"training_pixels": 100_000}, {}, PAPER | {"samples": 20_000, "batch": 2_000, "epochs": 1}],
)
def test_the_memory_foretold_holds_what_a_fit_allocates(options):
    values = np.random.default_rng(0).normal(size=(4, 600, 600)).astype(np.float32)
    engine = UIC(4, **{**QUICK, **options, "epochs": 1, "warmup": 1})
    stream = ArrayStream(values)
    tracemalloc.start()
    try:
        engine.fit_stream(stream)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # tracemalloc sees arrays and no tensors; the estimate must not frighten either
    assert peak < engine.learn_bytes(4, 360_000) < 4 * peak


def test_parameters_survive_a_clone():
    engine = UIC(9, **PAPER)
    assert clone(engine).get_params() == engine.get_params()
    assert set(engine.parameters) == set(engine.get_params())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"receptive_field": 4}, "receptive_field is 4; it must be an odd number of 1 or more"),
        ({"receptive_field": 1, "sobel": True}, "an odd number of 3 or more"),
        ({"mode": "papers"}, "choose one of landcover, paper"),
        ({"n_classes": 0}, "it must be between 1 and 1024"),
    ],
)
def test_impossible_parameters_are_refused(options, sentence):
    with pytest.raises(UsageError, match=sentence):
        UIC(**{"n_classes": 3, **options}).fit(np.zeros((2, 9, 9)))


def test_progress_is_told_and_can_stop_the_fit(textures):
    told = []
    stream = ArrayStream(textures[0])
    stream.progress = lambda done, total, message: told.append((done, total, message))
    UIC(4, **QUICK).fit_stream(stream)
    assert [f"epoch {e} of 8" in {m for *_, m in told} for e in range(1, 6)] == [True] * 5

    def stop(done, total, message):
        raise StoppedError("stopped on request.")

    stream.progress = stop
    with pytest.raises(StoppedError):
        UIC(4, **QUICK).fit_stream(stream)


def test_without_torch_the_message_says_what_to_install(textures, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("rsclass.deep")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UsageError, match="pip install 'torch"):
        UIC(4, **QUICK).fit(textures[0])


def test_importing_the_engine_does_not_import_torch():
    code = "import sys, rsclass.engines.uic; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

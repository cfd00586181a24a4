from __future__ import annotations

import pickle
import tracemalloc

import numpy as np
import pytest
from recut import Recut
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Band, Window
from rsclass.engines.consensus import Consensus
from rsclass.errors import BrokenModelError, NoValidPixelsError, UsageError

FORMS = ("consensus", "single")


def fields(height=60, width=70, noise=25.0, seed=0):
    """Four covers in parcels, of which one is a mixture of two spectra."""
    rng = np.random.default_rng(seed)
    parcels = rng.integers(0, 4, (height // 10, width // 10))
    truth = np.repeat(np.repeat(parcels, 10, 0), 10, 1)
    spectra = np.array(
        [[300, 400, 300, 2500], [600, 700, 900, 1200], [200, 150, 100, 60], [900, 1100, 1300, 1900]]
    )
    values = spectra[truth].transpose(2, 0, 1) + rng.normal(0, noise, (4, *truth.shape))
    orchard = (truth == 0) & (rng.random(truth.shape) < 0.3)
    values[:, orchard] += 300
    return values.round().astype(np.int16), truth


@pytest.fixture(scope="module")
def scene():
    return fields()


@pytest.fixture(scope="module", params=FORMS)
def fitted(scene, request):
    return Consensus(4, form=request.param).fit(scene[0])


def test_four_covers_are_found(fitted, scene):
    labels = fitted.predict(scene[0])
    assert adjusted_rand_score(scene[1].ravel(), labels.ravel()) > 0.95
    assert fitted.n_classes_ == 4
    assert fitted.warnings_ == []
    assert (np.diff(fitted.signatures().mean(axis=1)) > 0).all()


@pytest.mark.parametrize("form", FORMS)
def test_any_tiles_and_threads_give_the_same_bytes(scene, form):
    values = scene[0]
    found = []
    for side, jobs in ((512, 1), (32, 2), (47, 3)):
        engine = Consensus(4, form=form, training_pixels=3000)
        engine.use_machine(jobs, "cpu")
        engine.fit_stream(Recut.of(values, side))
        arrays = engine.state()[1]
        found.append(
            (engine.predict(values).tobytes(), {k: v.tobytes() for k, v in arrays.items()})
        )
    assert found[0] == found[1] == found[2]


def test_maps_and_spectra_have_equal_parts_in_the_common_space(scene):
    values = scene[0]
    block, whole = ArrayStream(values).read(Window(0, 0, 60, 70)), Window(0, 0, 60, 70)
    together, alone = (Consensus(4, form=form).fit(values).places(block, whole) for form in FORMS)
    maps, spectra = np.split(together.astype(np.float64), [len(together) - len(alone)])
    # single precision; a scene of 4,200 pixels is its own sample
    assert spectra.var(axis=1).sum() == pytest.approx(0.5, rel=1e-4)
    assert maps.var(axis=1).sum() == pytest.approx(0.5, rel=1e-4)
    scale = np.sqrt(0.5 / alone.astype(np.float64).var(axis=1).sum())
    np.testing.assert_allclose(spectra, scale * alone, atol=1e-4)


def test_every_cut_of_the_scene_is_labelled_as_the_whole(fitted, scene):
    stream = ArrayStream(scene[0])
    whole = fitted.predict(scene[0])
    for core in (Window(0, 0, 7, 70), Window(20, 33, 31, 1), Window(59, 69, 1, 1)):
        block = stream.read(core.grow(fitted.halo, 60, 70))
        part = fitted.predict_block(block, core).labels
        np.testing.assert_array_equal(part, whole[core.inside(Window(0, 0, 60, 70))])


def test_the_state_gives_the_same_engine_back(fitted, scene):
    card, arrays = fitted.state()
    other = Consensus(**fitted.get_params())
    other.bands_ = fitted.bands_
    other.restore(card, arrays)
    layers = ("confidence", "distance", "entropy", "membership")
    whole = Window(0, 0, 60, 70)
    block = ArrayStream(scene[0]).read(whole)
    first, second = (e.predict_block(block, whole, layers) for e in (fitted, other))
    np.testing.assert_array_equal(first.labels, second.labels)
    for name in layers:
        np.testing.assert_array_equal(first.layers[name], second.layers[name])
    np.testing.assert_array_equal(other.signatures(), fitted.signatures())
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - its own bytes
    np.testing.assert_array_equal(again.predict(scene[0]), first.labels)


def test_a_model_without_a_part_is_refused(fitted):
    card, arrays = fitted.state()
    arrays.pop("set.0.axes")
    with pytest.raises(BrokenModelError, match="train it again"):
        Consensus(4).restore(card, arrays)


def test_layers_agree_with_the_labels(fitted, scene):
    whole = Window(0, 0, 60, 70)
    block = ArrayStream(scene[0]).read(whole)
    found = fitted.predict_block(block, whole, ("confidence", "entropy", "membership", "distance"))
    membership = found.layers["membership"]
    np.testing.assert_array_equal(membership.argmax(axis=0), found.labels)
    np.testing.assert_allclose(membership.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(membership.max(axis=0), found.layers["confidence"])
    assert (found.layers["distance"] >= 0).all()


@pytest.mark.parametrize("form", FORMS)
def test_invalid_pixels_have_no_class_and_no_influence(scene, form):
    values = scene[0].astype(np.float32)
    hole = np.zeros(values.shape[1:], dtype=bool)
    hole[15:30, 20:45] = True
    labels = []
    for filler in (np.nan, 5000.0):
        image = values.copy()
        image[:, hole] = filler
        stream = ArrayStream(image, ~hole)
        engine = Consensus(4, form=form).fit(stream)
        found = engine._predict(stream, ("confidence",))
        assert (found.labels[hole] == -1).all()
        assert np.isnan(found.layers["confidence"][hole]).all()
        assert (found.labels[~hole] >= 0).all()
        labels.append(found.labels)
    np.testing.assert_array_equal(labels[0], labels[1])


def test_stored_and_physical_values_give_the_same_classes(scene):
    scaled = [Band(f"b{i}", gain=0.0001, offset=-0.01) for i in range(4)]
    stored = Consensus(4, form="single").fit(ArrayStream(scene[0], bands=scaled))
    physical = scene[0] * 0.0001 - 0.01
    of_physical = Consensus(4, form="single").fit(physical)
    a = stored.predict(ArrayStream(scene[0], bands=scaled))
    b = of_physical.predict(physical)
    assert adjusted_rand_score(a.ravel(), b.ravel()) > 0.999
    np.testing.assert_allclose(stored.signatures(), of_physical.signatures(), rtol=1e-3)


@pytest.mark.parametrize(
    ("values", "most"),
    [
        (np.full((3, 9, 8), 7.0), 1),
        (np.repeat(np.array([1.0, 9.0]), 40).reshape(1, 8, 10), 2),
        (np.arange(3.0).reshape(3, 1, 1), 1),
        (np.random.default_rng(0).normal(size=(1, 30, 20)), 4),
        (np.random.default_rng(0).normal(50, 5, (30, 12, 12)).astype(np.float32), 4),
        (np.random.default_rng(0).integers(0, 9, (2, 1, 40)), 4),
    ],
    ids=["constant", "two spectra", "one pixel", "one band", "many bands", "one row"],
)
@pytest.mark.parametrize("form", FORMS)
def test_odd_scenes_are_labelled_whole(values, most, form):
    engine = Consensus(4, form=form).fit(values)
    labels = engine.predict(values)
    assert labels.min() >= 0
    assert labels.max() < engine.n_classes_ <= most
    assert np.isfinite(engine.signatures()).all()
    assert bool(engine.warnings_) == (engine.n_classes_ < 4)


def test_more_classes_than_there_is_room_for_clusters(scene):
    engine = Consensus(100, form="single", overcluster=6, training_pixels=2000).fit(scene[0])
    assert engine.n_classes_ == 100
    assert engine.n_clusters_ <= 384


def test_a_table_and_an_empty_scene_are_refused(scene):
    with pytest.raises(UsageError, match="surroundings of a pixel"):
        Consensus(3).fit(np.zeros((10, 3)))
    with pytest.raises(NoValidPixelsError):
        Consensus(3).fit(np.full((2, 5, 5), np.nan))


def test_information_decides_what_is_merged():
    """The mixture of two spectra is one cover: its clusters have the same neighbors."""
    rng = np.random.default_rng(1)
    truth = np.repeat(np.repeat(rng.integers(0, 3, (6, 6)), 12, 0), 12, 1)
    mixed = rng.random(truth.shape) < 0.5
    level = np.select([truth == 0, truth == 1], [np.where(mixed, 10.0, 60.0), 95.0], 130.0)
    image = (level + rng.normal(0, 1.5, level.shape))[None] + 20
    scores = {}
    for information in (0.0, 0.3):
        engine = Consensus(3, form="single", information=information, passes=0).fit(image)
        found = engine.predict(image)
        scores[information] = adjusted_rand_score(truth.ravel(), found.ravel())
    assert scores[0.3] > 0.95
    assert scores[0.0] < 0.8


def test_it_is_an_estimator_of_scikit_learn():
    engine = Consensus(5, form="single", passes=1)
    assert clone(engine).get_params() == engine.get_params()
    assert "form='single'" in repr(engine)


@pytest.mark.parametrize("shape", [(4, 300, 400), (60, 100, 150)], ids=["wide", "many bands"])
def test_learning_stays_within_the_memory_it_asks_for(shape):
    values = np.random.default_rng(0).integers(0, 900, shape).astype(np.uint16)
    engine = Consensus(3, overcluster=2)
    engine.use_machine(2, "cpu")
    engine.fit(values[:, :40, :40])  # machine code is compiled and loaded before it is measured
    tracemalloc.start()
    engine.fit_stream(ArrayStream(values))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < engine.learn_bytes(shape[0], shape[1] * shape[2])

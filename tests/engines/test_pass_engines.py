"""What holds for every engine that describes its classes by centers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from recut import Recut

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Band
from rsclass.engines.catalogue import engine_class, make_engine

METHODS = ("kmeans", "minibatch", "competitive", "isodata", "migrating", "fuzzy")
EXACT = ("kmeans", "isodata", "migrating")


@pytest.fixture(params=METHODS)
def method(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    """Four patches of 3 bands with noise, 16 bit."""
    rng = np.random.default_rng(0)
    spectra = rng.integers(500, 6000, (3, 2, 2))
    patches = np.kron(spectra, np.ones((40, 35)))
    return (patches + rng.integers(0, 200, patches.shape)).astype(np.uint16)


def test_every_constructor_argument_is_described(method):
    kind = engine_class(method)
    assert set(kind.parameters) == set(kind().get_params())
    names = [*kind.parameters, *(a for p in kind.parameters.values() for a in p.aliases)]
    assert len(names) == len(set(names))
    assert all(p.help for p in kind.parameters.values())


def test_default_values_lie_in_their_own_ranges(method):
    engine_class(method)().check_parameters()


def test_two_runs_give_the_same_bits(method, image):
    first, second = (make_engine(method, {"n_classes": 5, "sample": 500}) for _ in range(2))
    np.testing.assert_array_equal(first.fit(image).centers_, second.fit(image).centers_)


def test_classes_are_at_most_as_many_as_asked_and_ordered_from_dark_to_bright(method, image):
    engine = make_engine(method, {"n_classes": 6}).fit(image)
    assert 1 <= engine.n_classes_ <= 6
    assert (np.diff(engine.centers_.mean(axis=1)) >= 0).all()


def test_invalid_pixels_have_no_class_and_no_say(method, image):
    hole = image.astype(np.float32)
    hole[0, 3:9, 4:30] = np.nan
    filled = image.copy()
    filled[:, 3:9, 4:30] = 60_000
    valid = np.isfinite(hole[0])
    options = {"n_classes": 4, "sample": None}
    first = make_engine(method, options).fit(hole)
    second = make_engine(method, options).fit(ArrayStream(filled, valid=valid))
    np.testing.assert_allclose(first.centers_, second.centers_, rtol=1e-12)
    labels = first.predict(hole)
    np.testing.assert_array_equal(labels < 0, ~valid)


def test_a_constant_band_is_named_and_does_no_harm(method, image):
    """R11."""
    with_constant = np.concatenate([image, np.full((1, *image.shape[1:]), 77, np.uint16)])
    engine = make_engine(method, {"n_classes": 4}).fit(with_constant)
    assert "band 4 is constant" in engine.warnings_[0]
    plain = make_engine(method, {"n_classes": 4}).fit(image)
    np.testing.assert_array_equal(engine.predict(with_constant), plain.predict(image))
    np.testing.assert_allclose(engine.centers_[:, 3], 77)


def test_fewer_different_spectra_than_classes_give_fewer_classes_and_a_warning(method):
    """R12."""
    image = np.zeros((3, 12, 10), np.uint8)
    image[:, 5:] = 200
    engine = make_engine(method, {"n_classes": 5}).fit(image)
    assert engine.n_classes_ == 2
    assert "5 classes were asked for and 2 found" in engine.warnings_[-1]
    np.testing.assert_allclose(engine.centers_, [[0] * 3, [200] * 3], atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_the_narrowest_scenes_work(method, shape):
    """R13."""
    image = np.arange(2 * shape[0] * shape[1], dtype=np.uint16).reshape(2, *shape)
    engine = make_engine(method, {"n_classes": 3, "sample": None}).fit(image)
    labels = engine.predict(image)
    assert labels.shape == shape
    assert labels.min() == 0 if engine.n_classes_ == 1 else labels.min() >= 0
    assert np.isfinite(engine.centers_).all()


def test_a_scene_of_one_spectrum_is_one_class(method):
    engine = make_engine(method, {"n_classes": 4}).fit(np.full((2, 8, 8), 9, np.uint8))
    np.testing.assert_allclose(engine.centers_, [[9, 9]])
    assert "4 classes were asked for and 1 found" in engine.warnings_[-1]


@pytest.mark.parametrize("method", EXACT)
def test_whole_numbers_give_the_same_bits_however_the_scene_is_cut(method, image):
    options = {"n_classes": 5, "sample": None}
    whole = make_engine(method, options).fit(ArrayStream(image))
    for side in (13, 64):
        cut = make_engine(method, options).fit(Recut.of(image, side))
        np.testing.assert_array_equal(cut.centers_, whole.centers_)


def test_floats_give_the_same_bits_as_whole_numbers_or_almost(method, image):
    options = {"n_classes": 5, "sample": None}
    whole = make_engine(method, options).fit(ArrayStream(image))
    floats = make_engine(method, options).fit(ArrayStream(image.astype(np.float32)))
    np.testing.assert_allclose(floats.centers_, whole.centers_, rtol=1e-12)


def test_stored_and_physical_values_lead_to_the_same_classes(method, image):
    bands = [Band(f"b{i}", gain=1e-4, offset=-0.1) for i in range(3)]
    stored = make_engine(method, {"n_classes": 4}).fit(ArrayStream(image, bands=bands))
    physical = make_engine(method, {"n_classes": 4}).fit(image * 1e-4 - 0.1)
    np.testing.assert_allclose(stored.centers_, physical.centers_, rtol=1e-7)


def test_what_is_kept_is_enough_to_label_again(method, image):
    engine = make_engine(method, {"n_classes": 4}).fit(image)
    card, arrays = engine.state()
    again = make_engine(method, {"n_classes": 4})
    again.restore(json.loads(json.dumps(card)), arrays)
    again.n_features_in_ = 3
    np.testing.assert_array_equal(again.predict(image), engine.predict(image))


def test_its_history_is_json(method, image):
    engine = make_engine(method, {"n_classes": 4}).fit(image)
    assert engine.history_
    assert json.loads(json.dumps(engine.history_, allow_nan=False)) == engine.history_


def test_progress_is_told_to_the_watcher_of_the_scene(method, image):
    told: list[tuple[float, float]] = []
    stream = ArrayStream(image)
    stream.progress = lambda done, total, message: told.append((done, total))
    make_engine(method, {"n_classes": 3, "sample": 1000}).fit(stream)
    assert told
    assert all(0 < done <= total for done, total in told)

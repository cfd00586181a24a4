"""Every method on views of the bands, and on bands that were smoothed."""

from __future__ import annotations

import numpy as np
import pytest
from recut import Recut
from sklearn.metrics import adjusted_rand_score

from rsclass.core.arrays import ArrayStream
from rsclass.core.bilateral import bilateral
from rsclass.core.training import TrainingSet
from rsclass.core.types import Window
from rsclass.engines.catalogue import make_engine, remade_engine
from rsclass.engines.kmeans import KMeans
from rsclass.errors import BrokenModelError, UsageError

BOTH = {"features": "views", "smooth": "bilateral"}


@pytest.fixture(scope="module")
def scene():
    rng = np.random.default_rng(0)
    truth = np.repeat(np.repeat(rng.integers(0, 3, (6, 7)), 8, 0), 8, 1)
    spectra = np.array([[300, 500, 900], [500, 500, 700], [400, 800, 800]])
    return spectra[truth].transpose(2, 0, 1) + rng.normal(0, 120, (3, *truth.shape)), truth


def fitted(values, method="kmeans", **parameters):
    return make_engine(method, {"n_classes": 3, **parameters}).fit_stream(ArrayStream(values))


def score(engine, scene):
    return adjusted_rand_score(scene[1].ravel(), engine.predict(scene[0]).ravel())


def test_smoothing_takes_the_noise_away(scene):
    plain = fitted(scene[0])
    smooth = fitted(scene[0], smooth="bilateral")
    assert score(smooth, scene) > score(plain, scene) + 0.2
    assert smooth.halo == 6


def test_smoothed_bands_are_those_of_the_filter_in_standard_units(scene):
    values = scene[0]
    engine = fitted(values, smooth="bilateral")
    whole = Window(0, 0, *values.shape[1:])
    seen = engine._preparation(ArrayStream(values).read(whole), whole).values
    mean, std = values.mean(axis=(1, 2)), values.std(axis=(1, 2))
    z = (values - mean[:, None, None]) / std[:, None, None]
    steps = [np.diff(z, axis=axis).reshape(3, -1) for axis in (1, 2)]
    near = np.median(np.sqrt((np.concatenate(steps, axis=1) ** 2).sum(axis=0)))
    valid = np.ones(values.shape[1:], dtype=bool)
    expected = bilateral(z.astype(np.float32), valid, 1.5 * near)
    np.testing.assert_allclose(seen, expected * std[:, None, None] + mean[:, None, None], rtol=1e-4)


def test_views_tell_covers_apart_in_light_and_shadow():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 2, (30, 40))
    light = np.where(rng.random(truth.shape) < 0.5, 1.0, 0.6)
    spectra = np.array([[300.0, 900, 500], [700, 400, 600]])
    values = spectra[truth].transpose(2, 0, 1) * light + rng.normal(0, 10, (3, 30, 40))
    engine = fitted(values, n_classes=4, features="views")
    labels = engine.predict(values)
    assert adjusted_rand_score((truth * 2 + (light < 1)).ravel(), labels.ravel()) > 0.95
    assert engine.halo == 0


@pytest.mark.parametrize("method", ["kmeans", "minibatch", "isodata", "fuzzy", "migrating"])
@pytest.mark.parametrize("preparing", [{"features": "views"}, BOTH], ids=["views", "both"])
def test_methods_that_find_classes_see_the_prepared_scene(scene, method, preparing):
    engine = fitted(scene[0], method, **preparing)
    assert engine.method == method
    assert engine.signatures().shape == (engine.n_classes_, 3)
    labels = engine.predict(scene[0])
    assert labels.min() >= 0
    assert labels.max() < engine.n_classes_


def test_signatures_are_physical_means_of_the_bands(scene):
    engine = fitted(scene[0], **BOTH)
    labels = engine.predict(scene[0])
    expected = np.stack([scene[0][:, labels == c].mean(axis=1) for c in range(3)])
    np.testing.assert_allclose(engine.signatures(), expected, rtol=1e-9)


def test_any_tiles_give_the_same_bytes(scene):
    found = []
    for side, jobs in ((512, 1), (20, 2)):
        engine = make_engine("kmeans", {"n_classes": 3, "sample": 1000, **BOTH})
        engine.use_machine(jobs, "cpu")
        engine.fit_stream(Recut.of(scene[0], side))
        found.append((engine.predict(scene[0]).tobytes(), engine.signatures().tobytes()))
    assert found[0] == found[1]


def test_every_cut_is_labelled_as_the_whole(scene):
    engine = fitted(scene[0], **BOTH)
    stream = ArrayStream(scene[0])
    whole = engine.predict(scene[0])
    for core in (Window(0, 0, 5, 56), Window(17, 20, 30, 3)):
        around = stream.read(core.grow(engine.halo, 48, 56))
        part = engine.predict_block(around, core).labels
        np.testing.assert_array_equal(part, whole[core.inside(Window(0, 0, 48, 56))])


@pytest.mark.parametrize("preparing", [{"smooth": "bilateral"}, BOTH], ids=["smooth", "both"])
def test_the_state_gives_the_same_engine_back(scene, preparing):
    engine = fitted(scene[0], **preparing)
    other = remade_engine("kmeans", engine.plain_parameters())
    other.bands_, other.n_features_in_ = engine.bands_, 3
    card, arrays = engine.state()
    other.restore(card, arrays)
    np.testing.assert_array_equal(other.predict(scene[0]), engine.predict(scene[0]))
    np.testing.assert_array_equal(other.signatures(), engine.signatures())
    del card["preparation"]
    with pytest.raises(BrokenModelError, match="train it again"):
        other.restore(card, arrays)


def test_samples_are_learned_from_with_their_surroundings(scene):
    values, truth = scene
    rng = np.random.default_rng(2)
    rows, cols = rng.integers(0, 48, 90), rng.integers(0, 56, 90)
    training = TrainingSet(
        values[:, rows, cols].T,
        truth[rows, cols].astype(np.int32),
        np.arange(90),
        rows,
        cols,
        ("a", "b", "c"),
    )
    stream = ArrayStream(values)
    accuracy = {}
    for smooth in ("none", "bilateral"):
        engine = make_engine("maxlike", {"smooth": smooth})
        engine.prepare(stream)
        engine.fit_training(training, stream.bands)
        assert engine.class_names == ("a", "b", "c")
        accuracy[smooth] = (engine.predict(values) == truth).mean()
    assert accuracy["bilateral"] > accuracy["none"] + 0.1
    alone = make_engine("maxlike", {"smooth": "bilateral"})
    with pytest.raises(UsageError, match="what surrounds them"):
        alone.fit_training(training, stream.bands)


def test_invalid_pixels_stay_invalid(scene):
    values = scene[0].copy()
    values[:, 10:20, 10:20] = np.nan
    engine = fitted(values, **BOTH)
    labels = engine.predict(values)
    assert (labels[10:20, 10:20] == -1).all()
    assert (np.delete(labels.ravel(), np.flatnonzero(np.isnan(values[0]).ravel())) >= 0).all()


def test_nothing_is_wrapped_where_nothing_is_prepared():
    assert type(make_engine("kmeans", {"features": "bands", "smooth": "none"})) is KMeans


def test_what_cannot_be_prepared_is_refused(scene):
    with pytest.raises(UsageError, match="forms views and smooths them itself"):
        make_engine("consensus", {"smooth": "bilateral"})
    with pytest.raises(UsageError, match="features"):
        make_engine("kmeans", {"features": "colors"}).check_parameters()
    with pytest.raises(UsageError, match="X is a table"):
        make_engine("kmeans", BOTH).fit(np.zeros((20, 3)))

"""What holds for every engine that learns from samples."""

from __future__ import annotations

import json

import numpy as np
import pytest
from labelled import BANDS, NAMES, overlapping, scene, training_set
from recut import Recut
from sklearn.utils.estimator_checks import parametrize_with_checks

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Band, Window
from rsclass.engines.boosting import GradientBoosting
from rsclass.engines.catalogue import engine_class, make_engine, method_names
from rsclass.engines.forest import RandomForest
from rsclass.engines.hybrid import Hybrid
from rsclass.engines.maxlike import MaximumLikelihood
from rsclass.engines.mindist import MinimumDistance
from rsclass.engines.parallelepiped import Parallelepiped
from rsclass.engines.sam import SpectralAngle
from rsclass.engines.sklearn_ import SklearnClassifier
from rsclass.engines.svm import SupportVectorMachine
from rsclass.errors import DataError, UsageError

METHODS = tuple(name for name in method_names() if engine_class(name).takes_training)
QUICK = {"rf": {"n_trees": 7}, "gradient-boosting": {"rounds": 5}}
WITH_DISTANCE = ("maxlike", "hybrid", "mindist", "sam", "parallelepiped")


@pytest.fixture(params=METHODS)
def method(request) -> str:
    return request.param


def fitted(method: str, **values):
    return make_engine(method, QUICK.get(method, {}) | values).fit_training(training_set(), BANDS)


@parametrize_with_checks(
    [
        MaximumLikelihood(),
        MinimumDistance(),
        SpectralAngle(),
        Parallelepiped(),
        RandomForest(n_trees=5),
        GradientBoosting(rounds=5),
        SupportVectorMachine(),
        SklearnClassifier(),
        Hybrid(),
    ],
    expected_failed_checks=lambda engine: (
        {"check_classifiers_one_label": "a pixel that lies in no box has no class"}
        if isinstance(engine, Parallelepiped)
        else {}
    ),
)
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def test_every_method_that_learns_from_samples_is_listed():
    assert set(METHODS) == {
        "maxlike",
        "hybrid",
        "mindist",
        "sam",
        "parallelepiped",
        "rf",
        "svm",
        "gradient-boosting",
        "sklearn",
    }
    assert {name for name in METHODS if not engine_class(name).needs_training} == {"hybrid"}


def test_every_constructor_argument_is_described(method):
    kind = engine_class(method)
    assert set(kind.parameters) == set(kind().get_params())
    names = [*kind.parameters, *(a for p in kind.parameters.values() for a in p.aliases)]
    assert len(names) == len(set(names))
    kind().check_parameters()


@pytest.mark.parametrize(
    "labels", [[10, 20, 30, 40], ["a", "b", "c", "d"], [-2.0, -1.0, 1.0, 4.0], [0, 1, 2, 3]]
)
def test_labels_come_back_as_they_were_given(method, labels):
    values, classes = overlapping()
    given = np.array(labels)[classes]
    engine = make_engine(method, QUICK.get(method, {})).fit(values, given)
    found = engine.predict(values)
    assert found.dtype == given.dtype
    assert (found == given).mean() > 0.5
    assert engine.classes_.tolist() == labels
    assert engine.score(values, given) == (found == given).mean()


def test_samples_with_names_and_a_table_with_labels_are_learned_alike(method):
    values, classes = overlapping()
    named = fitted(method)
    plain = make_engine(method, QUICK.get(method, {})).fit(values, classes)
    image = scene()
    np.testing.assert_array_equal(
        named.predict(image), np.array([*NAMES, ""])[plain.predict(image)]
    )
    assert named.class_names == NAMES
    assert named.bands_ == BANDS


def test_an_image_is_learned_from_another_that_tells_its_classes(method):
    values, classes = overlapping()
    order = np.random.default_rng(3).permutation(len(values))[:800]
    image = values[order].T.reshape(5, 40, 20).astype(np.int16)
    known = classes[order].reshape(40, 20).copy()
    known[5:9, 3:14] = -1
    masked = np.ma.masked_equal(known + 1, 0)
    table = values[order][known.ravel() >= 0]
    expected = make_engine(method, QUICK.get(method, {})).fit(table, known[known >= 0])
    found = make_engine(method, QUICK.get(method, {})).fit(image, known)
    of_masked = make_engine(method, QUICK.get(method, {})).fit(image, masked)
    np.testing.assert_array_equal(found.predict(image), expected.predict(image))
    labels = expected.predict(image)
    np.testing.assert_array_equal(of_masked.predict(image), np.where(labels < 0, -1, labels + 1))


def test_invalid_pixels_have_no_class_and_no_layers(method):
    image = scene().astype(np.float32)
    image[2, 10:20, 30:40] = np.nan
    engine = fitted(method)
    stream = ArrayStream(image)
    whole = Window(0, 0, 61, 83)
    layers = ["confidence", "entropy", "membership"]
    layers += ["distance"] if method in WITH_DISTANCE else []
    found = engine.predict_block(stream.read(whole), whole, layers)
    np.testing.assert_array_equal(found.labels < 0, ~stream.valid)
    for layer in found.layers.values():
        assert np.isnan(layer[..., ~stream.valid]).all()
        assert np.isfinite(layer[..., stream.valid]).all()
    assert (engine.predict(image)[~stream.valid] == "").all()


@pytest.fixture(autouse=True)
def _boxes_hold_every_pixel(request, monkeypatch):
    """Pixels outside of all boxes are the business of the tests of that method."""
    if request.node.name.startswith("test_invalid") and "parallelepiped" in request.node.name:
        monkeypatch.setitem(QUICK, "parallelepiped", {"max_std": 60.0})


def test_layers_agree_with_each_other(method):
    engine = fitted(method)
    whole = Window(0, 0, 61, 83)
    block = ArrayStream(scene()).read(whole)
    found = engine.predict_block(block, whole, ["confidence", "entropy", "membership"])
    held = found.labels >= 0
    share = found.layers["membership"][:, held].astype(np.float64)
    np.testing.assert_allclose(share.sum(axis=0), 1, atol=1e-6)
    own = np.take_along_axis(share, found.labels[held][None].astype(int), axis=0)[0]
    np.testing.assert_array_equal(found.layers["confidence"][held], own.astype(np.float32))
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.where(share > 0, share * np.log(share), 0).sum(axis=0)
    np.testing.assert_allclose(found.layers["entropy"][held], entropy, atol=1e-5)
    if method != "hybrid":
        assert (share.argmax(axis=0) == found.labels[held]).all()


def test_a_map_does_not_depend_on_windows(method):
    engine = fitted(method)
    image = np.tile(scene(), (1, 5, 4))[:, :300, :290]
    stream = ArrayStream(image)
    side = 128
    whole = Window(0, 0, 300, 290)
    layers = ["confidence", "membership"]
    expected = engine.predict_block(stream.read(whole), whole, layers)
    for row in range(0, 300, side):
        for col in range(0, 290, side):
            core = Window(row, col, min(side, 300 - row), min(side, 290 - col))
            part = engine.predict_block(stream.read(core), core, layers)
            place = core.inside(whole)
            np.testing.assert_array_equal(part.labels, expected.labels[place])
            for name in layers:
                np.testing.assert_array_equal(
                    part.layers[name], expected.layers[name][(..., *place)]
                )


def test_stored_and_physical_values_lead_to_the_same_classes(method):
    image = scene()
    bands = [Band(band.name, gain=0.5, offset=0.0) for band in BANDS]
    stored = ArrayStream((image * 2).astype(np.uint16), bands=bands)
    engine = fitted(method)
    np.testing.assert_array_equal(engine.predict(stored), engine.predict(image))


def test_what_is_kept_is_enough_to_label_again(method):
    engine = fitted(method)
    card, arrays = engine.state()
    again = make_engine(method, engine.plain_parameters())
    again.n_features_in_ = 5
    again.bands_ = BANDS
    again.restore(json.loads(json.dumps(card)), arrays)
    image = scene()
    np.testing.assert_array_equal(again.predict(image), engine.predict(image))
    np.testing.assert_array_equal(again.signatures(), engine.signatures())
    kept, same = again.state()
    assert kept == card
    assert all(np.array_equal(same[name], arrays[name]) for name in arrays)


def test_arrays_of_another_shape_are_refused_before_compiled_loops_see_them(method):
    """H12."""
    engine = fitted(method)
    card, arrays = engine.state()
    for name in arrays:
        if method == "sklearn" and name.startswith("table"):
            continue
        again = make_engine(method, engine.plain_parameters())
        again.bands_ = BANDS
        with pytest.raises((ValueError, IndexError, KeyError)):
            again.restore(card, arrays | {name: arrays[name][:0]})
    again = make_engine(method, engine.plain_parameters())
    again.bands_ = BANDS[:2]
    with pytest.raises(ValueError, match="do not fit together"):
        again.restore(card, arrays)


@pytest.mark.parametrize("workers", [1, 2])
def test_threads_leave_no_trace_in_what_is_learned(method, workers):
    engine = make_engine(method, QUICK.get(method, {}))
    engine.use_machine(workers, "cpu")
    engine.fit_training(training_set(), BANDS)
    _, arrays = engine.state()
    _, expected = fitted(method).state()
    assert {k: v.tobytes() for k, v in arrays.items()} == {
        k: v.tobytes() for k, v in expected.items()
    }


def test_signatures_are_the_means_of_the_samples(method):
    values, classes = overlapping()
    expected = [values[classes == k].mean(axis=0) for k in range(4)]
    np.testing.assert_allclose(fitted(method).signatures(), expected, rtol=1e-12)


def test_a_scene_alone_is_refused_where_samples_are_needed(method):
    engine = make_engine(method, {})
    if engine.needs_training:
        with pytest.raises(UsageError, match="learns from samples"):
            engine.fit_stream(ArrayStream(scene()))
        with pytest.raises(UsageError, match="comes without y"):
            engine.fit(scene())


def test_classes_of_another_size_than_the_image_are_refused():
    with pytest.raises(UsageError, match=r"y has the shape \(60, 83\)"):
        MinimumDistance().fit(scene(), np.zeros((60, 83), int))


def test_an_image_without_a_known_class_is_refused():
    with pytest.raises(DataError, match="no valid pixel of the image has a class"):
        MinimumDistance().fit(scene(), np.full((61, 83), -1))


def test_an_engine_that_finds_classes_takes_no_samples():
    with pytest.raises(UsageError, match="kmeans finds its classes itself"):
        make_engine("kmeans", {}).fit_training(training_set(), BANDS)


def test_no_class_is_not_confused_with_a_class_of_the_same_name():
    values, classes = overlapping()
    engine = MaximumLikelihood(reject=0.5).fit(values, classes - 1)
    with pytest.raises(UsageError, match="have no class, which is told by -1"):
        engine.predict(values)


def test_unsigned_labels_have_room_for_no_class():
    values, classes = overlapping()
    engine = MaximumLikelihood(reject=0.5).fit(values, classes.astype(np.uint8))
    found = engine.predict(values)
    assert found.min() == -1
    assert set(found) == {-1, 0, 1, 2, 3}


def test_a_recut_image_is_learned_from_in_the_same_way():
    image, known = scene(), np.random.default_rng(0).integers(-1, 4, (61, 83))
    whole = MaximumLikelihood().fit(image, known)
    cut = MaximumLikelihood().fit(Recut.of(image, 61), known)
    np.testing.assert_array_equal(whole.predict(image), cut.predict(image))

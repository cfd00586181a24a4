"""What parameters and starting centers may hold, and what an engine keeps between fits."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.engines.catalogue import engine_class, make_engine, method_names
from rsclass.engines.kmeans import KMeans
from rsclass.engines.networks import NetworkEngine
from rsclass.errors import UsageError

CLUSTERING = [name for name in method_names() if not engine_class(name).takes_training]
SETTLING = [
    name
    for name in CLUSTERING
    if not issubclass(engine_class(name), NetworkEngine) and name != "consensus"
]
"""Methods that pass over the pixels until their classes settle."""


@pytest.fixture
def table() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(300, 2))


@pytest.mark.parametrize("method", CLUSTERING)
@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("n_classes", "3", "a whole number"),
        ("n_classes", 2.5, "a whole number"),
        ("n_classes", True, "a whole number"),
        ("n_classes", None, "a whole number"),
        ("n_classes", np.int64(0), "between 1 and"),
        ("random_state", None, "a whole number"),
        ("random_state", np.random.RandomState(0), "a whole number"),
    ],
    ids=str,
)
def test_what_a_parameter_cannot_hold_is_refused_in_a_sentence(method, name, value, wanted):
    with pytest.raises(UsageError, match=f"^{method}: {name} is .*; it must be {wanted}"):
        engine_class(method)(**{name: value}).check_parameters()


@pytest.mark.parametrize(
    ("method", "values", "message"),
    [
        ("minibatch", {"batch_size": 100.5}, "batch_size is 100.5; it must be a whole number"),
        ("kmeans", {"tolerance": "low"}, "tolerance is 'low'; it must be a number"),
        ("kmeans", {"tolerance": float("nan")}, "tolerance is nan; it must be 0 or more"),
        ("kmeans", {"scale": 3}, "scale is 3; choose one of none, standard, robust"),
        ("kmeans", {"sample": 9.5}, "sample is 9.5; it must be a whole number or none"),
        ("uic", {"sobel": 1}, "sobel is 1; it must be true or false"),
    ],
)
def test_each_type_has_its_words(method, values, message):
    with pytest.raises(UsageError, match=message):
        engine_class(method)(**values).check_parameters()


def test_numbers_of_numpy_are_numbers(table):
    values = {"n_classes": np.int64(3), "sample": np.uint32(200), "tolerance": np.float32(0.001)}
    plain = KMeans(3, sample=200, tolerance=float(np.float32(0.001)), random_state=5)
    numpy = KMeans(**values, random_state=np.int16(5))
    np.testing.assert_array_equal(numpy.fit(table).centers_, plain.fit(table).centers_)


def test_fit_predict_labels_an_image_and_forgets_an_earlier_table(table):
    image = np.ascontiguousarray(table.T).reshape(2, 20, 15)
    engine = KMeans(3).fit(table)
    labels = engine.fit_predict(image)
    assert labels.shape == (20, 15)
    np.testing.assert_array_equal(labels, KMeans(3).fit(image).predict(image))
    assert not hasattr(engine, "labels_")
    np.testing.assert_array_equal(engine.fit_predict(table), engine.labels_)


def test_an_engine_without_its_pixels_points_to_the_model(table, tmp_path):
    engine = KMeans(3).fit(table)
    loaded = KMeans(3)
    loaded.bands_, loaded.n_features_in_ = engine.bands_, engine.n_features_in_
    loaded.restore(*engine.state())
    with pytest.raises(UsageError, match=r"rsclass\.Model"):
        loaded.save(tmp_path / "km.safetensors")


@pytest.mark.parametrize("method", ["kmeans", "fuzzy", "minibatch", "competitive"])
@pytest.mark.parametrize(
    ("init", "message"),
    [
        ("random", "init is 'random'; it must be 'k-means\\+\\+'"),
        (np.zeros((2, 2)), r"init is an array \(2, 2\); for 3 classes"),
        (np.zeros(3), r"init is an array \(3,\)"),
        (None, r"init is an array \(\)"),
        ([[1, 2], [3, np.nan], [4, 5]], "init holds values that are not finite"),
        ([[1, 2], [3], [4, 5]], "init is no array of numbers"),
        (np.zeros((3, 4)), "init has 4 bands and the pixels have 2"),
    ],
    ids=["word", "classes", "flat", "none", "nan", "ragged", "bands"],
)
def test_starting_centers_that_cannot_be_used_are_refused(method, init, message, table):
    with pytest.raises(UsageError, match=f"^{method}: {message}"):
        engine_class(method)(3, init=init).fit(table)


@pytest.mark.parametrize("method", SETTLING)
@pytest.mark.parametrize("alias", ["max_iter", "max_iterations", "iterations"])
def test_the_number_of_passes_has_the_names_of_other_software(method, alias):
    engine = make_engine(method, {alias: "7"})
    assert 7 in (getattr(engine, name, None) for name in ("max_iter", "epochs"))


@pytest.mark.parametrize("method", SETTLING)
def test_classes_leave_two_numbers_of_16_bits_for_no_data(method):
    engine_class(method)(65_534).check_parameters()
    with pytest.raises(UsageError, match="n_classes is 65535; it must be between 1 and 65534"):
        engine_class(method)(65_535).check_parameters()

"""Engines that scikit-learn trains label as scikit-learn does."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from labelled import BANDS, overlapping, scene, training_set
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from threadpoolctl import threadpool_limits

from rsclass.core.arrays import ArrayStream
from rsclass.core.machines import Machines
from rsclass.core.trees import Trees
from rsclass.core.types import Window
from rsclass.engines.boosting import GradientBoosting
from rsclass.engines.forest import RandomForest
from rsclass.engines.recipes import built, written
from rsclass.engines.sklearn_ import SklearnClassifier
from rsclass.engines.svm import SupportVectorMachine
from rsclass.errors import DataError, UsageError

PAIRS = {
    "forest": (RandomForest(random_state=3), RandomForestClassifier(random_state=3)),
    "balanced forest": (
        RandomForest(n_trees=20, max_depth=6, min_leaf=3, balanced=True),
        RandomForestClassifier(
            20, max_depth=6, min_samples_leaf=3, class_weight="balanced", random_state=0
        ),
    ),
    "boosting": (
        GradientBoosting(rounds=40),
        HistGradientBoostingClassifier(max_iter=40, early_stopping=False, random_state=0),
    ),
    "boosting with options": (
        GradientBoosting(rounds=15, learning_rate=0.3, max_leaves=7, min_leaf=5, l2=1.0),
        HistGradientBoostingClassifier(
            max_iter=15,
            learning_rate=0.3,
            max_leaf_nodes=7,
            min_samples_leaf=5,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=0,
        ),
    ),
    "machine": (SupportVectorMachine(), make_pipeline(StandardScaler(), SVC(C=10))),
    "machine with options": (
        SupportVectorMachine(cost=2.0, gamma=0.05, balanced=True),
        make_pipeline(StandardScaler(), SVC(C=2, gamma=0.05, class_weight="balanced")),
    ),
}


@pytest.fixture(autouse=True)
def _one_thread():
    """Threads of scikit-learn that wait for each other on a busy machine take very long."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def unseen() -> np.ndarray:
    """Pixels (pixels, bands) of the scene, and some that float32 cannot hold."""
    pixels = scene().reshape(5, -1).T.astype(float)
    return np.concatenate([pixels, pixels[:1000] + 1 / 3])


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("name", PAIRS)
def test_every_pixel_has_the_class_that_scikit_learn_gives_it(name, n_classes, unseen):
    values, classes = overlapping()
    few = classes < n_classes
    engine, other = PAIRS[name]
    engine.fit(values[few], classes[few])
    other.fit(values[few], classes[few])
    np.testing.assert_array_equal(engine.predict(unseen), other.predict(unseen))
    if hasattr(other, "predict_proba"):
        np.testing.assert_allclose(
            engine.predict_proba(unseen), other.predict_proba(unseen), rtol=1e-6, atol=1e-7
        )


def test_values_between_two_float32_numbers_fall_on_the_right_side():
    """Thresholds are float64, halfway between whole numbers beyond what float32 tells apart."""
    values = np.arange(2**24, 2**24 + 64, dtype=float)[:, None]
    classes = (np.arange(64) // 3) % 2
    forest = RandomForestClassifier(10, random_state=0).fit(values, classes)
    engine = RandomForest(n_trees=10).fit(values, classes)
    around = np.arange(2**24 - 10, 2**24 + 80, 0.5)[:, None]
    np.testing.assert_array_equal(engine.predict(around), forest.predict(around))


def test_memberships_of_machines_lean_to_the_votes_and_to_the_margin():
    values, classes = overlapping()
    two = classes < 2
    engine = SupportVectorMachine().fit(values[two], classes[two])
    other = make_pipeline(StandardScaler(), SVC(C=10)).fit(values[two], classes[two])
    decision = other.decision_function(values[two])
    np.testing.assert_allclose(
        engine.predict_proba(values[two])[:, 1], 1 / (1 + np.exp(-2 * decision)), atol=1e-6
    )


def test_machines_learn_from_a_share_of_many_samples_and_say_so():
    samples = training_set(4000)
    engine = SupportVectorMachine(max_samples=600).fit_training(samples, BANDS)
    again = SupportVectorMachine(max_samples=600).fit_training(samples, BANDS)
    np.testing.assert_array_equal(engine.rule_.vectors, again.rule_.vectors)
    assert f"learned from 600 of {len(samples):,} training pixels" in engine.warnings_[0]
    assert len(engine.rule_.vectors) <= 600
    whole = SupportVectorMachine(max_samples=None).fit_training(training_set(), BANDS)
    assert not whole.warnings_
    unseen, classes = overlapping(seed=9)
    truth = np.array(samples.names)[classes]
    assert abs(engine.score(unseen, truth) - whole.score(unseen, truth)) < 0.05


def test_one_class_is_refused():
    one = replace(training_set().take(training_set().classes == 0), names=("field",))
    with pytest.raises(DataError, match="rf tells classes apart, and the samples have 1 class"):
        RandomForest().fit_training(one, BANDS)


def test_distance_is_refused_with_a_reason():
    engine = RandomForest(n_trees=3).fit_training(training_set(), BANDS)
    whole = Window(0, 0, 61, 83)
    with pytest.raises(UsageError, match="rf measures no distance to its classes"):
        engine.predict_block(ArrayStream(scene()).read(whole), whole, ["distance"])


def damaged_trees() -> dict[str, dict[str, np.ndarray]]:
    arrays = RandomForest(n_trees=3).fit_training(training_set(), BANDS).rule_.to_arrays()
    place = np.arange(len(arrays["below"]))
    inner = int(np.flatnonzero(arrays["below"] != place)[1])
    leaf = int(np.flatnonzero(arrays["below"] == place)[0])
    changes = {
        "a circle": ("below", inner, 0),
        "a way out": ("below", inner, len(arrays["below"]) - 1),
        "a leaf with a way": ("below", leaf, 0),
        "a leaf that asks": ("threshold", leaf, 5.0),
        "no such leaf": ("row", leaf, 10**6),
        "no such root": ("roots", 1, 10**6),
        "no such score": ("first", 1, 1),
    }
    found = {}
    for name, (array, place, value) in changes.items():
        found[name] = {key: content.copy() for key, content in arrays.items()}
        found[name][array][place] = value
    return found


@pytest.mark.parametrize(
    "fault",
    [
        "a circle",
        "a way out",
        "a leaf with a way",
        "a leaf that asks",
        "no such leaf",
        "no such root",
        "no such score",
    ],
)
def test_trees_that_lead_nowhere_are_refused(fault):
    with pytest.raises(ValueError, match="the trees are damaged"):
        Trees.from_arrays(damaged_trees()[fault], "votes")


@pytest.mark.parametrize("name", ["weights", "bias", "start", "vectors"])
def test_support_vectors_that_do_not_fit_together_are_refused(name):
    arrays = SupportVectorMachine().fit_training(training_set(), BANDS).rule_.to_arrays()
    with pytest.raises(ValueError, match="the support vectors are damaged"):
        Machines.from_arrays(arrays | {name: arrays[name][:-1]}, "standard")


# -- any classifier ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(n_neighbors=3),
        GaussianNB(),
        Pipeline([("scale", StandardScaler()), ("c", LogisticRegression(C=0.1))]),
    ],
)
def test_any_classifier_labels_as_it_does_alone(estimator, unseen):
    values, classes = overlapping()
    engine = SklearnClassifier(estimator).fit(values, classes)
    estimator.fit(values, classes)
    np.testing.assert_array_equal(engine.predict(unseen), estimator.predict(unseen))
    np.testing.assert_allclose(
        engine.predict_proba(unseen), estimator.predict_proba(unseen), atol=1e-6
    )
    card, arrays = engine.state()
    again = SklearnClassifier(**json.loads(json.dumps(engine.plain_parameters())))
    again.bands_, again.n_features_in_ = engine.bands_, 5
    again.restore(card, arrays)
    np.testing.assert_array_equal(again.predict(unseen), engine.predict(unseen))


def test_an_estimator_that_was_given_stays_as_it_was():
    given = KNeighborsClassifier()
    SklearnClassifier(given).fit(*overlapping())
    assert not hasattr(given, "classes_")


def test_chance_is_keyed_by_the_seed():
    values, classes = overlapping()
    text = "ExtraTreesClassifier(n_estimators=3)"
    found = [
        SklearnClassifier(text, random_state=seed).fit(values, classes).predict(scene())
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(found[0], found[1])
    assert (found[0] != found[2]).any()


def test_an_estimator_without_probabilities_says_so():
    engine = SklearnClassifier(LinearSVC()).fit(*overlapping())
    whole = Window(0, 0, 61, 83)
    block = ArrayStream(scene()).read(whole)
    assert (engine.predict_block(block, whole).labels >= 0).all()
    with pytest.raises(UsageError, match="LinearSVC tells no probabilities"):
        engine.predict_block(block, whole, ["confidence"])


@pytest.mark.parametrize(
    "estimator",
    [
        KNeighborsClassifier(n_neighbors=7, weights="distance"),
        Pipeline([("s", StandardScaler()), ("c", SVC(C=np.float64(2.5), kernel="poly"))]),
        RandomForestClassifier(max_features=None, class_weight={0: 2, 1: 1}),
    ],
)
def test_an_estimator_is_read_back_from_its_text(estimator):
    again = built(written(estimator))
    assert type(again) is type(estimator)
    assert repr(again.get_params()) == repr(estimator.get_params()).replace(
        "np.float64(2.5)", "2.5"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("KNeighborClassifier", "Did you mean KNeighborsClassifier"),
        ("KNeighborsClassifier(3)", "name its parameters"),
        ("KNeighborsClassifier(neighbors=3)", "neighbors"),
        ("KNeighborsClassifier(n_neighbors=", "is no estimator"),
        ("3", "is no estimator"),
        ("", "is no estimator"),
        ("StandardScaler()", "labels nothing"),
        ("LinearRegression()", "no classifier 'LinearRegression'"),
        ("__import__('os').system('true')", "no classifier"),
        ("KNeighborsClassifier(metric=__import__('os'))", "no classifier '__import__'"),
        ("KNeighborsClassifier(n_neighbors=(lambda: 3)())", "no classifier"),
        ("KNeighborsClassifier(metric=print)", "is no number, word or estimator"),
        ("KNeighborsClassifier(**{'n_neighbors': 3})", "name its parameters"),
        ("Pipeline(steps=[('c', GaussianNB())], memory='/tmp')", "memory cannot be set"),
        ("(" * 3000, "is no estimator"),
    ],
)
def test_a_text_that_is_no_classifier_is_told_and_runs_nothing(text, told):
    """H09."""
    with pytest.raises(UsageError, match=told):
        SklearnClassifier(text).check_parameters()


def test_what_cannot_be_written_cannot_be_kept_but_used():
    values, classes = overlapping()
    near = KNeighborsClassifier(metric=lambda a, b: abs(a - b).max())
    engine = SklearnClassifier(near).fit(values, classes)
    assert (engine.predict(values[::50]) == classes[::50]).mean() > 0.5
    with pytest.raises(UsageError, match=r"is no estimator|cannot be written as text"):
        engine.plain_parameters()

"""Engines inherit nothing from scikit-learn, and scikit-learn does not notice."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone, is_classifier, is_clusterer
from sklearn.cluster import KMeans as Reference
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from rsclass.engines.catalogue import engine_class, method_names
from rsclass.engines.kmeans import KMeans
from rsclass.errors import UsageError


@pytest.fixture
def two_groups() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(m, 1.0, (80, 3)) for m in (0, 9)])


@pytest.mark.parametrize("method", method_names())
def test_parameters_are_the_arguments_of_the_constructor(method):
    kind = engine_class(method)
    arguments = inspect.signature(kind.__init__).parameters
    assert kind().get_params() == {
        name: argument.default for name, argument in arguments.items() if name != "self"
    }


def test_a_clone_has_the_parameters_and_nothing_that_was_learned(two_groups):
    fitted = KMeans(n_classes=2, scale="none").fit(two_groups)
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert [name for name in vars(copy) if name.endswith("_")] == []


def test_an_unknown_parameter_is_refused_and_nothing_is_set():
    engine = KMeans(n_classes=2)
    with pytest.raises(UsageError, match="KMeans has no parameter 'clusters'; its parameters: "):
        engine.set_params(n_classes=7, clusters=3)
    assert engine.n_classes == 2


def test_it_is_shown_with_the_parameters_that_were_changed():
    assert repr(KMeans()) == "KMeans()"
    assert repr(KMeans(n_classes=3, scale="none")) == "KMeans(n_classes=3, scale='none')"
    assert repr(KMeans(init=np.zeros((2, 1)))) == "KMeans(init=array([[0.], [0.]]))"


def test_a_notebook_shows_it_as_an_estimator_and_tells_whether_it_is_fitted(two_groups):
    engine = KMeans(n_classes=2)
    assert "Not fitted" in engine._repr_html_()
    assert "Not fitted" not in engine.fit(two_groups)._repr_html_()


def test_what_scikit_learn_asks_is_answered_as_its_own_base_classes_answer():
    class Plain(TransformerMixin, BaseEstimator):
        pass

    ours, own = get_tags(KMeans()), get_tags(Reference())
    assert ours.estimator_type == own.estimator_type
    assert ours.target_tags == own.target_tags
    assert ours.input_tags == get_tags(Plain()).input_tags
    assert ours.transformer_tags == get_tags(Plain()).transformer_tags
    assert is_clusterer(KMeans())
    assert not is_classifier(KMeans())


def test_an_engine_of_known_classes_is_a_classifier():
    class Supervised(KMeans):
        estimator_type = "classifier"

    assert is_classifier(Supervised())
    assert get_tags(Supervised()).target_tags.required


def test_a_search_over_a_pipeline_finds_the_number_of_groups(two_groups):
    def score(pipeline, X, y=None):
        return -abs(len(np.unique(pipeline.predict(X))) - 2)

    pipeline = make_pipeline(StandardScaler(), KMeans())
    search = GridSearchCV(pipeline, {"kmeans__n_classes": [2, 5]}, scoring=score, cv=2)
    assert search.fit(two_groups).best_params_ == {"kmeans__n_classes": 2}


def test_distances_to_centers_feed_the_next_step_of_a_pipeline(two_groups):
    engine = KMeans(n_classes=2, scale="none")
    distances = make_pipeline(engine, "passthrough").fit_transform(two_groups)
    expected = np.linalg.norm(two_groups[:, None] - engine.centers_, axis=2)
    np.testing.assert_allclose(distances, expected, rtol=1e-12)


def test_labels_asked_for_before_learning_are_refused_as_scikit_learn_refuses(two_groups):
    with pytest.raises(NotFittedError, match="KMeans instance is not fitted yet"):
        KMeans().predict(two_groups)

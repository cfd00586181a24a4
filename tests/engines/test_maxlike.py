"""Gaussian maximum likelihood."""

from __future__ import annotations

import numpy as np
import pytest
from labelled import BANDS, NAMES, overlapping, scene, training_set
from scipy.stats import chi2
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Window
from rsclass.engines.maxlike import MaximumLikelihood
from rsclass.errors import SingularClassError, UsageError


def unbiased(values: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """The pixels, moved from their mean so far that scikit-learn's covariances have divisor n - 1.

    Those of some versions of scikit-learn have divisor n.
    """
    plain = QuadraticDiscriminantAnalysis(store_covariance=True).fit(values, classes)
    if np.allclose(plain.covariance_[0], np.cov(values[classes == 0].T), rtol=1e-9):
        return values
    moved = values.copy()
    for k in np.unique(classes):
        own = classes == k
        mean, n = values[own].mean(axis=0), own.sum()
        moved[own] = mean + (values[own] - mean) * np.sqrt(n / (n - 1))
    return moved


@pytest.mark.parametrize("priors", ["equal", "sample", {0: 0.7, 3: 0.1}])
def test_classes_and_probabilities_are_those_of_scikit_learn(priors):
    values, classes = overlapping()
    shares = {"equal": [0.25] * 4, "sample": np.bincount(classes) / len(classes)}
    given = [0.7, 0.1, 0.1, 0.1] if isinstance(priors, dict) else shares[priors]
    other = QuadraticDiscriminantAnalysis(priors=given).fit(unbiased(values, classes), classes)
    engine = MaximumLikelihood(priors=priors).fit(values, classes)
    unseen = scene().reshape(5, -1).T.astype(float)
    np.testing.assert_allclose(engine.predict_proba(unseen), other.predict_proba(unseen), atol=2e-6)
    np.testing.assert_array_equal(engine.predict(unseen), other.predict(unseen))


def test_a_class_with_prior_zero_is_never_the_answer():
    values, classes = overlapping()
    engine = MaximumLikelihood(priors={1: 0}).fit(values, classes)
    assert set(engine.predict(values)) == {0, 2, 3}
    assert (engine.predict_proba(values)[:, 1] == 0).all()


@pytest.mark.parametrize("reject", [0.01, 0.05, 0.1, 0.5])
def test_of_normal_pixels_the_asked_share_is_rejected(reject):
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(6, 6))
    values = rng.normal(size=(40_000, 6)) @ mix
    classes = np.zeros(len(values), int)
    classes[20_000:] = 1
    values[20_000:] += 500
    found = MaximumLikelihood(reject=reject).fit(values, classes).predict(values)
    share = (found == -1).mean()
    # Three standard errors of a share of 40,000 pixels.
    assert abs(share - reject) < 3 * np.sqrt(reject * (1 - reject) / 40_000)
    assert ((found == -1) | (found == classes)).all()


@pytest.mark.parametrize(
    ("n_bands", "reject", "quantile"),
    [
        (4, 0.1, 7.77944),
        (4, 0.05, 9.48773),
        (4, 0.01, 13.27670),
        (6, 0.1, 10.64464),
        (6, 0.05, 12.59159),
        (6, 0.01, 16.81189),
    ],
)
def test_the_border_of_rejection_is_the_published_quantile_of_chi_square(n_bands, reject, quantile):
    assert chi2.ppf(1 - reject, n_bands) == pytest.approx(quantile, abs=5e-6)
    rng = np.random.default_rng(0)
    values = rng.normal(size=(4000, n_bands)) @ rng.normal(size=(n_bands, n_bands))
    classes = np.zeros(len(values), int)
    engine = MaximumLikelihood(reject=reject).fit(values, classes)
    root = np.linalg.cholesky(np.cov(values.T))
    direction = rng.normal(size=n_bands)
    direction /= np.linalg.norm(direction)
    inside, outside = (
        values.mean(axis=0) + root @ direction * np.sqrt(quantile + step) for step in (-1e-4, 1e-4)
    )
    assert engine.predict([inside, outside]).tolist() == [0, -1]


def test_rejected_pixels_keep_their_layers():
    engine = MaximumLikelihood(reject=0.3).fit_training(training_set(), BANDS)
    plain = MaximumLikelihood().fit_training(training_set(), BANDS)
    whole = Window(0, 0, 61, 83)
    block = ArrayStream(scene()).read(whole)
    layers = ["distance", "confidence", "membership"]
    one, other = (e.predict_block(block, whole, layers) for e in (engine, plain))
    for name in layers:
        np.testing.assert_array_equal(one.layers[name], other.layers[name])
    limit = np.sqrt(chi2.ppf(0.7, 5))
    np.testing.assert_array_equal(one.labels < 0, other.layers["distance"] > limit)


def test_classes_of_few_pixels_are_told_and_still_found():
    """R11."""
    small = training_set().take(np.arange(len(training_set())) % 20 == 0)
    engine = MaximumLikelihood().fit_training(small, BANDS)
    assert "fewer than 50 pixels, 10 for each band, describe" in engine.warnings_[0]
    found = engine.predict(small.values)
    assert (found == np.array(NAMES)[small.classes]).mean() > 0.9


def test_a_class_of_one_pixel_is_refused_by_name():
    one = training_set()
    alone = np.flatnonzero((one.classes != 2) | (np.arange(len(one)) == 340 + 1))
    with pytest.raises(SingularClassError, match="town has only 1 sample pixel"):
        MaximumLikelihood().fit_training(one.take(alone), BANDS)


def test_priors_of_unknown_classes_are_refused():
    with pytest.raises(UsageError, match="the priors name desert"):
        MaximumLikelihood(priors={"desert": 0.2}).fit_training(training_set(), BANDS)


def test_the_order_of_the_pixels_hardly_matters_and_that_of_the_classes_not_at_all():
    values, classes = overlapping()
    shuffled = np.random.default_rng(1).permutation(len(values))
    one = MaximumLikelihood().fit(values, classes)
    other = MaximumLikelihood().fit(values[shuffled], 3 - classes[shuffled])
    image = scene()
    np.testing.assert_array_equal(one.predict(image), 3 - other.predict(image))

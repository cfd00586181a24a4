"""K-means against scikit-learn and against its own guarantees."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sklearn.cluster import KMeans as Reference
from sklearn.utils.estimator_checks import parametrize_with_checks

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Band
from rsclass.engines.kmeans import KMeans


@pytest.fixture
def three_groups() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(m, 1.0, (2000, 4)) for m in (0, 3, 6)])


@parametrize_with_checks([KMeans(n_classes=3)])
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def test_from_the_same_start_reaches_the_same_centers_as_scikit_learn(three_groups):
    start = three_groups[[0, 1, 2001, 2002, 4001]]
    ours = KMeans(5, scale="none", tolerance=0, init=start).fit(three_groups)
    theirs = Reference(5, init=start, n_init=1, tol=0, max_iter=300, algorithm="lloyd")
    theirs.fit(three_groups)
    order = np.argsort(theirs.cluster_centers_.mean(axis=1))
    np.testing.assert_allclose(ours.centers_, theirs.cluster_centers_[order], rtol=1e-10)
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-10)


def test_inertia_is_level_with_the_best_of_ten_starts_of_scikit_learn(three_groups):
    ours = KMeans(8, scale="none").fit(three_groups)
    theirs = Reference(8, n_init=10, random_state=0).fit(three_groups)
    assert ours.inertia_ <= theirs.inertia_ * 1.005


def test_inertia_never_increases(three_groups):
    history = KMeans(6, tolerance=0).fit(three_groups).history_
    inertia = [entry["inertia"] for entry in history]
    assert all(b <= a * (1 + 1e-12) for a, b in itertools.pairwise(inertia))


def test_every_pixel_and_a_sample_of_every_pixel_give_the_same_centers():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 3000, (3, 90, 70)).astype(np.uint16)
    whole = KMeans(5, sample=None).fit(image)
    sampled = KMeans(5, sample=90 * 70).fit(image)
    np.testing.assert_array_equal(whole.centers_, sampled.centers_)


def test_stored_and_physical_values_lead_to_the_same_classes():
    rng = np.random.default_rng(2)
    stored = rng.integers(1000, 9000, (4, 60, 60)).astype(np.uint16)
    bands = [Band(f"b{i}", gain=1e-4, offset=-0.1) for i in range(4)]
    from_stored = KMeans(6).fit(ArrayStream(stored, bands=bands))
    from_physical = KMeans(6).fit(stored * 1e-4 - 0.1)
    np.testing.assert_allclose(from_stored.centers_, from_physical.centers_, rtol=1e-9)


def test_classes_are_ordered_from_dark_to_bright_whatever_the_seed(three_groups):
    first, second = (KMeans(3, random_state=seed).fit(three_groups) for seed in (0, 7))
    np.testing.assert_allclose(first.centers_, second.centers_, rtol=1e-6)
    assert (np.diff(first.centers_.mean(axis=1)) > 0).all()


def test_invalid_pixels_have_no_class():
    image = np.random.default_rng(3).normal(size=(2, 20, 20))
    image[1, 3, 4] = np.nan
    labels = KMeans(3).fit(image).predict(image)
    assert labels[3, 4] == -1
    assert (labels < 0).sum() == 1


def test_fewer_different_spectra_than_classes_gives_fewer_classes_and_says_so():
    """R12."""
    image = np.zeros((3, 10, 10), np.uint8)
    image[:, 5:] = 200
    engine = KMeans(5).fit(image)
    assert engine.n_classes_ == 2
    assert "5 classes were asked for and 2 found" in engine.warnings_[-1]


def test_a_large_offset_does_not_drown_a_small_variance():
    """N03: values near 60,000 that differ by 4."""
    rng = np.random.default_rng(4)
    image = (60000 + 4 * rng.integers(0, 2, (2, 64, 64))).astype(np.float32)
    engine = KMeans(4, scale="none").fit(image)
    corners = sorted(map(tuple, np.rint(engine.centers_).astype(int)))
    assert corners == [(60000, 60000), (60000, 60004), (60004, 60000), (60004, 60004)]


def test_memberships_of_a_pixel_add_up_to_one(three_groups):
    engine = KMeans(4).fit(three_groups)
    membership = engine.predict_proba(three_groups)
    np.testing.assert_allclose(membership.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(membership.argmax(axis=1), engine.predict(three_groups))

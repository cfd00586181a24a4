"""Fuzzy K-means against hand computation, limits and a plain version of the algorithm."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from recut import Recut
from sklearn.utils.estimator_checks import parametrize_with_checks

from rsclass.core.arrays import ArrayStream
from rsclass.engines.fuzzy import FuzzyKMeans
from rsclass.engines.kmeans import KMeans


@pytest.fixture
def groups() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(m, 1.0, (300, 3)) for m in (0, 3, 7)])


@parametrize_with_checks([FuzzyKMeans(n_classes=3)])
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def test_four_pixels_give_the_numbers_computed_by_hand():
    x = np.array([[0.0], [1.0], [9.0], [10.0]])
    start = [[0.0], [10.0]]
    engine = FuzzyKMeans(2, scale="none", init=start, tolerance=0, max_iter=60).fit(x)
    objective = [entry["objective"] for entry in engine.history_]
    assert objective[:2] == pytest.approx([1.975610, 0.997002], abs=5e-7)
    assert engine.objective_ == pytest.approx(0.996894, abs=5e-7)
    assert engine.centers_.ravel() == pytest.approx([0.499740, 9.500260], abs=5e-7)
    memberships = engine.predict_proba(x)
    np.testing.assert_allclose(memberships[0], [0.997241, 0.002759], atol=6e-7)
    np.testing.assert_allclose(memberships[1], [0.996548, 0.003452], atol=6e-7)
    assert engine.partition_coefficient_ == pytest.approx(0.993808, abs=5e-7)
    assert engine.partition_entropy_ == pytest.approx(0.021014, abs=5e-7)
    assert engine.xie_beni_ == pytest.approx(0.003076, abs=5e-7)


def plain(X: np.ndarray, v: np.ndarray, m: float, passes: int):
    """Bezdek's alternating updates with whole matrices."""
    for _ in range(passes):
        u = membership(X, v, m)
        v = (u**m).T @ X / (u**m).sum(axis=0)[:, None]
    return v, membership(X, v, m)


def membership(X, v, m):
    d = np.linalg.norm(X[:, None] - v, axis=2)
    return 1 / ((d[:, :, None] / d[:, None, :]) ** (2 / (m - 1))).sum(axis=2)


@pytest.mark.parametrize("m", [1.3, 2.0, 3.0])
def test_agrees_with_the_plain_algorithm_after_as_many_passes(groups, m):
    start = groups[[0, 300, 600, 601]] + 0.1  # on no pixel, where the plain formula divides by 0
    engine = FuzzyKMeans(4, scale="none", init=start, fuzzifier=m, max_iter=7, tolerance=0).fit(
        groups
    )
    v, u = plain(groups, start, m, 7)
    order = np.argsort(v.mean(axis=1))
    # Passes weigh pixels in single precision.
    np.testing.assert_allclose(engine.centers_, v[order], rtol=1e-5, atol=1e-6)
    # Layers are float32.
    np.testing.assert_allclose(engine.predict_proba(groups), u[:, order], rtol=2e-5, atol=1e-30)
    d2 = ((groups[:, None] - v) ** 2).sum(axis=2)
    objective = (u**m * d2).sum()
    gaps = ((v[:, None] - v) ** 2).sum(axis=2)[np.triu_indices(4, 1)]
    assert engine.objective_ == pytest.approx(objective, rel=1e-6)
    assert engine.partition_coefficient_ == pytest.approx((u**2).sum(axis=1).mean(), rel=1e-6)
    assert engine.partition_entropy_ == pytest.approx(-(u * np.log(u)).sum(axis=1).mean(), rel=1e-6)
    assert engine.xie_beni_ == pytest.approx(objective / (len(groups) * gaps.min()), rel=1e-6)


def test_pixels_midway_between_all_centers_belong_to_all_alike():
    corners = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, -1.0], [0.0, 1.0]])
    middle = np.zeros((1, 2))
    engine = FuzzyKMeans(4, scale="none", init=corners, tolerance=0, max_iter=1)
    engine.fit(np.concatenate([corners, middle]))
    np.testing.assert_allclose(engine.predict_proba(middle), 0.25)
    only_middle = engine._predict(middle, ("entropy", "confidence")).layers
    assert only_middle["entropy"].item() == pytest.approx(np.log(4))
    assert only_middle["confidence"].item() == pytest.approx(1 / 4)


def test_pixels_on_their_centers_are_a_crisp_partition():
    table = np.repeat([[0.0], [10.0], [20.0]], 7, axis=0)
    engine = FuzzyKMeans(3, scale="none").fit(table)
    assert engine.partition_coefficient_ == 1
    assert engine.partition_entropy_ == 0
    assert engine.objective_ == 0


def test_a_large_fuzzifier_makes_all_memberships_alike(groups):
    """The coefficient tends to 1 / classes and the entropy to ln(classes)."""
    start = groups[[0, 300, 600]]
    engine = FuzzyKMeans(3, fuzzifier=10, init=start, max_iter=1).fit(groups)
    assert engine.partition_coefficient_ == pytest.approx(1 / 3, abs=0.03)
    assert engine.partition_entropy_ == pytest.approx(np.log(3), abs=0.05)


@pytest.mark.parametrize("m", [1.1, 2.0, 4.0])
def test_the_objective_never_increases(groups, m):
    start = groups[:5]
    engine = FuzzyKMeans(5, init=start, fuzzifier=m, tolerance=0, max_iter=40).fit(groups)
    objective = [entry["objective"] for entry in engine.history_]
    assert len(objective) > 2
    assert all(b <= a * (1 + 1e-12) for a, b in pairwise(objective))


def test_with_a_fuzzifier_of_almost_one_it_is_k_means(groups):
    start = groups[[0, 300, 600]]
    fuzzy = FuzzyKMeans(3, init=start, fuzzifier=1.01, tolerance=0).fit(groups)
    crisp = KMeans(3, init=start, tolerance=0).fit(groups)
    assert (fuzzy.labels_ == crisp.labels_).mean() > 0.995
    np.testing.assert_allclose(fuzzy.centers_, crisp.centers_, atol=0.02)


def test_memberships_follow_the_engines_own_fuzzifier_and_labels_their_largest(groups):
    start = groups[[0, 300, 600]]
    sharp, soft = (
        FuzzyKMeans(3, init=start, fuzzifier=m, max_iter=1).fit(groups) for m in (1.5, 3)
    )
    assert sharp.predict_proba(groups).max(axis=1).mean() > 0.9
    assert soft.predict_proba(groups).max(axis=1).mean() < 0.8
    for engine in (sharp, soft):
        np.testing.assert_array_equal(
            engine.predict_proba(groups).argmax(axis=1), engine.predict(groups)
        )


def test_numbers_of_one_type_or_another_lead_to_the_same_bits():
    rng = np.random.default_rng(1)
    image = rng.integers(0, 4000, (3, 60, 50)).astype(np.uint16)
    first = FuzzyKMeans(4, sample=None).fit(image)
    second = FuzzyKMeans(4, sample=None).fit(image.astype(np.float32))
    np.testing.assert_array_equal(first.centers_, second.centers_)


def test_another_cut_of_the_scene_changes_rounding_only():
    rng = np.random.default_rng(2)
    middle = np.array([500, 1500, 2500, 3500])[rng.integers(0, 4, (60, 50))]
    image = rng.normal(middle, 150, (3, 60, 50)).astype(np.uint16)
    whole = FuzzyKMeans(4, sample=None).fit(ArrayStream(image))
    cut = FuzzyKMeans(4, sample=None).fit(Recut.of(image, 17))
    np.testing.assert_allclose(cut.centers_, whole.centers_, rtol=1e-5)


def test_one_class_is_the_mean_of_all(groups):
    engine = FuzzyKMeans(1, scale="none").fit(groups)
    np.testing.assert_allclose(engine.centers_, [groups.mean(axis=0)])
    assert np.isnan(engine.xie_beni_)
    assert engine.partition_coefficient_ == 1


def test_a_center_too_far_for_any_weight_stays_where_it_is():
    table = np.random.default_rng(0).normal(size=(200, 2))
    start = [[-1.0, 0.0], [1.0, 0.0], [1e9, 1e9]]
    engine = FuzzyKMeans(3, scale="none", fuzzifier=1.01, init=start).fit(table)
    np.testing.assert_array_equal(engine.centers_[-1], start[-1])
    assert np.abs(engine.centers_[:2]).max() < 2

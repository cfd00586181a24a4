"""Competitive K-means against MacQueen's algorithm written out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.estimator_checks import parametrize_with_checks

from rsclass.core import kernels
from rsclass.core.sampling import place_keys
from rsclass.engines.competitive import CompetitiveKMeans
from rsclass.engines.kmeans import KMeans


@parametrize_with_checks([CompetitiveKMeans(n_classes=3)])
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def in_the_order_shown(image: np.ndarray, seed: int, epoch: int) -> np.ndarray:
    rows, cols = np.indices(image.shape[1:])
    keys = place_keys(rows.ravel(), cols.ravel(), seed * 2**20 + epoch)
    return image.reshape(len(image), -1).T[np.argsort(keys)].astype(float)


def test_with_one_over_the_wins_it_is_macqueens_k_means():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 500, (3, 20, 30)).astype(np.uint16)
    start = rng.uniform(0, 500, (4, 3))
    engine = CompetitiveKMeans(
        4, scale="none", sample=None, init=start, epochs=2, tolerance=0, random_state=3
    ).fit(image)
    centers: list[np.ndarray] = list(start)
    members: list[list[np.ndarray]] = [[] for _ in start]
    for epoch in (1, 2):
        for x in in_the_order_shown(image, 3, epoch):
            k = int(np.argmin([((x - c) ** 2).sum() for c in centers]))
            members[k].append(x)
            centers[k] = np.mean(members[k], axis=0)
    expected = np.array(sorted(centers, key=np.mean))
    np.testing.assert_allclose(engine.centers_, expected, rtol=1e-10)


def test_a_constant_rate_pulls_the_winner_by_that_share():
    weights, wins = np.array([[0.0, 0.0], [10.0, 10.0]]), np.zeros(2, np.int64)
    kernels.compete(np.array([[1.0, 3.0], [8.0, 8.0]]), 0.25, weights, wins)
    np.testing.assert_allclose(weights, [[0.25, 0.75], [9.5, 9.5]])
    assert wins.tolist() == [1, 1]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 5))
def test_the_unit_that_answers_most_is_the_nearest(seed, n_units, n_bands):
    """A bias of minus half the squared length makes the largest dot product the nearest center."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(n_units, n_bands))
    x = rng.normal(size=(1, n_bands))
    nearest = int(((weights - x) ** 2).sum(axis=1).argmin())
    wins = np.zeros(n_units, np.int64)
    kernels.compete(x, 0.5, weights, wins)
    assert wins.nonzero()[0].tolist() == [nearest]


def test_a_unit_that_never_wins_starts_anew_in_the_largest_class():
    rng = np.random.default_rng(1)
    table = np.concatenate([rng.normal(0, 1, (2000, 2)), rng.normal(8, 1, (2000, 2))])
    dead = np.array([[4.0, 4.0], [500.0, 500.0]])
    engine = CompetitiveKMeans(2, scale="none", init=dead).fit(table)
    assert engine.history_[0]["restarted"] == [1]
    np.testing.assert_allclose(engine.centers_, [[0, 0], [8, 8]], atol=0.1)


def test_ends_near_k_means():
    rng = np.random.default_rng(2)
    table = np.concatenate([rng.normal(m, 1.0, (3000, 4)) for m in (0, 2, 5, 9)])
    batch = KMeans(4, scale="none").fit(table)
    online = CompetitiveKMeans(4, scale="none").fit(table)
    # The pixels' own deviation is 1; means that still carry the first epoch differ by little.
    np.testing.assert_allclose(online.centers_, batch.centers_, atol=0.1)
    assert online.inertia_ <= batch.inertia_ * 1.01


def test_a_rate_above_one_is_refused():
    with pytest.raises(ValueError, match=r"rate is 1\.5; it must be between"):
        CompetitiveKMeans(2, rate=1.5).fit(np.zeros((4, 2)))

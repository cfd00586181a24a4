"""K-means in memory against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from rsclass.core.lloyd import best_of, lloyd, nearest, plus_plus


@pytest.fixture
def table() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(m, 1.0, (400, 3)) for m in (0, 4, 9)])


@pytest.mark.parametrize("n_passes", [1, 3, 100])
def test_from_the_same_start_reaches_the_same_centers_as_scikit_learn(table, n_passes):
    start = table[[0, 1, 400, 401, 800]]
    centers, labels, inertia = lloyd(table, start, n_passes)
    theirs = KMeans(5, init=start, n_init=1, tol=0, max_iter=n_passes, algorithm="lloyd")
    theirs.fit(table)
    np.testing.assert_allclose(centers, theirs.cluster_centers_, rtol=1e-10)
    np.testing.assert_array_equal(labels, theirs.labels_)
    assert inertia == pytest.approx(theirs.inertia_, rel=1e-10)


def test_a_tolerance_stops_earlier(table):
    start = table[:5]
    settled, _, _ = lloyd(table, start, 100)
    early, _, _ = lloyd(table, start, 100, tolerance=1e9)
    once, _, _ = lloyd(table, start, 1)
    np.testing.assert_array_equal(early, once)
    assert not np.array_equal(early, settled)


def test_a_center_without_pixels_stays(table):
    start = np.array([[0.0, 0, 0], [1e6, 1e6, 1e6]])
    centers, labels, _ = lloyd(table, start)
    np.testing.assert_array_equal(centers[1], start[1])
    assert (labels == 0).all()


def test_the_given_start_is_left_as_it_was(table):
    start = table[:3].copy()
    lloyd(table, start)
    np.testing.assert_array_equal(start, table[:3])


def test_nearest_is_the_smallest_of_all_distances(table):
    centers = table[::100]
    labels, distance2 = nearest(table, centers)
    every = ((table[:, None] - centers) ** 2).sum(axis=2)
    np.testing.assert_array_equal(labels, every.argmin(axis=1))
    np.testing.assert_allclose(distance2, every.min(axis=1), rtol=1e-12)


def test_starts_are_different_pixels(table):
    centers = plus_plus(table, 9, np.random.default_rng(0))
    assert len(np.unique(centers, axis=0)) == 9
    pixels = {tuple(row) for row in table}
    assert all(tuple(center) in pixels for center in centers)


def test_starts_are_no_more_than_the_different_pixels():
    table = np.repeat([[0.0], [1.0], [5.0]], 20, axis=0)
    centers = plus_plus(table, 8, np.random.default_rng(0))
    assert sorted(centers.ravel()) == [0, 1, 5]


def test_far_groups_each_get_a_start(table):
    far = np.concatenate([table + 1000 * k for k in range(3)])
    for seed in range(20):
        centers = plus_plus(far, 3, np.random.default_rng(seed))
        assert sorted(np.rint(centers.mean(axis=1) / 1000).astype(int).tolist()) == [0, 1, 2]


def test_the_best_of_several_starts_is_level_with_ten_of_scikit_learn(table):
    centers = best_of(table, 6, seed=0, restarts=8)
    _, distance2 = nearest(table, centers)
    theirs = KMeans(6, n_init=10, random_state=0).fit(table)
    # Both may end in a local optimum; on this table those lie more than a percent apart.
    assert distance2.sum() <= theirs.inertia_ * 1.01


def test_more_starts_are_never_worse(table):
    inertia = [nearest(table, best_of(table, 7, 3, n))[1].sum() for n in (1, 2, 4, 8)]
    assert inertia == sorted(inertia, reverse=True)

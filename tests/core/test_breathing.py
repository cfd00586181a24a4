"""Breathing: inertia against scikit-learn's many starts, errors against plain sums."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from rsclass.core import kernels
from rsclass.core.breathing import breathe
from rsclass.core.lloyd import lloyd


def blobs(n_groups: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles = rng.uniform(-40, 40, (n_groups, 3))
    return rng.normal(middles[rng.integers(0, n_groups, 6000)], 1.0)


@pytest.mark.parametrize("seed", range(4))
def test_centers_that_start_in_one_place_find_their_way_to_the_best_of_many_starts(seed):
    table = blobs(12, seed)
    start = table[:12] * 0.01
    found = breathe(table, start, np.random.default_rng(0))
    inertia = lloyd(table, found, 50)[2]
    best = KMeans(12, n_init=10, random_state=0).fit(table).inertia_
    assert inertia < lloyd(table, start, 100)[2]
    assert inertia <= best * 1.005


def test_centers_are_as_many_as_before_and_never_worse():
    table = np.random.default_rng(1).normal(size=(3000, 4))
    for n in (1, 2, 3, 7):
        start = table[:n].copy()
        found = breathe(table, start, np.random.default_rng(0))
        assert found.shape == (n, 4)
        assert lloyd(table, found, 1)[2] <= lloyd(table, start, 10)[2]


def test_errors_are_the_distances_to_the_nearest_and_to_the_second_center():
    rng = np.random.default_rng(2)
    table, centers = rng.normal(size=(1300, 5)), rng.normal(size=(6, 5))
    error, loss = np.zeros(6), np.zeros(6)
    kernels.errors(np.ascontiguousarray(table.T), centers, error, loss)
    d = ((table[:, None] - centers) ** 2).sum(axis=2)
    first, second = np.sort(d, axis=1)[:, :2].T
    own = d.argmin(axis=1)
    np.testing.assert_allclose(error, np.bincount(own, first, 6))
    np.testing.assert_allclose(loss, np.bincount(own, second - first, 6))


def test_pixels_that_all_lie_on_centers_end_it():
    table = np.repeat(np.eye(3), 5, axis=0)
    np.testing.assert_array_equal(breathe(table, np.eye(3), np.random.default_rng(0)), np.eye(3))

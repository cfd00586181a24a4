"""Migrating means against scikit-learn's Lloyd from the same means."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans as Reference
from sklearn.utils.estimator_checks import parametrize_with_checks

from rsclass.core import starts
from rsclass.engines.migrating import MigratingMeans


@pytest.fixture
def groups() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(m, 1.0, (800, 4)) for m in (0, 2, 4, 6)])


@parametrize_with_checks([MigratingMeans(n_classes=3)])
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.parametrize("start", ["diagonal", "principal"])
def test_is_lloyd_stopped_at_the_same_pass(groups, start):
    engine = MigratingMeans(5, scale="none", start=start).fit(groups)
    line = starts.diagonal if start == "diagonal" else starts.principal
    reference = Reference(
        5, init=line(groups, 5), n_init=1, tol=0, max_iter=engine.n_iter_, algorithm="lloyd"
    )
    reference.fit(groups)
    expected = reference.cluster_centers_[np.argsort(reference.cluster_centers_.mean(axis=1))]
    np.testing.assert_allclose(engine.centers_, expected, rtol=1e-10)


@pytest.mark.parametrize("unchanged", [80.0, 95.0, 100.0])
def test_stops_at_the_first_pass_in_which_so_many_pixels_stay(groups, unchanged):
    engine = MigratingMeans(5, scale="none", unchanged=unchanged).fit(groups)
    centers = starts.diagonal(groups, 5)
    before = np.full(len(groups), -1)
    for n_passes in range(1, 100):
        labels = ((groups[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
        stayed = 100 * (labels == before).mean()
        assert engine.history_[n_passes - 1]["unchanged"] == pytest.approx(stayed)
        if stayed >= unchanged:
            break
        centers = np.array([groups[labels == k].mean(axis=0) for k in range(5)])
        before = labels
    assert engine.n_iter_ == n_passes


def test_means_start_evenly_between_mean_minus_and_plus_reach_deviations(groups):
    found = starts.diagonal(groups, 5, reach=2)
    mean, std = groups.mean(axis=0), groups.std(axis=0)
    np.testing.assert_allclose(found, [mean + t * std for t in (-2, -1, 0, 1, 2)])
    np.testing.assert_allclose(starts.diagonal(groups, 1), [mean])


def test_principal_axis_is_the_first_eigenvector_of_the_covariance(groups):
    centered = groups - groups.mean(axis=0)
    _, vectors = np.linalg.eigh(np.cov(centered, rowvar=False))
    expected = vectors[:, -1] * np.sign(vectors[:, -1].sum())
    np.testing.assert_allclose(starts.principal_axis(centered), expected, atol=1e-8)


def test_means_start_along_the_principal_axis_within_its_deviation():
    rng = np.random.default_rng(1)
    along = rng.normal(0, 5, 4000)
    table = np.stack([along, -along], axis=1) + rng.normal(0, 0.1, (4000, 2))
    found = starts.principal(table, 3)
    ends = np.linalg.norm(found[2] - found[0])
    assert ends == pytest.approx(2 * np.sqrt(2) * along.std(), rel=0.01)


def test_the_seed_changes_nothing_when_every_pixel_is_used(groups):
    first, second = (
        MigratingMeans(4, sample=None, random_state=seed).fit(groups) for seed in (0, 9)
    )
    np.testing.assert_array_equal(first.centers_, second.centers_)


def test_means_that_no_pixel_is_nearest_to_are_dropped():
    table = np.repeat([[0.0], [10.0]], 50, axis=0)
    engine = MigratingMeans(4).fit(table)
    np.testing.assert_allclose(engine.centers_.ravel(), [0, 10], atol=1e-12)
    assert "4 classes were asked for and 2 found" in engine.warnings_[-1]

"""Signatures of joined classes."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.pooling import pooled
from rsclass.core.stats import ClassStats
from rsclass.core.transitions import Transitions
from rsclass.core.types import Band

BANDS = (Band("a"), Band("b"), Band("c"))


def described(groups: list[np.ndarray]) -> ClassStats:
    """Of pixel tables, by numpy; NaN where it cannot be told."""
    mean = [g.mean(axis=0) if len(g) else np.full(3, np.nan) for g in groups]
    spread = [np.cov(g.T) if len(g) > 1 else np.full((3, 3), np.nan) for g in groups]
    count = np.array([len(g) for g in groups], dtype=np.int64)
    return ClassStats(BANDS, count, np.array(mean), np.array(spread))


@pytest.fixture
def groups() -> list[np.ndarray]:
    """Classes of many, few, one and no pixels, far from zero."""
    rng = np.random.default_rng(8)
    return [rng.normal(50_000 + 10 * i, 2, (n, 3)) for i, n in enumerate((400, 7, 1, 0, 60))]


def test_joined_classes_have_the_moments_of_all_their_pixels(groups):
    old = np.repeat([1, 2, 3, 5], [400, 7, 1, 60]).astype(np.int32)
    new = np.array([0, 9, 9, 9, 4, 4], dtype=np.int32)[old]
    found = pooled(described(groups), (1, 2, 3, 4, 5), Transitions.of(old, new), (4, 9))
    expected = described([groups[4], np.concatenate(groups[:3])])
    np.testing.assert_array_equal(found.count, expected.count)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-12)
    # Variances of about 4 around 50,000: nine of sixteen digits are the mean's.
    np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-7, atol=1e-7)


def test_a_part_of_a_class_counts_as_typical_of_it(groups):
    old = np.repeat([1, 5], [400, 60]).astype(np.int32)
    new = old.copy()
    new[:100] = 5
    found = pooled(described([groups[0], groups[4]]), (1, 5), Transitions.of(old, new), (1, 5))
    first, second = groups[0].mean(axis=0), groups[4].mean(axis=0)
    np.testing.assert_allclose(found.mean[0], first)
    np.testing.assert_allclose(found.mean[1], (100 * first + 60 * second) / 160)
    assert found.count.tolist() == [300, 160]


def test_classes_of_one_pixel_or_none_have_no_spread(groups):
    old = np.array([3], dtype=np.int32)
    found = pooled(described(groups), (1, 2, 3, 4, 5), Transitions.of(old, old), (3, 4))
    np.testing.assert_allclose(found.mean[0], groups[2][0])
    assert np.isnan(found.covariance).all()
    assert np.isnan(found.mean[1]).all()

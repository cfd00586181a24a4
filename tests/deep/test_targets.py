from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare
from sklearn.metrics import normalized_mutual_info_score

from rsclass.deep import targets


def labels_of(sizes):
    return np.repeat(np.arange(len(sizes)), sizes).astype(np.int32)


def test_initial_labels_are_uniform():
    labels = targets.random_labels(20_000, 10, np.random.default_rng(0))
    assert labels.min() == 0
    assert labels.max() == 9
    assert chisquare(np.bincount(labels)).pvalue > 0.001


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([8, 0, 0], [2, 4, 2]),
        ([5, 0, 1], [2, 3, 1]),
        ([0, 9, 0, 3], [2, 4, 3, 3]),
        ([3, 0, 3], [1, 2, 3]),
        ([7, 0, 0, 0], [1, 2, 2, 2]),
        ([1, 1, 0], [1, 1, 0]),
    ],
)
def test_empty_classes_take_half_of_the_largest(sizes, expected):
    labels = labels_of(sizes)
    before = labels.copy()
    moved = targets.split_into_empty(labels, len(sizes), np.random.default_rng(1))
    assert targets.histogram(labels, len(sizes)).tolist() == expected
    assert sum(expected) == sum(sizes)
    assert moved >= (before != labels).sum()


def test_pixels_that_take_no_part_are_never_moved():
    labels = np.array([-1, 0, 0, -1, 0, 0], dtype=np.int32)
    targets.split_into_empty(labels, 3, np.random.default_rng(1))
    assert labels[[0, 3]].tolist() == [-1, -1]
    assert targets.histogram(labels, 3).sum() == 4


def test_the_published_example_of_the_quota_sampler():
    # N = 10, K = 3, sizes 8, 1, 1: quota 4, so class 0 gives 4 different members
    labels = labels_of([8, 1, 1])
    for seed in range(20):
        drawn = targets.quota_draws(labels, 3, np.random.default_rng(seed))
        assert len(drawn) == 10
        of_first = drawn[labels[drawn] == 0]
        assert len(of_first) == len(set(of_first.tolist())) <= 4
        assert (drawn == 8).sum() <= 4
        assert (drawn == 9).sum() <= 4
        assert (drawn >= 8).sum() + len(of_first) == 10


def test_a_class_of_exactly_the_quota_is_drawn_with_replacement():
    labels = labels_of([6, 2, 1])  # quota 4
    labels = np.concatenate([labels, labels_of([0, 2, 1])])  # 6, 4, 2: quota 12 // 3 + 1 = 5
    labels = np.append(labels, 1).astype(np.int32)  # class 1 has 5 of 13, the quota is 5
    repeated = False
    for seed in range(20):
        drawn = targets.quota_draws(labels, 3, np.random.default_rng(seed))
        of_second = drawn[labels[drawn] == 1]
        repeated |= len(of_second) != len(set(of_second.tolist()))
    assert repeated


def test_weights_stand_in_for_uniform_sampling_over_classes():
    counts = np.array([900, 90, 300])
    weight = targets.class_weights(counts, 1.0)
    np.testing.assert_allclose(weight * counts, (weight * counts)[0], rtol=1e-6)
    np.testing.assert_allclose((weight * counts).sum(), counts.sum(), rtol=1e-6)


def test_weights_are_one_without_balance_and_never_above_twenty():
    assert targets.class_weights(np.array([5, 500]), 0.0).tolist() == [1, 1]
    assert targets.class_weights(np.array([1, 10**6, 10**6]), 1.0).max() == 20


def test_nmi_is_that_of_scikit_learn():
    rng = np.random.default_rng(2)
    a = rng.integers(0, 6, 500).astype(np.int32)
    b = np.where(rng.random(500) < 0.6, a, rng.integers(0, 6, 500)).astype(np.int32)
    np.testing.assert_allclose(targets.nmi(a, b, 6), normalized_mutual_info_score(a, b), rtol=1e-9)
    assert targets.nmi(a * 0, a * 0, 6) == 1

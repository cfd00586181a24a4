from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from rsclass.core.tree import class_tree, grouped_ward, merge_losses, ward


def sum_of_squares(X, labels):
    return sum(
        ((X[labels == c] - X[labels == c].mean(axis=0)) ** 2).sum() for c in np.unique(labels)
    )


def test_equal_sizes_give_the_tree_of_scipy():
    means = np.random.default_rng(3).normal(size=(25, 4))
    tree = ward(np.ones(25), means)
    expected = linkage(means, "ward")
    np.testing.assert_array_equal(tree.merges, expected[:, :2].astype(int))
    # scipy's height is the square root of twice the increase
    np.testing.assert_allclose(np.sqrt(2 * tree.costs), expected[:, 2], rtol=1e-9)


@pytest.mark.parametrize("k", [1, 2, 5, 12, 25])
def test_a_cut_is_the_partition_of_scipy(k):
    means = np.random.default_rng(4).normal(size=(25, 3))
    ours = ward(np.ones(25), means).cut(k)
    theirs = fcluster(linkage(means, "ward"), k, "maxclust")
    assert len(np.unique(ours)) == k
    assert len({*zip(ours.tolist(), theirs.tolist(), strict=True)}) == k


def test_a_cost_is_the_increase_of_the_sum_of_squares_of_the_pixels():
    rng = np.random.default_rng(5)
    labels = np.repeat(np.arange(9), rng.integers(1, 40, 9))
    X = rng.normal(size=(len(labels), 3)) + rng.normal(0, 2, (9, 3))[labels]
    means = np.stack([X[labels == c].mean(axis=0) for c in range(9)])
    tree = ward(np.bincount(labels), means)
    totals = [sum_of_squares(X, tree.cut(k)[labels]) for k in range(9, 0, -1)]
    np.testing.assert_allclose(np.diff(totals), tree.costs, rtol=1e-9)


def test_equal_costs_merge_the_lowest_pair_first():
    tree = ward(np.ones(4), np.array([[0.0], [1.0], [10.0], [11.0]]))
    assert tree.merges.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert tree.cut(2).tolist() == [0, 0, 1, 1]


def test_one_leaf_is_a_tree():
    tree = ward(np.array([7]), np.zeros((1, 2)))
    assert tree.cut(1).tolist() == [0]


@pytest.mark.parametrize("k", [0, 4])
def test_an_impossible_cut_is_refused(k):
    with pytest.raises(ValueError, match="no cut"):
        ward(np.ones(3), np.arange(3.0)[:, None]).cut(k)


def test_the_tree_of_classes_is_that_of_their_standardized_pixels():
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(8), rng.integers(1, 50, 8))
    X = (rng.normal(size=(len(labels), 3)) + rng.normal(0, 2, (8, 3))[labels]) * [1, 1e-4, 900]
    groups = [X[labels == c] for c in range(8)]
    mean = np.stack([group.mean(axis=0) for group in groups])
    variance = np.stack(
        [group.var(axis=0, ddof=1) if len(group) > 1 else np.full(3, np.nan) for group in groups]
    )
    tree = class_tree(np.bincount(labels), mean, variance)
    standardized = (X - X.mean(axis=0)) / X.std(axis=0)
    totals = [sum_of_squares(standardized, tree.cut(k)[labels]) for k in range(8, 0, -1)]
    np.testing.assert_allclose(np.diff(totals), tree.costs, rtol=1e-9)


def test_the_loss_of_a_merger_is_its_part_of_what_lies_between_all_classes():
    rng = np.random.default_rng(9)
    count = rng.integers(2, 90, 6)
    mean, variance = rng.normal(size=(6, 3)), rng.uniform(0.1, 1, (6, 3))
    losses = merge_losses(count, mean, variance)
    tree = class_tree(count, mean, variance)
    assert losses[tuple(tree.merges[0])] == pytest.approx(tree.costs[0] / tree.costs.sum())
    assert np.unravel_index(np.argmin(losses + np.eye(6)), (6, 6)) == tuple(tree.merges[0])
    np.testing.assert_allclose(losses, losses.T, rtol=1e-12)
    assert merge_losses(count[:2], mean[:2], variance[:2])[0, 1] == pytest.approx(1.0)


def test_merges_within_groups_come_before_those_of_groups_and_cost_what_ward_costs():
    rng = np.random.default_rng(5)
    counts, means = rng.integers(1, 50, 9), rng.normal(size=(9, 3))
    group = np.array([0, 1, 2, 0, 1, 2, 2, 0, 0])
    tree = grouped_ward(counts, means, group)
    cut = tree.cut(3)
    assert all(len(np.unique(cut[group == g])) == 1 for g in range(3))
    assert len(np.unique(cut)) == 3
    # what merges cost adds up to the sum of squares between all classes, however they merge
    middle = np.average(means, axis=0, weights=counts)
    between = (counts[:, None] * (means - middle) ** 2).sum()
    assert tree.costs.sum() == pytest.approx(between)
    assert (tree.merges[:, 0] < tree.merges[:, 1]).all()


def test_one_group_or_a_group_for_each_class_is_plain_ward():
    rng = np.random.default_rng(6)
    counts, means = rng.integers(1, 50, 6), rng.normal(size=(6, 2))
    plain = ward(counts, means)
    for group in (np.zeros(6, dtype=int), np.arange(6)):
        tree = grouped_ward(counts, means, group)
        assert np.array_equal(tree.merges, plain.merges)
        assert tree.costs == pytest.approx(plain.costs)

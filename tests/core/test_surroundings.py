from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.surroundings import (
    STEP,
    mutual_information,
    neighbor_pairs,
    spatial_merge,
)
from rsclass.core.tree import ward
from rsclass.core.types import Window


@pytest.fixture
def labels():
    rng = np.random.default_rng(3)
    return np.repeat(np.repeat(rng.integers(-1, 5, (9, 12)), 3, 0), 3, 1).astype(np.int32)


def count_pairs(labels, n):
    """Pairs by slices of the whole image."""
    height, width = labels.shape
    counts = np.zeros((n, n), dtype=np.int64)
    for down, right in ((0, 2), (2, 0), (2, 2), (2, -2)):
        here = labels[: height - down, max(-right, 0) : width - max(right, 0)]
        there = labels[down:, max(right, 0) : width + min(right, 0)]
        both = (here >= 0) & (there >= 0)
        np.add.at(counts, (here[both], there[both]), 1)
    return counts + counts.T


def test_pairs_are_those_two_pixels_apart(labels):
    whole = Window(0, 0, *labels.shape)
    np.testing.assert_array_equal(neighbor_pairs(labels, whole, whole, 5), count_pairs(labels, 5))


@pytest.mark.parametrize("side", [1, 5, 8, 13])
def test_pairs_of_tiles_add_up_to_those_of_the_scene(labels, side):
    height, width = labels.shape
    total = np.zeros((5, 5), dtype=np.int64)
    for row in range(0, height, side):
        for col in range(0, width, side):
            core = Window(row, col, min(side, height - row), min(side, width - col))
            window = core.grow(STEP, height, width)
            part = labels[window.row : window.row_end, window.col : window.col_end]
            total += neighbor_pairs(part, window, core, 5)
    np.testing.assert_array_equal(total, count_pairs(labels, 5))


def test_information_of_a_checkerboard_and_of_independent_pixels():
    """Closed forms: ln 2 where the neighbor is known, 0 where nothing is."""
    assert mutual_information(np.array([[0, 50], [50, 0]])) == pytest.approx(np.log(2))
    shares = np.array([3, 5, 2])
    assert mutual_information(np.outer(shares, shares)) == pytest.approx(0, abs=1e-12)


def merged(pairs, i, j):
    keep = [k for k in range(len(pairs)) if k != j]
    joined = pairs.copy()
    joined[i] += joined[j]
    joined[:, i] += joined[:, j]
    return joined[np.ix_(keep, keep)]


def brute_force(counts, means, pairs, share):
    """Every step tries every pair and forms the information anew."""
    size, center = counts.astype(float), means.copy()
    node = list(range(len(size)))
    middle = (size[:, None] * center).sum(0) / size.sum()
    between = (size[:, None] * (center - middle) ** 2).sum()
    start = mutual_information(pairs)
    merges, costs = [], []
    for step in range(len(counts) - 1):
        now = mutual_information(pairs)
        best = None
        for i in range(len(size)):
            for j in range(i + 1, len(size)):
                growth = size[i] * size[j] / (size[i] + size[j])
                growth *= ((center[i] - center[j]) ** 2).sum() / between
                lost = (now - mutual_information(merged(pairs, i, j))) / start
                cost = (1 - share) * growth + share * lost
                if best is None or cost < best[0] - 1e-12:
                    best = cost, i, j
        cost, i, j = best
        merges.append(sorted((node[i], node[j])))
        costs.append(cost)
        pairs = merged(pairs, i, j)
        center[i] = (size[i] * center[i] + size[j] * center[j]) / (size[i] + size[j])
        size[i] += size[j]
        node[i] = len(counts) + step
        size, center = np.delete(size, j), np.delete(center, j, 0)
        del node[j]
    return np.array(merges), np.array(costs)


@pytest.mark.parametrize("share", [0.0, 0.2, 1.0])
def test_the_merge_takes_the_cheapest_pair_of_all(share):
    rng = np.random.default_rng(5)
    counts = rng.integers(5, 50, 9)
    means = rng.normal(size=(9, 3))
    pairs = rng.integers(0, 40, (9, 9))
    pairs = pairs + pairs.T
    tree = spatial_merge(counts, means, pairs, share)
    merges, costs = brute_force(counts, means, pairs, share)
    np.testing.assert_array_equal(tree.merges, merges)
    np.testing.assert_allclose(tree.costs, costs, rtol=1e-9, atol=1e-12)


def test_without_information_it_is_wards_merge():
    rng = np.random.default_rng(6)
    counts, means = rng.integers(5, 50, 12), rng.normal(size=(12, 4))
    tree = spatial_merge(counts, means, np.ones((12, 12), dtype=int), 0.0)
    np.testing.assert_array_equal(tree.merges, ward(counts, means).merges)


def test_classes_that_stand_in_for_each_other_are_merged_first():
    """0 and 1 are mixed like salt and pepper; 2 is closer to 0 in spectrum and stands apart."""
    pairs = np.array([[100, 100, 1], [100, 100, 1], [1, 1, 200]])
    means = np.array([[0.0], [2.0], [-1.5]])
    counts = np.array([100, 100, 100])
    assert ward(counts, means).merges[0].tolist() == [0, 2]
    assert spatial_merge(counts, means, pairs, 0.5).merges[0].tolist() == [0, 1]


def test_a_class_without_pixels_is_refused():
    with pytest.raises(ValueError, match="needs pixels"):
        spatial_merge(np.array([3, 0]), np.zeros((2, 1)), np.ones((2, 2)))

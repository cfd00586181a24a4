"""Probes on features of known structure."""

from __future__ import annotations

from math import erf, sqrt

import numpy as np
import pytest
from sklearn.metrics.cluster import contingency_matrix

from rsclass.core.probes import Fold, Probes, apart, cluster_table, probe_features


def two_clouds(n=2000, distance=2.0, dimensions=4, seed=0):
    """Two classes of spherical Gaussian features, half of them to teach and half to judge."""
    rng = np.random.default_rng(seed)
    classes = (np.arange(2 * n) % 2).astype(np.int32)
    features = rng.normal(size=(2 * n, dimensions))
    features[:, 0] += distance * classes
    half = Fold(np.arange(n), np.arange(n, 2 * n))
    return features, classes, half


def test_a_linear_probe_comes_near_the_best_that_is_possible() -> None:
    features, classes, half = two_clouds()
    score = probe_features(features, classes, [half], Probes())["linear"]
    best = (1 + erf(1 / sqrt(2))) / 2  # of two Gaussians that lie two deviations apart
    error = sqrt(best * (1 - best) / len(half.judged))
    assert abs(score.accuracy - best) < 3 * error
    assert score.deviation == 0


def test_neighbors_vote_as_in_a_loop_over_pixels() -> None:
    features, classes, half = two_clouds(n=150)
    scaled = (features - features[half.taught].mean(0)) / features[half.taught].std(0)
    right = 0
    for i in half.judged:
        near = np.argsort(((scaled[half.taught] - scaled[i]) ** 2).sum(axis=1))[:5]
        right += np.bincount(classes[half.taught][near]).argmax() == classes[i]
    score = probe_features(features, classes, [half], Probes())["neighbors"]
    assert score.accuracy == right / len(half.judged)


def test_prototypes_of_all_pixels_are_the_means_of_the_classes() -> None:
    features, classes, half = two_clouds(n=150)
    scaled = (features - features[half.taught].mean(0)) / features[half.taught].std(0)
    taught, judged = scaled[half.taught], scaled[half.judged]
    means = [taught[classes[half.taught] == c].mean(axis=0) for c in (0, 1)]
    nearest = np.argmin([((judged - mean) ** 2).sum(axis=1) for mean in means], axis=0)
    score = probe_features(features, classes, [half], Probes(shots=(1000,)))["shots_1000"]
    assert score.accuracy == (nearest == classes[half.judged]).mean()
    assert score.deviation < 1e-12  # every draw is of all pixels


def test_more_shots_come_nearer_to_the_truth_and_agree_more() -> None:
    features, classes, half = two_clouds(distance=2.5)
    scores = probe_features(features, classes, [half], Probes(shots=(1, 10, 100), draws=20))
    one, ten, hundred = (scores[f"shots_{n}"] for n in (1, 10, 100))
    assert one.accuracy < ten.accuracy < hundred.accuracy
    assert one.deviation > ten.deviation > hundred.deviation


def test_features_that_tell_nothing_are_as_good_as_chance() -> None:
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 4, 4000).astype(np.int32)
    half = Fold(np.arange(2000), np.arange(2000, 4000))
    scores = probe_features(rng.normal(size=(4000, 6)), classes, [half], Probes())
    error = sqrt(0.25 * 0.75 / 2000)
    for name, score in scores.items():
        assert abs(score.accuracy - 0.25) < 4 * error, name


def test_units_and_constant_features_change_no_score() -> None:
    features, classes, half = two_clouds(n=200)
    other = np.column_stack([features * [1e4, 1, 1e-3, 7] + 300, np.full(len(features), 5.0)])
    first = probe_features(features, classes, [half], Probes())
    second = probe_features(other, classes, [half], Probes())
    for name, score in first.items():
        assert score.accuracy == pytest.approx(second[name].accuracy, abs=1 / 200), name


def test_recall_counts_every_class_alike() -> None:
    classes = np.array([0] * 90 + [1] * 10 + [0] * 90 + [1] * 10, dtype=np.int32)
    blind = np.zeros((200, 1))  # all that can be learned is which class is larger
    half = Fold(np.arange(100), np.arange(100, 200))
    score = probe_features(blind, classes, [half], Probes())["linear"]
    assert score.accuracy == 0.9
    assert score.recall == 0.5


def test_a_class_that_nothing_teaches_is_not_judged() -> None:
    features, classes, half = two_clouds(n=200, distance=20.0)
    classes[half.judged[:100]] = 2
    score = probe_features(features, classes, [half], Probes())["linear"]
    assert score.accuracy == 1


def test_pixels_that_teach_lie_beyond_the_reach_of_those_judged_and_no_others_are_lost() -> None:
    rng = np.random.default_rng(3)
    places = np.unique(rng.integers(0, 60, size=(700, 2)), axis=0)
    rows, cols = places.T
    fold_of = (rows // 20 * 3 + cols // 20) % 4
    folds = apart(rows, cols, fold_of, reach=6)
    assert len(folds) == 4
    for number, fold in enumerate(folds):
        np.testing.assert_array_equal(fold.judged, np.flatnonzero(fold_of == number))
        gap = np.abs(places[:, None] - places[fold.judged][None]).max(axis=2).min(axis=1)
        np.testing.assert_array_equal(fold.taught, np.flatnonzero(gap > 6))


def test_a_part_that_nothing_could_teach_is_left_out() -> None:
    rows, cols = np.zeros(10, dtype=np.int64), np.arange(10)
    assert apart(rows, cols, np.arange(10) // 5, reach=10) == []


def test_the_table_of_classes_and_clusters_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, 500).astype(np.int32)
    found = rng.integers(0, 5, 500)
    table = cluster_table(classes, found, 3, 5)
    np.testing.assert_array_equal(table, contingency_matrix(classes, found))
    found[::2] = -1
    assert cluster_table(classes, found, 3, 5).sum() == 250

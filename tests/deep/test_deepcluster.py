from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import normalize

from rsclass.core.lloyd import nearest
from rsclass.deep.centers import Whitening, clustered, drawn_start, refill
from rsclass.deep.features import features_of
from rsclass.deep.infer import Forward
from rsclass.deep.loop import Run
from rsclass.deep.objectives.deepcluster import DeepCluster
from rsclass.deep.shards import Shards


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6)) + 3


def test_features_are_whitened_as_by_scikit_learn_and_of_unit_length(table):
    ours = Whitening.of(table, 4)(table)
    theirs = normalize(PCA(4, whiten=True, svd_solver="full").fit_transform(table))
    signs = np.sign((ours * theirs).sum(axis=0))
    # our axes are rounded to nine digits
    np.testing.assert_allclose(ours, theirs * signs, atol=1e-6)


def test_axes_without_variance_are_dropped(table):
    flat = np.concatenate([table, np.full((500, 2), 7.0), table[:, :1]], axis=1)
    ours = Whitening.of(flat, 256)(flat)
    assert ours.shape == (500, 6)
    assert np.isfinite(ours).all()


def test_features_that_are_all_equal_are_whitened_to_zeros():
    assert not Whitening.of(np.full((20, 3), 2.0), 8)(np.full((20, 3), 2.0)).any()


def test_centers_are_those_of_scikit_learn_from_the_same_start(table):
    start = drawn_start(table, 5, np.random.default_rng(1))
    ours, filled = clustered(table, start, 20, np.random.default_rng(0))
    theirs = KMeans(5, init=start, n_init=1, max_iter=20, tol=0, algorithm="lloyd").fit(table)
    assert filled == 0
    np.testing.assert_allclose(ours, theirs.cluster_centers_, rtol=1e-9)


def test_an_empty_cluster_takes_points_of_another(table):
    start = np.concatenate([table[:3], np.full((2, 6), 1e6)])
    centers, filled = clustered(table, start, 20, np.random.default_rng(0))
    assert filled >= 2
    assert (np.bincount(nearest(table, centers)[0], minlength=5) > 0).all()


def test_the_moved_copies_lie_on_both_sides_of_the_donor():
    centers = np.array([[1.0, 2.0, -4.0], [0.0, 0.0, 0.0]])
    donor = centers[0].copy()
    assert refill(centers, np.array([9.0, 0.0]), np.random.default_rng(0)) == 1
    np.testing.assert_allclose((centers[0] + centers[1]) / 2, donor)
    assert (centers[0] != donor).all()
    np.testing.assert_allclose(centers[1], donor, rtol=0.001)


def test_tallies_add_up_to_the_same_centers_whoever_makes_them(table, monkeypatch):
    start = drawn_start(table, 5, np.random.default_rng(1))
    whole, _ = clustered(table, start, 5, np.random.default_rng(0))
    monkeypatch.setattr(sys.modules[clustered.__module__], "_ROWS", 128)
    parts, _ = clustered(table, start, 5, np.random.default_rng(0))
    asked = []

    def two_ranks(tally, slices):
        """Each makes every other tally, and all are gathered in their order."""
        asked.append(len(slices))
        made = {i: tally(slices[i]) for rank in (0, 1) for i in range(rank, len(slices), 2)}
        return [made[i] for i in range(len(slices))]

    shared, _ = clustered(table, start, 5, np.random.default_rng(0), two_ranks)
    assert asked == [4] * 5
    assert shared.tobytes() == parts.tobytes()
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


@pytest.mark.parametrize("patches", [True, False])
def test_the_classifier_starts_again_in_every_epoch_without_momentum(toy, patches):
    training = toy.training(
        clusters=4, epochs=3, samples=120, tiles=8, batch=60, learning_rate=1e-4
    )
    objective = DeepCluster(training, patches)
    net, jumps = toy.net(4), []
    with Shards(net, 1) as shards:
        run = Run(net, training, objective, shards)
        objective.open(run)
        for _ in range(3):
            before = net.classifier.weight.detach().clone()
            run.advance()
            jumps.append(float((net.classifier.weight.detach() - before).abs().max()))
        head = [g for g in run.optimizer.param_groups if g["momentum"] == 0]
    # a fresh start differs by some 0.03; steps of this rate by less than 0.001
    assert min(jumps) > 0.01
    assert [w is net.classifier.weight for w in head[0]["params"]] == [True, False]


def test_targets_are_the_clusters_of_the_features_at_the_start_of_the_epoch(toy):
    """Whitening, unit length and the best of many k-means runs by scikit-learn."""
    net = toy.net(4, seed=2)
    training = toy.training(clusters=4, epochs=1, samples=10**6, tiles=8)
    objective = DeepCluster(training, False)
    with Shards(net, 1) as shards:
        run = Run(net, training, objective, shards)
        objective.open(run)
        objective.begin(run)
    patches = toy.area.cut(toy.area.locate(toy.area.pixels), 1, 1)
    with torch.no_grad():
        features = toy.net(4, seed=2).eval().embed(torch.from_numpy(patches))[:, :, 0, 0].numpy()
    kept = features[:, features.var(axis=0) > 1e-6].astype(np.float64)
    rank = np.linalg.matrix_rank(np.cov(kept.T), tol=1e-6 * np.trace(np.cov(kept.T)))
    white = normalize(PCA(int(rank), whiten=True).fit_transform(kept))
    ours = objective.seeing.aims[0][toy.area.pixels]
    means = np.stack([white[ours == c].mean(axis=0) for c in range(4)])
    inertia = ((white - means[ours]) ** 2).sum()
    best = KMeans(4, n_init=10, random_state=0).fit(white).inertia_
    worst = ((white - white.mean(axis=0)) ** 2).sum()
    # one run of k-means from random rows, against the best of ten
    assert inertia < best + 0.3 * (worst - best)


def test_the_classifier_of_the_result_finds_the_nearest_center(toy):
    training = toy.training(clusters=7, epochs=1, samples=10**6, tiles=4)
    objective, trained = toy.learn(DeepCluster, training, False)
    counts = np.bincount(objective.labels, minlength=7)
    assert (counts > 0).all()
    with Shards(trained.net, 1) as shards:
        forward = Forward(trained.net, training.device)
        features = features_of(toy.area, forward, shards, toy.area.pixels)
    white = Whitening.of(features, 256)(features)
    means = np.stack([white[objective.labels == c].mean(axis=0) for c in range(7)])
    # rows belong to the center of largest cosine; the means of the rows are not quite the centers
    cosine = white @ normalize(means).T
    assert (cosine.argmax(axis=1) == objective.labels).mean() > 0.9


def test_four_textures_are_found(toy, textures):
    training = toy.training(
        clusters=4, epochs=4, tiles=24, batch=4, schedule="constant", samples=2000
    )
    objective, _ = toy.learn(DeepCluster, training, False)
    assert adjusted_rand_score(textures[1].ravel(), objective.labels) > 0.9

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import linprog
from sklearn.metrics import adjusted_rand_score

from rsclass.deep.loop import Run
from rsclass.deep.objectives.selflabel import (
    LAMBDA,
    SelfLabel,
    log_softmax,
    row_scales,
    update_epochs,
)
from rsclass.deep.shards import Shards


def transport(log_p):
    """The optimal plan (units, clusters) with equal marginals, as a linear program."""
    n, k = log_p.shape
    rows = np.kron(np.eye(n), np.ones(k))
    columns = np.kron(np.ones(n), np.eye(k))
    solved = linprog(
        -log_p.ravel(),
        A_eq=np.concatenate([rows, columns]),
        b_eq=np.concatenate([np.full(n, 1 / n), np.full(k, 1 / k)]),
        method="highs",
    )
    return solved.x.reshape(n, k)


@pytest.mark.parametrize(("n", "k", "seed"), [(6, 2, 0), (6, 3, 1), (12, 3, 2), (12, 4, 3)])
def test_labels_are_those_of_the_linear_program(n, k, seed):
    log_p = log_softmax(np.random.default_rng(seed).normal(size=(n, k)) * 2)
    plan = transport(log_p)
    assert np.isclose(plan, 1 / n).sum() == n  # each unit goes to one cluster whole
    scales = row_scales(log_p)
    np.testing.assert_array_equal((LAMBDA * log_p + scales).argmax(axis=1), plan.argmax(axis=1))


def test_the_scaled_plan_has_equal_marginals():
    log_p = log_softmax(np.random.default_rng(0).normal(size=(400, 5)))
    kernel = np.exp(LAMBDA * log_p + row_scales(log_p))
    plan = kernel / kernel.sum(axis=1, keepdims=True) / 400
    # the iteration stops when the scales of all units together change by a tenth
    np.testing.assert_allclose(plan.sum(axis=0), 1 / 5, rtol=0.02)


def test_labels_are_even_where_the_most_probable_are_not():
    rng = np.random.default_rng(0)
    log_p = log_softmax(rng.normal(size=(3000, 6)) + np.array([4, 0, 0, 0, 0, -4]))
    assert np.bincount(log_p.argmax(axis=1), minlength=6).max() > 2500
    counts = np.bincount((LAMBDA * log_p + row_scales(log_p)).argmax(axis=1), minlength=6)
    assert counts.min() > 450
    assert counts.max() < 550


def test_probabilities_of_zero_do_no_harm():
    log_p = log_softmax(np.array([[800.0, 0, 0], [800, 0, -900], [0, 800, 0]]))
    assert np.isfinite(row_scales(log_p)).all()


def test_log_softmax_is_the_logarithm_of_the_softmax():
    from scipy.special import log_softmax as theirs

    logits = np.random.default_rng(0).normal(size=(20, 4)) * 30
    np.testing.assert_allclose(log_softmax(logits), theirs(logits, axis=1), rtol=1e-12)


def test_labels_are_optimized_more_often_at_the_start():
    """(E + 1.01) u^2 of the published schedule: 400 epochs, 100 times."""
    found = sorted(update_epochs(400, 100))
    gaps = np.diff(found)
    assert found[0] == 0
    assert gaps[:10].mean() < 2 < 6 < gaps[-10:].mean()
    times = 401.01 * (np.arange(1, 100) / 99) ** 2
    assert set(found) == set(np.floor(times[times < 400]).astype(int))


@pytest.mark.parametrize("patches", [True, False])
def test_every_head_starts_with_even_labels_in_an_order_of_its_own(toy, patches):
    training = toy.training(clusters=5, epochs=1, samples=203, tiles=8, batch=50)
    objective, _ = toy.learn(SelfLabel, training, patches, 3, 2)
    fresh = SelfLabel(training, patches, 3, 2)
    net = toy.net(fresh.outputs)
    with Shards(net, 1) as shards:
        fresh.open(Run(net, training, fresh, shards))
    assert fresh.of_heads.shape == (3, fresh.seeing.units)
    for labels in fresh.of_heads:
        counts = np.bincount(labels[labels >= 0], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert (fresh.of_heads[0] != fresh.of_heads[1]).any()
    assert objective.outputs == 15


def test_the_cheapest_head_is_reported(toy):
    training = toy.training(clusters=4, epochs=4, tiles=8)
    objective = SelfLabel(training, False, 3, 4)
    net = toy.net(objective.outputs)
    objective.costs = np.array([3.0, 1.0, 2.0])
    kept = objective.result(net).arrays()["classifier.weight"]
    np.testing.assert_array_equal(kept, net.arrays()["classifier.weight"][4:8])


def test_four_textures_are_found(toy, textures):
    training = toy.training(clusters=4, epochs=8, tiles=16)
    objective, trained = toy.learn(SelfLabel, training, False, 2, 8)
    assert trained.net.shape.clusters == 4
    assert adjusted_rand_score(textures[1].ravel(), objective.labels) > 0.95
    counts = np.bincount(objective.labels)
    np.testing.assert_allclose(counts, counts.mean(), rtol=0.1)

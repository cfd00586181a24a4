from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.class_weight import compute_class_weight

from rsclass.deep.features import nearest_units
from rsclass.deep.objectives.scan import SCAN, confident_loss, scan_loss


def test_neighbors_are_those_of_scikit_learn():
    table = np.random.default_rng(0).normal(size=(2500, 7))
    ours = nearest_units(table, 6)
    finder = NearestNeighbors(n_neighbors=7, metric="cosine").fit(table)
    theirs = finder.kneighbors(table, return_distance=False)[:, 1:]
    # cosines of float32 may tie
    assert (np.sort(ours) == np.sort(theirs)).mean() > 0.999


def test_of_few_rows_all_others_are_neighbors():
    found = nearest_units(np.random.default_rng(0).normal(size=(4, 3)), 20)
    np.testing.assert_array_equal(np.sort(found), [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])


def test_the_loss_is_that_of_the_equation():
    rng = np.random.default_rng(0)
    a, b = rng.dirichlet(np.ones(4), (2, 10))
    alike = -np.mean(
        [np.log(sum(x * y for x, y in zip(p, q, strict=True))) for p, q in zip(a, b, strict=True)]
    )
    mean = a.mean(axis=0)
    expected = alike + 5 * (mean * np.log(mean)).sum()
    ours = scan_loss(torch.from_numpy(a), torch.from_numpy(b), 5.0).item()
    assert ours == pytest.approx(expected, rel=1e-9)


def test_sure_answers_are_labels_with_balanced_weights():
    rng = np.random.default_rng(0)
    weak, strong = rng.normal(size=(2, 40, 3)) * 4
    p = np.exp(weak) / np.exp(weak).sum(axis=1, keepdims=True)
    sure = p.max(axis=1) > 0.9
    label = p.argmax(axis=1)
    assert 5 < sure.sum() < 40
    weight = dict(
        zip(
            np.unique(label[sure]),
            compute_class_weight("balanced", classes=np.unique(label[sure]), y=label[sure]),
            strict=True,
        )
    )
    log_q = strong - np.log(np.exp(strong).sum(axis=1, keepdims=True))
    terms = [(-log_q[i, label[i]], weight[label[i]]) for i in np.flatnonzero(sure)]
    expected = sum(t * w for t, w in terms) / sum(w for _, w in terms)
    ours = confident_loss(torch.from_numpy(weak), torch.from_numpy(strong), 0.9).item()
    assert ours == pytest.approx(expected, rel=1e-9)


def test_weak_views_are_labels_and_learn_nothing():
    weak = torch.randn(30, 3, dtype=torch.float64) * 5
    strong = torch.randn(30, 3, dtype=torch.float64)
    weak.requires_grad_()
    strong.requires_grad_()
    slopes = torch.autograd.grad(confident_loss(weak, strong, 0.8), (weak, strong))
    assert not slopes[0].any()
    assert slopes[1].any()


def test_without_sure_answers_there_is_no_loss():
    even = torch.zeros(5, 3, requires_grad=True)
    loss = confident_loss(even, even, 0.99)
    assert loss.item() == 0
    assert not torch.autograd.grad(loss, even)[0].any()


@pytest.fixture
def how():
    return {
        "clusters": 4,
        "epochs": 9,
        "tiles": 16,
        "samples": 600,
        "patches": 128,
        "optimizer": "adam",
        "learning_rate": 0.005,
    }


def test_patches_come_first_and_tiles_in_the_last_epochs(toy, how):
    objective = SCAN(toy.training(**how), 20, 5.0, 3, 0.99)
    batches = objective.batches(0)
    drawn = np.concatenate([batch.units for batch in batches])
    np.testing.assert_array_equal(np.sort(drawn), np.arange(600))
    assert len(batches) == 5
    assert [len(objective.batches(epoch)) for epoch in (5, 6, 8)] == [5, 2, 2]


def test_four_textures_are_found(toy, textures, how):
    objective, trained = toy.learn(SCAN, toy.training(**how), 20, 5.0, 3, 0.99)
    assert adjusted_rand_score(textures[1].ravel(), objective.labels) > 0.95
    # sure answers are learned well; the entropy of four even classes is no part of that loss
    assert trained.history[-1]["loss"] < 0.3


def test_neighbors_are_kept_for_a_training_that_goes_on(toy, how):
    objective, _ = toy.learn(SCAN, toy.training(**how | {"epochs": 2}), 20, 5.0, 1, 0.99)
    card, arrays = objective.state()
    other = SCAN(toy.training(**how), 20, 5.0, 3, 0.99)
    other.restore(card, arrays)
    np.testing.assert_array_equal(other.near, objective.near)
    np.testing.assert_array_equal(other.labels, objective.labels)

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import adjusted_rand_score

from rsclass.deep.objectives.selfclassifier import SelfClassifier, uniform_prior_loss


def by_hand(first, second):
    """Row by row and class by class, as the equations say."""
    n, k = first.shape
    columns = softmax(first / 0.05, axis=0)
    rows = softmax(second / 0.1, axis=1)
    total = 0.0
    for i in range(n):
        for c in range(k):
            target = columns[i, c] / columns[i].sum()
            total -= target * np.log(n / k * rows[i, c] / rows[:, c].sum())
    return total / n


def test_the_loss_is_that_of_the_equations():
    rng = np.random.default_rng(0)
    first, second = rng.uniform(-0.5, 0.5, (2, 9, 4))
    ours = uniform_prior_loss(torch.from_numpy(first), torch.from_numpy(second)).item()
    assert ours == pytest.approx(by_hand(first, second), rel=1e-9)


def test_even_and_certain_answers_cost_nothing_and_equal_ones_the_logarithm():
    certain = torch.eye(4, dtype=torch.float64).repeat(5, 1)
    assert uniform_prior_loss(certain, certain).item() == pytest.approx(0, abs=1e-3)
    equal = torch.ones(20, 4, dtype=torch.float64)
    assert uniform_prior_loss(equal, equal).item() == pytest.approx(np.log(4))


def test_one_class_for_all_is_as_bad_as_no_answer():
    """The collapse that plain cross-entropy rewards."""
    collapsed = torch.zeros(20, 4, dtype=torch.float64)
    collapsed[:, 0] = 1
    assert uniform_prior_loss(collapsed, collapsed).item() == pytest.approx(np.log(4))


def test_gradients_reach_both_views():
    views = [torch.randn(12, 3, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    uniform_prior_loss(*views).backward()
    assert all(view.grad.abs().sum() > 0 for view in views)


def test_the_largest_logit_of_the_result_is_that_of_the_largest_cosine(toy):
    training = toy.training(clusters=5, epochs=2, tiles=8)
    objective = SelfClassifier(training)
    net = toy.net(5, seed=3)
    with torch.no_grad():
        net.classifier.weight.mul_(torch.linspace(1, 50, 5)[:, None, None, None])
    x = torch.randn(2, 3, 9, 9)
    net.eval()
    cosines = objective.answers(net, x)
    assert cosines.abs().max() <= 1 + 1e-5
    torch.testing.assert_close(objective.result(net).eval()(x).argmax(dim=1), cosines.argmax(dim=1))
    assert net.classifier.weight.norm(dim=1).max() > 10 * net.classifier.weight.norm(dim=1).min()


def test_four_textures_are_found(toy, textures):
    training = toy.training(clusters=4, epochs=6, tiles=16)
    objective, _ = toy.learn(SelfClassifier, training)
    assert adjusted_rand_score(textures[1].ravel(), objective.labels) > 0.95

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import mutual_info_score

from rsclass.deep.loop import train
from rsclass.deep.objectives.iic import IIC, information_loss, joint
from rsclass.deep.shards import Shards


def one_hot(labels, k):
    """Probabilities (tiles, k, h, w) of certain answers."""
    return torch.nn.functional.one_hot(torch.from_numpy(labels), k).permute(0, 3, 1, 2).double()


@pytest.fixture
def answers():
    rng = np.random.default_rng(0)
    first = rng.integers(0, 4, (3, 12, 10))
    return first, np.where(rng.random(first.shape) < 0.3, rng.integers(0, 4, first.shape), first)


@pytest.mark.parametrize("apart", [True, False])
def test_certain_answers_have_the_mutual_information_of_their_labels(answers, apart):
    first, second = answers
    p, q = one_hot(first, 4), one_hot(second, 4)
    both = np.concatenate([first.ravel(), second.ravel()])
    swapped = np.concatenate([second.ravel(), first.ravel()])
    expected = mutual_info_score(both, swapped)  # of the symmetrized joint distribution
    assert information_loss(joint(p, q, 0, apart)).item() == pytest.approx(-expected, rel=1e-9)


def test_displaced_answers_are_compared_with_their_neighbors(answers):
    first, second = answers
    p, q = one_hot(first, 4), one_hot(second, 4)
    together = joint(p, q, 1, True)
    pooled = joint(p, q, 1, False)
    assert together.shape == (9, 4, 4)
    number = 0
    total = np.zeros((4, 4))
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            counts = np.zeros((4, 4))
            for n in range(3):
                for r in range(12):
                    for c in range(10):
                        if 0 <= r + down < 12 and 0 <= c + right < 10:
                            counts[first[n, r, c], second[n, r + down, c + right]] += 1
            np.testing.assert_allclose(together[number], counts)
            total += counts
            number += 1
    np.testing.assert_allclose(pooled[0], total)
    each = [information_loss(t[None]).item() for t in together]
    assert information_loss(together).item() == pytest.approx(np.mean(each))


def test_pixels_that_take_no_part_count_nothing(answers):
    first, second = answers
    p, q = one_hot(first, 4), one_hot(second, 4)
    p[:, :, 4:, :] = 0
    q[:, :, 4:, :] = 0
    np.testing.assert_allclose(joint(p, q, 2, False), joint(p[:, :, :4], q[:, :, :4], 2, False))


def test_uniform_independent_answers_tell_nothing_and_equal_ones_all():
    even = torch.full((1, 4, 4), 1 / 16, dtype=torch.float64)
    same = torch.eye(4, dtype=torch.float64)[None] / 4
    assert information_loss(even).item() == pytest.approx(0, abs=1e-12)
    assert information_loss(same).item() == pytest.approx(-np.log(4), rel=1e-9)


def test_more_weight_of_the_entropy_prefers_even_clusters():
    """Closed form for the diagonal joint distribution: (1 - 2 w) H."""
    for shares in ([0.5, 0.5], [0.9, 0.1]):
        p = torch.tensor(shares, dtype=torch.float64)
        entropy = float(-(p * p.log()).sum())
        loss = information_loss(torch.diag(p)[None], 1.5).item()
        assert loss == pytest.approx((1 - 2 * 1.5) * entropy, rel=1e-6)


def test_heads_take_turns(toy):
    training = toy.training(still=True, clusters=4, epochs=1, tiles=8)
    objective = IIC(training, 7, (1.0, 1.5), 1, False)
    net = toy.net(objective.outputs)
    moved = []
    with Shards(net, 1) as shards:
        for batch in objective.batches(0) + objective.batches(0):
            for step in (0, 1):
                turn = type(batch)(batch.places, batch.units, (0, 2, step))
                objective.gradients(shards, turn)
                rows = net.classifier.weight.grad.abs().sum(dim=(1, 2, 3)) > 0
                moved.append((bool(rows[:4].any()), bool(rows[4:].any())))
    assert moved[:2] == [(False, True), (True, False)]


def test_without_change_and_reach_the_two_views_are_equal(toy):
    """The information of equal views is that of a labeling with itself, whatever the turns."""
    training = toy.training(clusters=4, epochs=1, tiles=8)
    view = type(training.view)(toy.scaling, gain=0, offset=0, band_gain=0, noise=0)
    training = type(training)(toy.area, view, training.recipe, 1, training.device, training.report)
    seen = []

    class Watched(IIC):
        def loss(self, first, second, usable, batch):
            seen.append((first.detach(), second.detach()))
            return super().loss(first, second, usable, batch)

    objective = Watched(training, 4, (1.0, 1.0), 0, False)
    # a network that sees one pixel: its answers turn with the tile
    net = toy.net(8)
    with torch.no_grad():
        net.embedding[0].weight[:, :8].zero_()
    with Shards(net, 1) as shards:
        objective.gradients(shards, objective.batches(0)[0])
    first, second = seen[0]
    torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-5)


def test_four_textures_are_found(toy, textures):
    training = toy.training(
        clusters=8, epochs=6, tiles=32, optimizer="adam", learning_rate=0.01, weight_decay=0.0
    )
    objective = IIC(training, 4, (1.0, 1.0), 1, False)
    trained = train(toy.net(objective.outputs, logit_norm=True), training, objective)
    assert trained.net.shape.clusters == 8
    # more clusters than textures: each lies in one of them
    of_texture = np.zeros((8, 4))
    np.add.at(of_texture, (objective.labels, textures[1].ravel()), 1)
    assert of_texture.max(axis=1).sum() / of_texture.sum() > 0.95
    assert (of_texture.max(axis=0) > 200).all()

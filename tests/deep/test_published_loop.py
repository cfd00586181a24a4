"""The published loop, rule by rule."""

from __future__ import annotations

import gc
import math

import numpy as np
import pytest
import torch

from rsclass.deep.nets import PixelNet
from rsclass.deep.objectives.uic import UIC
from rsclass.deep.recipe import Stream
from rsclass.deep.seeing import Patches
from rsclass.deep.shards import SHARDS


class Spy:
    """Records what every step of the paper's loop was given and gave back."""

    def __init__(self, monkeypatch):
        self.targets, self.seen, self.units, self.classifiers = [], [], [], []
        self.patches = 0
        gradients, forward = Patches.gradients, PixelNet.forward

        def spied(patches, shards, batch):
            self.classifiers.append(shards.net.classifier.weight.detach().clone())
            loss, seen = gradients(patches, shards, batch)
            self.targets.append(patches.aims[0, batch.units].copy())
            self.units.append(batch.units)
            self.seen.append(np.concatenate(seen))
            return loss, seen

        def counted(net, x):
            self.patches += len(x)
            return forward(net, x)

        monkeypatch.setattr(Patches, "gradients", spied)
        monkeypatch.setattr(PixelNet, "forward", counted)


def test_an_epoch_is_n_draws_in_as_few_steps_as_they_need(toy, monkeypatch):
    spy = Spy(monkeypatch)
    toy.published(clusters=5, epochs=3, samples=500, batch=64)
    assert len(spy.seen) == 3 * math.ceil(500 / 64)
    assert spy.patches == 3 * 500  # and not one forward more


@pytest.mark.parametrize(("samples", "batch"), [(101, 2), (9, 4), (3, 2), (2, 2), (65, 64)])
def test_no_step_is_left_with_a_single_patch(toy, monkeypatch, samples, batch):
    spy = Spy(monkeypatch)
    toy.published(clusters=2, epochs=2, samples=samples, batch=batch)
    assert min(len(seen) for seen in spy.seen) >= 2
    assert spy.patches == 2 * samples


def test_new_labels_are_what_the_network_saw_before_the_step(toy):
    untrained = toy.net(5, seed=3).train()
    training = toy.training(
        still=True,
        warmup=0,
        clusters=5,
        epochs=1,
        samples=400,
        batch=400,
        balance=0,
        learning_rate=5.0,
    )
    objective, trained = toy.learn(UIC, training, True, "random", "views", seed=3)
    moved = trained.net.arrays()["stem.weight"]
    assert not np.array_equal(moved, untrained.arrays()["stem.weight"])
    pixels = toy.area.draw_pixels(400, 0)
    expected = np.full(400, -1)
    order = training.recipe.rng(0, Stream.SETS).permutation(400)
    for part in np.array_split(np.arange(400), SHARDS):
        drawn = order[part]
        patches = torch.from_numpy(toy.area.cut(toy.area.locate(pixels[drawn]), 1, 1))
        expected[drawn] = untrained(patches)[:, :, 0, 0].argmax(dim=1).numpy()
    # training and this test may round logits in another way; ties are rare
    assert (objective.labels == expected).mean() > 0.98


def test_targets_are_the_labels_of_the_start_of_the_epoch(toy, monkeypatch):
    spy = Spy(monkeypatch)
    toy.published(clusters=5, epochs=1, samples=300, batch=20)
    start = np.random.default_rng([0, Stream.START]).integers(0, 5, 300, dtype=np.int32)
    drawn_twice_and_changed = 0
    seen_before: dict[int, int] = {}
    for units, target, seen in zip(spy.units, spy.targets, spy.seen, strict=True):
        np.testing.assert_array_equal(target, start[units])
        for unit, wanted, new in zip(units.tolist(), target.tolist(), seen.tolist(), strict=True):
            drawn_twice_and_changed += seen_before.get(unit, wanted) != wanted
            seen_before[unit] = new
    assert drawn_twice_and_changed > 0


def test_the_classifier_is_never_started_again(toy, monkeypatch):
    spy = Spy(monkeypatch)
    rate = 1e-4
    toy.published(clusters=5, epochs=4, samples=200, batch=50, learning_rate=rate)
    jumps = [
        float((b - a).abs().max())
        for a, b in zip(spy.classifiers[:-1], spy.classifiers[1:], strict=True)
    ]
    # a fresh start would jump by some 0.03; a step of this rate by no more than 0.001
    assert 0 < max(jumps) < 0.002


def test_no_table_of_features_is_kept(toy):
    n = 1_999
    shapes = set()

    def report(done, total, message):
        kinds = (torch.Tensor, torch.nn.Parameter)
        tensors = [t for t in gc.get_objects() if type(t) in kinds]
        shapes.update(tuple(t.shape) for t in tensors if t.ndim > 1)

    objective, _ = toy.published(report=report, clusters=5, epochs=1, samples=n, batch=1_000)
    assert shapes
    assert not [shape for shape in shapes if n in shape]
    assert objective.labels.shape == (n,)
    assert objective.labels.dtype == np.int32


def test_equal_views_without_balance_collapse_and_it_is_said(toy):
    objective, trained = toy.published(
        still=True, clusters=24, epochs=6, samples=600, batch=100, balance=0, learning_rate=1.0
    )
    sentence = objective.collapse(trained.history)
    assert sentence is not None
    assert "the network collapsed" in sentence
    assert "24 clusters" in sentence


@pytest.mark.parametrize(
    ("start", "end", "empty", "collapsed"),
    [(24, 20, 2, False), (24, 5, 12, True), (6, 5, 12, False), (1.5, 1, 23, True)],
)
def test_a_collapse_is_measured_against_the_start(toy, start, end, empty, collapsed):
    objective = UIC(toy.training(clusters=24), True, "random", "views")
    objective.start_entropy = math.log(start)
    sentence = objective.collapse([{"entropy": math.log(end), "empty": empty}])
    assert (sentence is not None) == collapsed

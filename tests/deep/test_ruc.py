from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rsclass.deep import targets
from rsclass.deep.loop import train
from rsclass.deep.objectives import ruc
from rsclass.deep.objectives.ruc import RUC
from rsclass.deep.shards import Shards


def noisy(truth, share, k, seed=0):
    """Labels of which a share is drawn at random among the other classes."""
    rng = np.random.default_rng(seed)
    labels = truth.astype(np.int32).copy()
    wrong = rng.permutation(len(labels))[: round(share * len(labels))]
    labels[wrong] = (labels[wrong] + rng.integers(1, k, len(wrong))) % k
    return labels


def test_labels_with_noise_become_cleaner(toy, textures):
    truth = textures[1].ravel()
    labels = noisy(truth, 0.3, 4)
    labels[~toy.area.usable] = -1
    recipe = {"clusters": 4, "epochs": 4, "samples": 400, "batch": 40, "learning_rate": 0.05}
    objective = RUC(toy.training(**recipe), labels)
    trained = train(toy.net(4), toy.training(**recipe), objective)
    with Shards(trained.net, 1) as shards:
        cleaned = objective.said(trained.net, shards).argmax(dim=1).numpy()
    right = truth[objective.pixels]
    before = (objective.start == right).mean()
    assert 0.6 < before < 0.8
    assert (cleaned == right).mean() > 0.95
    first = objective.start[objective.first_clean] == right[objective.first_clean]
    assert first.mean() > before + 0.1
    assert trained.history[0]["clean"] == pytest.approx(objective.first_clean.mean())


def test_cleaning_does_not_depend_on_the_number_of_threads(toy, textures):
    labels = noisy(textures[1].ravel(), 0.3, 4)
    results = []
    for jobs in (1, 3):
        training = toy.training(jobs=jobs, clusters=4, epochs=2, samples=120, batch=32)
        results.append(train(toy.net(4), training, RUC(training, labels)))
    one, three = results
    assert one.history == three.history
    few, many = one.net.arrays(), three.net.arrays()
    assert all(few[name].tobytes() == many[name].tobytes() for name in few)


def test_a_label_is_clean_where_network_and_neighbors_agree():
    labels = np.zeros(40, dtype=int)
    probability = np.full((40, 2), [0.9, 0.1])
    probability[:20] = [0.995, 0.005]
    around = np.where(np.arange(40) % 2, 0, 1)
    expected = (np.arange(40) < 20) & (np.arange(40) % 2 == 1)
    assert np.array_equal(ruc.clean_units(probability, labels, around), expected)


def test_no_cluster_is_lost_for_want_of_sure_members():
    labels = np.repeat([0, 1], 20)
    probability = np.where(labels[:, None] == [0, 1], 0.6, 0.4)
    probability[7] = [0.8, 0.2]
    around = np.where(np.arange(40) % 2, labels, 1 - labels)
    clean = ruc.clean_units(probability, labels, around)
    assert clean[:20].sum() == clean[20:].sum() == 2
    assert clean[7]
    assert (np.flatnonzero(clean) % 2 == 1).all()


def test_pixels_of_which_the_counterpart_is_sure_get_its_label(toy, monkeypatch):
    objective = RUC(toy.training(clusters=4, samples=8), np.zeros(toy.area.size, dtype=np.int32))
    both = objective.module(toy.net(4))
    of_second = torch.full((8, 4), 0.25)
    of_second[2] = torch.tensor([0.0, 0.995, 0.005, 0.0])
    of_second[3] = torch.tensor([0.0, 0.985, 0.015, 0.0])
    answers = {both.first: torch.full((8, 4), 0.25), both.second: of_second}
    monkeypatch.setattr(objective, "said", lambda net, shards: answers[net])
    objective.first_clean = np.arange(8) == 0
    with Shards(both, 1) as shards:
        objective.begin(SimpleNamespace(epoch=1, shards=shards, net=both.first))
    assert np.flatnonzero(objective.clean[0]).tolist() == [0, 2]
    assert np.flatnonzero(objective.clean[1]).tolist() == [0]
    assert objective.labels[0].tolist() == [0, 0, 1, 0, 0, 0, 0, 0]
    assert objective.labels[1].tolist() == [0] * 8
    assert objective.entry() == {"clean": 2 / 8, "relabelled": 1 / 8}


def test_neighbors_vote_without_the_pixel_itself():
    table = np.array([[1, 0], [1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [0.2, 1]], dtype=float)
    labels = np.array([1, 0, 0, 0, 1, 1])
    assert ruc.neighbors_label(table, labels, 2, k=2).tolist() == [0, 0, 0, 1, 0, 0]


def test_probabilities_are_sharpened_as_in_mixmatch():
    p = torch.tensor([[0.2, 0.3, 0.5]])
    expected = np.array([0.04, 0.09, 0.25]) / 0.38
    np.testing.assert_allclose(ruc.sharpened(p)[0], expected, rtol=1e-6)  # float32


def test_smoothed_labels_leave_half_to_the_others():
    hard = torch.tensor([[0.0, 1.0, 0.0]])
    assert ruc.smoothed_targets(hard).tolist() == [[0.25, 0.5, 0.25]]


def test_a_sure_counterpart_outweighs_the_label():
    hard, said = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.1, 0.9]])
    torch.testing.assert_close(ruc.corefined(hard, said), torch.tensor([[0.19, 0.81]]))


def test_a_mixed_sample_is_mostly_itself():
    x = torch.arange(3.0)[:, None, None, None].expand(3, 2, 1, 1)
    y = torch.eye(3)
    order, share = torch.tensor([1, 2, 0]), torch.tensor([0.2, 0.7, 0.5])
    inputs, wanted = ruc.mixed(x, y, order, share)
    torch.testing.assert_close(inputs[:, 0, 0, 0], torch.tensor([0.2, 1.3, 1.0]))
    expected = torch.tensor([[0.8, 0.2, 0.0], [0.0, 0.7, 0.3], [0.5, 0.0, 0.5]])
    torch.testing.assert_close(wanted, expected)


def test_a_step_sees_clean_pixels_with_labels_and_others_without(toy, textures):
    labels = textures[1].ravel().astype(np.int32)
    objective = RUC(toy.training(clusters=4, samples=100, batch=20), labels)
    objective.clean = np.stack([np.arange(100) < 50, np.arange(100) < 30])
    batches = objective.batches(0)
    assert len(batches) == 3
    for row, count in ((0, 50), (1, 30)):
        known = np.concatenate([batch.labelled[row] for batch in batches])
        others = np.concatenate([batch.unlabelled[row] for batch in batches])
        assert set(known) == set(range(count))
        assert (others >= count).all()
        assert np.ptp(targets.histogram(known.astype(np.int32), count)) <= 1

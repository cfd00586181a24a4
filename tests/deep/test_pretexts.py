from __future__ import annotations

import math
from itertools import combinations, pairwise

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from rsclass.deep.loop import train
from rsclass.deep.pretexts import simclr
from rsclass.deep.pretexts.catalogue import PRETEXTS, Lessons, pretrain
from rsclass.deep.pretexts.exemplar import Exemplar, with_edges
from rsclass.deep.pretexts.jigsaw import CORE, GAP, GRID, Jigsaw, far_permutations
from rsclass.deep.pretexts.moco import MoCo, Queue, info_nce
from rsclass.deep.pretexts.rotnet import RotNet
from rsclass.deep.pretexts.simclr import nt_xent
from rsclass.deep.shards import Shards
from rsclass.errors import DataError, StoppedError

FEW = {"rotnet": {}, "jigsaw": {"orders": 4}, "exemplar": {"exemplars": 16}, "simclr": {}}
FEW["moco"] = {"remembered": 128, "momentum": 0.9}


def ramps(side=48):
    """Teeth that rise to the south and fall off: they have an upright."""
    rng = np.random.default_rng(0)
    row, col = np.mgrid[:side, :side]
    teeth = (row + 0.3 * col) % 8
    return np.stack([teeth, 2 * teeth]) + rng.normal(0, 0.1, (2, side, side))


def hills(side=48):
    """A smooth field, in which neighbors are alike and places far apart are not."""
    field = gaussian_filter(np.random.default_rng(1).normal(size=(3, side, side)), (0, 5, 5))
    return field / field.std()


def learned(name, toy, epochs, patches, batch, jobs=1):
    """The pretext, the network and the history of a short training."""
    training = toy.training(jobs=jobs, clusters=4, epochs=epochs, tiles=patches, batch=batch)
    pretext = PRETEXTS[name](training, **FEW[name])
    trained = train(toy.net(4), training, pretext)
    return pretext, trained.net, trained.history


def asked(pretext, n):
    """Inputs and answers of ``n`` questions."""
    [batch] = pretext.batches(0)
    few = np.arange(n)
    inputs, answers = pretext.ask(
        batch.places.take(few), batch.units[few], np.random.default_rng(0)
    )
    return inputs.numpy(), answers


@pytest.fixture
def places(make_toy):
    """A scene whose two bands tell row and column."""
    toy = make_toy(np.mgrid[:48, :48].astype(float), receptive_field=3)
    return toy, toy.scaling.scale


def test_the_answer_of_rotnet_is_the_number_of_quarter_turns(toy):
    images, answers = asked(RotNet(toy.training(still=True, clusters=4, tiles=5)), 5)
    assert answers.tolist() == [0, 1, 2, 3] * 5
    for first in range(0, 20, 4):
        upright = images[first]
        assert not np.array_equal(upright, images[first + 2])
        for before, after in pairwise(images[first : first + 4]):
            # One quarter turn against the clock: the last column becomes the first row.
            np.testing.assert_array_equal(after, before.transpose(0, 2, 1)[:, ::-1])


def test_orders_of_pieces_are_as_far_apart_as_the_papers_algorithm_makes_them():
    orders = far_permutations(24, 3)
    assert len({tuple(order) for order in orders}) == 24
    assert (np.sort(orders, axis=1) == np.arange(9)).all()
    far = [
        sum(a != b for a, b in zip(one, two, strict=True)) for one, two in combinations(orders, 2)
    ]
    assert np.mean(far) > 8  # what orders drawn at random have
    # No order, of many drawn at random, would have been a better choice at any time.
    drawn = np.array([np.random.default_rng(i).permutation(9) for i in range(200)])
    for i in range(1, 24):
        earlier = orders[:i]
        chosen = (earlier != orders[i]).sum()
        others = (drawn[:, None, :] != earlier).sum(axis=(1, 2))
        known = (drawn[:, None, :] == earlier).all(axis=2).any(axis=1)
        assert chosen >= others[~known].max()


def test_the_first_two_orders_have_no_piece_in_common():
    first, second = far_permutations(2, 0)
    assert (first != second).all()


def test_pieces_of_a_jigsaw_lie_apart_in_the_cells_that_the_order_tells(places):
    toy, scale = places
    pretext = Jigsaw(toy.training(still=True, clusters=4, tiles=4), orders=8)
    inputs, answers = asked(pretext, 4)
    side = CORE + 2
    pieces = inputs.reshape(4, 9, 2, side, side) * scale[:, None, None]
    corners = pieces[:, :, :, 0, 0]
    for corner, answer in zip(corners, answers, strict=True):
        in_order = np.empty_like(corner)
        in_order[pretext.orders[answer]] = corner
        cells = in_order.reshape(GRID, GRID, 2)
        apart = np.diff(cells[:, :, 0], axis=0), np.diff(cells[:, :, 1], axis=1)
        for gaps in apart:
            # float32 inputs of up to 48 pixels
            assert (gaps > side - 1e-3).all()
            assert (gaps < side + 2 * GAP + 1e-3).all()


def test_a_scene_too_small_for_a_jigsaw_is_refused(make_toy):
    toy = make_toy(np.random.default_rng(0).normal(size=(2, 14, 40)), receptive_field=5)
    with pytest.raises(DataError, match="17 pixels are needed, and a side of the scene has 14"):
        Jigsaw(toy.training(clusters=4))


def test_exemplars_are_drawn_where_there_are_edges(make_toy):
    values = np.zeros((1, 40, 80))
    values[:, :, 40:] = np.random.default_rng(0).normal(size=(1, 40, 40))
    toy = make_toy(values)
    pretext = Exemplar(toy.training(clusters=4), exemplars=64)
    assert len(pretext.exemplars) == 64
    assert (pretext.exemplars.col + pretext.side + pretext.room + pretext.area.halo > 40).all()


def test_edges_are_mean_squared_differences_of_neighbors():
    patch = np.array([[[0.0, 1.0], [3.0, 5.0]]], dtype=np.float32)[None]
    assert with_edges(patch) == pytest.approx((9 + 16) / 2 + (1 + 4) / 2)


def test_views_of_an_exemplar_differ_and_keep_its_number(toy):
    inputs, answers = asked(Exemplar(toy.training(clusters=4, tiles=40, batch=40), exemplars=4), 40)
    assert set(answers.tolist()) == {0, 1, 2, 3}
    same = inputs[answers == 0]
    assert len(np.unique(same.reshape(len(same), -1), axis=0)) == len(same)


def by_hand_nt_xent(one, other, t):
    z = np.concatenate([one, other]).astype(float)
    z /= np.sqrt((z**2).sum(axis=1))[:, None]
    n, total = len(one), 0.0
    for i in range(2 * n):
        j = (i + n) % (2 * n)
        others = [math.exp(float(z[i] @ z[k]) / t) for k in range(2 * n) if k != i]
        total -= math.log(math.exp(float(z[i] @ z[j]) / t) / sum(others))
    return total / (2 * n)


@pytest.mark.parametrize("t", [0.1, 0.5, 2.0])
def test_nt_xent_is_the_papers_equation(t):
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(2, 7, 5)).astype(np.float32)
    loss, _ = nt_xent(torch.from_numpy(one), torch.from_numpy(other), t)
    assert loss.item() == pytest.approx(by_hand_nt_xent(one, other, t), rel=1e-5)  # float32


def test_nt_xent_of_views_that_agree_finds_every_partner():
    one = torch.eye(6)
    assert nt_xent(one, 3 * one, 0.5)[1] == 1
    assert nt_xent(one, one.roll(1, 0), 0.5)[1] == 0


def test_a_step_of_simclr_has_the_loss_of_the_whole_batch(toy, monkeypatch):
    seen = []

    def spy(one, other, t):
        seen.append((one.detach().numpy(), other.detach().numpy(), t))
        return nt_xent(one, other, t)

    monkeypatch.setattr(simclr, "nt_xent", spy)
    _, _, history = learned("simclr", toy, 1, 12, 12)
    [(one, other, t)] = seen
    assert len(one) == len(other) == 12
    assert history[0]["loss"] == pytest.approx(by_hand_nt_xent(one, other, t), rel=1e-5)


def test_info_nce_is_the_papers_equation():
    rng = np.random.default_rng(0)
    q = rng.normal(size=(4, 6)).astype(np.float32)
    keys, others = rng.normal(size=(4, 6)), rng.normal(size=(9, 6))
    keys, others = (a / np.linalg.norm(a, axis=1)[:, None] for a in (keys, others))
    by_hand = 0.0
    for i in range(4):
        unit = q[i] / np.linalg.norm(q[i])
        own = math.exp(unit @ keys[i] / 0.2)
        by_hand -= math.log(own / (own + sum(math.exp(unit @ o / 0.2) for o in others))) / 4
    tensors = (torch.from_numpy(a.astype(np.float32)) for a in (q, keys, others))
    assert info_nce(*tensors, 0.2)[0].item() == pytest.approx(by_hand, rel=1e-5)  # float32


def test_the_oldest_keys_leave_the_queue_first():
    queue = Queue(5, 2, np.random.default_rng(0), torch.device("cpu"))
    start = queue.keys.clone()
    np.testing.assert_allclose(start.norm(dim=1), 1, rtol=1e-6)
    key = torch.arange(1.0, 9.0)[:, None].repeat(1, 2)
    queue.put(key[:3])
    assert queue.keys[:3, 0].tolist() == [1, 2, 3]
    assert torch.equal(queue.keys[3:], start[3:])
    queue.put(key[3:6])
    assert queue.keys[:, 0].tolist() == [6, 2, 3, 4, 5]
    queue.put(key[6:])
    assert queue.keys[:, 0].tolist() == [6, 7, 8, 4, 5]
    queue.put(torch.arange(10.0, 17.0)[:, None].repeat(1, 2))
    assert sorted(queue.keys[:, 0].tolist()) == [12, 13, 14, 15, 16]


def test_the_maker_of_keys_follows_slowly_and_has_no_gradient(toy):
    pretext = MoCo(toy.training(clusters=4), momentum=0.9)
    pretext.answering(toy.net(4))
    before = [w.clone() for w in pretext.keyer.parameters()]
    with torch.no_grad():
        for weight in pretext.model.parameters():
            weight += 1
    pretext.follow()
    pairs = zip(before, pretext.model.parameters(), pretext.keyer.parameters(), strict=True)
    for old, quick, slow in pairs:
        torch.testing.assert_close(slow, 0.9 * old + 0.1 * quick)
        assert not slow.requires_grad


def test_a_shuffled_batch_gives_its_keys_back_in_order(toy):
    pretext = MoCo(toy.training(clusters=4))
    views = torch.from_numpy(np.random.default_rng(0).normal(size=(6, 3, 12, 12))).float()
    with Shards(pretext.answering(toy.net(4)), 1) as shards, torch.no_grad():
        keys = pretext.keys(shards, views, np.array([3, 0, 5, 1, 4, 2]), 1)
        expected = torch.nn.functional.normalize(pretext.keyer(views), dim=1)
    torch.testing.assert_close(keys, expected, rtol=1e-4, atol=1e-5)  # order of float32 sums


def test_keys_of_a_step_are_the_newest_of_the_queue(toy):
    start = MoCo(toy.training(clusters=4), **FEW["moco"]).queue.keys
    pretext, _, _ = learned("moco", toy, 1, 8, 8)
    assert torch.equal(pretext.queue.keys[8:], start[8:])
    assert not torch.isclose(pretext.queue.keys[:8], start[:8]).all(dim=1).any()


@pytest.mark.parametrize("name", PRETEXTS)
def test_the_trunk_does_not_depend_on_the_number_of_threads(name, toy):
    _, one, first = learned(name, toy, 1, 16, 8, jobs=1)
    _, two, second = learned(name, toy, 1, 16, 8, jobs=3)
    assert first == second
    few, many, before = one.arrays(), two.arrays(), toy.net(4).arrays()
    assert all(few[name].tobytes() == many[name].tobytes() for name in few)
    changed = {name for name in few if not np.array_equal(few[name], before[name])}
    assert {"stem.weight", "blocks.0.0.weight", "embedding.0.weight"} <= changed
    assert not {"classifier.weight", "classifier.bias"} & changed
    assert all(weight.requires_grad for weight in one.parameters())


@pytest.mark.parametrize(
    ("name", "scene", "epochs", "least"),
    [
        ("rotnet", ramps, 3, 0.8),
        ("jigsaw", hills, 6, 0.5),
        ("exemplar", hills, 8, 0.25),
        ("simclr", hills, 3, 0.25),
        ("moco", hills, 3, 0.04),
    ],
)
def test_a_pretext_is_answered_far_better_than_by_chance(make_toy, name, scene, epochs, least):
    toy = make_toy(scene(), receptive_field=3)
    pretext, _, history = learned(name, toy, epochs, 128, 16)
    assert least >= 2 * pretext.chance
    assert history[-1]["right"] > least
    assert [entry["epoch"] for entry in history] == list(range(epochs))


def test_a_pretext_tells_its_own_course(toy):
    training = toy.training(clusters=4, learning_rate=1e-4, optimizer="adam", epochs=9)
    history = pretrain(toy.net(4), training, "rotnet", Lessons(epochs=2, patches=8, batch=8))
    assert [set(entry) for entry in history] == [{"pretext", "epoch", "pretext_loss", "right"}] * 2
    assert {entry["pretext"] for entry in history} == {"rotnet"}


def test_a_pretext_can_be_stopped(toy):
    def stop(done, total, message):
        if done == 2:
            assert message == "rotnet, epoch 1 of 2"
            raise StoppedError("stopped.")

    training = toy.training(report=stop, clusters=4)
    with pytest.raises(StoppedError):
        pretrain(toy.net(4), training, "rotnet", Lessons(epochs=2, patches=8, batch=2))


def test_many_bands_and_few_pixels_will_do(make_toy):
    toy = make_toy(np.random.default_rng(0).normal(size=(20, 6, 5)), receptive_field=3)
    for name in ("rotnet", "exemplar", "simclr", "moco"):
        _, _, history = learned(name, toy, 1, 4, 4)
        assert math.isfinite(history[0]["loss"])


def test_every_pretext_has_a_name_and_a_paper():
    for name, kind in PRETEXTS.items():
        assert kind.name == name
        assert "arXiv" in kind.paper or "DOI" in kind.paper

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from sklearn.metrics import adjusted_rand_score

from rsclass.deep.infer import Forward
from rsclass.deep.loop import train
from rsclass.deep.objective import dense_labels
from rsclass.deep.objectives.deepcluster import DeepCluster
from rsclass.deep.objectives.iic import IIC
from rsclass.deep.objectives.scan import SCAN
from rsclass.deep.objectives.selfclassifier import SelfClassifier
from rsclass.deep.objectives.selflabel import SelfLabel
from rsclass.deep.objectives.uic import UIC, start_labels
from rsclass.deep.recipe import Recipe
from rsclass.deep.shards import SHARDS, Shards
from rsclass.errors import StoppedError


@pytest.mark.parametrize("jobs", [2, 3, 16])
def test_weights_do_not_depend_on_the_number_of_threads(toy, jobs):
    def weights(n):
        return toy.landcover(jobs=n, clusters=6, epochs=3, tiles=16, warmup=1)[1]

    one, many = weights(1), weights(jobs)
    assert one.history == many.history
    of_one, of_many = one.net.arrays(), many.net.arrays()
    assert all(of_one[name].tobytes() == of_many[name].tobytes() for name in of_one)


def test_shards_add_up_to_the_gradient_of_the_whole_batch(toy):
    torch.manual_seed(0)
    net = toy.net(4)
    for norm in (m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        torch.nn.init.zeros_(norm.weight)  # so that statistics of shards and batch do not matter
    x = torch.randn(8, 3, 9, 9)
    y = torch.randint(0, 4, (8, 5, 5))

    def loss(replica, shard):
        part = slice(2 * shard, 2 * shard + 2)
        summed = torch.nn.functional.cross_entropy(replica(x[part]), y[part], reduction="sum")
        return summed / y.numel(), shard

    with Shards(net, 2) as shards:
        total, results = shards.backward(loss, SHARDS)
    whole = torch.nn.functional.cross_entropy(net(x), y)
    expected = torch.autograd.grad(whole, list(net.parameters()))
    assert results == [0, 1, 2, 3]
    assert total == pytest.approx(whole.item(), rel=1e-6)
    for weight, gradient in zip(net.parameters(), expected, strict=True):
        torch.testing.assert_close(weight.grad, gradient, rtol=1e-4, atol=1e-7)


def test_running_statistics_are_means_over_the_shards(toy):
    net = toy.net(4)
    x = torch.randn(8, 3, 9, 9)
    stem = net.stem(x).detach()
    features = net.blocks[0][0](stem).detach()
    means = torch.stack([features[2 * i : 2 * i + 2].mean(dim=(0, 2, 3)) for i in range(4)])
    variances = torch.stack([features[2 * i : 2 * i + 2].var(dim=(0, 2, 3)) for i in range(4)])
    with Shards(net, 2) as shards:
        shards.backward(lambda replica, i: (replica(x[2 * i : 2 * i + 2]).sum(), None), SHARDS)
    norm = net.blocks[0][1]
    # two threads may lay out a convolution in another way than one: float32 rounding
    torch.testing.assert_close(norm.running_mean, 0.1 * means.mean(0), rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        norm.running_var, 0.9 + 0.1 * variances.mean(0), rtol=1e-4, atol=1e-6
    )


def test_four_textures_are_found(make_toy, textures):
    values, truth = textures
    toy = make_toy(values)
    objective, _ = toy.landcover(jobs=2, clusters=4, epochs=12, tiles=24, warmup=4)
    assert adjusted_rand_score(truth.ravel(), objective.labels) > 0.95


def test_labels_of_the_warm_up_are_those_of_the_start(toy):
    labels, _ = start_labels(toy.area, Recipe(clusters=6))
    objective, trained = toy.landcover(clusters=6, epochs=3, tiles=8, warmup=9)
    np.testing.assert_array_equal(objective.labels, labels)
    assert [entry["change"] for entry in trained.history] == [0, 0, 0]


def test_settled_labels_end_the_training(make_toy, textures):
    toy = make_toy(textures[0])
    _, trained = toy.landcover(jobs=2, still=True, clusters=2, epochs=60, tiles=16, warmup=3)
    assert len(trained.history) < 60
    assert all(entry["change"] < 0.01 for entry in trained.history[-3:])


def test_dense_labels_are_those_of_every_patch_by_itself(toy):
    net = toy.net(5, seed=1)
    forward = Forward(net, torch.device("cpu"))
    with Shards(net, 2) as shards:
        dense = dense_labels(toy.area, forward, shards)
    patches = toy.area.cut(toy.area.locate(toy.area.pixels), 1, 1)
    with torch.no_grad():
        single = net.eval()(torch.from_numpy(patches))[:, :, 0, 0].argmax(dim=1).numpy()
    # two ways to sum the same products; measured differences are near ties only
    assert (dense == single).mean() > 0.999


def test_the_user_can_stop_a_training(toy):
    def report(done, total, message):
        if done >= 5:
            raise StoppedError("stopped on request.")

    with pytest.raises(StoppedError):
        toy.landcover(report=report, clusters=6, epochs=50, tiles=8, batch=2)


WAYS = {
    "landcover": (UIC, {"tiles": 8, "warmup": 1}, (False, "kmeans", "teacher")),
    "published": (UIC, {"samples": 200, "warmup": 0}, (True, "random", "views")),
    "deepcluster": (DeepCluster, {"samples": 300, "tiles": 8}, (False,)),
    "selflabel": (SelfLabel, {"samples": 300, "tiles": 8}, (False, 2, 6)),
    "scan": (SCAN, {"samples": 120, "patches": 60, "tiles": 8}, (5, 5.0, 1, 0.3)),
    "iic": (IIC, {"tiles": 8, "optimizer": "adam"}, (4, (1.0, 1.0), 1, False)),
    "self-classifier": (SelfClassifier, {"tiles": 8}, ()),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_training_that_goes_on_ends_where_one_that_never_stopped_does(toy, way):
    kind, how, options = WAYS[way]
    training = toy.training(clusters=6, epochs=4, batch=8, **how)
    kept = []

    def keep(run):
        card, arrays = run.state()
        kept.append((json.loads(json.dumps(card)), arrays))

    objective = kind(training, *options)
    whole = train(toy.net(objective.outputs), training, objective, after_epoch=keep)
    resumed = kind(training, *options)
    trained = train(toy.net(resumed.outputs, seed=9), training, resumed, kept=kept[1])
    assert trained.history == whole.history
    ours, theirs = trained.net.arrays(), whole.net.arrays()
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in theirs)
    np.testing.assert_array_equal(resumed.labels, objective.labels)


def test_the_log_tells_sizes_and_seconds_and_the_history_does_not(toy):
    objective, trained = toy.landcover(clusters=6, epochs=3, tiles=8, warmup=1)
    assert [entry["epoch"] for entry in trained.log] == [0, 1, 2]
    assert all(entry["seconds"] > 0 for entry in trained.log)
    sizes = np.bincount(objective.labels, minlength=objective.clusters)
    assert trained.log[-1]["sizes"] == sizes.tolist()
    assert not {"seconds", "sizes"} & set(trained.history[0])

"""Each departure from the published loop is a switch of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from rsclass.deep.loop import train
from rsclass.deep.nets import PixelNet, Shape
from rsclass.deep.objectives.uic import UIC
from rsclass.deep.recipe import Stream

SHORT = {"clusters": 5, "epochs": 2, "samples": 150, "tiles": 8, "batch": 50, "warmup": 0}


def dense(toy, net):
    """Labels of all pixels, each by its own patch."""
    patches = toy.area.cut(toy.area.locate(np.arange(toy.area.size)), 1, 1)
    with torch.no_grad():
        return net.eval()(torch.from_numpy(patches))[:, :, 0, 0].argmax(dim=1).numpy()


@pytest.mark.parametrize("patches", [True, False])
def test_random_labels_are_uniform_over_all_clusters(toy, patches):
    objective = UIC(toy.training(**SHORT | {"epochs": 0}), patches, "random", "views")
    train(toy.net(5), objective.training, objective)
    counts = np.bincount(objective.labels, minlength=5)
    expected = len(objective.labels) / 5
    # five standard deviations of a binomial count
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected * 0.8)).all()


@pytest.mark.parametrize("patches", [True, False])
def test_forward_labels_are_the_answers_of_the_untrained_network(toy, patches):
    net = toy.net(5, seed=4)
    expected = dense(toy, toy.net(5, seed=4))
    objective = UIC(toy.training(**SHORT | {"epochs": 0}), patches, "forward", "views")
    train(net, objective.training, objective)
    # the network at work is folded, and rounds in another way
    assert (objective.labels == expected[objective.seeing.pixels]).mean() > 0.99


def test_k_means_labels_are_those_of_smoothed_pixels(toy):
    objective = UIC(toy.training(**SHORT | {"clusters": 4}), True, "kmeans", "views")
    table = toy.area.gather(toy.area.pixels, toy.area.smoothed)
    other = KMeans(4, n_init=3, random_state=0).fit_predict(table)[objective.seeing.pixels]
    pairs = np.unique(np.stack([objective.labels, other]), axis=1)
    # the same partition, but for pixels at the borders of textures
    agreement = sum(np.bincount(other[objective.labels == c]).max() for c in range(4))
    assert agreement > 0.97 * len(other)
    assert pairs.shape[1] >= 4


def test_clean_labels_are_the_answers_of_the_trained_network(toy):
    training = toy.training(**SHORT)
    objective, trained = toy.learn(UIC, training, False, "kmeans", "clean")
    assert (objective.labels == dense(toy, trained.net)).mean() > 0.99
    other, averaged = toy.learn(UIC, training, False, "kmeans", "teacher")
    assert (other.labels == dense(toy, averaged.net)).mean() > 0.99
    assert (
        averaged.net.arrays()["stem.bias"].tobytes() != trained.net.arrays()["stem.bias"].tobytes()
    )


def test_the_views_of_tiles_are_turned_back_before_they_become_labels(toy):
    """With a network that answers by the color of the center, and views that are only turned."""
    training = toy.training(**SHORT | {"clusters": 3, "epochs": 1, "tiles": 40, "learning_rate": 0})
    view = training.view.__class__(toy.scaling, gain=0, offset=0, band_gain=0, noise=0)
    training = type(training)(
        training.area, view, training.recipe, 1, training.device, training.report
    )
    objective = UIC(training, False, "random", "views")
    net = toy.net(3, seed=1, logit_norm=False)
    with torch.no_grad():
        for name, weight in net.named_parameters():
            if name != "embedding.0.weight":
                weight.zero_()
        net.embedding[0].weight.zero_()
        net.embedding[0].weight[:3, 8:11, 0, 0] = torch.eye(3)
        net.embedding[1].weight.fill_(1)
        net.classifier.weight[:, :3, 0, 0] = torch.eye(3)
    train(net, training, objective)
    raw = np.concatenate(
        [toy.area.whole(c)[:, 2:-2, 2:-2].reshape(3, -1) for c in toy.area.chunks], 1
    )
    scattered = training.area.scatter_tiles(40, training.recipe.rng(0, Stream.SETS))
    seen = np.zeros(toy.area.size, dtype=bool)
    for chunk, row, col in zip(scattered.chunk, scattered.row, scattered.col, strict=True):
        image = seen[toy.area.chunks[chunk].place].reshape(toy.area.chunks[chunk].usable.shape)
        image[row : row + 32, col : col + 32] = True
    assert seen.all()
    # clear winners only: normalization by the batch moves the borders between answers
    order = np.sort(raw, axis=0)
    clear = (order[2] - order[1] > 1) & (order[2] > 0.5)
    assert clear.sum() > 100
    assert (objective.labels[clear] == raw.argmax(axis=0)[clear]).mean() > 0.95


def test_fixed_centroids_are_orthonormal_and_never_learned(toy):
    net = toy.net(5)
    net.fix_classifier(np.random.default_rng(0))
    rows = net.classifier.weight.detach().numpy()[:, :, 0, 0].copy()
    np.testing.assert_allclose(rows @ rows.T, np.eye(5), atol=1e-6)  # float32
    objective = UIC(toy.training(**SHORT), True, "random", "views")
    trained = train(net, objective.training, objective)
    np.testing.assert_array_equal(trained.net.arrays()["classifier.weight"][:, :, 0, 0], rows)
    assert not np.array_equal(
        trained.net.arrays()["stem.weight"], toy.net(5).arrays()["stem.weight"]
    )


def test_more_fixed_centroids_than_features_have_unit_length(toy):
    net = toy.net(40)
    net.fix_classifier(np.random.default_rng(0))
    rows = net.classifier.weight.detach().numpy()[:, :, 0, 0]
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)  # float32
    cosines = rows @ rows.T - np.eye(40)
    # random rows in 32 dimensions: a standard deviation of .18; these are farther apart
    assert np.sqrt((cosines**2).mean()) < 0.18


def test_gradients_alone_see_neither_level_nor_color():
    net = PixelNet(Shape(3, 4, 5, 8, sobel=True, color=False), 0).eval()
    x = torch.randn(2, 3, 9, 9)
    ramp = torch.zeros(1, 3, 1, 1)
    ramp[0, :, 0, 0] = torch.tensor([1.0, 2.0, -3.0])  # no change of the mean
    for moved in (x + 5, x + ramp, x[:, [2, 0, 1]]):
        torch.testing.assert_close(net(moved), net(x), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(net(x.flip(3)), net(x))


def test_gradients_are_those_of_the_mean_band():
    net = PixelNet(Shape(2, 4, 3, 8, sobel=True, color=False), 0)
    x = torch.zeros(1, 2, 3, 3)
    x[0, 0] = torch.arange(3.0)[None] * torch.ones(3, 1)  # rises by 1 to the right in one of two
    _, given = net._split(x)
    # Sobel's kernel of weights 1 2 1, divided by 8: half a unit of rise in the mean
    torch.testing.assert_close(given[0, :, 0, 0], torch.tensor([0.5, 0.0]))


@pytest.mark.parametrize("source", ["views", "clean", "teacher"])
@pytest.mark.parametrize("patches", [True, False])
def test_every_source_gives_labels_to_usable_pixels_only(make_toy, textures, patches, source):
    values = textures[0].copy()
    values[:, 20:24, 5:30] = np.nan
    toy = make_toy(values)
    objective, _ = toy.learn(UIC, toy.training(**SHORT), patches, "random", source)
    usable = toy.area.usable[objective.seeing.pixels]
    np.testing.assert_array_equal(objective.labels >= 0, usable)

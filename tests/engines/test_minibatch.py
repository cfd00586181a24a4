"""Mini-batch K-means against Sculley's algorithm written out, and scikit-learn."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from recut import Recut
from sklearn.cluster import MiniBatchKMeans as Reference
from sklearn.utils.estimator_checks import parametrize_with_checks

from rsclass.core.sampling import place_keys
from rsclass.engines.minibatch import MiniBatchKMeans


@parametrize_with_checks([MiniBatchKMeans(n_classes=3)])
def test_keeps_the_contract_of_scikit_learn(estimator, check):
    check(estimator)


def sculley(image: np.ndarray, start: np.ndarray, epochs: int, batch: int, seed: int, side: int):
    """Algorithm 1 of Sculley 2010 in plain Python, over one block of the scene after the other."""
    rows, cols = (places.ravel() for places in np.indices(image.shape[1:]))
    pixels = image.reshape(len(image), -1).T.astype(float)
    block = rows // side * 1000 + cols // side
    centers, seen = start.astype(float).copy(), [0] * len(start)
    for epoch, number in itertools.product(range(1, epochs + 1), np.unique(block)):
        (inside,) = np.nonzero(block == number)
        keys = place_keys(rows[inside], cols[inside], seed * 2**20 + epoch)
        order = inside[np.argsort(keys)]
        for first in range(0, len(order), batch):
            members = pixels[order[first : first + batch]]
            cached = [int(((centers - x) ** 2).sum(axis=1).argmin()) for x in members]
            for x, k in zip(members, cached, strict=True):
                seen[k] += 1
                rate = 1 / seen[k]
                centers[k] = (1 - rate) * centers[k] + rate * x
    return centers


@pytest.mark.parametrize("side", [512, 13])
def test_moves_its_centers_as_sculley_wrote(side):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 500, (3, 24, 31)).astype(np.uint16)
    start = rng.uniform(0, 500, (4, 3))
    engine = MiniBatchKMeans(
        4,
        scale="none",
        sample=None,
        init=start,
        epochs=3,
        batch_size=50,
        tolerance=0,
        reassignment_ratio=0,
        random_state=5,
    ).fit(Recut.of(image, side))
    expected = sculley(image, start, epochs=3, batch=50, seed=5, side=side)
    order = np.argsort(expected.mean(axis=1))
    np.testing.assert_allclose(engine.centers_, expected[order], rtol=1e-10)


def test_is_as_good_as_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    table = np.concatenate([rng.normal(m, 1.0, (3000, 4)) for m in (0, 2, 5, 9)])
    ours = MiniBatchKMeans(8, scale="none").fit(table)
    theirs = Reference(8, n_init=3, batch_size=4096, random_state=0).fit(table)
    # Both end in local optima; two percent is their own spread over seeds.
    assert ours.inertia_ <= theirs.inertia_ * 1.02


def test_a_scene_of_several_blocks_gives_every_pixel_to_a_mean():
    rng = np.random.default_rng(2)
    image = np.where(rng.random((1, 700, 600)) < 0.3, 10, 200).astype(np.uint8)
    engine = MiniBatchKMeans(2, scale="none", sample=None, epochs=2).fit(image)
    assert engine.centers_.ravel() == pytest.approx([10, 200], abs=1e-6)
    assert engine.inertia_ == pytest.approx(0, abs=1e-6)


def test_whole_numbers_and_the_same_as_floats_lead_to_the_same_centers():
    rng = np.random.default_rng(3)
    image = rng.integers(0, 3000, (3, 90, 70)).astype(np.uint16)
    first = MiniBatchKMeans(5, sample=None).fit(image)
    second = MiniBatchKMeans(5, sample=None).fit(image.astype(np.float32))
    np.testing.assert_array_equal(first.centers_, second.centers_)


def test_a_class_that_sees_almost_no_pixel_starts_anew():
    rng = np.random.default_rng(4)
    table = np.concatenate([rng.normal(0, 1, (2000, 2)), rng.normal(8, 1, (2000, 2))])
    far_away = np.array([[0.0, 0.0], [500.0, 500.0]])
    engine = MiniBatchKMeans(2, scale="none", init=far_away).fit(table)
    assert engine.history_[0]["restarted"] == [1]
    np.testing.assert_allclose(engine.centers_, [[0, 0], [8, 8]], atol=0.1)


def test_a_batch_larger_than_the_scene_is_the_scene():
    table = np.arange(12.0).reshape(6, 2)
    engine = MiniBatchKMeans(2, scale="none", batch_size=10**6).fit(table)
    assert engine.n_classes_ == 2

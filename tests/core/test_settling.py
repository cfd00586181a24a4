"""Single precision settles most pixels, and none otherwise than double precision."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.assign import _nearest, nearest
from rsclass.core.gauss import Gaussians, _likeliest, likeliest
from rsclass.core.settling import MANY, UNSETTLED, SingleCenters, SingleGaussians

PIXELS = MANY + 77


def plain(n_bands):
    return np.ones(n_bands), np.zeros(n_bands)


def labels_of(values, valid, centers, gain, offset, way=nearest):
    labels = np.empty(values.shape[1], np.int32)
    way(values, valid, gain, offset, centers, labels)
    return labels


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize(("n_bands", "n_classes"), [(1, 1), (2, 7), (6, 12), (16, 3), (17, 3)])
def test_nearest_centers_are_those_of_whole_numbers_with_ties_to_the_first(rng, n_bands, n_classes):
    values = rng.integers(0, 9, (n_bands, PIXELS)).astype(np.uint16)
    centers = rng.integers(0, 9, (n_classes, n_bands))
    valid = rng.random(PIXELS) < 0.9
    squares = ((values.T.astype(np.int64)[:, None] - centers[None]) ** 2).sum(axis=2)
    expected = np.where(valid, squares.argmin(axis=1), -1)
    found = labels_of(values, valid, centers.astype(float), *plain(n_bands))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("size", [1e-30, 1e-3, 1.0, 1e6, 1e30])
def test_nearest_centers_of_any_size_are_those_of_double_precision(rng, size):
    centers = rng.normal(size=(12, 6)) * size
    centers[5] = centers[3] * (1 + 1e-9)
    values = rng.normal(size=(6, PIXELS)) * size * rng.choice([0.1, 1, 1000], PIXELS)
    values[:, ::7] = (centers[3] / 2 + centers[8] / 2)[:, None]
    values[0, ::11], values[1, ::13] = np.nan, np.inf
    valid = np.ones(PIXELS, bool)
    gain, offset = np.full(6, 1.7), rng.normal(size=6) * size
    expected = labels_of(values, valid, centers, gain, offset, _nearest)
    np.testing.assert_array_equal(labels_of(values, valid, centers, gain, offset), expected)


def gaussians(rng, n_bands, n_classes, apart, condition):
    axes = np.linalg.qr(rng.normal(size=(n_classes, n_bands, n_bands)))[0]
    variance = np.geomspace(1, condition, n_bands)
    covariance = axes @ (variance[:, None] * axes.transpose(0, 2, 1))
    covariance = (covariance + covariance.transpose(0, 2, 1)) / 2
    mean = rng.normal(size=(n_classes, n_bands)) * apart
    prior = rng.random(n_classes)
    prior[n_classes // 2] = 0
    return Gaussians.of(np.arange(n_bands), mean, covariance, prior / prior.sum())


@pytest.mark.parametrize("apart", [0.0, 1e-7, 1.0, 1e4])
@pytest.mark.parametrize("condition", [1.0, 1e4])
def test_likeliest_classes_are_those_of_double_precision(rng, apart, condition):
    classes = gaussians(rng, 5, 9, apart, condition)
    values = rng.normal(size=(5, PIXELS)) * (apart + np.sqrt(condition))
    values[:, ::3] *= 50
    values[2, ::17], values[3, ::19] = np.nan, -np.inf
    valid = rng.random(PIXELS) < 0.9
    found = likeliest(values, valid, *plain(5), classes).labels
    np.testing.assert_array_equal(found, _likeliest(values, valid, *plain(5), classes).labels)


@pytest.mark.parametrize("shift", [-1e15, 1e13])
def test_classes_are_those_of_double_precision_where_an_offset_makes_that_coarse(rng, shift):
    centers, values = rng.normal(size=(8, 4)), rng.normal(size=(4, PIXELS))
    valid, gain, offset = np.ones(PIXELS, bool), np.ones(4), np.full(4, shift)
    expected = labels_of(values, valid, centers + shift, gain, offset, _nearest)
    found = labels_of(values, valid, centers + shift, gain, offset)
    np.testing.assert_array_equal(found, expected)
    covariance = np.broadcast_to(np.eye(4), (8, 4, 4))
    for mean, stored in ((centers + shift, values), (centers, values - shift)):
        classes = Gaussians.of(np.arange(4), mean, covariance, np.full(8, 1 / 8))
        expected = _likeliest(stored, valid, gain, offset, classes).labels
        found = likeliest(stored, valid, gain, offset, classes).labels
        np.testing.assert_array_equal(found, expected)


def test_classes_that_single_precision_cannot_tell_are_not_tried(rng):
    assert gaussians(rng, 6, 4, 1e7, 1.0).single is None
    assert SingleCenters.of(np.ones((3, 2)), np.zeros(2)) is None


def test_most_pixels_of_usual_imagery_are_settled(rng):
    mean = rng.uniform(200, 12000, (12, 6))
    of = rng.integers(0, 12, PIXELS)
    values = (mean[of].T + rng.normal(size=(6, PIXELS)) * 300).clip(0, 65535).astype(np.uint16)
    valid, labels = np.ones(PIXELS, bool), np.empty(PIXELS, np.int32)
    covariance = np.broadcast_to(np.eye(6) * 300.0**2, (12, 6, 6))
    classes = Gaussians.of(np.arange(6), mean, covariance, np.full(12, 1 / 12))
    classes.single.settle(values, valid, *plain(6), classes.bands, labels)
    assert np.mean(labels == UNSETTLED) < 0.01
    SingleCenters.of(mean, np.zeros(6)).settle(values, valid, *plain(6), labels)
    assert np.mean(labels == UNSETTLED) < 0.01


def test_errors_stay_below_their_bound_at_the_edge_of_what_is_settled(rng):
    """What the bound is for: discriminants in single against those in double precision."""
    classes = gaussians(rng, 6, 3, 1e3, 1e2)
    single = classes.single
    assert isinstance(single, SingleGaussians)
    x = classes.mean[0] + rng.normal(size=(5000, 6)) * 30
    z = (x - single.middle).astype(np.float32)
    exact = np.einsum("bc,nc->nb", classes.whitener[0], x - classes.mean[0])
    rows = np.zeros_like(z)
    for b in range(6):
        rows[:, b] = single.start[0, b]
        for c in range(b + 1):
            rows[:, b] += single.whitener[0, b, c] * z[:, c]
    rounded = (rows**2).sum(axis=1)
    wrong = np.abs(rounded - (exact**2).sum(axis=1))
    assert (wrong < single.share * rounded + single.rest).all()
    assert wrong.max() > 0

"""Gaussian discriminants against scipy's densities."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from rsclass.core.gauss import Gaussians, likeliest, posterior

PRIORS = np.array([0.2, 0.5, 0.3])
GAIN, OFFSET = np.array([0.1, 2.0, 1.0, 0.5]), np.array([-3.0, 0.0, 100.0, 1.0])


@pytest.fixture
def parts() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    roots = rng.normal(size=(3, 4, 6))
    return rng.normal(0, 2, (3, 4)), roots @ roots.transpose(0, 2, 1)


@pytest.fixture
def classes(parts) -> Gaussians:
    return Gaussians.of(np.arange(4), *parts, PRIORS)


@pytest.fixture
def pixels() -> tuple[np.ndarray, np.ndarray]:
    """Stored values (bands, pixels), more than two runs of the loops, and their validity."""
    rng = np.random.default_rng(2)
    stored = (rng.normal(0, 3, (4, 1300)) - OFFSET[:, None]) / GAIN[:, None]
    return stored, rng.random(1300) > 0.1


def test_log_densities_are_those_of_scipy_and_the_largest_wins(parts, classes, pixels):
    mean, covariance = parts
    stored, valid = pixels
    found = likeliest(stored, valid, GAIN, OFFSET, classes, distances=True, discriminants=True)
    z = stored.T * GAIN + OFFSET
    density = np.array(
        [
            np.log(p) + multivariate_normal(m, c).logpdf(z) + 2 * np.log(2 * np.pi)
            for p, m, c in zip(PRIORS, mean, covariance, strict=True)
        ]
    )
    np.testing.assert_allclose(found.discriminant[:, valid], density[:, valid], rtol=1e-9)
    np.testing.assert_array_equal(found.labels[valid], density.argmax(axis=0)[valid])
    assert (found.labels[~valid] == -1).all()
    assert np.isnan(found.distance2[~valid]).all()
    assert np.isnan(found.discriminant[:, ~valid]).all()


def test_distances_are_those_of_mahalanobis_to_the_chosen_class(parts, classes, pixels):
    mean, covariance = parts
    stored, valid = pixels
    found = likeliest(stored, valid, GAIN, OFFSET, classes, distances=True)
    z = stored.T * GAIN + OFFSET
    apart = z - mean[found.labels]
    expected = np.einsum("ib,ibc,ic->i", apart, np.linalg.inv(covariance)[found.labels], apart)
    np.testing.assert_allclose(found.distance2[valid], expected[valid], rtol=1e-8)
    assert found.discriminant is None


def test_probabilities_of_groups_add_up_those_of_their_classes(classes, pixels):
    stored, valid = pixels
    every = likeliest(
        stored, valid, GAIN, OFFSET, classes, distances=True, discriminants=True
    ).discriminant
    single = posterior(every, np.arange(3, dtype=np.int32), 3)
    with np.errstate(invalid="ignore"):
        exact = np.exp(every - np.logaddexp.reduce(every, axis=0))
    np.testing.assert_allclose(single[:, valid], exact[:, valid], rtol=1e-12)
    grouped = posterior(every, np.array([1, 0, 1], np.int32), 2)
    np.testing.assert_allclose(grouped[1, valid], (exact[0] + exact[2])[valid], rtol=1e-12)
    assert np.isnan(grouped[:, ~valid]).all()


def test_a_prior_of_zero_is_never_chosen_not_even_at_the_mean(parts):
    mean, covariance = parts
    classes = Gaussians.of(np.arange(4), mean, covariance, np.array([0.0, 0.4, 0.6]))
    stored, valid = mean.T.copy(), np.ones(3, bool)
    found = likeliest(stored, valid, np.ones(4), np.zeros(4), classes, discriminants=True)
    assert 0 not in found.labels
    shares = posterior(found.discriminant, np.arange(3, dtype=np.int32), 3)
    assert (shares[0] == 0).all()
    np.testing.assert_allclose(shares.sum(axis=0), 1)


def test_a_tie_goes_to_the_first_class():
    classes = Gaussians.of(
        np.arange(1), np.array([[-1.0], [1.0]]), np.ones((2, 1, 1)), np.array([0.5, 0.5])
    )
    found = likeliest(np.zeros((1, 1)), np.ones(1, bool), np.ones(1), np.zeros(1), classes)
    assert found.labels.tolist() == [0]


def test_a_pixel_has_the_same_bits_wherever_it_stands_in_an_array(classes, pixels):
    stored, valid = pixels
    whole = likeliest(stored, valid, GAIN, OFFSET, classes, distances=True, discriminants=True)
    for start, stop in ((1, 1300), (511, 1029), (700, 701)):
        cut = np.ascontiguousarray(stored[:, start:stop])
        part = likeliest(
            cut, valid[start:stop], GAIN, OFFSET, classes, distances=True, discriminants=True
        )
        np.testing.assert_array_equal(part.labels, whole.labels[start:stop])
        np.testing.assert_array_equal(part.distance2, whole.distance2[start:stop])
        np.testing.assert_array_equal(part.discriminant, whole.discriminant[:, start:stop])


def test_bands_that_are_not_used_have_no_say(parts, pixels):
    mean, covariance = parts
    stored, valid = pixels
    used = np.array([0, 2, 3])
    few = Gaussians.of(used, mean[:, used], covariance[:, used][:, :, used], PRIORS)
    alone = Gaussians.of(np.arange(3), few.mean, covariance[:, used][:, :, used], PRIORS)
    one = likeliest(stored, valid, GAIN, OFFSET, few)
    other = likeliest(stored[used], valid, GAIN[used], OFFSET[used], alone)
    np.testing.assert_array_equal(one.labels, other.labels)


def test_impossible_classes_are_refused(parts):
    mean, covariance = parts
    with pytest.raises(ValueError, match="every class has a prior of 0"):
        Gaussians.of(np.arange(4), mean, covariance, np.zeros(3))
    with pytest.raises(ValueError, match="nearly singular"):
        Gaussians.of(np.arange(4), mean, np.ones((3, 4, 4)), PRIORS)

"""Signatures from training pixels, and what is done where they cannot be inverted."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.cholesky import factor
from rsclass.core.separability import jeffries_matusita, separability
from rsclass.core.signatures import class_stats, pooled, regular, steps
from rsclass.core.types import Band
from rsclass.errors import DataError, SingularClassError

BANDS = [Band(f"band {i + 1}") for i in range(4)]


@pytest.fixture
def table() -> tuple[np.ndarray, np.ndarray]:
    """Three classes of 60, 90 and 150 pixels in 4 correlated bands of whole numbers."""
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(4, 4))
    parts = [
        np.round(rng.normal(size=(n, 4)) @ mix * 40 + 300 * (k + 1))
        for k, n in enumerate((60, 90, 150))
    ]
    return np.concatenate(parts), np.repeat(np.arange(3, dtype=np.int32), (60, 90, 150))


def test_means_and_covariances_are_those_of_numpy(table):
    values, classes = table
    stats = class_stats(values, classes, 3, BANDS)
    for k in range(3):
        np.testing.assert_allclose(stats.mean[k], values[classes == k].mean(axis=0), rtol=1e-13)
        np.testing.assert_allclose(stats.covariance[k], np.cov(values[classes == k].T), rtol=1e-11)
    assert stats.count.tolist() == [60, 90, 150]


def test_far_from_zero_no_digit_of_the_spread_is_lost(table):
    values, classes = table
    near, far = (class_stats(values + shift, classes, 3, BANDS) for shift in (0, 2.0**40))
    np.testing.assert_allclose(far.covariance, near.covariance, rtol=1e-9)


def test_signatures_put_together_are_those_of_the_pixels_put_together(table):
    values, classes = table
    one = pooled(class_stats(values, classes, 3, BANDS), [[0, 2], [1]])
    both = values[classes != 1]
    np.testing.assert_allclose(one.mean[0], both.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(one.covariance[0], np.cov(both.T), rtol=1e-10)
    assert one.count.tolist() == [210, 90]


def test_enough_pixels_of_independent_bands_are_left_as_they_are(table):
    values, classes = table
    stats = class_stats(values, classes, 3, BANDS)
    found = regular(stats, steps(values), "abc")
    np.testing.assert_array_equal(found.covariance, stats.covariance)
    assert found.notes == ()


def test_a_shrinkage_that_is_asked_for_is_the_documented_mean(table):
    values, classes = table
    stats = class_stats(values, classes, 3, BANDS)
    found = regular(stats, steps(values), "abc", 0.3)
    for before, after in zip(stats.covariance, found.covariance, strict=True):
        np.testing.assert_allclose(after, 0.7 * before + 0.3 * np.diag(np.diag(before)))


def test_fewer_pixels_than_bands_are_shrunk_by_the_share_of_least_error_and_told(table):
    """R11."""
    values, classes = table
    few = np.flatnonzero(classes == 0)[:3]
    chosen = np.concatenate([few, np.flatnonzero(classes > 0)])
    stats = class_stats(values[chosen], classes[chosen], 3, BANDS)
    assert factor(stats.covariance[0]) is None
    found = regular(stats, steps(values), ["water", "forest", "field"])
    correlation = np.corrcoef(values[few].T)[np.triu_indices(4, 1)]
    share = ((1 - correlation**2) ** 2).sum() / 2 / (correlation**2).sum()
    shrunk = (1 - share) * stats.covariance[0] + share * np.diag(np.diag(stats.covariance[0]))
    np.testing.assert_allclose(found.covariance[0], shrunk, rtol=1e-9)
    np.testing.assert_array_equal(found.covariance[1:], stats.covariance[1:])
    assert "fewer than 40 pixels, 10 for each band, describe water (3)" in found.notes[0]
    assert found.notes[1:] == (
        "covariances of 4 bands that are nearly singular are shrunk to their variances: "
        f"water (by {share:.2g}).",
    )


def test_a_band_that_repeats_others_is_cured_and_told(table):
    """R11."""
    values, classes = table
    values = np.column_stack([values, values[:, 0] - values[:, 3]])
    bands = [*BANDS, Band("difference")]
    found = regular(class_stats(values, classes, 3, bands), steps(values), "abc")
    assert all(factor(covariance) is not None for covariance in found.covariance)
    assert "nearly singular are shrunk" in found.notes[-1]
    assert found.notes[-1].count("(by ") == 3


def test_a_band_that_is_the_same_everywhere_is_left_out_and_named(table):
    """R11."""
    values, classes = table
    values = np.insert(values, 2, 7.0, axis=1)
    bands = [Band(name) for name in ("B1", "B2", "flat", "B3", "B4")]
    found = regular(class_stats(values, classes, 3, bands), steps(values), "abc")
    assert found.bands.tolist() == [0, 1, 3, 4]
    assert found.notes == ("flat does not vary in the samples and is left out.",)


def test_a_class_that_is_constant_in_a_band_gets_the_variance_of_rounding(table):
    values, classes = table
    values = values.copy()
    values[classes == 1, 3] = 500.0
    found = regular(
        class_stats(values, classes, 3, BANDS), steps(values), ["water", "snow", "field"]
    )
    # Whole numbers are one apart: a rounding error is uniform over one, whose variance is 1 / 12.
    assert found.covariance[1, 3, 3] == pytest.approx(1 / 12)
    assert found.notes[0].startswith("snow is constant in band 4; a standard deviation of 0.289")


def test_a_single_pixel_is_refused_by_name(table):
    values, classes = table
    chosen = np.concatenate([[0], np.flatnonzero(classes > 0)])
    stats = class_stats(values[chosen], classes[chosen], 3, BANDS)
    with pytest.raises(SingularClassError, match="water has only 1 sample pixel") as caught:
        regular(stats, steps(values), ["water", "forest", "field"])
    assert isinstance(caught.value, DataError)


def test_samples_that_are_all_alike_are_refused():
    values, classes = np.full((10, 4), 3.0), np.repeat(np.arange(2, dtype=np.int32), 5)
    with pytest.raises(SingularClassError, match="all training pixels are alike"):
        regular(class_stats(values, classes, 2, BANDS), steps(values), "ab")


def test_the_jeffries_matusita_distance_is_the_published_one(table):
    """The two worked pairs of the separability reference, and all pairs of the other code."""
    first = jeffries_matusita(np.array([[0.0, 0], [2, 0]]), np.array([np.eye(2)] * 2))
    assert first[0, 1] == pytest.approx(0.786939, abs=5e-7)
    covariance = np.array([[[2, 0.5], [0.5, 1]], [[1, -0.3], [-0.3, 3]]])
    second = jeffries_matusita(np.array([[0.0, 0], [1, 2]]), covariance)
    assert second[0, 1] == pytest.approx(0.735437, abs=5e-7)
    values, classes = table
    stats = class_stats(values, classes, 3, BANDS)
    other = separability(stats.mean, stats.covariance, stats.count, "abc").tables["jm"]
    np.testing.assert_allclose(jeffries_matusita(stats.mean, stats.covariance), other, atol=1e-9)


def test_steps_are_the_smallest_gaps():
    assert steps(np.array([[1.0, 5.0], [4.0, 5.0], [1.5, 5.0]])).tolist() == [0.5, 0.0]

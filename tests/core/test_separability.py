from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsclass.core.measures import MEASURES, check_measure
from rsclass.core.separability import confusion_bounds, separability
from rsclass.errors import UsageError

MANY = np.array([1000, 1000])
NAMES = ["one", "two"]


def between(m1, m2, s1, s2, measure):
    found = separability(np.array([m1, m2], float), np.array([s1, s2], float), MANY, NAMES)
    assert found.notes == ()
    return found.tables[measure][0, 1]


def random_covariance(rng, bands):
    root = rng.normal(size=(bands, bands))
    return root @ root.T + 0.1 * np.eye(bands)


IDENTITY = ([0, 0], [2, 0], np.eye(2), np.eye(2))
SKEW = ([0, 0], [1, 2], [[2, 0.5], [0.5, 1]], [[1, -0.3], [-0.3, 3]])


@pytest.mark.parametrize(
    ("signatures", "measure", "expected"),
    [
        (IDENTITY, "bhattacharyya", 0.5),
        (IDENTITY, "divergence", 4.0),
        (IDENTITY, "jm", 0.786939),
        (IDENTITY, "jm-root", 0.887096),
        (IDENTITY, "td", 0.786939),
        (IDENTITY, "mahalanobis", 2.0),
        (IDENTITY, "euclid", 2.0),
        (SKEW, "bhattacharyya", 0.458420),
        (SKEW, "divergence", 4.748945),
        (SKEW, "jm", 0.735437),
        (SKEW, "jm-root", 0.857576),
        (SKEW, "td", 0.895349),
    ],
)
def test_worked_examples_come_out_to_their_six_printed_digits(signatures, measure, expected):
    assert round(between(*signatures, measure), 6) == expected


def test_one_band_gives_the_textbook_formula():
    m, s = (3.0, 7.5), (1.3, 0.4)
    b = (m[0] - m[1]) ** 2 / (4 * (s[0] ** 2 + s[1] ** 2)) + 0.5 * math.log(
        (s[0] ** 2 + s[1] ** 2) / (2 * s[0] * s[1])
    )
    found = between([m[0]], [m[1]], [[s[0] ** 2]], [[s[1] ** 2]], "bhattacharyya")
    assert found == pytest.approx(b, rel=1e-12)


def test_bhattacharyya_is_the_overlap_of_the_two_densities():
    """Integrated numerically over a fine grid, which knows nothing of the closed form."""
    m1, m2, s1, s2 = (np.array(part, float) for part in SKEW)
    side = np.linspace(-14, 14, 1401)
    x = np.stack(np.meshgrid(side, side, indexing="ij"), -1)

    def density(m, s):
        a, b, c = s[0, 0], s[0, 1], s[1, 1]
        determinant = a * c - b * b
        u, v = x[..., 0] - m[0], x[..., 1] - m[1]
        square = (c * u * u - 2 * b * u * v + a * v * v) / determinant
        return np.exp(-square / 2) / (2 * np.pi * math.sqrt(determinant))

    overlap = np.sqrt(density(m1, s1) * density(m2, s2)).sum() * (side[1] - side[0]) ** 2
    assert between(*SKEW, "bhattacharyya") == pytest.approx(-math.log(overlap), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 8), st.integers(0, 2**32 - 1))
def test_equal_covariances_give_a_divergence_of_eight_bhattacharyya(bands, seed):
    rng = np.random.default_rng(seed)
    same = random_covariance(rng, bands)
    means = rng.normal(0, 2, (2, bands))
    tables = separability(means, np.stack([same, same]), MANY, NAMES).tables
    assert tables["divergence"][0, 1] == pytest.approx(8 * tables["bhattacharyya"][0, 1], rel=1e-9)
    assert tables["td"][0, 1] == pytest.approx(tables["jm"][0, 1], rel=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_what_is_bounded_stays_in_its_bounds_and_tables_are_symmetric(bands, seed):
    rng = np.random.default_rng(seed)
    means = rng.normal(0, 10.0 ** rng.integers(-3, 3), (5, bands))
    spread = np.stack([random_covariance(rng, bands) for _ in range(5)])
    found = separability(means, spread, np.full(5, 99), list("abcde"))
    for name, table in found.tables.items():
        np.testing.assert_array_equal(table, table.T)
        np.testing.assert_array_equal(np.diag(table), 0)
        most = MEASURES[name].most
        assert (table >= 0).all()
        assert most is None or (table <= most).all()


def test_measures_of_gaussians_do_not_depend_on_the_units_of_the_bands():
    rng = np.random.default_rng(4)
    means = rng.normal(size=(4, 3))
    spread = np.stack([random_covariance(rng, 3) for _ in range(4)])
    gain = np.array([1e-4, 1.0, 1e5])
    count = np.full(4, 50)
    plain = separability(means, spread, count, list("abcd")).tables
    turned = separability(means * gain, spread * gain[:, None] * gain, count, list("abcd")).tables
    for name in ("jm", "td", "mahalanobis", "bhattacharyya", "divergence"):
        np.testing.assert_allclose(turned[name], plain[name], rtol=1e-9)


@pytest.mark.parametrize("angle", [0.0, 1e-6, 1.0, 30.0, 90.0, 179.0, 180.0])
def test_the_spectral_angle_is_exact_for_small_and_large_angles(angle):
    turned = math.radians(angle)
    m2 = [5 * math.cos(turned), 5 * math.sin(turned)]
    assert between([2, 0], m2, np.eye(2), np.eye(2), "angle") == pytest.approx(angle, abs=1e-12)


def test_a_band_given_twice_changes_nothing_and_is_told():
    rng = np.random.default_rng(8)
    means = rng.normal(0, 2, (3, 3))
    spread = np.stack([random_covariance(rng, 3) for _ in range(3)])
    count = np.full(3, 400)
    names = ["water", "field", "wood"]
    plain = separability(means, spread, count, names)
    twice = [0, 1, 2, 2]
    doubled = separability(means[:, twice], spread[:, twice][:, :, twice], count, names)
    # The noise of 1e-4 standard deviations shows in the 8th digit of variances.
    for name in ("jm", "td", "mahalanobis"):
        np.testing.assert_allclose(doubled.tables[name], plain.tables[name], rtol=1e-6)
    assert len(doubled.notes) == 1
    assert "water, field, wood is nearly singular" in doubled.notes[0]


def test_a_class_of_fewer_pixels_than_bands_is_shrunk_and_named():
    rng = np.random.default_rng(2)
    few = rng.normal(size=(3, 5))
    spread = np.stack([np.eye(5), np.cov(few.T)])
    means = np.stack([np.full(5, 3.0), few.mean(axis=0)])
    found = separability(means, spread, np.array([500, 3]), ["field", "roof"])
    assert found.notes[0].startswith("roof has 3 pixels for 5 bands")
    assert "60%" in found.notes[0]
    assert all(np.isfinite(table).all() for table in found.tables.values())


def test_a_class_that_is_constant_in_a_band_is_separable_and_named():
    means = np.array([[1.0, 0.0], [4.0, 9.0]])
    spread = np.array([np.diag([1.0, 0.0]), np.diag([1.0, 4.0])])
    found = separability(means, spread, MANY, ["water", "sand"])
    assert "the covariance of water is nearly singular" in found.notes[0]
    assert 1.99 < found.tables["jm"][0, 1] <= 2


def test_a_class_without_spread_is_unknown_and_leaves_the_others_alone():
    rng = np.random.default_rng(6)
    means = rng.normal(size=(3, 2))
    spread = np.stack([random_covariance(rng, 2) for _ in range(3)])
    spread[1] = np.nan
    found = separability(means, spread, np.array([40, 1, 40]), ["a", "b", "c"])
    alone = separability(means[[0, 2]], spread[[0, 2]], np.array([40, 40]), ["a", "c"])
    assert np.isnan(found.tables["jm"][1]).all()
    assert found.tables["jm"][0, 2] == pytest.approx(alone.tables["jm"][0, 1], rel=1e-12)
    assert found.tables["euclid"][0, 1] == pytest.approx(math.dist(means[0], means[1]))
    assert found.notes == (
        "b has 1 pixel and thus no spread; its separability from the others is unknown.",
    )


def test_a_band_of_one_value_is_left_out_and_named():
    means = np.array([[1.0, 7.0], [4.0, 7.0]])
    spread = np.array([np.diag([1.0, 0.0])] * 2)
    found = separability(means, spread, MANY, NAMES)
    assert found.tables["mahalanobis"][0, 1] == pytest.approx(3.0)
    assert found.notes == ("band 2 is the same everywhere and separates no classes.",)


def test_the_bounds_of_confusion_hold_the_error_of_the_best_classifier():
    """Of two normal densities of unit variance the error is Phi(-d / 2)."""
    for distance in (0.5, 1.0, 2.0, 4.0):
        error = 0.5 * math.erfc(distance / 2 / math.sqrt(2))
        low, high = confusion_bounds(distance**2 / 8)
        assert low <= error <= high


def test_an_unknown_measure_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"'jms'; there are jm, jm-root"):
        check_measure("jms")

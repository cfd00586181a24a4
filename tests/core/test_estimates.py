"""Published worked examples of design-based estimation, and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rsclass.core.estimates import StratifiedSample, normal_quantile, stratified_sample
from rsclass.core.sampling import place_keys
from rsclass.errors import DataError, UsageError


def by_map_class(text: str, sizes: list[int]) -> StratifiedSample:
    """A published sample: one row for each map class, which are the strata."""
    rows = np.array([[int(cell) for cell in line.split()] for line in text.strip().splitlines()])
    n = len(rows)
    counts = np.zeros((n, n, n), dtype=np.int64)
    for h in range(n):
        counts[h, :, h] = rows[h]
    names = tuple("ABCD"[:n])
    return StratifiedSample(counts, np.array(sizes), names, names, finite=False, by_map=True)


OLOFSSON_2014 = by_map_class(
    """
    66  0   5   4
     0 55   8  12
     1  0 153  11
     2  1   9 313
    """,
    [200_000, 150_000, 3_200_000, 6_450_000],
)
OLOFSSON_2013 = by_map_class(
    """
    97   0  3
     3 279 18
     2   1 97
    """,
    [22_353, 1_122_543, 610_228],
)
OLOFSSON_2013_SECOND = by_map_class(
    """
    127  66  54
      2 322  17
      0  15 540
    """,
    [7_000_000, 295_000_000, 698_000_000],
)


def stehman(*, finite: bool = True) -> StratifiedSample:
    mapped = "AAAAAAABBB ABBBBBBBBB BBCCCCCCBB DDDDDDDDDD"
    reference = "AAAAACBABC ABBBBBAABB CCCCCDDBBA DDDDDDDCCB"
    stratum = np.repeat(np.arange(4), 10)
    pairs = [np.array(["ABCD".index(c) for c in text if c != " "]) for text in (reference, mapped)]
    names = tuple("ABCD")
    sizes = [40_000, 30_000, 20_000, 10_000]
    return stratified_sample(stratum, *pairs, sizes, names, names, finite=finite)


def digits(values: object, places: int = 6) -> list[float]:
    return np.round(np.asarray(values, dtype=float), places).tolist()


def test_olofsson_2014_accuracies():
    users, producers = OLOFSSON_2014.users, OLOFSSON_2014.producers
    assert digits(users.value) == [0.88, 0.733333, 0.927273, 0.963077]
    assert digits(users.margin()) == [0.074041, 0.100757, 0.039745, 0.020534]
    assert digits(producers.value) == [0.748661, 0.847156, 0.934509, 0.961609]
    assert digits(producers.margin()) == [0.213310, 0.254408, 0.034324, 0.018362]
    assert digits(OLOFSSON_2014.overall.value, 4) == 0.9465
    assert digits(OLOFSSON_2014.overall.margin(), 4) == 0.0185


def test_olofsson_2014_areas():
    areas = OLOFSSON_2014.areas_of_reference
    assert digits(areas.value) == [0.023509, 0.012985, 0.317522, 0.645985]
    assert digits(areas.error) == [0.003491, 0.002129, 0.008792, 0.009230]
    hectares = areas * (10_000_000 * 0.09)
    assert digits(hectares.value, 2) == [21157.76, 11686.15, 285769.93, 581386.15]
    assert digits(hectares.margin(), 2) == [6157.63, 3755.83, 15509.84, 16281.66]
    pixels = areas * 10_000_000
    assert digits(pixels.value[0], 2) == 235086.25
    assert digits(pixels.margin()[0], 2) == 68418.16


def test_olofsson_2014_matrix_of_areas():
    assert digits(OLOFSSON_2014.confusion.counts.T, 4) == [
        [0.0176, 0, 0.0013, 0.0011],
        [0, 0.0110, 0.0016, 0.0024],
        [0.0019, 0, 0.2967, 0.0213],
        [0.0040, 0.0020, 0.0179, 0.6212],
    ]
    assert digits(OLOFSSON_2014.cells.value) == digits(OLOFSSON_2014.confusion.counts)


def test_olofsson_2013_first_example():
    assert digits(OLOFSSON_2013.confusion.counts.T, 4) == [
        [0.0124, 0, 0.0004],
        [0.0064, 0.5948, 0.0384],
        [0.0070, 0.0035, 0.3373],
    ]
    assert digits(OLOFSSON_2013.overall.value, 4) == 0.9444
    assert digits(OLOFSSON_2013.overall.margin(), 4) == 0.0219
    assert digits(OLOFSSON_2013.users.value, 2) == [0.97, 0.93, 0.97]
    assert digits(OLOFSSON_2013.users.margin(), 4) == [0.0336, 0.0289, 0.0336]
    assert digits(OLOFSSON_2013.producers.value) == [0.480631, 0.994189, 0.896926]
    assert digits(OLOFSSON_2013.producers.margin()) == [0.224535, 0.011325, 0.041206]
    pixels = OLOFSSON_2013.areas_of_reference * 1_755_124
    assert digits([pixels.value[0], pixels.margin()[0]], 2) == [45112.40, 21072.75]
    assert digits(pixels.error[0], 2) == 10751.40
    assert digits(OLOFSSON_2013.areas_of_reference.value) == [0.025703, 0.598287, 0.376010]
    assert digits(OLOFSSON_2013.areas_of_reference.error) == [0.006126, 0.010057, 0.010618]


def test_olofsson_2013_second_example():
    sample = OLOFSSON_2013_SECOND
    assert digits([sample.overall.value, sample.overall.margin()], 4) == [0.9613, 0.0119]
    assert digits(sample.users.value) == [0.514170, 0.944282, 0.972973]
    assert digits(sample.users.margin()) == [0.062457, 0.024382, 0.013504]
    assert digits(sample.producers.value) == [0.675347, 0.930720, 0.976650]
    assert digits(sample.producers.margin()) == [0.304589, 0.029382, 0.009604]
    assert digits(sample.areas_of_reference.value) == [0.005329, 0.299298, 0.695372]
    assert digits(sample.areas_of_reference.error) == [0.001242, 0.006052, 0.005940]
    assert digits(sample.confusion.counts.T, 4) == [
        [0.0036, 0.0019, 0.0015],
        [0.0017, 0.2786, 0.0147],
        [0, 0.0189, 0.6791],
    ]


def test_stehman_2014_strata_that_are_not_the_map_classes():
    sample = stehman()
    assert digits(sample.areas_of_reference.value) == [0.35, 0.34, 0.2, 0.11]
    assert digits(sample.areas_of_reference.error) == [0.082248, 0.075853, 0.064280, 0.030722]
    assert digits(sample.users.value) == [0.741935, 0.574468, 0.5, 0.7]
    assert digits(sample.users.error) == [0.164542, 0.124782, 0.215112, 0.152676]
    assert digits(sample.producers.value) == [0.657143, 0.794118, 0.3, 0.636364]
    assert digits(sample.producers.error) == [0.147710, 0.116548, 0.150411, 0.162280]
    assert digits([sample.overall.value, sample.overall.error]) == [0.63, 0.084642]
    assert digits(sample.cells.value.T, 2) == [
        [0.23, 0.04, 0.04, 0],
        [0.12, 0.27, 0.08, 0],
        [0, 0.02, 0.06, 0.04],
        [0, 0.01, 0.02, 0.07],
    ]
    assert digits(sample.cells.error[2, 1]) == 0.048066


def test_without_the_finite_population_factor_stehmans_errors_are_larger():
    assert digits(stehman(finite=False).users.error[0]) == 0.164563


def test_one_stratum_is_a_simple_random_sample():
    counts = np.array([[[40, 5], [3, 52]]])
    sample = StratifiedSample(counts, np.array([10**9]), ("a", "b"), ("all",), finite=False)
    n, p = 100, 0.92
    assert float(sample.overall.value) == pytest.approx(p)
    assert float(sample.overall.error) == pytest.approx(math.sqrt(p * (1 - p) / (n - 1)))
    share = 45 / n
    assert sample.areas_of_reference.value[0] == pytest.approx(share)
    assert sample.areas_of_reference.error[0] == pytest.approx(
        math.sqrt(share * (1 - share) / (n - 1))
    )
    users = 40 / 43
    # Cochran (1977), equation 2.46, for a ratio of two counts in a simple random sample.
    linear = users * (1 - users) * 43 / (n - 1) * n / 43**2
    assert sample.users.error[0] == pytest.approx(math.sqrt(linear))


def test_a_complete_sample_has_no_error():
    counts = np.array([[[3, 1], [0, 1]]])
    sample = StratifiedSample(counts, np.array([5]), ("a", "b"), ("all",))
    assert sample.overall.error == 0
    assert sample.areas_of_reference.error.tolist() == [0, 0]


def test_a_stratum_with_one_unit_has_no_variance():
    sample = by_map_class("5 1\n0 1", [100, 50])
    assert sample.single == ("B",)
    assert math.isnan(sample.overall.error)
    assert math.isnan(sample.users.error[1])
    # What happens in B cannot touch the user's accuracy of A.
    assert sample.users.error[0] == pytest.approx(math.sqrt(5 / 6 * (1 / 6) / 5))


def test_a_stratum_without_a_unit_is_left_out_and_named():
    sample = by_map_class("5 1\n0 0", [100, 50])
    assert sample.unsampled == ("B",)
    assert float(sample.overall.value) == pytest.approx(5 / 6)
    assert math.isnan(sample.users.value[1])


def test_a_class_that_the_sample_does_not_meet_is_undefined():
    sample = by_map_class("5 0\n6 0", [100, 50])
    assert math.isnan(sample.producers.value[1])
    assert math.isnan(sample.producers.error[1])


def test_units_of_different_areas_count_by_their_area():
    stratum = np.zeros(4, int)
    reference, mapped = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    area = np.array([3.0, 1.0, 1.0, 1.0])
    sample = stratified_sample(
        stratum, reference, mapped, [1000], ("a", "b"), ("all",), finite=False, area=area
    )
    assert sample.areas_of_reference.value == pytest.approx([4 / 6, 2 / 6])
    assert float(sample.overall.value) == pytest.approx(5 / 6)
    residual = area * ((reference == mapped) - 5 / 6)
    expected = math.sqrt(residual.var(ddof=1) / 4) / area.mean()
    assert float(sample.overall.error) == pytest.approx(expected)


def test_equal_areas_change_nothing():
    plain = stehman()
    scaled = StratifiedSample(
        plain.counts,
        plain.sizes,
        plain.names,
        plain.strata,
        areas=(plain.counts * 900.0, plain.counts * 900.0**2),
    )
    for what in ("overall", "users", "producers", "areas_of_reference"):
        ours, theirs = getattr(scaled, what), getattr(plain, what)
        np.testing.assert_allclose(ours.value, theirs.value, rtol=1e-12)
        np.testing.assert_allclose(ours.error, theirs.error, rtol=1e-9)


def test_intervals_cover_the_truth_as_often_as_they_say():
    height, width = 300, 300
    noise = place_keys(np.arange(height)[:, None], np.arange(width)[None, :], 5)
    truth = (np.arange(height)[:, None] + np.zeros(width, int) > 210).astype(int)
    mapped = np.where(noise % np.uint64(10) < 2, 1 - truth, truth)
    share, agreement = truth.mean(), (truth == mapped).mean()
    rng = np.random.default_rng(0)
    strata = [np.flatnonzero(mapped.ravel() == k) for k in (0, 1)]
    covered = np.zeros(2)
    runs = 400
    for _ in range(runs):
        chosen = np.concatenate([rng.choice(places, 60, replace=False) for places in strata])
        sample = stratified_sample(
            mapped.ravel()[chosen],
            truth.ravel()[chosen],
            mapped.ravel()[chosen],
            [len(places) for places in strata],
            ("a", "b"),
            ("a", "b"),
            by_map=True,
        )
        for i, (estimate, known) in enumerate(
            [(sample.overall, agreement), (sample.areas_of_reference, 1 - share)]
        ):
            low, high = (np.ravel(end)[0] for end in estimate.interval())
            covered[i] += low <= known <= high
    # Three standard errors of a share of 0.95 in 400 runs, and the discreteness of 60 units.
    assert (np.abs(covered / runs - 0.95) < 0.033 + 0.015).all()


def test_the_quantile_is_that_of_printed_tables():
    assert [normal_quantile(c) for c in (0.9, 0.95, 0.99)] == [1.645, 1.96, 2.576]
    with pytest.raises(UsageError, match="is usual"):
        normal_quantile(95)


def test_a_sample_larger_than_its_stratum_is_of_another_map():
    with pytest.raises(DataError, match="stratum 'A' has 3 pixels and 6 units"):
        by_map_class("5 1\n0 1", [3, 50])
    with pytest.raises(DataError, match="no unit"):
        by_map_class("0 0\n0 0", [3, 50])


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.int64, (4, 4), elements=st.integers(0, 30)),
    arrays(np.int64, 4, elements=st.integers(500, 10**7)),
)
def test_one_estimator_gives_the_formulas_of_olofsson(rows, sizes):
    """The variances of Olofsson et al. (2014), written out; rows are the map."""
    rows = rows + 2 * np.eye(4, dtype=np.int64) + 1
    counts = np.zeros((4, 4, 4), dtype=np.int64)
    for h in range(4):
        counts[h, :, h] = rows[h]
    names = tuple("abcd")
    sample = StratifiedSample(counts, sizes, names, names, finite=False, by_map=True)
    n, whole = rows.sum(axis=1), sizes.sum()
    w, inside = sizes / whole, rows / n[:, None]
    u = np.diagonal(inside)
    assert float(sample.overall.error) == pytest.approx(
        math.sqrt((w**2 * u * (1 - u) / (n - 1)).sum()), rel=1e-9
    )
    np.testing.assert_allclose(sample.users.error, np.sqrt(u * (1 - u) / (n - 1)), rtol=1e-9)
    area = (sizes[:, None] * inside).sum(axis=0)
    p = sizes * u / area
    spread = sizes[:, None] ** 2 * inside * (1 - inside) / (n - 1)[:, None]
    own, others = np.diagonal(spread), spread.sum(axis=0) - np.diagonal(spread)
    variance = ((1 - p) ** 2 * own + p**2 * others) / area**2
    np.testing.assert_allclose(sample.producers.value, p, rtol=1e-9)
    np.testing.assert_allclose(sample.producers.error, np.sqrt(variance), rtol=1e-9)
    np.testing.assert_allclose(
        sample.areas_of_reference.error, np.sqrt(spread.sum(axis=0)) / whole, rtol=1e-9
    )


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_one_estimator_gives_the_formulas_of_stehman(seed):
    """The ratio estimator of Stehman (2014), unit by unit."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(30, 90))
    stratum, reference, mapped = (rng.integers(0, 3, n) for _ in range(3))
    stratum[:6], reference[:6], mapped[:6] = [0, 0, 1, 1, 2, 2], 0, 0
    sizes = rng.integers(n, 10**6, 3)
    names = ("x", "y", "z")
    sample = stratified_sample(stratum, reference, mapped, sizes, names, names)

    def ratio_and_error(y, x):
        totals = sum(sizes[h] * np.array([y[stratum == h].mean(), x[stratum == h].mean()])
                     for h in range(3))  # fmt: skip
        r, variance = totals[0] / totals[1], 0.0
        for h in range(3):
            own = stratum == h
            cov = np.cov(y[own], x[own])
            s2 = cov[0, 0] + r**2 * cov[1, 1] - 2 * r * cov[0, 1]
            variance += sizes[h] ** 2 * (1 - own.sum() / sizes[h]) * s2 / own.sum()
        return r, math.sqrt(max(variance, 0.0)) / totals[1]

    right, ones = (reference == mapped) * 1.0, np.ones(n)
    for estimate, y, x in [
        (sample.overall, right, ones),
        (sample.areas_of_reference, (reference == 0) * 1.0, ones),
        (sample.users, right * (mapped == 0), (mapped == 0) * 1.0),
        (sample.producers, right * (reference == 0), (reference == 0) * 1.0),
    ]:
        value, error = ratio_and_error(y, x)
        assert np.ravel(estimate.value)[0] == pytest.approx(value, rel=1e-9)
        assert np.ravel(estimate.error)[0] == pytest.approx(error, rel=1e-6, abs=1e-9)

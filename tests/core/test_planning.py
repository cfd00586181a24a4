"""Sample sizes and allocations, against published figures and their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsclass.core.planning import ALLOCATIONS, allocate, units_for_error
from rsclass.errors import UsageError

SHARES, USERS = [0.02, 0.015, 0.32, 0.645], [0.7, 0.6, 0.9, 0.95]


def test_olofsson_2014_needs_641_units_for_an_error_of_one_percent():
    assert units_for_error(SHARES, USERS, 0.01) == 641


def test_one_stratum_needs_what_the_binomial_formula_says():
    # 0.8 * 0.2 / 0.02**2 is a whole number, and just more in floating point.
    assert units_for_error([1], [0.8], 0.02) == 400


def test_units_in_proportion_to_the_size_of_the_strata():
    sizes = np.array([100_000, 300_000, 600_000])
    assert allocate(100, sizes, "proportional", users=[0.8] * 3).tolist() == [10, 30, 60]


def test_rare_classes_get_the_least_and_the_rest_is_shared_out_by_size():
    sizes = np.array([20_000, 15_000, 320_000, 645_000])
    # 491 units are left: 491 * 0.32 / 0.965 = 162.8 and 491 * 0.645 / 0.965 = 328.2.
    units = allocate(641, sizes, "proportional", users=USERS, least=75)
    assert units.tolist() == [75, 75, 163, 328]


def test_neymans_allocation_has_the_least_error_of_all():
    sizes, users = np.array([200_000, 300_000, 500_000]), np.array([0.6, 0.9, 0.99])

    def variance(units):
        weight = sizes / sizes.sum()
        return (weight**2 * users * (1 - users) / units).sum()

    neyman = allocate(200, sizes, "neyman", users=users)
    best = min(
        variance(np.array([i, j, 200 - i - j])) for i in range(1, 198) for j in range(1, 199 - i)
    )
    assert variance(neyman) == pytest.approx(best, rel=1e-3)


@given(
    st.integers(1, 5000),
    st.lists(st.integers(0, 3000), min_size=1, max_size=7).filter(any),
    st.sampled_from(ALLOCATIONS),
    st.integers(0, 80),
)
def test_no_stratum_gets_more_than_it_has_or_less_than_it_must(n, sizes, how, least):
    size = np.array(sizes)
    units = allocate(n, size, how, users=np.full(len(sizes), 0.8), least=least)
    low = np.minimum(least, size)
    assert (units >= low).all()
    assert (units <= size).all()
    assert units.sum() == min(max(n, low.sum()), size.sum())


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: units_for_error([1], [0.8], 2), "standard error of 2"),
        (lambda: units_for_error([1], [80], 0.02), "between 0 and 1"),
        (lambda: allocate(9, np.array([5, 5]), "optimal", users=[0.5, 0.5]), "neyman"),
    ],
)
def test_impossible_plans_are_refused(call, told):
    with pytest.raises(UsageError, match=told):
        call()

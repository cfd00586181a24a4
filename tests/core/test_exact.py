"""Sums over pixels against Python's unbounded integers."""

from __future__ import annotations

from functools import reduce

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rsclass.core.exact import Sum

WHOLE = st.integers(-(2**62), 2**62)


def total_of(parts: list[int]) -> Sum:
    return reduce(lambda a, b: a + b, (Sum(np.array([part])) for part in parts))


def as_integer(total: Sum) -> int:
    assert total.high is not None
    return int(total.high[0]) * 2**40 + int(total.low[0])


@given(st.lists(WHOLE, min_size=1, max_size=60))
def test_whole_numbers_add_up_exactly_beyond_64_bits(parts):
    assert as_integer(total_of(parts)) == sum(parts)


@given(st.lists(WHOLE, min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_the_order_of_adding_leaves_no_trace(parts, random):
    shuffled = parts.copy()
    random.shuffle(shuffled)
    assert total_of(parts).as_float().tobytes() == total_of(shuffled).as_float().tobytes()


@given(st.lists(st.integers(-(2**47), 2**47), min_size=1, max_size=60))
def test_a_sum_below_2_to_the_53_is_an_exact_float(parts):
    assert int(total_of(parts).as_float()[0]) == sum(parts)


@given(st.lists(WHOLE, min_size=1, max_size=60))
def test_a_larger_sum_is_a_float_within_one_rounding(parts):
    exact = sum(parts)
    # The high limb is exact below 2**53, so only the last addition rounds.
    assert abs(int(total_of(parts).as_float()[0]) - exact) <= abs(exact) * 2**-53


def test_squares_of_the_largest_16_bit_value_over_2_to_the_40_pixels_are_exact():
    """N02: counters do not wrap."""
    part = np.array([65_535**2 * 2**30])
    total = reduce(lambda a, b: a + b, [Sum(part)] * 1024)
    assert as_integer(total) == 65_535**2 * 2**40


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_other_numbers_are_added_in_the_order_given(parts):
    total = reduce(lambda a, b: a + b, (Sum(np.array([part])) for part in parts))
    assert not total.exact
    assert total.as_float()[0] == reduce(lambda a, b: a + b, parts)


def test_a_part_of_a_sum_is_the_sum_of_the_part():
    both = Sum(np.array([2**41 + 3, -5])) + Sum(np.array([7, -(2**50)]))
    assert both[1:].as_float().tolist() == [-5.0 - 2**50]
    assert both[1:].exact

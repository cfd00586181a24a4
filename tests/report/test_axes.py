"""Values lie where they belong, between round numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsclass.report.axes import Scale, ticks


@pytest.mark.parametrize(
    ("low", "high", "labels", "factor"),
    [
        (0, 10, ["0", "2", "4", "6", "8", "10"], ""),
        (0.11, 0.31, ["0.15", "0.20", "0.25", "0.30"], ""),
        (0, 1, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"], ""),
        (200, 2300, ["500", "1,000", "1,500", "2,000"], ""),
        (0, 1.1, ["0.00", "0.25", "0.50", "0.75", "1.00"], ""),
        (-3, 3, ["-2", "0", "2"], ""),
        (1.35e6, 1.35004e6, [f"1.3500{i}" for i in range(5)], "× 10⁶"),
        (2e-9, 6.1e-9, ["2", "3", "4", "5", "6"], "× 10⁻⁹"),
    ],
)  # fmt: skip
def test_ticks_are_numbers_that_people_count_by(low, high, labels, factor):
    marked = ticks(low, high, 4 if labels == ["-2", "0", "2"] else 5)
    assert (list(marked.labels), marked.factor) == (labels, factor)


def test_whole_numbers_are_counted_in_whole_steps():
    assert ticks(1, 3, 10, whole=True).labels == ["1", "2", "3"]
    assert ticks(11, 12, 5, whole=True).labels == ["11", "12"]
    assert ticks(4, 4, 5, whole=True).labels == ["4"]


@given(
    st.floats(-1e12, 1e12),
    st.floats(1e-9, 1e9),
    st.integers(2, 12),
)
def test_ticks_are_few_lie_within_and_say_their_values(low, span, most):
    high = low + span * max(1.0, abs(low))
    marked = ticks(low, high, most)
    slack = 1e-6 * (high - low)
    assert 1 <= len(marked.values) <= most + 1
    assert marked.values[0] >= low - slack
    assert marked.values[-1] <= high + slack
    exponent = marked.factor.removeprefix("× 10").translate(
        str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
    )
    told = np.array([float(label.replace(",", "")) for label in marked.labels])
    np.testing.assert_allclose(told * 10.0 ** int(exponent or 0), marked.values, atol=slack)


def test_a_scale_leads_from_values_to_places_with_room_at_both_ends():
    scale = Scale.around([2.0, float("nan"), 6.0], 100, 200)
    assert 100 < scale(2) < scale(4) < scale(6) < 200
    assert scale(4) == pytest.approx(150)


def test_a_single_value_and_no_value_have_a_scale_too():
    assert Scale.around([7.0], 0, 10)(7) == 5
    assert Scale.around([0.0], 0, 10)(0) == 5
    assert Scale.around([], 0, 10)(0.5) == 5

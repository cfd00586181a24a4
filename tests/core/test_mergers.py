from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.mergers import mergers
from rsclass.core.separability import separability
from rsclass.core.tree import merge_losses

NAMES = ["water", "pond", "wood", "shady wood", "roof"]
MEAN = np.array([[3, 1.0], [3.2, 1.1], [4, 40], [2, 20], [30, 30]])
SPREAD = np.stack([np.eye(2) * variance for variance in (1, 1, 1, 1, 9)])
COUNT = np.array([4000, 3000, 2000, 1500, 20])


def suggested(mean=MEAN, count=COUNT, spread=SPREAD):
    variance = np.diagonal(spread, axis1=1, axis2=2)
    tables = separability(mean, spread, count, NAMES).tables
    return mergers(NAMES, count, tables, merge_losses(count, mean, variance))


def test_the_least_separable_pair_comes_first_with_its_reason():
    first, *_ = suggested()
    assert (first.one, first.other) == (0, 1)
    assert "Jeffries-Matusita distance is 0.0" in first.reasons[0]
    assert "confuse 44% to 50%" in first.reasons[0]
    assert first.loss == min(m.loss for m in suggested())


def test_one_cover_in_sun_and_shade_is_suggested_though_it_is_separable():
    pairs = {(m.one, m.other): m.reasons for m in suggested()}
    assert len(pairs[2, 3]) == 1
    assert "same shape (0.0 degrees apart)" in pairs[2, 3][0]


def test_a_small_class_that_nothing_resembles_is_left_alone():
    assert all(4 not in (m.one, m.other) for m in suggested())


def test_a_small_class_is_suggested_to_its_nearest():
    mean = MEAN.copy()
    mean[4] = [7, 40]
    pairs = {(m.one, m.other): m.reasons for m in suggested(mean)}
    assert pairs[2, 4] == (
        "roof covers but 0.19% of the map, and of all classes wood is the nearest to it",
    )


def test_a_small_class_without_spread_is_suggested_last():
    spread = SPREAD.copy()
    spread[4] = np.nan
    count = np.array([4000, 3000, 2000, 1500, 1])
    last = suggested(count=count, spread=spread)[-1]
    assert (last.one, last.other) == (2, 4)
    assert last.loss == pytest.approx(
        merge_losses(count, MEAN, np.diagonal(np.nan_to_num(spread), axis1=1, axis2=2))[2, 4]
    )

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import generic_filter

from rsclass.core.grid import TileGrid
from rsclass.core.majority import Majority
from rsclass.core.types import Window
from rsclass.errors import UsageError


def whole(values):
    return slice(0, values.shape[0]), slice(0, values.shape[1])


def oracle(values, footprint, center_weight=1, min_share=0.0, protected=()):
    """The rule pixel by pixel, through scipy's own window; beyond the edge is nodata."""
    middle = int(footprint.sum()) // 2

    def vote(around):
        own = int(around[middle])
        if own == 0 or own in protected:
            return own
        votes = np.bincount(around[around > 0].astype(int))
        votes[own] += center_weight - 1
        winners = np.flatnonzero(votes == votes.max())
        if own in winners or votes.max() < min_share * votes.sum():
            return own
        return winners[0]

    return generic_filter(
        values.astype(float), vote, footprint=footprint, mode="constant", cval=0
    ).astype(values.dtype)


def disk(size):
    at = np.arange(size) - size // 2
    return at[:, None] ** 2 + at**2 <= (size // 2) ** 2


@pytest.mark.parametrize("size", [3, 5, 9])
@pytest.mark.parametrize("circular", [False, True])
@pytest.mark.parametrize(
    "rule",
    [{}, {"center_weight": 3}, {"min_share": 0.5}, {"protected": (2, 300)}],
    ids=["plain", "weighted", "share", "protected"],
)
def test_every_pixel_takes_the_class_that_scipys_window_gives(size, circular, rule):
    rng = np.random.default_rng(size)
    values = rng.choice([0, 1, 2, 7, 300], (23, 31), p=[0.1, 0.3, 0.3, 0.2, 0.1]).astype(np.uint16)
    footprint = disk(size) if circular else np.ones((size, size), bool)
    found = Majority(size, circular, **rule).apply(values, whole(values))
    np.testing.assert_array_equal(found, oracle(values, footprint, **rule))
    assert found.dtype == np.uint16
    assert (found != values).any()


@pytest.mark.parametrize("tile", [1, 4, 7, 64])
def test_the_result_does_not_depend_on_the_tiles(tile):
    values = np.random.default_rng(1).integers(0, 5, (29, 37)).astype(np.uint8)
    rule = Majority(7, circular=True)
    once = rule.apply(values, whole(values))
    pieces = np.zeros_like(values)
    for window in TileGrid(*values.shape, tile, tile):
        around = window.grow(rule.halo, *values.shape)
        block = values[around.inside(Window(0, 0, *values.shape))]
        pieces[window.inside(Window(0, 0, *values.shape))] = rule.apply(
            block, window.inside(around)
        )
    np.testing.assert_array_equal(pieces, once)


def test_of_equal_votes_the_own_class_stays_and_else_the_lowest_value_wins():
    own_among_winners = np.array([[1, 1, 1], [1, 2, 2], [2, 2, 0]], np.uint8)
    assert Majority(3).apply(own_among_winners, whole(own_among_winners))[1, 1] == 2
    own_is_beaten = np.array([[3, 3, 1], [3, 2, 1], [3, 1, 1]], np.uint8)
    assert Majority(3).apply(own_is_beaten, whole(own_is_beaten))[1, 1] == 1


def test_nodata_keeps_its_pixels_whatever_lies_around_it():
    values = np.ones((9, 9), np.uint8)
    values[4, 4] = values[0, 0] = 0
    values[4, 5] = 2
    found = Majority(5).apply(values, whole(values))
    np.testing.assert_array_equal(found == 0, values == 0)
    assert found[4, 5] == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1)])
def test_scenes_of_one_row_or_column_are_filtered_too(shape):
    """R13"""
    values = np.array([1, 2, 1, 1, 2, 2, 0, 1, 1][: shape[0] * shape[1]], np.uint8).reshape(shape)
    found = Majority(3).apply(values, whole(values))
    np.testing.assert_array_equal(found, oracle(values, np.ones((3, 3), bool)))


@pytest.mark.parametrize(
    "wrong",
    [{"size": 4}, {"size": 1}, {"size": 3, "center_weight": 0}, {"size": 3, "min_share": 2}],
)
def test_an_impossible_window_is_refused(wrong):
    with pytest.raises(UsageError):
        Majority(**wrong)

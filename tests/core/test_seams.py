"""Patches across tiles, put together from what lies along their sides."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.grid import TileGrid
from rsclass.core.seams import OpenPatches, Seams

SIDE = 50_000


def test_a_patch_of_ten_billion_pixels_is_counted_in_64_bits():
    """N02: 10^10 pixels, of which nothing but the sides of four tiles is ever held."""
    seams = Seams(2 * SIDE, diagonal=False)
    line = np.zeros(SIDE, np.int32)
    for window in TileGrid(2 * SIDE, 2 * SIDE, SIDE, SIDE):
        one = np.array([3], np.uint16), np.array([SIDE**2], np.int64)
        seams.add(OpenPatches(window, *one, line, line, line, line))
    whole, value, weight, pairs = seams.join()
    assert whole.tolist() == [0, 0, 0, 0]
    assert (value.tolist(), weight.tolist()) == ([3], [10**10])
    assert len(pairs) == 0


@pytest.mark.parametrize("diagonal", [False, True])
def test_corners_of_tiles_touch_only_where_diagonals_count(diagonal):
    """A checkerboard of four tiles of one pixel: classes 1 and 2 meet at the corner."""
    seams = Seams(2, diagonal)
    line = np.zeros(1, np.int32)
    for window, value in zip(TileGrid(2, 2, 1, 1), (1, 2, 2, 1), strict=True):
        one = np.array([value], np.uint16), np.array([1], np.int64)
        seams.add(OpenPatches(window, *one, line, line, line, line))
    whole, _, weight, pairs = seams.join()
    assert whole.tolist() == ([0, 1, 1, 0] if diagonal else [0, 1, 2, 3])
    assert weight.tolist() == ([2, 2] if diagonal else [1, 1, 1, 1])
    expected = [[0, 1]] if diagonal else [[0, 1], [0, 2], [1, 3], [2, 3]]
    assert pairs.tolist() == expected


def test_a_map_of_one_tile_has_no_open_patch():
    whole, value, weight, pairs = Seams(5, diagonal=True).join()
    assert len(whole) == len(value) == len(weight) == len(pairs) == 0

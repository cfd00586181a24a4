"""Scenes cut into tiles: nothing twice, nothing left out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsclass.core.grid import TileGrid, canonical_side, split
from rsclass.core.types import Window

SIZE = st.integers(1, 90)


def covered(height: int, width: int, windows) -> np.ndarray:
    times = np.zeros((height, width), int)
    for w in windows:
        assert w.height > 0
        assert w.width > 0
        assert w.row >= 0
        assert w.col >= 0
        times[w.row : w.row_end, w.col : w.col_end] += 1
    return times


@given(SIZE, SIZE, SIZE, SIZE)
def test_tiles_cover_every_pixel_once(height, width, tile_height, tile_width):
    grid = TileGrid(height, width, tile_height, tile_width)
    windows = list(grid)
    assert (covered(height, width, windows) == 1).all()
    assert len(windows) == len(grid)
    assert sum(w.pixels for w in windows) == height * width
    assert max(w.row_end for w in windows) == height
    assert windows == sorted(windows)


@given(SIZE, SIZE, SIZE, SIZE, st.integers(1, 40))
def test_split_cuts_a_window_at_the_multiples_of_the_scene(row, col, height, width, side):
    outer = Window(row, col, height, width)
    parts = list(split(outer, side))
    times = covered(row + height, col + width, parts)
    assert (times[row:, col:] == 1).all()
    assert times.sum() == outer.pixels
    for part in parts:
        assert part.row // side == (part.row_end - 1) // side
        assert part.col // side == (part.col_end - 1) // side


@given(SIZE, SIZE, SIZE, SIZE, st.integers(1, 40))
def test_splitting_tiles_that_are_multiples_gives_the_canonical_blocks(
    height, width, rows, cols, side
):
    tiles = TileGrid(height, width, rows * side, cols * side)
    parts = sorted(part for tile in tiles for part in split(tile, side))
    assert parts == sorted(split(Window(0, 0, height, width), side))


@given(st.data(), SIZE, SIZE, st.integers(0, 30))
def test_a_grown_window_holds_its_neighbors_and_stays_inside(data, height, width, halo):
    row, col = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    window = Window(
        row, col, data.draw(st.integers(1, height - row)), data.draw(st.integers(1, width - col))
    )
    grown = window.grow(halo, height, width)
    scene = np.arange(height * width).reshape(height, width)
    padded = np.pad(scene, halo, constant_values=-1)
    around = padded[row : row + window.height + 2 * halo, col : col + window.width + 2 * halo]
    inside = scene[grown.row : grown.row_end, grown.col : grown.col_end]
    assert inside.ravel().tolist() == around[around >= 0].tolist()
    core = inside[window.inside(grown)]
    np.testing.assert_array_equal(core, scene[row : window.row_end, col : window.col_end])


@pytest.mark.parametrize("sizes", [(0, 5, 1, 1), (5, 0, 1, 1), (5, 5, 0, 1), (5, 5, 1, -1)])
def test_a_grid_of_no_size_is_refused(sizes):
    with pytest.raises(ValueError, match="positive sizes"):
        TileGrid(*sizes)


def test_blocks_shrink_as_pixels_grow():
    assert [canonical_side(n) for n in (1, 64, 65, 256, 257, 2400)] == [
        512,
        512,
        256,
        256,
        128,
        128,
    ]

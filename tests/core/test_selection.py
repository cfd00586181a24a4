"""Drawing reference places block by block."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.grid import TileGrid
from rsclass.core.sampling import place_keys
from rsclass.core.selection import Places, SmallestKeys, SystematicGrid, thin

HEIGHT, WIDTH = 90, 130
ROWS, COLS = np.indices((HEIGHT, WIDTH))
VALUES = np.where(COLS < 30, 0, np.where(ROWS < 60, 7, 3))
STRATA = np.where(VALUES == 0, -1, np.where(VALUES == 3, 0, 1)).astype(np.int32)
TILES = [(HEIGHT, WIDTH), (1, WIDTH), (17, 23), (64, 64)]


def over(draw, tile):
    for window in TileGrid(HEIGHT, WIDTH, *tile):
        part = window.inside(TileGrid(HEIGHT, WIDTH, HEIGHT, WIDTH).window(0, 0))
        draw.add(draw.candidates(window, STRATA[part], VALUES[part]))
    return draw.places.in_random_order()


def as_rows(places: Places) -> list[tuple[int, ...]]:
    return list(
        zip(places.rows.tolist(), places.cols.tolist(), places.strata.tolist(), strict=True)
    )


@pytest.mark.parametrize("tile", TILES)
def test_the_places_drawn_are_those_of_the_smallest_keys(tile):
    wanted = np.array([5, 40])
    places = over(SmallestKeys(wanted, seed=3), tile)
    keys = place_keys(ROWS, COLS, 3)
    for h, n in enumerate(wanted):
        inside = np.flatnonzero(STRATA.ravel() == h)
        best = inside[np.argsort(keys.ravel()[inside])][:n]
        ours = places.take(places.strata == h)
        assert sorted(ours.rows * WIDTH + ours.cols) == sorted(best)
    assert (places.values == VALUES[places.rows, places.cols]).all()


def test_a_stratum_smaller_than_wanted_is_taken_whole():
    places = over(SmallestKeys(np.array([10**6, 0]), seed=0), (64, 64))
    assert len(places) == np.count_nonzero(STRATA == 0)
    assert not np.any(places.strata == 1)


def test_every_pixel_of_a_stratum_is_drawn_equally_often():
    drawn = np.zeros((HEIGHT, WIDTH))
    for seed in range(300):
        places = over(SmallestKeys(np.array([0, 600]), seed), (HEIGHT, WIDTH))
        drawn[places.rows, places.cols] += 1
    inside = drawn[STRATA == 1]
    expected = 300 * 600 / len(inside)
    statistic = ((inside - expected) ** 2 / (expected * (1 - 600 / len(inside)))).sum()
    # Chi-square with as many degrees of freedom as pixels: four standard deviations.
    assert abs(statistic - len(inside)) < 4 * np.sqrt(2 * len(inside))


@pytest.mark.parametrize("tile", TILES)
def test_a_systematic_sample_lies_on_a_grid_whatever_the_tiles(tile):
    n_valid = int(np.count_nonzero(STRATA >= 0))
    places = over(SystematicGrid(100, n_valid, seed=1), tile)
    assert as_rows(places) == as_rows(over(SystematicGrid(100, n_valid, seed=1), (HEIGHT, WIDTH)))
    step = np.sqrt(n_valid / 100)
    for places_on_axis in (np.unique(places.rows), np.unique(places.cols)):
        assert set(np.diff(places_on_axis)) <= {int(step), int(step) + 1}
    assert abs(len(places) - 100) <= 15
    assert not (VALUES[places.rows, places.cols] == 0).any()


def test_another_seed_starts_the_grid_elsewhere():
    one, other = (over(SystematicGrid(100, 9000, seed), (64, 64)) for seed in (1, 2))
    assert as_rows(one) != as_rows(other)


def test_places_of_a_systematic_sample_of_everything_are_all_pixels():
    n_valid = int(np.count_nonzero(STRATA >= 0))
    assert len(over(SystematicGrid(n_valid, n_valid, 0), (17, 23))) == n_valid


def test_thinned_places_keep_their_distance_and_no_candidate_is_left_that_fits():
    places = over(SmallestKeys(np.array([60, 400]), seed=3), (64, 64))
    x, y = places.cols * 10.0, places.rows * 10.0
    chosen = thin(places, x, y, 75.0, np.array([60, 400]))
    apart = np.hypot(x[chosen, None] - x[chosen], y[chosen, None] - y[chosen])
    assert apart[~np.eye(len(chosen), dtype=bool)].min() >= 75
    left = np.setdiff1d(np.arange(len(places)), chosen)
    nearest = np.hypot(x[left, None] - x[chosen], y[left, None] - y[chosen]).min(axis=1)
    assert (nearest < 75).all()


def test_strata_that_compete_for_room_get_the_same_part_of_what_they_want():
    both = np.repeat([0, 1], 300).astype(np.int32)
    cols = np.tile(np.arange(300), 2)
    keys = place_keys(both, cols, 0)
    places = Places(both.astype(np.int64), cols, both, cols, keys)
    chosen = thin(places, cols * 1.0, both * 0.0, 5.0, np.array([60, 20]))
    first, second = np.bincount(both[chosen])
    assert 30 < first + second <= 60
    assert abs(first / 60 - second / 20) < 1.01 / 20

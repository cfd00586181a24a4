"""Fields that depend on the place alone: same values in any window, statistics as stated."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from rsclass.core.placefield import bricks, discs, normal, smooth, uniform


def grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(height, dtype=float)[:, None] - 20.0, np.arange(width, dtype=float)[None, :]


def test_uniform_numbers_pass_a_kolmogorov_smirnov_test():
    rows, cols = np.mgrid[-100:100, 0:200]
    assert stats.kstest(uniform(rows, cols, 3).ravel(), "uniform").pvalue > 0.001


def test_normal_numbers_have_the_moments_of_irwin_and_hall():
    rows, cols = np.mgrid[0:500, 0:400]
    z = normal(rows, cols, 5).ravel()
    n = z.size
    # Four standard errors of the mean, the variance and the kurtosis.
    assert abs(z.mean()) < 4 / n**0.5
    assert abs(z.var() - 1) < 4 * (1.7 / n) ** 0.5
    assert abs(stats.kurtosis(z) + 6 / 5 / 4) < 4 * (24 / n) ** 0.5
    assert np.abs(z).max() <= 12**0.5


def test_neighbors_are_not_correlated():
    rows, cols = np.mgrid[0:300, 0:300]
    z = normal(rows, cols, 1)
    bound = 4 / z.size**0.5
    assert abs((z[1:] * z[:-1]).mean()) < bound
    assert abs((z[:, 1:] * z[:, :-1]).mean()) < bound


def test_a_smooth_field_meets_its_lattice_points_and_stays_between_them():
    y, x = grid(60, 90)
    field = smooth(y, x, 10.0, 7)
    lattice = 2 * uniform(np.arange(-2, 5)[:, None], np.arange(0, 10)[None, :], 7) - 1
    np.testing.assert_array_equal(field[::10, ::10], lattice[:6, :9])
    middle = smooth(np.array([[-15.0]]), np.array([[5.0]]), 10.0, 7)
    assert middle.item() == pytest.approx(lattice[:2, :2].mean(), abs=1e-15)


def test_a_grid_and_the_same_places_one_by_one_give_the_same_field():
    y, x = grid(50, 70)
    full_y, full_x = (np.ascontiguousarray(a) for a in np.broadcast_arrays(y, x))
    np.testing.assert_allclose(
        smooth(y, x, 13.0, 2), smooth(full_y, full_x, 13.0, 2), rtol=0, atol=1e-15
    )
    np.testing.assert_array_equal(
        discs(y, x, 12.0, 7.0, 0.6, 2), discs(full_y, full_x, 12.0, 7.0, 0.6, 2)
    )


def test_every_place_lies_inside_its_brick_and_bricks_keep_their_size():
    y, x = grid(200, 300)
    wall = bricks(y + 0.1 * x, x + 0.0 * y, 13.0, 26.0, 4)
    for distance, size in ((wall.down, wall.height), (wall.right, wall.width)):
        assert (distance >= 0).all()
        assert (distance < size).all()
    _, first = np.unique(np.stack([wall.row.ravel(), wall.col.ravel()]), axis=1, return_index=True)
    # A jitter of 0.6 moves each of the two cuts by at most 0.3 of the mean size.
    assert wall.width.ravel()[first].min() >= 0.4 * 26
    assert wall.width.ravel()[first].max() <= 1.6 * 26


def test_domes_are_highest_in_their_middle_and_zero_between():
    y, x = grid(120, 120)
    field = discs(y, x, 30.0, 10.0, 1.0, 9)
    assert 0.95 < field.max() <= 1.0
    assert field.min() == 0.0
    # Sixteen discs or so of radius 4 to 10 (mean square 52) on squares of 900.
    assert 0.08 < (field > 0).mean() < 0.3

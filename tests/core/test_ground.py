from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.ground import Ground


def test_pixels_of_one_size_weigh_one_each():
    ground = Ground.of_rows(np.full(5, 900.0), 5)
    assert ground.even
    np.testing.assert_array_equal(ground.weights, 1)
    assert ground.hectares(10) == pytest.approx(0.9, rel=1e-15)


def test_areas_of_rows_of_different_size_are_right_to_seven_digits():
    rows = 6_371_000.0**2 * np.radians(1) ** 2 * np.cos(np.radians(np.linspace(0, 80, 1000)))
    ground = Ground.of_rows(rows, 1000)
    assert not ground.even
    # A weight is rounded to half a unit, 3e-8 of the largest pixel.
    assert ground.hectares(ground.weights.sum()) == pytest.approx(rows.sum() / 1e4, rel=1e-7)
    for row in (0, 500, 999):
        assert ground.hectares(ground.weights[row]) == pytest.approx(rows[row] / 1e4, rel=2e-7)


def test_weights_of_the_largest_scenes_fit_into_64_bits():
    """N02: 10^11 pixels of the heaviest kind."""
    assert Ground.of_rows([1.0, 2.0], 2).weights.max() * 10**11 < 2**63


@pytest.mark.parametrize(
    ("hectares", "pixels"), [(0.5, 50), (0.501, 51), (0.01, 1), (0.000001, 1), (1, 100)]
)
def test_an_area_is_reached_by_so_many_pixels_of_ten_meters(hectares, pixels):
    for side in (10.0, np.nextafter(10.0, 0)):
        assert Ground.of_rows([side**2] * 3, 3).weight_of(hectares) == pixels


def test_without_ground_there_are_no_hectares():
    ground = Ground.of_rows(None, 4)
    assert ground.even
    assert ground.hectares(4) is None
    with pytest.raises(ValueError, match="not known"):
        ground.weight_of(1)

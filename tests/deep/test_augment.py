from __future__ import annotations

import numpy as np
import pytest

from rsclass.deep.augment import Augmentation, turn, turn_back
from rsclass.deep.scaling import Scaling

SCALING = Scaling(np.array([10.0, 20.0]), np.array([2.0, 4.0]))


@pytest.mark.parametrize("how", range(8))
def test_every_turn_can_be_undone(how):
    image = np.arange(2 * 5 * 5).reshape(2, 5, 5)
    np.testing.assert_array_equal(turn_back(turn(image, how), how), image)


def test_the_eight_turns_are_different():
    image = np.arange(9).reshape(3, 3)
    assert len({turn(image, how).tobytes() for how in range(8)}) == 8


def test_tiles_that_are_not_square_keep_their_shape():
    drawn = Augmentation(SCALING).draw_turns(200, False, np.random.default_rng(0))
    assert len(set(drawn.tolist())) == 4
    assert all(turn(np.zeros((3, 5)), int(how)).shape == (3, 5) for how in drawn)


def test_a_gain_alone_keeps_the_ratio_of_raw_bands():
    view = Augmentation(SCALING, gain=0.1, offset=0, band_gain=0, noise=0)
    inputs = np.random.default_rng(1).normal(size=(6, 2, 4, 4)).astype(np.float32)
    raw = inputs * SCALING.scale[:, None, None] + SCALING.center[:, None, None]
    seen = view.illuminate(inputs, np.random.default_rng(2))
    seen_raw = seen * SCALING.scale[:, None, None] + SCALING.center[:, None, None]
    ratio = (seen_raw / raw).reshape(6, -1)
    # float32 inputs near 5 keep 6 digits
    np.testing.assert_allclose(ratio, ratio[:, :1].repeat(32, axis=1), rtol=1e-5)
    assert ratio[:, 0].std() > 0.03


def test_nothing_changes_when_every_strength_is_zero():
    view = Augmentation(SCALING, gain=0, offset=0, band_gain=0, noise=0, turns=False)
    inputs = np.random.default_rng(1).normal(size=(3, 2, 4, 4)).astype(np.float32)
    np.testing.assert_array_equal(view.illuminate(inputs, np.random.default_rng(0)), inputs)
    assert not view.draw_turns(9, True, np.random.default_rng(0)).any()


def moved_by_one_deviation(view):
    """Inputs of zero after a gain of one standard deviation."""
    deviation = np.hypot(view.gain, view.band_gain)
    zeros = np.zeros(len(view.scaling.center))
    return view.scaling.under(zeros + deviation, 0.0, view.farthest)[1]


def test_a_zero_far_from_the_data_shifts_a_band_by_a_quarter_of_its_range():
    """Values near 60,000 that differ by 4, beside a band of reflectances."""
    far = Augmentation(Scaling(np.array([60_000.0, 0.2]), np.array([1.0, 0.05])))
    deviation = np.hypot(0.05, 0.015)
    np.testing.assert_allclose(moved_by_one_deviation(far), [1, 4 * deviation])
    user = Augmentation(far.scaling, gain=0.3)
    assert moved_by_one_deviation(user).max() <= 1 + 1e-12


def test_reflectances_are_lit_as_without_a_bound():
    centers, scales = np.array([300.0, 2_900.0, 0.0]), np.array([100.0, 160.0, 5.0])
    view = Augmentation(Scaling(centers, scales))
    gain = np.array([0.1, -0.2, 0.05])
    for bound, free in zip(
        view.scaling.under(gain, 0.3, view.farthest), view.scaling.under(gain, 0.3), strict=True
    ):
        assert bound.tobytes() == free.tobytes()


def test_a_stronger_view_changes_light_and_noise_alone(toy):
    view = Augmentation(toy.scaling, gain=0.1, offset=0.2, band_gain=0.05, noise=0.3, turns=False)
    assert view.stronger(2) == Augmentation(
        toy.scaling, gain=0.2, offset=0.4, band_gain=0.1, noise=0.6, turns=False
    )

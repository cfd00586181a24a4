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

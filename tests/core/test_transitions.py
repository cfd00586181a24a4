from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.transitions import Transitions


@pytest.mark.parametrize("top", [5, 60_000])
def test_pairs_are_counted_by_the_weights_of_their_rows(top):
    rng = np.random.default_rng(top)
    before, after = rng.choice([0, 1, top], (2, 40, 30))
    weights = np.repeat([2**40, 7, 7, 1], 10)
    found = Transitions.of(before, after, weights)
    per_pixel = np.broadcast_to(weights[:, None], before.shape)
    for row in found.to_rows():
        here = (before == row["from"]) & (after == row["to"])
        assert row["pixels"] == per_pixel[here].sum()
    assert found.pixels.sum() == per_pixel.sum()


def test_weights_of_one_are_pixels():
    before, after = np.random.default_rng(0).integers(0, 4, (2, 9, 9))
    plain, weighed = (Transitions.of(before, after, w) for w in (None, np.ones(9, np.int64)))
    assert plain.to_rows() == weighed.to_rows()


def test_no_pixel_gives_no_pair():
    nothing = np.zeros((0, 5), np.int32)
    assert len(Transitions.of(nothing, nothing)) == 0

"""The key up to which pixels are drawn, however the keys are spread."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.flow.stream import _smallest_key

LARGEST = np.iinfo(np.uint64).max
RNG = np.random.default_rng(4)
SPREADS = {
    "evenly": RNG.integers(0, LARGEST, 5000, np.uint64, endpoint=True),
    "at the low end, but one": np.append(RNG.integers(0, 9, 300, np.uint64), LARGEST),
    "at the high end": LARGEST - RNG.integers(0, 9, 300, np.uint64),
    "with ties": RNG.integers(0, 3, 300, np.uint64),
    "all at zero": np.zeros(7, np.uint64),
    "alone": np.array([LARGEST]),
}


@pytest.mark.parametrize("keys", SPREADS.values(), ids=SPREADS.keys())
def test_the_key_of_any_rank_is_that_of_sorted_keys(keys):
    expected = np.sort(keys)
    for n in {1, 2, len(keys) // 3, len(keys) // 2, len(keys) - 1, len(keys)}:
        if 0 < n <= len(keys):
            assert _smallest_key(keys, n) == expected[n - 1]

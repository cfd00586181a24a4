"""Sums that do not depend on how a scene is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsclass.core.grid import TileGrid, split
from rsclass.core.rows import RowSums


@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_every_cut_gives_the_same_bits(rows, cols, high, wide, seed):
    values = np.random.default_rng(seed).normal(0, 1e6, (rows, cols))
    expected = 0.0
    for i, row in enumerate(values):
        total = row[0]
        for value in row[1:]:
            total = total + value
        expected = total if i == 0 else expected + total
    sums: RowSums[float] = RowSums()
    for unit in TileGrid(rows, cols, high, wide):
        sums.complete_above(unit.row)
        for block in split(unit, 1):
            sums.add(block.row, values[block.row, block.col])
    assert sums.total() == expected


def test_a_sum_over_nothing_is_an_error():
    with pytest.raises(ValueError, match="no block"):
        RowSums[int]().total()

"""Units counted by stratum, label and value."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from rsclass.core.crosstab import Crosstab


def as_dict(tab: Crosstab) -> dict[tuple[int, int, int], tuple[int, int, int]]:
    keys = zip(tab.strata.tolist(), tab.labels.tolist(), tab.values.tolist(), strict=True)
    sums = zip(tab.units.tolist(), tab.areas.tolist(), tab.squares.tolist(), strict=True)
    return dict(zip(keys, sums, strict=True))


@pytest.mark.parametrize("top", [3, 60_000], ids=["few", "many"])
@pytest.mark.parametrize("even", [True, False])
def test_the_sum_of_parts_is_that_of_all_units(top, even):
    rng = np.random.default_rng(0)
    strata, labels, values = (
        rng.integers(0, 4, 900),
        rng.integers(0, top, 900),
        rng.integers(0, 9, 900),
    )
    areas = np.ones(900, np.int64) if even else rng.integers(1, 2**14, 900)
    whole = Crosstab.of(strata, labels, values, areas)
    parts = Crosstab.none()
    for part in np.array_split(np.arange(900), 7)[::-1]:
        parts += Crosstab.of(strata[part], labels[part], values[part], areas[part])
    expected: Counter[tuple[int, int, int, int]] = Counter()
    for s, label, v, a in zip(strata, labels, values, areas, strict=True):
        for i, amount in enumerate((1, int(a), int(a) ** 2)):
            expected[(int(s), int(label), int(v), i)] += amount
    told = {k: tuple(expected[(*k, i)] for i in range(3)) for k in {key[:3] for key in expected}}
    assert as_dict(whole) == as_dict(parts) == told
    assert whole.total == 900


def test_the_contingency_adds_over_strata():
    tab = Crosstab.of(
        np.array([1, 2, 2]), np.array([0, 0, 5]), np.array([7, 7, 9]), np.ones(3, np.int64)
    )
    table, labels, values = tab.contingency()
    assert table.tolist() == [[2, 0], [0, 1]]
    assert (labels.tolist(), values.tolist()) == ([0, 5], [7, 9])

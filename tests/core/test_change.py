from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.change import CommonClasses, change_legend, class_changes
from rsclass.core.legend import Legend, LegendClass
from rsclass.core.transitions import Transitions

FIRST = Legend.of(["Water", "Forest", "Crops"], [(0, 0, 255), (0, 120, 0), (230, 200, 60)])
SECOND = Legend(
    (
        LegendClass(1, "forest", (0, 99, 0)),
        LegendClass(4, "Water", (0, 0, 200)),
        LegendClass(9, "Urban", (200, 0, 0)),
    )
)


def test_classes_are_matched_by_name_whatever_their_values():
    common = CommonClasses.of(FIRST, SECOND, "name")
    assert common.names == ("Water", "Forest", "Crops", "Urban")
    assert common.first == {1: 0, 2: 1, 3: 2}
    assert common.second == {1: 1, 4: 0, 9: 3}
    assert common.shared == (0, 1)
    assert common.colors[:2] == FIRST.colors[:2]


def test_classes_are_matched_by_value_and_keep_both_names():
    common = CommonClasses.of(FIRST, SECOND, "value")
    assert common.names == ("Water / forest", "Forest", "Crops", "Water", "Urban")
    assert common.second == {1: 0, 4: 3, 9: 4}


def test_two_values_of_one_name_are_one_class():
    twice = Legend.of(["Crops", "Crops", "Water"], [(1, 1, 1), (2, 2, 2), (3, 3, 3)])
    common = CommonClasses.of(twice, FIRST, "name")
    assert common.first == {1: 0, 2: 0, 3: 1}
    rows = np.array([[1, 2, 3, 0]])
    counts = common.matrix(Transitions.of(rows, np.array([[3, 3, 1, 1]])))
    assert counts.sum() == 3  # nodata on either side is left out
    assert counts[0, 0] == 2


def test_gains_losses_and_swaps_are_those_of_pontius():
    """The table of Pontius et al. 2004 for three categories: gain, loss, net and swap."""
    matrix = np.array([[50, 5, 1], [3, 20, 4], [2, 2, 13]])
    changes = class_changes(matrix)
    for i, change in enumerate(changes):
        others = np.delete(np.arange(3), i)
        assert change.loss == matrix[i, others].sum()
        assert change.gain == matrix[others, i].sum()
        assert change.net == change.gain - change.loss
        assert change.swap == change.gain + change.loss - abs(change.net)
    assert sum(change.gain for change in changes) == sum(change.loss for change in changes)


def test_each_change_that_occurs_has_a_value_and_tells_where_it_leads():
    common = CommonClasses.of(FIRST, FIRST, "name")
    matrix = np.array([[5, 0, 2], [0, 0, 0], [0, 7, 1]])
    legend, values = change_legend(matrix, common)
    assert legend.names == ("unchanged", "Water → Crops", "Crops → Forest")
    assert values.tolist() == [[1, 0, 2], [0, 1, 0], [0, 3, 1]]
    assert legend.colors[2] == (76, 146, 20)


def test_changes_between_classes_of_one_color_are_told_apart():
    alike = Legend.of(list("abcd"), [(10, 90, 10)] * 4)
    common = CommonClasses.of(alike, alike, "name")
    legend, values = change_legend(np.ones((4, 4), np.int64), common)
    assert len(set(legend.colors)) == len(legend) == 13
    assert sorted(values[~np.eye(4, dtype=bool)]) == list(range(2, 14))


@pytest.mark.parametrize("by", ["name", "value"])
def test_a_map_compared_with_itself_has_no_change(by):
    common = CommonClasses.of(FIRST, FIRST, by)
    values = np.random.default_rng(0).integers(0, 4, (9, 9))
    counts = common.matrix(Transitions.of(values, values))
    assert all(change.gain == change.loss == change.net == 0 for change in class_changes(counts))
    assert counts.sum() == (values > 0).sum()

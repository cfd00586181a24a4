from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.editing import EditRule

VALUES = np.array([[1, 2, 3, 0], [1, 2, 3, 0]], np.int32)
OWNER = np.array([[0, 0, 0, 0], [1, -1, -2, 1]], np.int32)


@pytest.mark.parametrize(
    ("only", "fill", "expected"),
    [
        ([None, None], False, [[9, 9, 9, 0], [8, 2, 3, 0]]),
        ([None, None], True, [[9, 9, 9, 9], [8, 2, 3, 8]]),
        ([(2, 3), None], False, [[1, 9, 9, 0], [8, 2, 3, 0]]),
        ([(2, 3), (2,)], True, [[1, 9, 9, 9], [1, 2, 3, 8]]),
        ([(), None], False, [[1, 2, 3, 0], [8, 2, 3, 0]]),
    ],
)
def test_owned_pixels_of_the_classes_meant_get_the_new_one(only, fill, expected):
    before = VALUES.copy()
    found = EditRule([9, 8], only, fill).apply(VALUES, OWNER)
    assert found.tolist() == expected
    np.testing.assert_array_equal(VALUES, before)


def test_values_up_to_the_highest_are_edited():
    values = np.array([[65_534, 1]], np.int32)
    found = EditRule([65_533], [(65_534,)]).apply(values, np.zeros((1, 2), np.int32))
    assert found.tolist() == [[65_533, 1]]

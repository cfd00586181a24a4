"""Labels of other people matched to the classes of a map."""

from __future__ import annotations

import pytest

from rsclass.core.legend import Legend, LegendClass
from rsclass.core.naming import ClassNames, told
from rsclass.errors import DataError

GRAY = (128, 128, 128)
NAMES = ClassNames(
    Legend(
        (
            LegendClass(1, "Water", GRAY),
            LegendClass(3, "Bare soil", GRAY),
            LegendClass(7, "2", GRAY),
            LegendClass(9, "water", GRAY),
        )
    )
)


@pytest.mark.parametrize(
    ("label", "position"),
    [
        ("Water", 0),
        ("water", 3),
        ("bare_soil", 1),
        ("BARE-SOIL ", 1),
        ("3", 1),
        ("3.0", 1),
        ("2", 2),  # its name, although no class has that value
        ("snow", None),
        ("4", None),
        ("", None),
    ],
)
def test_a_label_means_the_class_of_its_name_or_else_of_its_value(label, position):
    assert NAMES.find(label) == position


def test_a_label_that_several_classes_answer_to_is_refused():
    with pytest.raises(DataError, match=r"several classes of the map \(1, 9\)"):
        NAMES.find("WATER")


def test_classes_are_described_by_value_and_name():
    assert NAMES.described() == "1 'Water', 3 'Bare soil', 7 '2', 9 'water'"
    assert told(map(str, range(15))).endswith("'11' and 3 more")


def test_numbers_that_stand_for_named_classes_are_noticed():
    legend = Legend((LegendClass(1, "Water", GRAY), LegendClass(2, "class 2", GRAY)))
    names = ClassNames(legend)
    assert [names.by_value(label) for label in ("1", "2", "water", "3")] == [
        True, False, False, False,
    ]  # fmt: skip
    assert not NAMES.by_value("2")

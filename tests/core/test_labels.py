from __future__ import annotations

from typing import Any

import pytest

from rsclass.core.labels import distinct_labels, map_values, parse_mergers, whole_numbers
from rsclass.errors import UsageError


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (("3", "10"), (3, 10)),
        (("-1", "0"), (-1, 0)),
        (("03", "1"), None),
        (("1.0",), None),
        (("1", "x"), None),
        (("+1",), None),
        (("١",), None),
    ],
)
def test_whole_numbers_are_those_written_as_such(names: Any, numbers: Any) -> None:
    assert whole_numbers(names) == numbers


def test_labels_are_ordered_by_size_or_by_the_alphabet() -> None:
    assert distinct_labels(["10", "9", "10", "-1"]) == ("-1", "9", "10")
    assert distinct_labels(["b", "A", "10", "a", "B"]) == ("10", "A", "a", "B", "b")


@pytest.mark.parametrize(
    ("names", "values"),
    [
        (("1", "65534"), (1, 65_534)),
        (("1", "65535"), (1, 2)),
        (("0", "7"), (1, 2)),
        (("7", "9"), (7, 9)),
        (("a", "b", "c"), (1, 2, 3)),
    ],
)
def test_a_number_that_fits_stays_the_value_of_the_map(names: Any, values: Any) -> None:
    assert map_values(names) == values


NAMES = ("oak", "beech", "pine", "wet, dark")


def test_mergers_name_the_new_class_of_each_old_one() -> None:
    assert parse_mergers(["oak, beech = wood"], NAMES) == {"oak": "wood", "beech": "wood"}
    assert parse_mergers(["wet, dark=wet", "pine=wet"], NAMES) == {
        "wet, dark": "wet",
        "pine": "wet",
    }
    assert parse_mergers(["oak=a=b"], ["oak=a"]) == {"oak=a": "b"}


@pytest.mark.parametrize(
    ("merger", "told"),
    [
        ("oak,beech", "write it as old1,old2=new"),
        ("oak=", "write it as"),
        ("oak,=x", "write it as"),
        ("oak,bech=x", "'bech', which is no class. Did you mean 'beech'? The classes are oak,"),
        ("oak,oak=x", "'oak' two new names"),
    ],
)
def test_a_merger_that_cannot_be_is_told(merger: str, told: str) -> None:
    with pytest.raises(UsageError, match=told.replace("?", r"\?")):
        parse_mergers([merger], NAMES)

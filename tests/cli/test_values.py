from __future__ import annotations

from typing import Any

import click
import pytest

from rsclass.cli import values

GIB = 2**30


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("4GiB", 4 * GIB),
        ("350MiB", 350 * 2**20),
        ("2G", 2 * GIB),
        ("1.5g", 3 * GIB // 2),
        ("64 KB", 65536),
        ("1t", 1024 * GIB),
        ("123456", 123456),
        (123456, 123456),
    ],
)
def test_sizes_are_read_with_their_units(text: Any, bytes_: int) -> None:
    assert values.size(text) == bytes_


@pytest.mark.parametrize("text", ["", "big", "-1G", "4 XB", "0", "1e9", "GiB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        values.size(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [("12", 12), (7, 7), ("auto", "auto"), ("AUTO", "auto"), ("6..16", "6..16"), ("6-16", "6-16")],
)
def test_classes_are_a_number_a_range_or_auto(text: Any, found: Any) -> None:
    assert values.classes(text) == found


@pytest.mark.parametrize("text", ["a", "6..", "..6", "1.5", "-3", "", True])
def test_other_classes_are_refused(text: Any) -> None:
    with pytest.raises(click.BadParameter, match="a range"):
        values.classes(text)


@pytest.mark.parametrize(("text", "found"), [("1", 1), ("16", 16), (-1, None), ("-1", None)])
def test_jobs_of_minus_one_means_every_core(text: Any, found: int | None) -> None:
    assert values.jobs(text) == found


@pytest.mark.parametrize("text", ["0", "-2", "two", "1.5"])
def test_other_jobs_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        values.jobs(text)


@pytest.mark.parametrize(
    "given", ["1,2,3.5,4", "1 2 3.5 4", "1, 2, 3.5, 4", "[1,2,3.5,4]", [1, 2, 3.5, 4]]
)
def test_bounds_are_four_numbers_in_either_dialect(given: Any) -> None:
    assert values.bounds(given) == (1.0, 2.0, 3.5, 4.0)


@pytest.mark.parametrize("given", ["1,2,3", "1,2,3,4,5", "a,b,c,d", ""])
def test_other_bounds_are_refused(given: str) -> None:
    with pytest.raises(click.BadParameter, match="left,bottom,right,top"):
        values.bounds(given)


def test_a_value_may_hold_an_equals_sign() -> None:
    assert values.pairs("name=a=b") == ("name", "a=b")
    with pytest.raises(click.BadParameter, match="NAME=VALUE"):
        values.pairs("name")


@pytest.mark.parametrize(("text", "found"), [("all", "all"), ("5000", "5000"), ("1_000", "1000")])
def test_a_sample_is_a_number_or_all(text: str, found: str) -> None:
    assert values.sample(text) == found


@pytest.mark.parametrize("text", ["0", "some", "-5", "1.5"])
def test_other_samples_are_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        values.sample(text)


def test_an_unknown_layer_is_answered_with_the_nearest() -> None:
    parse = values.words(("confidence", "entropy"))
    assert parse("confidence, entropy") == ("confidence", "entropy")
    with pytest.raises(click.BadParameter, match="Did you mean 'entropy'"):
        parse("entropie")


@pytest.mark.parametrize("text", ["a\udce9.tif", "a\0b.tif", ""])
def test_paths_that_no_file_can_have_are_refused(text: str) -> None:
    """P12"""
    with pytest.raises(click.BadParameter):
        values.path(text)

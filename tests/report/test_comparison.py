"""The page of a comparison: whole, escaped, and readable for one class or for many."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from rsclass.core.change import CommonClasses
from rsclass.core.confusion import Confusion
from rsclass.core.legend import Legend
from rsclass.report.bars import gains_and_losses
from rsclass.report.comparison import ComparisonData, comparison_page


class Cells(HTMLParser):
    """The text of every cell of a table, row by row, by the id of its section."""

    def __init__(self, page):
        super().__init__()
        self.rows, self._section, self._cell = {}, None, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        if tag == "section":
            self._section = dict(attrs)["id"]
            self.rows[self._section] = []
        elif tag == "tr":
            self.rows[self._section].append([])
        elif tag in ("td", "th"):
            self._cell = ""

    def handle_data(self, data):
        if self._cell is not None:
            self._cell += data

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[self._section][-1].append(self._cell.strip())
            self._cell = None


def page_of(matrix, names, hectares=True, **more):
    legend = Legend.of(names, [(i * 7 % 256, 90, 200) for i in range(len(names))])
    classes = CommonClasses.of(legend, legend, "value")
    picture = np.arange(12).reshape(3, 4) % (len(names) + 1)
    data = ComparisonData(
        names=("a.tif", "b.tif"),
        legends=(legend, legend),
        pictures=(picture, picture),
        classes=classes,
        pixels=matrix,
        hectares=matrix * 0.09 if hectares else None,
        agreement=Confusion(matrix, classes.names),
        only_first=5,
        only_second=0,
        **more,
    )
    return comparison_page(data).decode()


MATRIX = np.array([[50, 0, 3], [2, 40, 0], [0, 0, 0]])


def test_tables_tell_what_the_matrix_tells():
    cells = Cells(page_of(MATRIX, ["water", "forest", "urban"], hectares=False)).rows
    assert cells["matrix"][1:] == [
        ["water", "50", "", "3"],
        ["forest", "2", "40", ""],
        ["urban", "", "", ""],
    ]
    assert cells["classes"][1] == ["water", "53", "52", "50", "2", "3", "−1", "4"]
    assert [row[:3] for row in cells["changes"][1:]] == [
        ["water", "urban", "3"],
        ["forest", "water", "2"],
    ]
    assert ["agreement", "0.9474"] in cells["agreement"]


def test_hectares_are_shown_where_they_are_known():
    cells = Cells(page_of(MATRIX, ["water", "forest", "urban"])).rows
    assert cells["matrix"][1] == ["water", "4.50", "", "0.27"]
    assert cells["changes"][1][3] == "0.27"


def test_names_from_outside_are_escaped():
    """H13"""
    evil = "</td><script>alert(1)</script>"
    page = page_of(MATRIX, [evil, "b", "c"], warnings=[evil], facts={"first map": evil})
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4


def test_the_same_comparison_gives_the_same_page():
    names = ["a", "b", "c"]
    assert page_of(MATRIX, names) == page_of(MATRIX, names)


@pytest.mark.parametrize("n", [1, 41, 70])
def test_few_and_many_classes_fit_the_page(n):
    matrix = np.ones((n, n), np.int64)
    page = page_of(matrix, [f"class {i}" for i in range(n)])
    assert ('id="matrix"' in page) == (n <= 40)
    assert ('id="bars"' in page) == (n <= 60)
    assert ('id="changes"' in page) == (n > 1)
    if n > 1:
        assert f"The first 20 of {n * (n - 1):,} pairs" in page


def test_nothing_in_common_is_a_page_too():
    page = page_of(np.zeros((2, 2), np.int64), ["a", "b"])
    assert "No pixel has a class in both maps" in page
    assert "undefined" in page


def test_bars_are_as_long_as_what_they_stand_for():
    svg = gains_and_losses(["water", "<b>"], [30.0, 0.0], [10.0, 20.0], "hectares")
    root = ElementTree.fromstring(svg)  # noqa: S314 - our own
    boxes = [
        (float(box.get("x")), float(box.get("width")))
        for box in root.iter("{http://www.w3.org/2000/svg}rect")
    ]
    loss, gain, other_loss, no_gain = boxes
    assert gain[1] == pytest.approx(3 * loss[1], abs=0.05)
    assert other_loss[1] == pytest.approx(2 * loss[1], abs=0.05)
    assert no_gain[1] == 0
    assert loss[0] + loss[1] == pytest.approx(gain[0], abs=0.02)
    assert b"&lt;b&gt;" in svg
    assert re.search(rb"hectares \(", svg)


def test_no_change_at_all_can_be_drawn():
    assert gains_and_losses(["a"], [0.0], [0.0], "pixels").startswith(b"<svg")

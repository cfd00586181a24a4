"""The page on how right a map is."""

from __future__ import annotations

import base64
import math
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from rsclass.core.accuracy import Accuracy, Figure
from rsclass.core.clusters import ClusterFit
from rsclass.core.confusion import Confusion
from rsclass.core.estimates import StratifiedSample
from rsclass.report.accuracy import AccuracyData, accuracy_page
from rsclass.report.accuracy_figures import accuracy_chart, area_chart, matrix_chart
from rsclass.report.accuracy_texts import area_text, share_text

COUNTS = np.array([[66, 0, 1, 2], [0, 55, 0, 1], [5, 8, 153, 9], [4, 12, 11, 313]])
NAMES = ("loss", "<b>gain</b>", "stable & old", "x" * 60)


def accuracy(counts: np.ndarray = COUNTS, names: tuple[str, ...] = NAMES, *, estimated=True):
    n = len(names)
    confusion = Confusion(counts, names)
    cube = np.zeros((n, n, n), dtype=np.int64)
    cube[np.arange(n), :, np.arange(n)] = counts.T
    pixels = counts.sum(axis=0) * 1000 + 1
    sample = StratifiedSample(cube, pixels, names, names, finite=False, by_map=True)
    return Accuracy(
        tuple(range(1, n + 1)),
        confusion,
        pixels,
        pixels * 0.09,
        sample if estimated else None,
        hectares=float(pixels.sum() * 0.09),
    )


def page(given: Accuracy | None, **more) -> str:
    fit = ClusterFit(COUNTS, NAMES, tuple(f"class {i}" for i in range(1, 5)), (1, 2, 3, 4))
    data = AccuracyData("map", "points", "a <i>design</i>", given, fit, {1: (9, 9, 9)}, **more)
    return accuracy_page(data).decode()


class Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)


def parsed(svg: bytes) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own drawing


def drawings(text: str) -> list[ElementTree.Element]:
    found = re.findall(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", text)
    return [parsed(base64.b64decode(uri)) for uri in found]


def texts(drawing: ElementTree.Element) -> list[str]:
    return ["".join(t.itertext()) for t in drawing.iter("{http://www.w3.org/2000/svg}text")]


def test_names_are_text_wherever_they_come_from():
    text = page(accuracy(), warnings=["<script>x</script>"], facts={"map": "<img src=x>"})
    tags = Tags(text).found
    assert not {"script", "b", "i"} & set(tags)
    assert tags.count("img") == 3
    assert "&lt;b&gt;gain&lt;/b&gt;" in text


def test_every_drawing_is_readable_xml_with_named_axes():
    accuracies, matrix, areas = drawings(page(accuracy()))
    assert {"reference", "map"} <= set(texts(matrix))
    assert {str(n) for n in COUNTS.ravel() if n} <= set(texts(matrix))
    assert "accuracy" in texts(accuracies)
    assert "all classes" in texts(accuracies)
    assert "hectares" in texts(areas)


def test_without_a_design_the_page_promises_no_areas():
    text = page(accuracy(estimated=False))
    assert "True ha" not in text
    assert "Counted pixels are not the true areas" in text
    assert "intervals" not in text
    assert "for the whole map it is not known" in text
    assert "True ha" in page(accuracy())


def test_clusters_get_their_scores_and_their_pairing():
    text = page(None)
    assert "How well the clusters fit" in text
    assert "Best pairing" in text
    assert drawings(text) == []


def test_undefined_figures_are_called_so():
    counts = COUNTS.copy()
    counts[1] = counts[:, 1] = 0
    text = page(accuracy(counts, estimated=False))
    assert text.count("undefined") >= 4
    assert not re.search(r"\bnan\b", text)


def test_many_classes_are_told_in_tables_alone():
    n = 70
    text = page(accuracy(np.diag(np.arange(2, n + 2)), tuple(f"c{i}" for i in range(n))))
    assert drawings(text) == []
    assert "c69" in text


def test_the_same_data_give_the_same_bytes():
    assert page(accuracy()) == page(accuracy())


@pytest.mark.parametrize("n", [1, 2, 15, 16, 60])
def test_charts_have_room_for_their_names(n):
    given = accuracy(np.diag(np.arange(2, n + 2)), tuple(f"class number {i}" for i in range(n)))
    for svg in (
        matrix_chart(given.confusion),
        accuracy_chart(given.overall, given.classes),
        area_chart(given.classes, [None] * n, hectares=True),
    ):
        root = parsed(svg)
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for text in root.iter("{http://www.w3.org/2000/svg}text"):
            assert 0 <= float(text.attrib["x"]) <= width
            assert 0 <= float(text.attrib["y"]) <= height


def test_intervals_are_drawn_to_scale():
    given = accuracy()
    root = parsed(accuracy_chart(given.overall, []))
    lines = [
        [tuple(map(float, point.split(","))) for point in line.attrib["points"].split()]
        for line in root.iter("{http://www.w3.org/2000/svg}polyline")
    ]
    # The longest horizontal line is the axis from 0 to 1; the next one is the interval.
    flat = sorted((b[0] - a[0], a[0]) for a, b in lines if a[1] == b[1])
    (length, start), (axis, zero) = flat[-2], flat[-1]
    assert length / axis == pytest.approx(given.overall.high - given.overall.low, abs=1e-3)
    assert (start - zero) / axis == pytest.approx(given.overall.low, abs=1e-3)


def test_figures_are_written_with_the_digits_of_their_kind():
    assert share_text(Figure(0.91234, 0.01, 0.8927, 0.932)) == "0.9123 ± 0.0197"
    assert share_text(Figure(0.5)) == "0.5000"
    assert share_text(Figure(math.nan, math.nan)) == "undefined"
    assert area_text(Figure(21157.76, 3141.6, 15000.13, 27315.39)) == "21,158 ± 6,158"
    assert area_text(Figure(math.nan)) == "–"

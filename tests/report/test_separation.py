"""The report on separability tells the pairs, the suggestions and the reasons, and runs nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_html import HOSTILE, Page

from rsclass.core.legend import Legend
from rsclass.core.mergers import Merger
from rsclass.core.stats import ClassStats
from rsclass.core.tree import ward
from rsclass.core.types import Band
from rsclass.report.separation import SeparationData, separation_page

LEGEND = Legend.of(["Water", "Wood", "Heath"], [(31, 119, 180), (44, 160, 44), (148, 103, 60)])
MEAN = np.array([[0.03, 0.01], [0.03, 0.4], [0.2, 0.3]])
COUNT = np.array([1000, 2500, 1500])
TABLE = np.array([[0, 1.9, 1.8], [1.9, 0, 0.61], [1.8, 0.61, 0]])
MEASURES = ("jm", "jm-root", "bhattacharyya", "td", "divergence", "mahalanobis", "euclid", "angle")
PAIRS = [
    {"one": i, "other": j} | dict.fromkeys(MEASURES, TABLE[i, j])
    for i, j in ((1, 2), (0, 2), (0, 1))
]
DATA = SeparationData(
    name="map.tif",
    legend=LEGEND,
    stats=ClassStats(
        (Band("B4", "red", 665.0), Band("B8", "nir", 842.0)),
        COUNT,
        MEAN,
        np.broadcast_to(np.eye(2) * 1e-4, (3, 2, 2)),
    ),
    measure="jm",
    table=TABLE,
    pairs=PAIRS,
    hectares=COUNT * 0.01,
    mergers=[Merger(1, 2, ("they are confused", "they have the same shape"), 0.0123)],
    tree=ward(COUNT, MEAN),
    warnings=["Heath has few pixels."],
    facts={"signatures": "map.stats.json"},
    created="2026-11-22T10:00:00Z",
)


@pytest.fixture(scope="module")
def page():
    return Page(separation_page(DATA))


def test_the_page_has_every_section_and_picture(page):
    assert page.ids == {
        "warnings",
        "suggestions",
        "separability",
        "spectra",
        "legend",
        "pairs",
        "provenance",
    }
    assert page.tags.count("img") == 3


def test_the_summary_names_the_hardest_pair(page):
    assert (
        "map.tif has 3 classes. Hardest to tell apart are Wood and Heath, 0.610 (Jeffries-Matusita "
        "distance, 0 to 2). 1 pair of classes may well be one."
    ) in page.cells


def test_a_suggestion_tells_its_reasons_and_its_cost(page):
    at = page.cells.index("they are confused; they have the same shape.")
    assert page.cells[at - 2 : at] == ["0.610", "1.2\N{NO-BREAK SPACE}%"]


def test_pairs_come_in_the_order_given_and_an_unknown_value_is_a_dash():
    unknown = [dict(PAIRS[0]), dict(PAIRS[1]) | {"jm": None}]
    cells = Page(separation_page(replace(DATA, pairs=unknown, mergers=()))).cells
    pairs = cells[cells.index("0.610") :]
    assert pairs[pairs.index("1.80") - 1] == "–"
    assert any(cell.endswith("No pair asks to be merged.") for cell in cells)


def test_one_class_alone_has_no_pair():
    stats = replace(DATA.stats, count=COUNT[:1], mean=MEAN[:1], covariance=np.eye(2)[None])
    legend = Legend.of(["Water"], [(1, 2, 3)])
    alone = replace(
        DATA,
        legend=legend,
        stats=stats,
        hectares=None,
        table=np.zeros((1, 1)),
        pairs=(),
        mergers=(),
        tree=None,
    )
    page = Page(separation_page(alone))
    assert page.ids == {"warnings", "spectra", "legend", "provenance"}
    assert "map.tif has 1 class; there is no pair to tell apart." in page.cells


def test_hostile_names_are_shown_and_not_run(page):
    text = " ".join(HOSTILE)
    data = replace(
        DATA,
        name=text,
        legend=Legend.of([text, "b", "c"], LEGEND.colors),
        warnings=[text],
        hectares=COUNT * 0.01,
        mergers=[Merger(0, 2, (text,), 0.5)],
        facts={text: text},
    )
    hostile = Page(separation_page(data))
    assert set(hostile.tags) == set(page.tags)
    assert {(t, n) for t, n, _ in hostile.attributes} == {(t, n) for t, n, _ in page.attributes}
    assert hostile.text.count(text) >= 7

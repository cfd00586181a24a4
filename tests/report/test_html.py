"""The report tells what the data say, needs nothing but itself, and runs nothing."""

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from rsclass.core.legend import Legend
from rsclass.core.stats import ClassStats
from rsclass.core.tree import ward
from rsclass.core.types import Band
from rsclass.errors import UsageError
from rsclass.report.html import ReportData, render_report, summary
from rsclass.report.texts import hectares_text, percent, plain

BANDS = (Band("B4", "red", 665.0), Band("B8", "nir", 842.0))
LEGEND = Legend.of(["Water", "Forest", "Soil"], [(31, 119, 180), (44, 160, 44), (148, 103, 60)])
MEAN = np.array([[0.03, 0.01], [0.03, 0.4], [0.2, 0.3]])
COUNT = np.array([1000, 2500, 1500])
STATS = ClassStats(BANDS, COUNT, MEAN, np.broadcast_to(np.eye(2) * 1e-4, (3, 2, 2)))
DATA = ReportData(
    title="scene_kmeans3",
    method_title="K-means",
    paper="Lloyd 1982",
    scene="scene.tif",
    bands=BANDS,
    legend=LEGEND,
    stats=STATS,
    hectares=COUNT * 0.01,
    history=[{"pass": i, "inertia": 10.0 / i} for i in range(1, 5)],
    warnings=["k-means was stopped after 4 passes before its centers settled."],
    provenance={
        "command": "rsclass classify scene.tif",
        "inputs": {"data/a_scene.tif": "ab" * 32},
        "layers": [{"kind": "confidence", "path": "map_confidence.tif"}],
        "parameters": {"n_classes": 3, "tolerance": 1e-4},
        "seed": 0,
    },
    scene_rgb=np.full((4, 5, 3), 90, np.uint8),
    class_map=np.ones((4, 5), np.uint8),
    evidence=[{"classes": k, "silhouette": 0.1 * k, "chosen": k == 3} for k in (2, 3)],
    tree=ward(COUNT, MEAN),
    separability=np.ones((3, 3)),
    created="2026-11-22T10:00:00Z",
)
BARE = ReportData("map", "K-means", "", "scene.tif", BANDS, LEGEND, STATS)
VOID = {"meta", "img", "br", "link", "input", "hr"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails where a tag is closed out of turn."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags, self.attributes, self.cells, self.stack = [], [], [], []
        self.ids, self.text = set(), ""
        self.feed(page.decode("utf-8"))
        self.close()
        assert not self.stack

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        self.ids |= {value for name, value in attrs if name == "id"}
        if tag not in VOID:
            self.stack.append(tag)
        if tag in {"td", "th", "li", "p", "h1", "title"}:
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if "style" not in self.stack:
            self.text += data
        if self.cells and {"td", "th", "li", "p", "h1", "title"} & set(self.stack):
            self.cells[-1] += data


@pytest.fixture(scope="module")
def page():
    return render_report(DATA)


def test_the_page_is_well_formed_and_has_every_section(page):
    page = Page(page)
    assert page.ids == {
        "warnings",
        "map",
        "legend",
        "spectra",
        "separability",
        "evidence",
        "history",
        "provenance",
    }
    assert page.tags.count("img") == 7


def test_the_chosen_number_of_classes_stands_out_and_numbers_are_short():
    evidence = [
        {"n_classes": 2, "silhouette": 0.123456, "mean_rank": 2.0},
        {"n_classes": 3, "silhouette": 0.456789, "mean_rank": 1.0},
    ]
    html = render_report(replace(DATA, evidence=evidence, reason="Three fit best."))
    assert html.count(b'<tr class="chosen">') == 1
    assert b'<tr class="chosen"><td class="number">3</td><td class="number">0.457</td>' in html
    page = Page(html)
    assert "0.123" in page.cells
    assert "Three fit best." in page.cells
    assert any(cell.startswith("Chosen by the best mean rank") for cell in page.cells)


def test_facts_and_the_charts_of_the_history_are_explained_in_words():
    page = Page(render_report(replace(DATA, facts={"size": "5 x 4 pixels"})))
    assert "scene" in page.ids
    assert "5 x 4 pixels" in page.cells
    assert "inertia: sum of the squared distances of the pixels from their centers" in page.cells


def test_what_is_not_given_is_not_shown():
    page = Page(render_report(BARE))
    assert page.ids == {"legend", "spectra"}
    assert page.tags.count("img") == 1


def test_the_legend_table_has_pixels_hectares_and_shares(page):
    cells = Page(page).cells
    at = cells.index("Forest")
    assert cells[at + 1 : at + 4] == ["2,500", "25.00", "50.0\N{NO-BREAK SPACE}%"]
    assert cells[cells.index("All classes") + 1 :][:2] == ["5,000", "50.00"]


def test_every_class_has_its_swatch(page):
    styles = [v for tag, name, v in Page(page).attributes if name == "style"]
    assert [s for s in styles if s.startswith("background")] == [
        "background: #1f77b4",
        "background: #2ca02c",
        "background: #94673c",
    ]


def test_provenance_warnings_and_history_are_told(page):
    text = Page(page).text
    for told in (
        "data/a_scene.tif",
        "ab" * 32,
        "map_confidence.tif",
        "0.0001",
        "rsclass classify scene.tif",
        "stopped after 4 passes",
        "3.33333",
        "2026-11-22T10:00:00Z",
        "Lloyd 1982",
    ):
        assert told in text


def test_the_same_data_give_the_same_bytes_but_for_the_date(page):
    later = render_report(replace(DATA, created="2030-01-01T00:00:00Z"))
    assert later.replace(b"2030-01-01T00:00:00Z", b"2026-11-22T10:00:00Z") == page


def test_the_page_asks_no_network_and_runs_no_script(page):
    assert not re.search(rb"url\(|@import", page)
    page = Page(page)
    assert not {"script", "link", "iframe", "object", "form", "a"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on")
        if name in {"src", "href", "srcset", "action"}:
            prefix, _, payload = value.partition(",")
            start = {"data:image/png;base64": b"\x89PNG", "data:image/svg+xml;base64": b"<svg"}
            assert base64.b64decode(payload, validate=True).startswith(start[prefix])
    (policy,) = [v for _, n, v in page.attributes if n == "content" and "default-src" in v]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert "script-src" not in policy


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "</title><svg onload=alert(1)>",
    "&lt;b&gt; &amp;",
]


@pytest.mark.parametrize("text", [" ".join(HOSTILE), "".join(reversed(HOSTILE))])
def test_hostile_names_are_shown_and_not_run(text, page):
    """H13."""
    bands = (Band(text), Band(text))
    data = replace(
        DATA,
        title=text,
        method_title=text,
        paper=text,
        scene=text,
        bands=bands,
        legend=Legend.of([text, "b", "c"], LEGEND.colors),
        stats=replace(STATS, bands=bands),
        history=[{text: text, "loss": 1.0}, {text: text, "loss": 2.0}],
        evidence=[{"classes": text, text: 1}],
        warnings=[text],
        provenance={text: {text: [text]}, "inputs": [{text: text}]},
        separability_name=text,
        created=text,
    )
    hostile, plain_page = Page(render_report(data)), Page(page)
    assert set(hostile.tags) == set(plain_page.tags)
    assert {(t, n) for t, n, _ in hostile.attributes} == {
        (t, n) for t, n, _ in plain_page.attributes
    }
    assert text in hostile.cells
    # Title, byline twice, summary, warning, caption, legend, provenance and more.
    assert hostile.text.count(text) >= 10


def test_a_file_name_that_is_no_text_is_still_reported():
    data = replace(BARE, scene="sc\udcffne.tif", provenance={"path": "sc\udcffne.tif"})
    assert b"sc?ne.tif" in render_report(data)


def test_the_summary_is_a_sentence():
    nbsp = "\N{NO-BREAK SPACE}"
    assert summary(DATA) == (
        f"K-means divides scene.tif into 3 classes: 5,000 pixels, 50.00{nbsp}ha. The largest, "
        f"Forest, covers 50.0{nbsp}%; the smallest, Water, 20.0{nbsp}%."
    )


def test_the_summary_counts_only_classes_with_pixels_and_needs_no_areas():
    stats = replace(STATS, count=np.array([0, 7, 0]))
    text = summary(replace(DATA, stats=stats, hectares=np.array([np.nan, 1, 2])))
    assert text == (
        "K-means divides scene.tif into 1 class: 7 pixels. The largest, Forest, covers "
        "100\N{NO-BREAK SPACE}%."
    )


def test_an_empty_map_is_reported():
    stats = replace(STATS, count=np.zeros(3, int), mean=np.full((3, 2), np.nan))
    page = Page(render_report(replace(BARE, stats=stats, hectares=np.zeros(3))))
    assert "0 classes: 0 pixels" in page.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hectares": np.ones(2)}, "3 classes and its areas 2"),
        ({"tree": ward(np.ones(4), np.arange(4.0)[:, None])}, "its tree 4"),
        ({"separability": np.ones((5, 5))}, "its separability 5"),
    ],
)
def test_parts_of_different_maps_are_refused(changes, words):
    with pytest.raises(UsageError, match=words):
        render_report(replace(DATA, **changes))


def test_numbers_are_rounded_for_reading():
    nbsp = "\N{NO-BREAK SPACE}"
    assert [percent(x) for x in (0, 0.5, 0.0005, 0.00001)] == [
        f"0.00{nbsp}%",
        f"50.0{nbsp}%",
        f"0.05{nbsp}%",
        f"< 0.01{nbsp}%",
    ]
    assert [hectares_text(x) for x in (None, float("nan"), 0.5, 123.44, 12345.6)] == [
        "–",
        "–",
        "0.50",
        "123.4",
        "12,346",
    ]
    assert [plain(x) for x in ({}, [], 0, "")] == ["–", "–", "0", ""]
    assert plain([1, None, True, {"a": 0.1 + 0.2}]) == "1, –, yes, a: 0.3"

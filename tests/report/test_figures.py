"""Figures show the data, and are the same bytes for the same data."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl
import numpy as np
import pytest

from rsclass.core.legend import Legend, LegendClass, hex_color
from rsclass.core.stats import ClassStats
from rsclass.core.tree import ward
from rsclass.core.types import Band
from rsclass.report import figures
from rsclass.report.drawing import Drawing
from rsclass.report.heat import heat_table

LEGEND = Legend(
    (
        LegendClass(1, "Water", (31, 119, 180)),
        LegendClass(3, "<b>& 水\x00\udcff", (44, 160, 44)),
        LegendClass(9, "Soil", (148, 103, 60)),
    )
)
MEAN = np.array([[0.05, 0.03, 0.01], [0.04, 0.03, 0.4], [0.1, 0.2, 0.3]])
COUNT = np.array([50, 30, 20])
BANDS = (Band("B3", "green", 560.0), Band("B4", "red", 665.0), Band("B8", "nir", 842.0))
SVG = "{http://www.w3.org/2000/svg}"


def statistics(bands, mean=MEAN):
    covariance = np.broadcast_to(np.eye(mean.shape[1]) * 1e-4, (len(mean), *[mean.shape[1]] * 2))
    return ClassStats(bands, COUNT[: len(mean)], mean, covariance)


class Shown:
    """What a reader of the drawing finds in it."""

    def __init__(self, svg: bytes) -> None:
        self.root = ET.fromstring(svg)  # noqa: S314
        self.width, self.height = (float(self.root.get(side)) for side in ("width", "height"))

    def all(self, name, **attributes):
        found = self.root.iter(SVG + name)
        return [e for e in found if all(e.get(key) == value for key, value in attributes.items())]

    @property
    def texts(self):
        return [element.text for element in self.all("text")]

    def line(self, color):
        """Places of the line of that color."""
        (line,) = self.all("polyline", stroke=color)
        return points(line)


def points(element):
    return np.array([[float(v) for v in p.split(",")] for p in element.get("points").split()])


DRAWN = {
    "spectra": lambda: figures.spectra(statistics(BANDS), LEGEND),
    "dendrogram": lambda: figures.dendrogram(ward(COUNT, MEAN), LEGEND),
    "heat_table": lambda: heat_table(np.ones((3, 3)), LEGEND, "<distance>\x01"),
    "curves": lambda: figures.curves([{"pass": 1, "<x>": 2.0}, {"pass": 2, "<x>": 1.0}], ("pass",)),
}


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_the_same_data_give_the_same_bytes(draw):
    assert draw() == draw()


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_a_drawing_is_sound_whatever_the_names_and_holds_nothing_that_runs_or_loads(draw):
    shown = Shown(draw())
    names = {element.tag for element in shown.root.iter()}
    assert names <= {
        SVG + n for n in ("svg", "style", "text", "rect", "circle", "polyline", "polygon")
    }
    attributes = {name for element in shown.root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or "href" in name}
    assert not re.search(rb"url\(|@import|<script", draw())


@pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
def test_everything_lies_on_the_sheet(draw):
    shown = Shown(draw())
    places = [points(e) for e in shown.all("polyline") + shown.all("polygon")]
    places += [np.array([[float(e.get("x")), float(e.get("y"))]]) for e in shown.all("text")]
    x, y = np.concatenate(places).T
    assert 0 <= x.min() <= x.max() <= shown.width
    assert 0 <= y.min() <= y.max() <= shown.height


@pytest.mark.parametrize(
    "bands",
    [BANDS, tuple(Band(n) for n in ("$x_{", "水", "<b>")), (Band("a", None, 900.0), *BANDS[:2])],
    ids=["wavelengths", "names", "unordered"],
)
def test_every_class_is_a_line_of_its_color_through_its_means(bands):
    shown = Shown(figures.spectra(statistics(bands), LEGEND))
    lines = [shown.line(hex_color(color)) for color in LEGEND.colors]
    y = np.array([line[:, 1] for line in lines])
    # Down the sheet as the means fall, by one scale for all.
    slope, shift = np.polyfit(MEAN.ravel(), y.ravel(), 1)
    assert slope < 0
    np.testing.assert_allclose(MEAN * slope + shift, y, atol=0.02)


def test_bands_stand_at_their_wavelengths():
    x = Shown(figures.spectra(statistics(BANDS), LEGEND)).line(hex_color(LEGEND.colors[0]))[:, 0]
    assert (x[1] - x[0]) / (x[2] - x[0]) == pytest.approx((665 - 560) / (842 - 560), abs=1e-3)


def test_the_spread_of_few_classes_is_one_standard_deviation_on_either_side():
    shown = Shown(figures.spectra(statistics(BANDS), LEGEND))
    for color, mean in zip(LEGEND.colors, MEAN, strict=True):
        (area,) = shown.all("polygon", fill=hex_color(color))
        low, high = points(area)[:3, 1], points(area)[:2:-1, 1]
        line = shown.line(hex_color(color))[:, 1]
        np.testing.assert_allclose((low + high) / 2, line, atol=0.02)
        scale = (line[2] - line[0]) / (mean[2] - mean[0])
        np.testing.assert_allclose((high - low) / 2 / scale, 0.01, rtol=0.02)


def test_lines_are_named_by_their_values_in_their_order():
    shown = Shown(figures.spectra(statistics(BANDS), LEGEND))
    at = {e.text: float(e.get("y")) for e in shown.all("text") if e.text in {"1", "3", "9"}}
    assert sorted(at, key=at.__getitem__) == ["3", "9", "1"]


def test_names_that_would_overlap_are_moved_apart_in_their_order():
    mean = np.repeat([[0.1, 0.2, 0.3]], 24, axis=0)
    stats = ClassStats(BANDS, np.full(24, 10), mean, np.zeros((24, 3, 3)))
    legend = Legend.of([f"c{i}" for i in range(24)], [(i, 0, 0) for i in range(24)])
    shown = Shown(figures.spectra(stats, legend))
    labels = [e for e in shown.all("text") if e.text in {str(value) for value in legend.values}]
    at = sorted(float(e.get("y")) for e in labels if float(e.get("x")) > 850)
    assert len(at) == 24
    assert min(b - a for a, b in itertools.pairwise(at)) > 11
    assert 0 < at[0] < at[-1] < shown.height


def test_a_white_class_is_outlined_in_dark():
    white = Legend.of(["Snow"], [(255, 255, 255)])
    stats = ClassStats(BANDS, COUNT[:1], np.array([[0.9, 0.2, 0.5]]), np.zeros((1, 3, 3)))
    line = Shown(figures.spectra(stats, white)).line("#ffffff")
    (dark,) = Shown(figures.spectra(stats, white)).all("polyline", stroke="#3a3f46")
    np.testing.assert_array_equal(points(dark), line)
    assert float(dark.get("stroke-width")) > 3


def test_a_class_without_pixels_has_no_spectrum():
    mean = MEAN.copy()
    mean[2] = np.nan
    shown = Shown(figures.spectra(statistics(BANDS, mean), LEGEND))
    assert not shown.all("polyline", stroke=hex_color(LEGEND.colors[2]))
    assert shown.all("polyline", stroke=hex_color(LEGEND.colors[0]))


def test_no_class_with_pixels_one_band_and_many_bands_are_drawn():
    none = Shown(figures.spectra(statistics(BANDS, np.full((3, 3), np.nan)), LEGEND))
    assert "B8" in none.texts
    one = Shown(figures.spectra(statistics(BANDS[:1], MEAN[:, :1]), LEGEND))
    assert len(one.all("circle", fill=hex_color(LEGEND.colors[0]))) == 1
    bands = tuple(Band(f"{w}", None, float(w)) for w in range(400, 2400, 10))
    many = Shown(figures.spectra(statistics(bands, np.linspace(0, 1, 600).reshape(3, 200)), LEGEND))
    assert len(many.line(hex_color(LEGEND.colors[0]))) == 200


def test_the_leaves_of_a_tree_stand_so_that_no_branches_cross():
    tree = ward(np.ones(5), np.array([[0.0], [10.0], [1.0], [11.0], [30.0]]))
    order = figures._leaf_order(tree)
    assert sorted(order) == [0, 1, 2, 3, 4]
    for k in range(1, 6):
        groups = tree.cut(k)[order]
        # Every group of every cut is one run of leaves.
        assert np.count_nonzero(np.diff(groups)) == k - 1


def test_branches_join_at_the_root_of_what_the_merge_costs():
    tree = ward(COUNT, MEAN)
    shown = Shown(figures.dendrogram(tree, LEGEND))
    branches = [points(e) for e in shown.all("polyline") if len(points(e)) == 4]
    leaf = branches[0][0, 0]
    joined = np.array([branch[1, 0] for branch in branches]) - leaf
    np.testing.assert_allclose(joined / joined[-1], np.sqrt(tree.costs / tree.costs[-1]), atol=1e-3)
    boxes = [box.get("fill") for box in shown.all("rect")]
    assert sorted(boxes) == sorted(hex_color(color) for color in LEGEND.colors)


def test_identical_classes_have_a_tree():
    shown = Shown(figures.dendrogram(ward(COUNT, np.ones((3, 2))), LEGEND))
    assert len(shown.all("rect")) == 3


def rgb(color):
    return [int(color[i : i + 2], 16) for i in (1, 3, 5)]


def test_cells_have_the_colors_that_matplotlib_gives_viridis():
    value = np.linspace(0, 1, 36).reshape(6, 6)
    matrix = (value + value.T) / 2
    legend = Legend.of([f"c{i}" for i in range(6)], [(i, 0, 0) for i in range(6)])
    cells = Shown(heat_table(matrix, legend, "JM", 1.0)).all("rect")[:30]
    off = ~np.eye(6, dtype=bool)
    expected = np.array(mpl.colormaps["viridis"](matrix[off]))[:, :3] * 255
    # Seventeen of its 256 colors are kept, straight lines between them.
    assert np.abs(np.array([rgb(c.get("fill")) for c in cells]) - expected).max() < 6


def test_few_cells_are_numbered_and_unknown_ones_are_empty():
    matrix = np.array([[0, 1.25, np.nan], [1.25, 0, 2], [np.nan, 2, 0]])
    shown = Shown(heat_table(matrix, LEGEND, "JM"))
    assert sorted(t for t in shown.texts if t in {"1.25", "2.00"}) == ["1.25"] * 2 + ["2.00"] * 2
    assert len(shown.all("rect")) == 4 + 64
    dark, bright = (
        next(e for e in shown.all("text") if e.text == text).get("style")
        for text in ("1.25", "2.00")
    )
    assert (dark, bright) == ("fill:#fff", "fill:#000")


@pytest.mark.parametrize("matrix", [np.ones((3, 3)), np.full((3, 3), np.nan), np.zeros((3, 3))])
def test_a_table_without_differences_is_drawn(matrix):
    shown = Shown(heat_table(matrix, LEGEND, "JM"))
    assert len(shown.all("rect")) - 64 == 6 * np.isfinite(matrix[0, 1])


def test_a_curve_goes_through_its_numbers():
    rows = [{"pass": i, "loss": 1.0 / i, "empty": 0, "event": "split"} for i in range(1, 6)]
    shown = Shown(figures.curves(rows, ("pass",)))
    x, y = shown.line("#3b82c4").T
    np.testing.assert_allclose(np.diff(x), x[1] - x[0], atol=0.02)
    expected = [1, 1 / 2, 1 / 3, 1 / 4, 1 / 5]
    np.testing.assert_allclose(np.interp(expected, [0.2, 1], [y[-1], y[0]]), y, atol=0.02)
    assert "training loss" in shown.texts


def test_whole_numbers_have_whole_ticks():
    shown = Shown(figures.curves([{"n_classes": 12}, {"n_classes": 11}], ()))
    assert [t for t in shown.texts if "." in t] == []


def test_the_chosen_row_is_marked():
    rows = [{"k": k, "gap": float(k)} for k in (2, 3, 4)]
    shown = Shown(figures.curves(rows, ("k",), rows[1]))
    (mark,) = [e for e in shown.all("polyline") if e.get("stroke-dasharray")]
    assert points(mark)[0, 0] == shown.line("#3b82c4")[1, 0]


def test_curves_are_drawn_of_what_changes_only():
    still = [{"pass": i, "empty": 0, "event": "split", "ok": True} for i in range(1, 6)]
    assert figures.curves(still, ("pass",)) is None
    assert figures.curves([], ("pass",)) is None


def test_gaps_and_numbers_that_are_none_do_not_stop_a_curve():
    rows = [{"loss": 1.0}, {"other": "x"}, {"loss": float("nan")}, {"loss": np.float32(0.5)}]
    assert len(Shown(figures.curves(rows, ("pass",))).line("#3b82c4")) == 2


def test_texts_stand_as_they_are():
    drawing = Drawing(10, 10)
    drawing.text(1, 2, 'a<b>&"\x0c\ufffe水😀', color="#000")
    assert Shown(drawing.svg()).texts == [
        'a<b>&"\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}水😀'
    ]

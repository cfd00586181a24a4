"""Figures show the data, and are the same bytes for the same data."""

import io
import warnings
from concurrent.futures import ThreadPoolExecutor

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from rsclass.core.legend import Legend, LegendClass
from rsclass.core.stats import ClassStats
from rsclass.core.tree import ward
from rsclass.core.types import Band
from rsclass.report import figures

LEGEND = Legend(
    (
        LegendClass(1, "Water", (31, 119, 180)),
        LegendClass(3, r"$\frac{ 水", (44, 160, 44)),
        LegendClass(9, "Soil", (148, 103, 60)),
    )
)
MEAN = np.array([[0.05, 0.03, 0.01], [0.04, 0.03, 0.4], [0.1, 0.2, 0.3]])
COUNT = np.array([50, 30, 20])


def statistics(bands, mean=MEAN):
    covariance = np.broadcast_to(np.eye(mean.shape[1]) * 1e-4, (len(mean), *[mean.shape[1]] * 2))
    return ClassStats(bands, COUNT, mean, covariance)


BANDS = (Band("B3", "green", 560.0), Band("B4", "red", 665.0), Band("B8", "nir", 842.0))


def decode(png):
    return np.round(imread(io.BytesIO(png)) * 255).astype(int)


def chunks(png):
    found, at = [], 8
    while at < len(png):
        size = int.from_bytes(png[at : at + 4], "big")
        found.append(png[at + 4 : at + 8].decode())
        at += size + 12
    return found


def has_color(png, color, tolerance=0):
    return bool((np.abs(decode(png)[..., :3] - color).max(axis=-1) <= tolerance).any())


def test_a_class_picture_has_the_color_of_every_pixel_and_none_where_there_is_no_class():
    class_map = np.array([[0, 1, 3], [9, 2, 65535]], np.uint16)
    assert decode(figures.class_picture(class_map, LEGEND)).tolist() == [
        [[0, 0, 0, 0], [31, 119, 180, 255], [44, 160, 44, 255]],
        [[148, 103, 60, 255], [0, 0, 0, 0], [0, 0, 0, 0]],
    ]


def test_a_large_picture_is_thinned_without_mixing_classes():
    class_map = np.tile(np.array([[1, 3]], np.uint8), (2500, 1300))
    image = decode(figures.class_picture(class_map, LEGEND))
    assert image.shape[:2] == (834, 867)
    assert {tuple(c) for c in image.reshape(-1, 4)} <= {(31, 119, 180, 255), (44, 160, 44, 255)}


def test_a_picture_keeps_its_pixels():
    rgb = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    np.testing.assert_array_equal(decode(figures.picture(rgb))[..., :3], rgb)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.picture(np.zeros((3, 3, 3), np.uint8)),
        lambda: figures.spectra(statistics(BANDS), LEGEND),
        lambda: figures.dendrogram(ward(COUNT, MEAN), LEGEND),
        lambda: figures.heat_table(np.ones((3, 3)), LEGEND, "distance"),
        lambda: figures.curves([{"pass": 1, "loss": 2.0}, {"pass": 2, "loss": 1.0}], ("pass",)),
    ],
    ids=["picture", "spectra", "dendrogram", "heat_table", "curves"],
)
def test_the_same_data_give_the_same_bytes_without_date_or_version(draw):
    png = draw()
    assert png == draw()
    assert not {"tEXt", "iTXt", "zTXt", "tIME"} & set(chunks(png))


@pytest.mark.parametrize(
    "bands",
    [BANDS, tuple(Band(n) for n in ("$x_{", "水", "<b>")), (Band("a", None, 900.0), *BANDS[:2])],
    ids=["wavelengths", "names", "unordered"],
)
def test_every_class_is_drawn_in_its_color(bands):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png = figures.spectra(statistics(bands), LEGEND)
    assert all(has_color(png, color, 2) for color in LEGEND.colors)


def on_white(png):
    rgba = imread(io.BytesIO(png))
    return rgba[..., :3] * rgba[..., 3:] + 1 - rgba[..., 3:]


def test_a_white_class_is_seen_on_a_white_page():
    white = Legend.of(["Snow"], [(255, 255, 255)])
    mean = np.array([[0.9, 0.2, 0.5]])
    stats = ClassStats(BANDS, COUNT[:1], mean, np.zeros((1, 3, 3)))
    gray = Legend.of(["Rock"], [(120, 120, 120)])
    # Axes and texts are lighter than the line's outline.
    assert on_white(figures.spectra(stats, white)).min() < 0.3
    assert on_white(figures.spectra(stats, gray)).min() > 0.4


def test_figures_leave_the_settings_of_matplotlib_and_of_warnings_alone():
    settings, filters = dict(mpl.rcParams), list(warnings.filters)
    with mpl.rc_context({"text.parse_math": True}):
        figures.heat_table(np.ones((3, 3)), LEGEND, "$x")
    assert dict(mpl.rcParams) == settings
    assert warnings.filters == filters


def test_figures_are_drawn_in_several_threads_at_once():
    rows = [{"pass": i, "loss": 1.0 / i, r"$\frac{ 水": i} for i in range(1, 6)]
    draws = [
        lambda: figures.curves(rows, ("pass",)),
        lambda: figures.dendrogram(ward(COUNT, MEAN), LEGEND),
    ] * 2
    alone = [draw() for draw in draws]
    with ThreadPoolExecutor(4) as pool:
        assert [job.result() for job in [pool.submit(draw) for draw in draws]] == alone


def test_a_class_without_pixels_has_no_spectrum():
    mean = MEAN.copy()
    mean[2] = np.nan
    png = figures.spectra(statistics(BANDS, mean), LEGEND)
    assert not has_color(png, LEGEND.colors[2], 2)
    assert has_color(png, LEGEND.colors[0], 2)


def test_one_band_and_many_bands_are_drawn():
    one = figures.spectra(statistics(BANDS[:1], MEAN[:, :1]), LEGEND)
    many_bands = tuple(Band(f"{w}", None, float(w)) for w in range(400, 2400, 10))
    mean = np.linspace(0.1, 0.5, 600).reshape(3, 200)
    many = figures.spectra(statistics(many_bands, mean), LEGEND)
    assert all(has_color(png, LEGEND.colors[0], 2) for png in (one, many))


def test_the_leaves_of_a_tree_stand_so_that_no_branches_cross():
    tree = ward(np.ones(5), np.array([[0.0], [10.0], [1.0], [11.0], [30.0]]))
    order = figures._leaf_order(tree)
    assert sorted(order) == [0, 1, 2, 3, 4]
    for k in range(1, 6):
        groups = tree.cut(k)[order]
        # Every group of every cut is one run of leaves.
        assert np.count_nonzero(np.diff(groups)) == k - 1


def test_the_dendrogram_and_the_heat_table_survive_names_that_look_like_formulas():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = figures.dendrogram(ward(COUNT, MEAN), LEGEND)
        heat = figures.heat_table(np.array([[0, 1, 2], [1, 0, 2], [2, 2, 0]]) / 1.0, LEGEND, "$x")
    assert has_color(tree, LEGEND.colors[0])
    # Both ends of viridis, as matplotlib documents them.
    assert has_color(heat, (68, 1, 84), 1)
    assert has_color(heat, (253, 231, 37), 1)


def test_curves_are_drawn_of_what_changes_only():
    rows = [{"pass": i, "loss": 1.0 / i, "empty": 0, "event": "split"} for i in range(1, 6)]
    assert figures.curves(rows, ("pass",)) is not None
    still = [{"pass": i, "empty": 0, "event": "split", "ok": True} for i in range(1, 6)]
    assert figures.curves(still, ("pass",)) is None
    assert figures.curves([], ("pass",)) is None


def test_gaps_and_numbers_that_are_none_do_not_stop_a_curve():
    rows = [{"loss": 1.0}, {"other": "x"}, {"loss": float("nan")}, {"loss": np.float32(0.5)}]
    assert figures.curves(rows, ("pass",)) is not None

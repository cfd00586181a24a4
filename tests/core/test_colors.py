"""Classes look like what they are, and unlike each other."""

import colorsys
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rsclass.core.colors import cielab, class_colors, default_names, display_bands, separate
from rsclass.core.types import Band

NATURAL = (Band("B02", "blue"), Band("B03", "green"), Band("B04", "red"), Band("B08", "nir"))


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        # Bruce Lindbloom's calculator, sRGB, D65.
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
    ],
)
def test_cielab_agrees_with_published_values(rgb, lab):
    # The matrix is published with 4 digits, which leaves some 0.02 of the color difference.
    np.testing.assert_allclose(cielab(np.array(rgb)), lab, atol=0.025)


@pytest.mark.parametrize(
    ("bands", "shown"),
    [
        (NATURAL, (2, 1, 0)),
        (NATURAL[1:], (2, 1, 0)),
        ((Band("a", "red"), Band("b", "green"), Band("c", "nir08")), (2, 0, 1)),
        (tuple(Band(str(w), None, w) for w in (400.0, 2300.0, 900.0, 600.0, 1600.0)), (1, 2, 0)),
        (tuple(Band(f"band {i}") for i in range(3)), (0, 1, 2)),
        (tuple(Band(f"band {i}") for i in range(7)), (6, 3, 0)),
        ((Band("one"), Band("two")), (1, 0, 0)),
        ((Band("only"),), (0, 0, 0)),
    ],
)
def test_shows_natural_then_false_then_spread_color(bands, shown):
    assert display_bands(bands) == shown


def test_a_forest_is_green_and_water_is_blue():
    mean = np.array([[0.02, 0.12, 0.03, 0.4], [0.15, 0.06, 0.02, 0.01]])
    forest, water = class_colors(mean, NATURAL, np.full(4, 0.0), np.full(4, 0.2))
    assert forest[1] > max(forest[0], forest[2])
    assert water[2] > max(water[0], water[1])


def test_clear_colors_are_the_stretched_means_themselves_within_the_page():
    mean = np.array([[0.0, 0.1, 0.2, 0.3], [0.2, 0.0, 0.1, 0.3]])
    colors = class_colors(mean, NATURAL, np.full(4, 0.0), np.full(4, 0.2))
    assert colors == [(235, 126, 16), (126, 16, 235)]


def test_dark_land_is_lightened_and_keeps_its_hue():
    part = np.array([[0.06, 0.11, 0.08]])
    ((red, green, blue),) = class_colors(
        np.column_stack([part[:, ::-1], [0.3]]), NATURAL, np.zeros(4), np.ones(4)
    )
    hue = colorsys.rgb_to_hsv(*part[0])[0]
    assert colorsys.rgb_to_hsv(red - 16, green - 16, blue - 16)[0] == pytest.approx(hue, abs=0.01)
    assert green == round(16 + 219 * 0.11**0.6) > 70


def test_an_empty_class_and_a_constant_band_are_gray():
    mean = np.array([[np.nan, np.nan, np.nan, np.nan], [0.2, 0.2, 0.2, 0.2]])
    colors = class_colors(mean, NATURAL, np.full(4, 0.2), np.full(4, 0.2))
    assert colors[0] == (160, 160, 160)  # 16 + 219 * 0.5 ** 0.6


def differences(colors):
    lab = cielab(np.array(colors))
    return [float(np.linalg.norm(a - b)) for a, b in combinations(lab, 2)]


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*[st.integers(0, 255)] * 3), min_size=2, max_size=25))
def test_any_two_colors_can_be_told_apart(colors):
    moved = separate(np.array(colors))
    assert min(differences(moved)) >= 15
    assert moved == separate(np.array(colors))
    if min(differences(colors)) >= 15:
        assert moved == colors


@pytest.mark.parametrize("n", [1, 100, 254, 1024])
def test_any_number_of_equal_spectra_gets_distinct_colors(n):
    colors = class_colors(np.full((n, 4), 0.1), NATURAL, np.zeros(4), np.full(4, 0.2))
    assert len(set(colors)) == n
    if n == 254:
        # Balls of this radius around 254 colors fill two thirds of the gamut.
        assert min(differences(colors)) >= 8


def test_more_classes_than_can_be_told_apart_keep_their_own_color():
    colors = class_colors(np.full((1500, 4), 0.1), NATURAL, np.zeros(4), np.full(4, 0.2))
    assert colors[1024:] == [(160, 160, 160)] * 476


def test_shades_of_one_green_stay_green():
    greens = separate(np.array([(40, 120, 50)] * 5))
    hues = [colorsys.rgb_to_hsv(*(c / 255 for c in color))[0] * 360 for color in greens]
    # Green lies between yellow (60 degrees) and cyan (180 degrees).
    assert all(60 < hue < 180 for hue in hues)


def test_default_names_count_from_one():
    assert default_names(3) == ["class 1", "class 2", "class 3"]

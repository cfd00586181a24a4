"""Scenes are made as the recipe says; the oracle is the published table or a closed form."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from rsclass.core.simulate import SENSORS, recipe
from rsclass.core.types import Window
from rsclass.errors import UsageError

KINDS = sorted(SENSORS)
PURE = {"texture": False, "noise": 0.0, "illumination": 0.0, "cloud": False}


def render(kind: str, **wishes):
    plan = recipe(kind, **{"height": 120, "width": 150, **wishes})
    return plan.render(Window(0, 0, plan.height, plan.width))


@pytest.mark.parametrize("kind", KINDS)
def test_a_window_made_alone_is_that_part_of_the_whole(kind):
    plan = recipe(kind, height=90, width=110, seed=5)
    values, truth = plan.render(Window(0, 0, 90, 110))
    for window in (Window(0, 0, 1, 1), Window(31, 47, 40, 63), Window(89, 0, 1, 110)):
        part, part_truth = plan.render(window)
        rows, cols = window.inside(Window(0, 0, 90, 110))
        np.testing.assert_array_equal(part, values[:, rows, cols])
        np.testing.assert_array_equal(part_truth, truth[rows, cols])


@pytest.mark.parametrize(
    ("kind", "digest"), [("aerial", "69b1d1c89b9c4754"), ("sentinel2", "281fc89f15aa5a40")]
)
def test_the_same_recipe_gives_the_same_bytes_on_every_machine(kind, digest):
    values, truth = render(kind, seed=11)
    found = hashlib.sha256(values.tobytes() + truth.tobytes()).hexdigest()
    assert found[:16] == digest


@pytest.mark.parametrize("kind", KINDS)
def test_undisturbed_pixels_hold_the_published_reflectance_of_their_class(kind):
    values, truth = render(kind, mixed=False, dtype="float32", **PURE)
    palette = SENSORS[kind].palette
    shadows = kind == "aerial"
    if shadows:  # they scale the whole spectrum: compare directions
        values = values / np.linalg.norm(values, axis=0)
    for code in np.unique(truth):
        cover = palette.covers[code - 1].name
        spectra = np.array([s.reflectance for s in palette.surfaces if s.cover == cover])
        if shadows:
            spectra /= np.linalg.norm(spectra, axis=1, keepdims=True)
        pixels = values[:, truth == code].T
        nearest = np.abs(pixels[:, None] - spectra[None]).max(axis=2).min(axis=1)
        assert nearest.max() < 1e-6  # float32


def test_mixing_changes_edges_only_and_adds_no_light():
    pure, _ = render("sentinel2", mixed=False, dtype="float32", **PURE)
    mixed, _ = render("sentinel2", mixed=True, dtype="float32", **PURE)
    same = np.ones(pure.shape[1:], dtype=bool)
    lowest, highest = np.empty_like(pure), np.empty_like(pure)
    for b, band in enumerate(pure):
        lowest[b] = ndimage.minimum_filter(band, 5)
        highest[b] = ndimage.maximum_filter(band, 5)
        same &= lowest[b] == highest[b]
    assert 0.1 < same.mean() < 0.9
    # A feature thinner than half a pixel may hide from all 25 pure pixels around.
    agrees = np.abs(mixed - pure).max(axis=0)[same] < 1e-6
    assert agrees.mean() > 0.99
    surfaces = np.array([s.reflectance for s in SENSORS["sentinel2"].palette.surfaces])
    assert (mixed >= surfaces.min(axis=0)[:, None, None] - 1e-6).all()
    assert (mixed <= surfaces.max(axis=0)[:, None, None] + 1e-6).all()


def test_the_light_rises_from_left_to_right_as_asked():
    wishes = {**PURE, "dtype": "float32"}
    flat, _ = render("sentinel2", **wishes)
    lit, _ = render("sentinel2", **{**wishes, "illumination": 0.2})
    expected = 1 + 0.2 * ((np.arange(150) + 0.5) / 150 - 0.5)
    np.testing.assert_allclose(lit / flat, np.broadcast_to(expected, flat.shape), rtol=1e-6)


def test_the_noise_is_white_and_as_strong_as_asked():
    wishes = {**PURE, "dtype": "float32"}
    clean, _ = render("sentinel2", **wishes)
    noisy, _ = render("sentinel2", **{**wishes, "noise": 0.01})
    noise = (noisy - clean).reshape(10, -1).astype(float)
    n = noise.shape[1]
    np.testing.assert_allclose(noise.std(axis=1), 0.01, rtol=4 / (2 * n) ** 0.5)
    between = np.corrcoef(noise) - np.eye(10)
    assert np.abs(between).max() < 5 / n**0.5


def test_texture_gives_every_class_a_full_covariance():
    values, truth = render("sentinel2", dtype="float32", cloud=False, noise=0.0)
    forest = values[:, truth == SENSORS["sentinel2"].palette.code("broadleaf forest")]
    correlation = np.corrcoef(forest)
    names = [b.name for b in SENSORS["sentinel2"].palette.bands]
    # Near-infrared bands rise and fall together, as they do in any canopy.
    assert correlation[names.index("B08"), names.index("B8A")] > 0.95
    assert forest.std(axis=1).min() > 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_all_classes_occur_and_are_of_very_unequal_size(kind, seed):
    _, truth = render(kind, height=160, width=200, seed=seed)
    count = np.bincount(truth.ravel(), minlength=len(SENSORS[kind].palette.covers) + 1)[1:]
    assert count.min() > 0
    assert count.max() / count.min() > 10


def test_the_cloud_is_one_hole_that_no_valid_pixel_looks_like():
    values, truth = render("sentinel2", height=240, width=240)
    hole = truth == 0
    assert ndimage.label(hole)[1] == 1
    assert 0.02 < hole.mean() < 0.12
    assert (values[:, hole] == 0).all()
    assert values[:, ~hole].min() >= 1
    floating, _ = render("sentinel2", height=240, width=240, dtype="float32")
    np.testing.assert_array_equal(np.isnan(floating).all(axis=0), hole)


def test_a_class_left_out_shows_what_lies_under_it():
    palette = SENSORS["sentinel2"].palette
    names = [c.name for c in palette.covers]
    kept = [n for n in names if n not in ("water", "built-up")]
    _, full = render("sentinel2", mixed=False)
    _, less = render("sentinel2", mixed=False, classes=kept)
    left_out = np.isin(full, [palette.code("water"), palette.code("built-up")])
    assert left_out.any()
    np.testing.assert_array_equal(full[~left_out], less[~left_out])
    assert not np.isin(less, [palette.code("water"), palette.code("built-up")]).any()


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"kind": "sentinel"}, "Did you mean 'sentinel2'"),
        ({"dtype": "int8"}, "Known: float32, uint16, uint8"),
        ({"height": 8}, "at least 16 x 16"),
        ({"classes": ["grassland", "wader"]}, "Did you mean 'water'"),
        ({"classes": ["water"]}, "without 'grassland'"),
    ],
)
def test_an_impossible_wish_is_named_with_the_remedy(wishes, sentence):
    with pytest.raises(UsageError, match=sentence):
        recipe(**wishes)

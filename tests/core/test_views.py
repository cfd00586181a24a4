from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.types import Block, Window
from rsclass.core.views import SETS, WIDEST, Views


def block_of(values, valid=None, gain=1.0, offset=0.0):
    n, height, width = values.shape
    valid = np.ones((height, width), dtype=bool) if valid is None else valid
    ones = np.ones(n)
    return Block(Window(0, 0, height, width), values, valid, gain * ones, offset * ones)


def views_of(values, sets=SETS):
    table = values.reshape(len(values), -1).T.astype(np.float64)
    here = values[:, :, :-1].reshape(len(values), -1).T
    there = values[:, :, 1:].reshape(len(values), -1).T
    return Views.of(table, np.stack([here, there]).astype(np.float64), sets)


@pytest.fixture
def image():
    rng = np.random.default_rng(2)
    base = rng.gamma(3.0, 300.0, (5, 20, 30))
    base[:, :10] += np.arange(5)[:, None, None] * 400
    return base.astype(np.float32)


def test_standard_view_is_the_scaled_z_score(image):
    views = views_of(image, [("standard",)])
    x = image.reshape(5, -1).astype(np.float64)
    z = (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)
    np.testing.assert_allclose(views.views["standard"](x), z / np.sqrt(5), atol=1e-9)


def test_robust_log_and_root_views_by_their_formulas(image):
    views = views_of(image, [("robust",), ("log",), ("root",)])
    x = image.reshape(5, -1).astype(np.float64)
    low, high = np.percentile(x, [2, 98], axis=1)[..., None]
    robust = np.clip((x - low) / (high - low), -0.5, 1.5)
    robust -= robust.mean(1, keepdims=True)

    def scored(t, cut=np.inf):
        z = (t - t.mean(1, keepdims=True)) / t.std(1, keepdims=True)
        return np.clip(z, -cut, cut)

    least = 1e-3 * np.median(x, axis=1, keepdims=True) + 1e-6
    expected = {
        "robust": robust,
        "log": scored(np.log(np.maximum(x, least)), 4),
        "root": scored(np.sqrt(x)),
    }
    for name, t in expected.items():
        t = t / np.sqrt(t.var(axis=1).sum())
        np.testing.assert_allclose(views.views[name](x), t, atol=1e-9, err_msg=name)


def test_direction_view_does_not_see_a_gain_but_in_its_last_component(image):
    views = views_of(image, [("direction",)])
    x = image.reshape(5, -1).astype(np.float64)
    plain, brighter = views.views["direction"](x), views.views["direction"](3 * x)
    np.testing.assert_allclose(plain[:-1], brighter[:-1], atol=1e-9)
    assert (np.diff([plain[-1], brighter[-1]], axis=0) >= 0).all()
    assert plain.var(axis=1).sum() == pytest.approx(1)


def test_noise_view_weighs_a_noisy_band_down():
    rng = np.random.default_rng(4)
    signal = np.repeat(np.repeat(rng.normal(size=(1, 10, 10)), 6, 1), 6, 2)
    noise = rng.normal(size=(2, 60, 60)) * np.array([0.05, 1.0])[:, None, None]
    views = views_of(signal + noise, [("noise",)])
    weights = np.abs(views.views["noise"].axes).sum(axis=0)
    assert weights[0] > 1.5 * weights[1]


def test_each_view_and_set_has_a_total_variance_of_one_over_its_views(image):
    views = views_of(image)
    x = image.reshape(5, -1).astype(np.float64)
    seen = {name: view(x) for name, view in views.views.items()}
    for name, view in seen.items():
        assert view.var(axis=1).sum() == pytest.approx(1), name
    for view_set in views.sets[1:4]:
        # Up to twelve components nothing is lost.
        assert view_set(seen).var(axis=1).sum() == pytest.approx(1)
        assert view_set.spread > 0


def test_many_bands_become_twelve_components():
    rng = np.random.default_rng(0)
    wide = rng.normal(100, 5, (40, 12, 15)).cumsum(axis=0).astype(np.float32)
    views = views_of(wide)
    assert all(len(image) <= WIDEST for image in views(block_of(wide)))
    assert len(views.views["standard"].axes) == WIDEST


def test_any_cut_gives_the_same_bytes(image):
    views = views_of(image)
    whole = views(block_of(image))
    for part in (slice(0, 3), slice(7, 8), slice(5, 20)):
        for a, b in zip(views(block_of(image[:, :, part])), whole, strict=True):
            assert a.tobytes() == np.ascontiguousarray(b[:, :, part]).tobytes()


def test_stored_and_physical_values_give_the_same_views(image):
    stored = image.round().astype(np.uint16)
    physical = stored * 0.0001 - 0.05
    views = views_of(physical)
    from_stored = views(block_of(stored, gain=0.0001, offset=-0.05))
    from_physical = views(block_of(physical))
    for a, b in zip(from_stored, from_physical, strict=True):
        np.testing.assert_allclose(a, b, atol=2e-4)  # float32 against float64


@pytest.mark.parametrize(
    "values",
    [np.full((3, 6, 7), 5.0), np.zeros((1, 6, 7)), np.arange(42.0).reshape(1, 6, 7) - 20],
    ids=["constant", "one band of zeros", "one band with negative values"],
)
def test_scenes_with_little_in_them_have_finite_views(values):
    views = views_of(values)
    for image in views(block_of(values)):
        assert np.isfinite(image).all()


def test_invalid_pixels_are_zero_in_every_set(image):
    valid = np.ones((20, 30), dtype=bool)
    valid[4, 5] = False
    hole = image.copy()
    hole[:, 4, 5] = np.nan
    for a, b in zip(
        views_of(image)(block_of(hole, valid)), views_of(image)(block_of(image)), strict=True
    ):
        assert (a[:, 4, 5] == 0).all()
        np.testing.assert_array_equal(a[:, valid], b[:, valid])

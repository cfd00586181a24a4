"""Class signatures against numpy's mean and covariance."""

from __future__ import annotations

from functools import reduce

import numpy as np
import pytest

from rsclass.core import stats
from rsclass.core.arrays import ArrayStream
from rsclass.core.grid import TileGrid
from rsclass.core.stats import ClassTally
from rsclass.core.types import Band

N_CLASSES = 4
BANDS = tuple(Band(f"b{i}", gain=0.01 * (i + 1), offset=-3.0 * i) for i in range(3))


def scene(dtype: str, start: float = 0.0):
    rng = np.random.default_rng(0)
    image = rng.integers(0, 120, (3, 40, 30)) + rng.integers(0, 7, (1, 40, 30)) + start
    if np.dtype(dtype).kind == "f":
        image = image + rng.random(image.shape)
    labels = rng.integers(-1, N_CLASSES, (40, 30)).astype(np.int32)
    return image.astype(dtype), labels


def tally(image: np.ndarray, labels: np.ndarray, side: int, n_classes: int = N_CLASSES):
    stream = ArrayStream(image, bands=BANDS)
    origin = image.reshape(3, -1).mean(axis=1, dtype=np.float64)
    parts = []
    for window in TileGrid(40, 30, side, side):
        inside = labels[window.row : window.row_end, window.col : window.col_end]
        parts.append(ClassTally.of(stream.read(window), inside, n_classes, origin))
    return reduce(lambda a, b: a + b, parts).finish(BANDS, origin)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32", "float64"])
@pytest.mark.parametrize("side", [64, 11])
def test_mean_and_covariance_are_those_of_numpy(dtype, side):
    image, labels = scene(dtype)
    found = tally(image, labels, side)
    gain = np.array([b.gain for b in BANDS])[:, None]
    offset = np.array([b.offset for b in BANDS])[:, None]
    for k in range(N_CLASSES):
        pixels = image[:, labels == k].astype(np.float64) * gain + offset
        assert found.count[k] == pixels.shape[1]
        np.testing.assert_allclose(found.mean[k], pixels.mean(axis=1), rtol=1e-12)
        np.testing.assert_allclose(found.covariance[k], np.cov(pixels), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.std[k], pixels.std(axis=1, ddof=1), rtol=1e-9)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_whole_numbers_give_the_same_bits_however_the_scene_is_cut(dtype):
    image, labels = scene(dtype)
    whole = tally(image, labels, 64)
    for side in (1, 7, 30):
        cut = tally(image, labels, side)
        np.testing.assert_array_equal(cut.mean, whole.mean)
        np.testing.assert_array_equal(cut.covariance, whole.covariance)


def test_a_small_variance_on_a_large_offset_survives():
    """N03."""
    for dtype in ("uint16", "float32"):
        image, labels = scene(dtype, start=60_000)
        found = tally(image, labels, 16)
        stored = found.covariance[0, 1, 1] / BANDS[1].gain ** 2
        expected = image[1, labels == 0].astype(np.float64).var(ddof=1)
        assert stored == pytest.approx(expected, rel=1e-9)


def test_a_class_of_no_pixel_has_no_mean_and_one_of_a_single_pixel_no_covariance():
    image, _ = scene("uint16")
    labels = np.zeros((40, 30), np.int32)
    labels[3, 5] = 1
    found = tally(image, labels, 64, n_classes=3)
    assert found.count.tolist() == [1199, 1, 0]
    assert np.isfinite(found.mean[1]).all()
    assert np.isnan(found.mean[2]).all()
    assert np.isnan(found.covariance[1:]).all()


def test_of_very_many_classes_only_variances_are_kept(monkeypatch):
    image, labels = scene("uint16")
    full = tally(image, labels, 64)
    monkeypatch.setattr(stats, "LARGEST_COVARIANCE", 1)
    lean = tally(image, labels, 64)
    np.testing.assert_allclose(lean.std, full.std, rtol=1e-9)
    assert np.isnan(lean.covariance[:, 0, 1]).all()

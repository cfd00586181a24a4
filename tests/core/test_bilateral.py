from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.bilateral import bilateral, reach


def by_definition(image, valid, spread, passes):
    """The filter in float64, pixel by pixel."""
    image = np.where(valid, image, 0).astype(np.float64)
    _, height, width = image.shape
    for _ in range(passes):
        out = np.zeros_like(image)
        for r, c in zip(*np.nonzero(valid), strict=True):
            weights, total = 0.0, np.zeros(len(image))
            for i in range(max(r - 3, 0), min(r + 4, height)):
                for j in range(max(c - 3, 0), min(c + 4, width)):
                    if valid[i, j]:
                        d2 = ((image[:, r, c] - image[:, i, j]) ** 2).sum()
                        w = np.exp(-d2 / (2 * spread**2) - ((r - i) ** 2 + (c - j) ** 2) / 8)
                        weights += w
                        total += w * image[:, i, j]
            out[:, r, c] = total / weights
        image = out
    return image


@pytest.fixture
def noisy():
    rng = np.random.default_rng(0)
    image = rng.normal(size=(3, 17, 140)).astype(np.float32)
    image[:, :, 60:] += 4
    return image, rng.random((17, 140)) > 0.1


@pytest.mark.parametrize("passes", [1, 2])
def test_it_is_the_weighted_mean_of_the_window(noisy, passes):
    image, valid = noisy
    # Weights come from a series in float32: they are off by at most 1e-6 of the largest.
    image, valid = image[:, :5], valid[:5]
    expected = by_definition(image, valid, 1.5, passes)
    np.testing.assert_allclose(bilateral(image, valid, 1.5, passes), expected, atol=2e-5)


def test_noise_falls_and_an_edge_stays(noisy):
    image, valid = noisy
    smooth = bilateral(image, valid, 1.5)
    left, right = smooth[:, :, :60][:, valid[:, :60]], smooth[:, :, 60:][:, valid[:, 60:]]
    assert left.std() < 0.5 * image[:, :, :60][:, valid[:, :60]].std()
    assert right.mean() - left.mean() > 3.9


def test_any_cut_with_its_surroundings_gives_the_same_bytes(noisy):
    image, valid = noisy
    whole = bilateral(image, valid, 1.5)
    halo = reach()
    for top, left, height, width in ((0, 0, 9, 50), (5, 43, 12, 97), (3, 131, 1, 9)):
        rows = slice(max(top - halo, 0), top + height + halo)
        cols = slice(max(left - halo, 0), left + width + halo)
        part = bilateral(image[:, rows, cols], valid[rows, cols], 1.5)
        part = part[:, top - rows.start :, left - cols.start :][:, :height, :width]
        assert part.tobytes() == whole[:, top : top + height, left : left + width].tobytes()


def test_invalid_pixels_are_nothing_and_change_nothing(noisy):
    image, valid = noisy
    other = np.where(valid, image, np.float32(np.nan))
    smooth = bilateral(other, valid, 1.5)
    assert (smooth[:, ~valid] == 0).all()
    assert smooth.tobytes() == bilateral(image, valid, 1.5).tobytes()


@pytest.mark.parametrize(("spread", "passes"), [(0.0, 2), (1.0, 0)])
def test_without_spread_or_passes_the_image_stays(noisy, spread, passes):
    image, valid = noisy
    np.testing.assert_array_equal(
        bilateral(image, valid, spread, passes), np.where(valid, image, 0)
    )

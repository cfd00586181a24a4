"""A trend of the light is found, told apart from the land, and taken out of every way to read."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.arrays import ArrayStream
from rsclass.core.light import EvenStream, Light
from rsclass.core.types import Band, Block, Window

HEIGHT, WIDTH = 90, 120


def land(seed: int, right: float = 0.0, down: float = 0.0, patch: int = 6) -> np.ndarray:
    """Patches of four land covers whose spectra differ in direction, under a log-linear light."""
    rng = np.random.default_rng(seed)
    spectra = rng.uniform(200, 3000, (4, 5))
    shape = (HEIGHT // patch, WIDTH // patch)
    cover = np.kron(rng.integers(0, 4, shape), np.ones((patch, patch), dtype=int))
    values = spectra[cover].transpose(2, 0, 1) * rng.normal(1, 0.03, (5, HEIGHT, WIDTH))
    rows, cols = np.linspace(-1, 1, HEIGHT)[:, None], np.linspace(-1, 1, WIDTH)
    return (values * np.exp(down * rows + right * cols)).astype(np.float32)


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.0), (0.0, 0.25), (-0.2, 0.1), (0.4, 0.3)])
def test_the_trend_that_was_put_in_is_found(down, right):
    # 20,000 pixels of 3 % noise in 5 bands put the slopes within .001; patches of chance land
    # add what the covers' own brightness shares with their place
    for seed in range(3):
        light = Light.of(ArrayStream(land(seed, right, down)), seed)
        assert (light.down, light.right) == pytest.approx((down, right), abs=0.01)


def test_land_that_is_brighter_on_one_side_is_no_trend():
    values = land(1)
    values[:, :, WIDTH // 2 :] = (
        values[:, :1, :1]
        * 3
        * np.random.default_rng(0).normal(1, 0.03, (5, HEIGHT, WIDTH // 2)).astype(np.float32)
    )
    # half of the scene is one bright cover: a plain regression of brightness on place finds a step
    plain = np.polyfit(np.linspace(-1, 1, WIDTH), np.log(values.mean(axis=(0, 1))), 1)[0]
    assert abs(plain) > 0.3
    assert abs(Light.of(ArrayStream(values), 0).right) < 0.05


def test_invalid_pixels_tell_nothing_and_stay_invalid():
    values = land(2, right=0.25)
    values[:, 20:40, 30:60] = np.nan
    light = Light.of(ArrayStream(values), 0)
    assert light.right == pytest.approx(0.25, abs=0.01)
    block = EvenStream(ArrayStream(values), light).read(Window(15, 25, 10, 10))
    assert not block.valid[5:, 5:].any()
    assert np.isfinite(block.values).all()


def test_every_way_to_read_gives_the_same_even_values():
    values = land(3, right=0.3)
    stored = np.round(values).astype(np.uint16)
    bands = [Band(f"b{i}", gain=0.5, offset=-3.0) for i in range(5)]
    scene = ArrayStream(stored, bands=bands)
    light = Light(HEIGHT, WIDTH, down=-0.1, right=0.3)
    even = EvenStream(scene, light)
    rows, cols = np.linspace(-1, 1, HEIGHT)[:, None], np.linspace(-1, 1, WIDTH)
    expected = (stored * 0.5 - 3.0) / np.exp(-0.1 * rows + 0.3 * cols)
    window = Window(7, 11, 40, 50)
    block = even.read(window)
    part = expected[:, 7:47, 11:61]
    assert block.values * block.gain[:, None, None] == pytest.approx(part, rel=1e-5)  # float32
    sample = even.sample(500, 1)
    assert sample.values == pytest.approx(expected[:, sample.rows, sample.cols].T, rel=1e-9)
    scanned = sum(float(b.values.astype(np.float64).sum()) for b in even.scan())
    folded = even.fold(lambda b: Total(float(b.values.astype(np.float64).sum())))
    assert scanned == folded.sum == pytest.approx(expected.sum(), rel=1e-5)
    assert [band.gain for band in even.bands] == [1.0] * 5


class Total:
    def __init__(self, value: float) -> None:
        self.sum = value

    def __add__(self, other: Total) -> Total:
        return Total(self.sum + other.sum)


def test_light_of_the_whole_is_the_same_in_every_window():
    light = Light(HEIGHT, WIDTH, down=0.2, right=-0.1)
    whole = light.gain(Window(0, 0, HEIGHT, WIDTH))
    assert np.array_equal(light.gain(Window(13, 29, 20, 31)), whole[13:33, 29:60])
    assert light.reach == pytest.approx(np.log(whole).max())


def test_even_light_changes_nothing():
    values = land(4)
    block = ArrayStream(values).read(Window(0, 0, HEIGHT, WIDTH))
    evened: Block = Light(HEIGHT, WIDTH).evened(block)
    assert np.array_equal(evened.values, values)

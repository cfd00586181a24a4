"""A line at which the calibration of the bands changes is told apart from the borders of land."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.arrays import ArrayStream
from rsclass.core.calibration import DOWN, RIGHT, Step, calibrated, find_step
from rsclass.core.light import EvenStream, Light
from rsclass.core.types import Window

HEIGHT, WIDTH, BANDS = 110, 130, 5
GAIN = (0.1, -0.08, 0.02, 0.15, -0.05)


def land(seed: int, straight: bool = False) -> np.ndarray:
    """Land covers in round patches, or in square fields whose borders run along the columns."""
    rng = np.random.default_rng(seed)
    spectra = rng.uniform(200, 3000, (6, BANDS))
    if straight:
        cover = np.kron(rng.integers(0, 6, (6, 7)), np.ones((20, 20), int))[:HEIGHT, :WIDTH]
    else:
        middles = rng.uniform(0, 130, (60, 2))
        place = np.stack(np.mgrid[:HEIGHT, :WIDTH], axis=-1)[:, :, None]
        cover = ((place - middles) ** 2).sum(axis=-1).argmin(axis=-1) % 6
    return spectra[cover].transpose(2, 0, 1) * rng.normal(1, 0.05, (BANDS, HEIGHT, WIDTH))


def joined(values: np.ndarray, axis: int, at: int, gain: tuple[float, ...] = GAIN) -> np.ndarray:
    values = values.copy()
    part = values[:, at:] if axis == DOWN else values[:, :, at:]
    part *= np.exp(gain)[:, None, None]
    return values


def found_in(values: np.ndarray) -> Step | None:
    stream = ArrayStream(values.astype(np.float32))
    return find_step(stream, stream.sample(5000, 0).values)


@pytest.mark.parametrize(("axis", "at"), [(RIGHT, 65), (RIGHT, 20), (DOWN, 50)])
@pytest.mark.parametrize("straight", [False, True])
def test_a_seam_is_found_at_its_line_with_its_gains(axis, at, straight):
    if straight and at % 20 == 0:
        at += 7
    for seed in range(3):
        step = found_in(joined(land(seed, straight), axis, at))
        assert step is not None
        assert (step.axis, step.at) == (axis, at)
        # medians of 110 or more ratios of 5 % noise on both sides
        assert step.gain == pytest.approx(GAIN, abs=0.03)


@pytest.mark.parametrize("straight", [False, True])
def test_land_alone_has_no_seam(straight):
    assert [found_in(land(seed, straight)) for seed in range(8)] == [None] * 8


def test_broken_columns_are_no_seam():
    values = land(4)
    values[:, :, 60:63] *= 0.2
    assert found_in(values) is None


def test_pixels_without_data_tell_nothing():
    values = joined(land(1), RIGHT, 65)
    values[:, :20] = np.nan
    values[:, 70:80, 50:80] = np.nan
    step = found_in(values)
    assert step is not None
    assert step.at == 65
    values[:, 45:] = np.nan
    assert found_in(values) is None


def test_several_seams_are_undone_one_by_one():
    clean = land(2)
    values = joined(joined(clean, RIGHT, 43), DOWN, 61, tuple(-g for g in GAIN))
    stream = ArrayStream(values.astype(np.float32))
    light = Light.of(stream, 0, seams=4)
    assert sorted((step.axis, step.at) for step in light.steps) == [(DOWN, 61), (RIGHT, 43)]
    even = EvenStream(stream, light).read(Window(0, 0, HEIGHT, WIDTH)).values
    ratio = np.log(even / clean)
    assert np.abs(ratio - ratio[:, :1, :1]).max() < 0.08
    assert Light.of(stream, 0, seams=0).steps == ()


def test_gains_of_the_whole_are_the_same_in_every_window():
    steps = (Step(RIGHT, 60, GAIN), Step(DOWN, 30, GAIN))
    whole = np.broadcast_to(
        calibrated(steps, Window(0, 0, HEIGHT, WIDTH), BANDS), (BANDS, HEIGHT, WIDTH)
    )
    part = np.broadcast_to(calibrated(steps, Window(25, 50, 20, 31), BANDS), (BANDS, 20, 31))
    assert np.array_equal(part, whole[:, 25:45, 50:81])
    assert whole[:, -1, -1] == pytest.approx(2 * np.array(GAIN))
    assert not whole[:, :30, :60].any()


def test_samples_are_calibrated_as_windows_are():
    stream = ArrayStream(land(3).astype(np.float32))
    light = Light(HEIGHT, WIDTH, right=0.1, steps=(Step(RIGHT, 60, GAIN), Step(DOWN, 30, GAIN)))
    even = EvenStream(stream, light)
    whole = even.read(Window(0, 0, HEIGHT, WIDTH)).values
    sample = even.sample(400, 1)
    assert sample.values == pytest.approx(whole[:, sample.rows, sample.cols].T, rel=1e-5)  # float32

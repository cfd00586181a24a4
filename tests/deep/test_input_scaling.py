from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.arrays import ArrayStream
from rsclass.core.types import Band, Window
from rsclass.deep.scaling import Scaling


def stream_of(values, **kwargs):
    return ArrayStream(values, **kwargs)


def whole(stream):
    return stream.read(Window(0, 0, stream.height, stream.width))


@pytest.fixture
def scene():
    rng = np.random.default_rng(0)
    return (rng.normal(size=(4, 40, 50)) * [[[10]], [[200]], [[3000]], [[1]]] + 5000).astype(
        np.float32
    )


def test_the_middle_of_every_band_lies_at_zero_and_its_range_is_four(scene):
    stream = stream_of(scene)
    scaling = Scaling.of_sample(stream.sample(None, 0))
    inputs = scaling.inputs(whole(stream))
    low, high = np.percentile(inputs.reshape(4, -1), [2, 98], axis=1)
    np.testing.assert_allclose(high - low, 4, atol=1e-2)  # float32 values near 5000
    assert np.abs(inputs).max() <= 4


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
def test_gain_and_offset_of_the_file_do_not_change_the_inputs(dtype):
    stored = np.random.default_rng(1).integers(0, 120, (2, 20, 20)).astype(dtype)
    plain = stream_of(stored)
    bands = (Band("a", gain=0.01, offset=-1.0), Band("b", gain=2.0, offset=7.0))
    physical = stream_of(stored, bands=bands)
    of_plain = Scaling.of_sample(plain.sample(None, 0)).inputs(whole(plain))
    of_physical = Scaling.of_sample(physical.sample(None, 0)).inputs(whole(physical))
    np.testing.assert_allclose(of_physical, of_plain, atol=1e-5)


def test_invalid_pixels_become_zero(scene):
    scene[1, 3, 4] = np.nan
    stream = stream_of(scene)
    inputs = Scaling.of_sample(stream.sample(None, 0)).inputs(whole(stream))
    assert not inputs[:, 3, 4].any()
    assert np.isfinite(inputs).all()


def test_a_constant_band_says_nothing(scene):
    """R11."""
    scene[2] = 17
    stream = stream_of(scene)
    scaling = Scaling.of_sample(stream.sample(None, 0))
    assert scaling.constant.tolist() == [2]
    assert not scaling.inputs(whole(stream))[2].any()


def test_an_illumination_in_raw_units_is_what_the_inputs_are_told(scene):
    stream = stream_of(scene.astype(np.float64))
    scaling = Scaling.of_sample(stream.sample(None, 0))
    block = whole(stream)
    gain, offset = np.array([0.02, -0.01, 0.005, 0.01]), 0.3
    lit = scene * (1 + gain[:, None, None]) + offset * scaling.scale.min()
    expected = (lit - scaling.center[:, None, None]) / scaling.scale[:, None, None]
    matrix, shift = scaling.under(gain, offset)
    inputs = scaling.inputs(block)
    moved = np.einsum("ij,jhw->ihw", matrix, inputs) + shift[:, None, None]
    inside = (np.abs(inputs) < 4).all(axis=0)
    np.testing.assert_allclose(moved[:, inside], expected[:, inside], atol=2e-3)


def test_many_bands_become_twelve_components_that_span_the_signal():
    rng = np.random.default_rng(3)
    abundance = rng.random((5, 30, 30))
    values = np.einsum("bk,khw->bhw", rng.random((60, 5)), abundance) * 1000
    stream = stream_of(values)
    scaling = Scaling.of_sample(stream.sample(None, 0))
    inputs = scaling.inputs(whole(stream))
    assert inputs.shape == (12, 30, 30)
    np.testing.assert_allclose(inputs.reshape(12, -1).var(axis=1).sum(), 12, rtol=1e-3)
    gram = scaling.projection @ scaling.projection.T
    np.testing.assert_allclose(gram, np.eye(12) * gram[0, 0], atol=1e-9)


def test_an_illumination_of_components_is_that_of_their_bands():
    rng = np.random.default_rng(4)
    abundance = rng.random((5, 30, 30))
    values = np.einsum("bk,khw->bhw", rng.random((60, 5)), abundance) * 1000 + 200
    stream = stream_of(values)
    scaling = Scaling.of_sample(stream.sample(None, 0))
    matrix, shift = scaling.under(np.full(60, 0.04), 0.0)
    inputs = scaling.inputs(whole(stream))
    brighter = scaling.inputs(whole(stream_of(values * 1.04)))
    moved = np.einsum("ij,jhw->ihw", matrix, inputs) + shift[:, None, None]
    np.testing.assert_allclose(moved, brighter, atol=5e-3)  # values at the cut differ

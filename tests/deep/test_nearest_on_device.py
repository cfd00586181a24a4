"""A device of PyTorch finds the processor's classes to the last pixel."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
import torch

from rsclass.core.assign import nearest
from rsclass.deep import nearest as on_device
from rsclass.deep.nearest import NearestOnDevice
from rsclass.engines.kmeans import KMeans
from rsclass.errors import RsclassWarning

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def both(values, valid, gain, offset, centers):
    """Classes by the processor and by the device, and how many pixels were in doubt."""
    ours, theirs = (np.full(values.shape[1], 99, np.int32) for _ in range(2))
    nearest(values, valid, gain, offset, centers, ours)
    unsure = NearestOnDevice(DEVICE, least_work=0)(values, valid, gain, offset, centers, theirs)
    return ours, theirs, unsure


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"], ids=str
)
@pytest.mark.parametrize("n_classes", [1, 2, 7, 40])
def test_classes_are_those_of_the_processor(dtype, n_classes):
    rng = np.random.default_rng(0)
    low, high = (-100, 100) if dtype in ("i1", "f4", "f8") else (0, 250)
    values = rng.uniform(low, high, (5, 4001)).astype(dtype)
    if dtype in ("u2", "u4", "u8"):
        values[:, ::3] += np.iinfo(dtype).max - 250
    scale = float(np.abs(values.astype(np.float64)).max())
    gain, offset = rng.uniform(0.5, 2, 5) / scale, rng.normal(size=5)
    centers = rng.normal(size=(n_classes, 5))
    valid = rng.random(4001) > 0.1
    ours, theirs, unsure = both(values, valid, gain, offset, centers)
    np.testing.assert_array_equal(theirs, ours)
    assert (theirs[~valid] == -1).all()
    assert unsure == 0


def test_ties_go_to_the_lowest_class_and_are_counted():
    values = np.array([[0, 5, 10, 5, 20], [0, 5, 10, 5, 20]], np.uint16)
    centers = np.array([[10.0, 10.0], [0.0, 0.0], [10.0, 10.0]])
    valid = np.array([True, True, True, False, True])
    ours, theirs, unsure = both(values, valid, np.ones(2), np.zeros(2), centers)
    assert theirs.tolist() == ours.tolist() == [1, 0, 0, -1, 0]
    assert unsure == 3


def test_distances_that_differ_in_their_last_bits_are_decided_as_the_processor_does():
    rng = np.random.default_rng(1)
    # Pixels in the middle between two centers but for rounding, far from the origin.
    one = rng.normal(size=(6,)) + 1e4
    other = one + rng.normal(size=6)
    aside = rng.normal(size=(6, 20_000))
    across = (other - one) / np.linalg.norm(other - one)
    values = ((one + other) / 2)[:, None] + aside - np.outer(across, across @ aside)
    valid = np.ones(20_000, bool)
    ours, theirs, unsure = both(values, valid, np.ones(6), np.zeros(6), np.array([one, other]))
    assert 0 < ours.sum() < 20_000
    np.testing.assert_array_equal(theirs, ours)
    assert unsure == 20_000


def test_values_that_are_not_finite_are_left_to_the_processor():
    values = np.array([[1.0, np.nan, np.inf, -np.inf, 3.0]], np.float32)
    valid = np.array([True, False, True, True, True])
    ours, theirs, _ = both(values, valid, np.ones(1), np.zeros(1), np.array([[0.0], [2.9]]))
    np.testing.assert_array_equal(theirs, ours)


def test_pieces_of_any_size_give_the_same(monkeypatch):
    rng = np.random.default_rng(2)
    values = rng.integers(0, 4000, (3, 1000)).astype(np.uint16)
    centers = rng.uniform(0, 4000, (4, 3))
    whole = both(values, np.ones(1000, bool), np.ones(3), np.zeros(3), centers)[1]
    monkeypatch.setattr(on_device, "WORKING_BYTES", 8 * 25 * 33)
    parts = both(values, np.ones(1000, bool), np.ones(3), np.zeros(3), centers)[1]
    np.testing.assert_array_equal(parts, whole)


@pytest.fixture
def image():
    return np.random.default_rng(3).integers(0, 3000, (4, 60, 70)).astype(np.uint16)


def test_an_engine_asked_to_use_the_device_gives_the_same_map(image, monkeypatch):
    engine = KMeans(6).fit(image)
    expected = engine.predict(image)
    used = []

    class Watched(NearestOnDevice):
        def __call__(self, *args):
            used.append(super().__call__(*args))
            return used[-1]

    monkeypatch.setattr(on_device, "choose_device", lambda name: torch.device("cuda"))
    monkeypatch.setattr(on_device, "NearestOnDevice", lambda device: Watched(DEVICE, 0))
    engine.use_machine(2, "cuda")
    np.testing.assert_array_equal(engine.predict(image), expected)
    assert len(used) == 1
    engine.use_machine(2, "cpu")
    np.testing.assert_array_equal(engine.predict(image), expected)
    assert len(used) == 1


def test_without_a_device_the_processor_computes_and_says_so(image, monkeypatch):
    engine = KMeans(3).fit(image)
    expected = engine.predict(image)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.warns(RsclassWarning, match="cuda was asked for and this machine has none"):
        engine.use_machine(1, "cuda")
    np.testing.assert_array_equal(engine.predict(image), expected)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.use_machine(1, "auto")


def test_without_pytorch_the_processor_computes_and_says_so(image, monkeypatch):
    engine = KMeans(3).fit(image)
    expected = engine.predict(image)
    monkeypatch.delattr("rsclass.deep.nearest")
    monkeypatch.delitem(sys.modules, "rsclass.deep.nearest")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.warns(RsclassWarning, match="PyTorch, which drives it, is not installed"):
        engine.use_machine(1, "cuda")
    np.testing.assert_array_equal(engine.predict(image), expected)

"""Convolutions from fewer products give the sums that they are defined by."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from rsclass.core import winograd
from rsclass.core.winograd import convolved, transformed


def by_definition(image, weight, bias):
    planes = image.transpose(2, 0, 1).astype(np.float64)
    sums = [correlate(planes, kernel, mode="valid", method="direct")[0] for kernel in weight]
    return np.stack(sums, axis=-1) + bias


def drawn(size, inputs, outputs, seed=0):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(*size, inputs)).astype(np.float32)
    weight = rng.normal(size=(outputs, inputs, 3, 3)) / np.sqrt(9 * inputs)
    return image, weight, rng.normal(size=outputs).astype(np.float32)


@pytest.mark.parametrize("size", [(6, 6), (6, 7), (9, 8), (10, 14), (31, 26), (17, 6)])
@pytest.mark.parametrize(("inputs", "outputs"), [(16, 16), (5, 70), (65, 3)])
def test_sums_are_those_of_the_definition(size, inputs, outputs) -> None:
    image, weight, bias = drawn(size, inputs, outputs)
    made = convolved(image, transformed(weight), bias)
    # Sums of about 1 from float32 products whose factors are up to 100 times as large.
    np.testing.assert_allclose(made, by_definition(image, weight, bias), atol=2e-5)


def test_sums_of_small_whole_numbers_are_exact() -> None:
    rng = np.random.default_rng(1)
    image = rng.integers(-8, 9, (22, 19, 4)).astype(np.float32)
    # Multiples of 24: the factors are whole numbers, and no digit is lost.
    weight = 576.0 * rng.integers(-2, 3, (3, 4, 3, 3))
    made = convolved(image, transformed(weight), np.zeros(3, np.float32))
    np.testing.assert_array_equal(made, by_definition(image, weight, 0))


def test_smaller_sums_become_the_least() -> None:
    image, weight, bias = drawn((12, 12), 8, 8)
    factors = transformed(weight)
    whole, cut = convolved(image, factors, bias), convolved(image, factors, bias, 0.0)
    assert (whole < 0).any()
    np.testing.assert_array_equal(cut, np.maximum(whole, 0))


def test_a_constant_image_gives_the_same_sum_everywhere_and_the_bias() -> None:
    weight = np.full((1, 1, 3, 3), 4.0)
    made = convolved(np.ones((8, 11, 1), np.float32), transformed(weight), np.float32([5.0]))
    np.testing.assert_allclose(made, 41.0, rtol=1e-6)  # the last digits of float32


@pytest.mark.parametrize("products", [1, 16 * 16 * 20, 10**9])
def test_how_many_squares_are_worked_on_at_once_changes_little(monkeypatch, products) -> None:
    image, weight, bias = drawn((50, 43), 16, 16)
    monkeypatch.setattr(winograd, "_PRODUCTS", products)
    made = convolved(image, transformed(weight), bias)
    np.testing.assert_allclose(made, by_definition(image, weight, bias), atol=2e-5)

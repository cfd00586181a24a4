"""Triangular factors against numpy's."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.cholesky import factor, inverse, log_determinant


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_factor_inverse_and_determinant_are_those_of_numpy(n):
    a = np.random.default_rng(n).normal(size=(n, n + 3))
    matrix = a @ a.T
    lower = factor(matrix)
    assert lower is not None
    np.testing.assert_allclose(lower, np.linalg.cholesky(matrix), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(inverse(lower) @ lower, np.eye(n), atol=1e-9)
    assert log_determinant(lower) == pytest.approx(np.linalg.slogdet(matrix)[1])


def test_units_of_the_bands_do_not_decide_what_is_singular():
    a = np.random.default_rng(0).normal(size=(3, 9))
    units = np.diag([1e-6, 1.0, 1e9])
    assert factor(units @ a @ a.T @ units) is not None


def test_a_band_that_repeats_another_makes_it_singular():
    a = np.random.default_rng(0).normal(size=(3, 50))
    repeated = np.concatenate([a, a[:1] + a[1:2]])
    assert factor(np.cov(a)) is not None
    assert factor(np.cov(repeated)) is None


@pytest.mark.parametrize("matrix", [[[0.0]], [[1.0, 2.0], [2.0, 1.0]], [[np.nan]]])
def test_what_is_no_covariance_has_no_factor(matrix):
    assert factor(np.array(matrix)) is None

"""Engine space: bands brought to a common spread, and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from rsclass.core.scaling import KINDS, Scaling
from rsclass.core.types import Block, Window


@pytest.fixture
def table() -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal([100, 0.2, -5], [30, 0.01, 1], (2000, 3))


def test_standard_is_that_of_scikit_learn(table):
    expected = StandardScaler().fit_transform(table)
    np.testing.assert_allclose(Scaling.fit(table, "standard").forward(table), expected, rtol=1e-9)


def test_robust_puts_2_and_98_percent_at_minus_and_plus_one(table):
    engine = Scaling.fit(table, "robust").forward(table)
    np.testing.assert_allclose(np.percentile(engine, [2, 98], axis=0), [[-1] * 3, [1] * 3])


def test_robust_does_not_mind_a_few_absurd_pixels(table):
    absurd = table.copy()
    absurd[:5] = 1e9
    clean, other = Scaling.fit(table, "robust"), Scaling.fit(absurd, "robust")
    np.testing.assert_allclose(other.scale, clean.scale, rtol=0.05)


def test_none_changes_nothing(table):
    np.testing.assert_array_equal(Scaling.fit(table, "none").forward(table), table)


@pytest.mark.parametrize("kind", KINDS)
def test_back_undoes_forward(table, kind):
    scaling = Scaling.fit(table, kind)
    np.testing.assert_allclose(scaling.back(scaling.forward(table)), table, rtol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_stored_values_reach_the_same_place_in_one_step(table, kind):
    scaling = Scaling.fit(table, kind)
    stored = np.arange(24, dtype=np.uint16).reshape(3, 2, 4)
    gain, offset = np.array([1.0, 1e-4, 2.0]), np.array([0.0, -0.1, 5.0])
    block = Block(Window(0, 0, 2, 4), stored, np.ones((2, 4), bool), gain, offset)
    slope, start = scaling.affine(block)
    np.testing.assert_allclose(
        block.flat.T * slope + start, scaling.forward(block.pixels()), rtol=1e-9, atol=1e-12
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, 0.1, 60_000.0])
def test_a_constant_band_keeps_its_scale(kind, value):
    """R11: the rounding errors of a mean are no spread."""
    scaling = Scaling.fit(np.full((777, 1), value), kind)
    assert scaling.scale.tolist() == [1.0]


@pytest.mark.parametrize("kind", KINDS)
def test_survives_json(table, kind):
    scaling = Scaling.fit(table, kind)
    again = Scaling.from_dict(json.loads(json.dumps(scaling.to_dict())))
    np.testing.assert_array_equal(again.forward(table), scaling.forward(table))

"""Levels of scenes."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.level import Level
from rsclass.core.types import Band, Sample


def sample_of(values):
    rows = np.arange(len(values))
    return Sample(values, rows, rows, len(values))


def test_a_change_of_gain_and_offset_is_undone() -> None:
    rng = np.random.default_rng(0)
    land = rng.gamma(3, 200, (5000, 3))
    other = land * [1.3, 0.8, 1.1] + [40, -20, 300]
    bands = tuple(Band(f"b{i}", gain=0.5, offset=float(i)) for i in range(3))
    stored = (other - [0, 1, 2]) / 0.5
    level = Level.of(sample_of(land))
    changed = Level.of(sample_of(other)).brought_to(level, bands)
    seen = stored * [b.gain for b in changed] + [b.offset for b in changed]
    np.testing.assert_allclose(seen, land, rtol=1e-9, atol=1e-6)
    assert [band.name for band in changed] == ["b0", "b1", "b2"]


def test_a_cloud_hardly_moves_a_level_and_a_constant_band_keeps_its_spread() -> None:
    values = np.random.default_rng(0).normal(100, 10, (2000, 2))
    values[:, 1] = 7.0
    clouded = values.copy()
    clouded[:20, 0] = 10_000.0  # one percent
    level, other = Level.of(sample_of(values)), Level.of(sample_of(clouded))
    assert other.mean[0] == pytest.approx(level.mean[0], abs=0.5)
    assert other.spread[0] == pytest.approx(level.spread[0], rel=0.05)
    assert other.brought_to(level, (Band("a"), Band("b")))[1] == Band("b")


def test_a_level_survives_a_model_file() -> None:
    level = Level(np.array([1.5, 2.0]), np.array([0.1, 3.0]))
    again = Level.from_dict(level.to_dict())
    np.testing.assert_array_equal(again.mean, level.mean)
    np.testing.assert_array_equal(again.spread, level.spread)

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from rsclass.core.outliers import RARE, find_outliers
from rsclass.core.training import TrainingSet

SPREAD = np.array([[4.0, 1.5, 0.0], [1.5, 2.0, 0.3], [0.0, 0.3, 1.0]])


def training(parts: list[tuple[int, np.ndarray]]) -> TrainingSet:
    """Features of (class, pixel table)."""
    features = np.repeat(np.arange(len(parts)), [len(table) for _, table in parts])
    classes = np.array([parts[f][0] for f in features], dtype=np.int32)
    names = tuple(f"c{i}" for i in range(int(classes.max()) + 1))
    places = np.arange(len(features))
    values = np.concatenate([table for _, table in parts])
    return TrainingSet(values, classes, features, places, places, names)


def normal(n: int, center: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).multivariate_normal([center] * 3, SPREAD, n)


@pytest.mark.parametrize("n", [8, 20, 200])
def test_the_share_of_odd_pixels_in_normal_classes_is_as_said_however_small(n: int) -> None:
    """Chi-square limits alone would find none in small classes."""
    trials = 12_000 // n
    odd = sum(
        find_outliers(
            training([(0, normal(n, 0, 2 * i)), (1, normal(n, 50, 2 * i + 1))])
        ).pixels.sum()
        for i in range(trials // 2)
    )
    expected = RARE * n * trials
    assert abs(odd - expected) < 4 * np.sqrt(expected)


def test_in_large_classes_the_limit_is_that_of_chi_square() -> None:
    table = normal(20_000, 0, 1)
    found = find_outliers(training([(0, table), (1, normal(50, 90, 2))])).pixels[:20_000]
    centered = table - table.mean(axis=0)
    squared = np.einsum("ij,jk,ik->i", centered, np.linalg.inv(np.cov(table.T)), centered)
    limit = chi2.ppf(1 - RARE, 3)
    clear = np.abs(squared - limit) > 0.02
    assert (found == (squared > limit))[clear].all()


def test_a_mislabelled_feature_is_found_and_told_what_it_is_like() -> None:
    parts = [(0, normal(60, 0, i)) for i in range(4)]
    parts += [(1, normal(60, 30, 10 + i)) for i in range(4)]
    parts.append((1, normal(40, 0, 99)))
    [apart] = find_outliers(training(parts)).features
    assert (apart.feature, apart.of_class, apart.like) == (8, 1, 0)
    assert apart.share == 1.0


def test_a_feature_cannot_hide_behind_its_own_weight() -> None:
    """It has half of the pixels of its class, which without it are of one kind."""
    parts = [(0, normal(30, 0, i)) for i in range(4)]
    parts += [(0, normal(120, 40, 5)), (1, normal(100, 90, 6)), (1, normal(100, 90, 7))]
    found = find_outliers(training(parts)).features
    assert 4 in [apart.feature for apart in found]
    whole = find_outliers(training(parts)).pixels
    assert not whole[120:240].any()  # taken with it, nothing stands out


def test_features_of_one_kind_are_not_told() -> None:
    parts = [(c, normal(50, 30 * c, 10 * c + i)) for c in range(3) for i in range(6)]
    assert find_outliers(training(parts)).features == ()


def test_classes_too_small_for_their_bands_are_said_to_be_untested() -> None:
    found = find_outliers(training([(0, normal(4, 0, 1)), (1, normal(50, 9, 2))]))
    assert found.untested == (0,)
    assert not found.pixels[:4].any()


def test_a_constant_band_and_a_repeated_one_do_no_harm() -> None:
    table = normal(300, 0, 1)
    wide = np.column_stack((table, np.full(300, 7.0), table[:, 0]))
    other = np.column_stack((normal(200, 40, 2), np.full(200, 7.0), np.arange(200.0)))
    found = find_outliers(training([(0, wide), (1, other)]))
    assert found.untested == ()
    assert 0 <= found.pixels.sum() <= 6

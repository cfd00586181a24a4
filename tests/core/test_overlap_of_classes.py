from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from rsclass.core.overlap import histogram_overlap
from rsclass.core.training import TrainingSet


def training(*tables: np.ndarray) -> TrainingSet:
    classes = np.repeat(np.arange(len(tables)), [len(t) for t in tables]).astype(np.int32)
    places = np.arange(len(classes))
    names = tuple("abcdef"[: len(tables)])
    return TrainingSet(np.concatenate(tables), classes, places, places, places, names)


@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0, 5.0])
def test_of_normal_classes_the_overlap_is_twice_the_tail(apart: float) -> None:
    """Of equal variance: 2 Phi(-d / 2) (Inman and Bradley 1989, Communications in Statistics)."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(200_000, 1)), rng.normal(apart, size=(200_000, 1))
    found = histogram_overlap(training(one, other)).share[0, 1]
    # 19 bins of some half a standard deviation round the curves off.
    assert found == pytest.approx(2 * norm.cdf(-apart / 2), abs=0.02)


def test_the_band_is_the_one_that_separates_best() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=(500, 4)), rng.normal(size=(400, 4))
    other[:, 2] += 20
    found = histogram_overlap(training(one, other))
    assert found.share[0, 1] == found.share[1, 0] == 0
    assert found.band[0, 1] == found.band[1, 0] == 2
    assert (np.diagonal(found.share) == 1).all()


def test_histograms_are_those_of_numpy() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.gamma(2, size=(70, 1)), rng.gamma(3, size=(33, 1))
    edges = np.linspace(min(one.min(), other.min()), max(one.max(), other.max()), 8)
    p, q = (np.histogram(t, edges)[0] / len(t) for t in (one, other))
    found = histogram_overlap(training(one, other)).share[1, 0]
    assert found == pytest.approx(np.minimum(p, q).sum())


def test_classes_of_one_value_overlap_wholly_or_not_at_all() -> None:
    five, six = np.full((9, 1), 5.0), np.full((3, 1), 6.0)
    assert histogram_overlap(training(five, five)).share[0, 1] == 1
    assert histogram_overlap(training(five, six)).share[0, 1] == 0

"""The number of classes: indices against scikit-learn, choices on groups that lie apart."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from sklearn import metrics

from rsclass.core.lloyd import lloyd
from rsclass.engines import choose
from rsclass.engines.choose import Fit, choose_n_classes
from rsclass.errors import UsageError


def groups(n_groups: int, seed: int, n: int = 1200, n_bands: int = 4) -> np.ndarray:
    """Groups whose means lie at least 12 of their deviations apart."""
    rng = np.random.default_rng(seed)
    means: list[np.ndarray] = []
    while len(means) < n_groups:
        mean = rng.uniform(0, 60, n_bands)
        if all(np.linalg.norm(mean - other) > 12 for other in means):
            means.append(mean)
    return np.concatenate([rng.normal(m, 1, (n // n_groups, n_bands)) for m in means])


@pytest.mark.parametrize("n_groups", [2, 3, 5, 8])
@pytest.mark.parametrize("seed", [0, 1])
def test_finds_the_number_of_groups_that_lie_apart(n_groups, seed):
    choice = choose_n_classes(groups(n_groups, seed), range(2, 11), seed=0)
    assert choice.best == n_groups
    assert choice.reason.startswith(f"{n_groups} classes have the best mean rank")


@pytest.fixture(scope="module")
def table() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(600, 3))


@pytest.mark.parametrize("k", [2, 4, 9])
def test_indices_are_those_of_scikit_learn(table, k):
    fit = Fit.of(table, k, seed=0)
    assert fit.n_classes == k
    silhouette = choose.silhouettes(table, [fit.labels])
    assert silhouette[0] == pytest.approx(metrics.silhouette_score(table, fit.labels), rel=1e-9)
    assert choose.davies_bouldin(table, fit) == pytest.approx(
        metrics.davies_bouldin_score(table, fit.labels), rel=1e-9
    )
    assert choose.calinski_harabasz(table, fit) == pytest.approx(
        metrics.calinski_harabasz_score(table, fit.labels), rel=1e-9
    )


def test_the_evidence_is_that_of_the_candidates(table):
    choice = choose_n_classes(table, range(2, 7), seed=0)
    rows = choice.evidence
    assert [row["n_classes"] for row in rows] == [2, 3, 4, 5, 6]
    inertia = [row["inertia"] for row in rows]
    assert inertia == sorted(inertia, reverse=True)
    assert sum(row["elbow"] for row in rows) == 1
    assert min(rows, key=lambda row: row["mean_rank"])["n_classes"] == choice.best
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_the_elbow_is_the_candidate_farthest_below_the_chord():
    assert choose._elbow([2, 3, 4, 5, 6], [100, 40, 30, 20, 10]) == 1
    assert choose._elbow([2, 4, 8], [100, 99, 0]) == 0
    assert choose._elbow([2, 3], [2, 1]) is None


def test_equal_values_share_their_rank():
    np.testing.assert_array_equal(choose._ranks(np.array([3.0, 1, 3, 2])), [3, 1, 3, 2])


def test_the_gap_of_uniform_pixels_is_nothing():
    """Pixels that are like the reference have ln W as the reference has, within its error."""
    uniform = np.random.default_rng(0).random((1500, 2))
    for gap, error in choose.gap_statistics(uniform, [2, 3, 5], seed=1):
        # The five references spread by one error; four of these are beyond chance.
        assert abs(gap) < 4 * error


def test_the_gap_is_that_of_its_definition():
    table = groups(3, 0, n=150)
    ((gap, error),) = choose.gap_statistics(table, [3], seed=5)
    rng = np.random.default_rng(5)
    low, high = table.min(axis=0), table.max(axis=0)
    logs = []
    for _ in range(5):
        reference = low + (high - low) * rng.random(table.shape)
        start = choose.plus_plus(reference, 3, np.random.default_rng(5))
        logs.append(np.log(lloyd(reference, start, 25)[2]))
    within = sum(
        ((table[g] - table[g].mean(axis=0)) ** 2).sum() for g in np.split(np.arange(150), 3)
    )
    assert gap == pytest.approx(np.mean(logs) - np.log(within))
    assert error == pytest.approx(np.std(logs) * np.sqrt(1 + 1 / 5))


def test_the_gap_rule_agrees_on_groups_that_lie_apart():
    """Smallest k whose gap is no less than the next one's minus its error."""
    rows = choose_n_classes(groups(4, 2), range(2, 9), seed=0).evidence
    chosen = next(a["n_classes"] for a, b in pairwise(rows) if a["gap"] >= b["gap"] - b["gap_se"])
    assert chosen == 4


@pytest.mark.parametrize(("n_bands", "n_pixels"), [(4, 500), (10, 500), (40, 250)])
def test_more_pixels_than_are_needed_are_left_out(monkeypatch, n_bands, n_pixels):
    monkeypatch.setattr(choose, "MOST_PIXELS", 500)
    seen: list[int] = []
    kernel = choose.kernels.silhouettes

    def count(values, *others):
        seen.append(values.shape[1])
        kernel(values, *others)

    monkeypatch.setattr(choose.kernels, "silhouettes", count)
    table = groups(3, 0, n=3000, n_bands=n_bands)
    assert choose_n_classes(table, range(2, 6), seed=0).best == 3
    assert seen == [n_pixels]


def test_two_runs_give_the_same_bits(table):
    assert choose_n_classes(table, range(2, 6), 7) == choose_n_classes(table, range(2, 6), 7)


def test_candidates_above_the_number_of_different_spectra_are_left_out():
    """R12."""
    table = np.repeat([[0.0, 1], [4, 4], [9, 0]], 30, axis=0)
    choice = choose_n_classes(table, range(2, 9), seed=0)
    assert [row["n_classes"] for row in choice.evidence] == [2, 3]
    assert choice.best == 3
    assert json.loads(json.dumps(choice.evidence, allow_nan=False)) == choice.evidence


@pytest.mark.parametrize("n_pixels", [1, 40])
def test_one_spectrum_leaves_nothing_to_choose(n_pixels):
    choice = choose_n_classes(np.ones((n_pixels, 3)), range(2, 5), seed=0)
    assert choice.evidence == []
    assert choice.best == 2
    assert "too few different spectra" in choice.reason


@pytest.mark.parametrize("candidates", [range(0), range(1, 5)])
def test_candidates_below_two_are_refused(table, candidates):
    with pytest.raises(UsageError, match="2 or more"):
        choose_n_classes(table, candidates, seed=0)

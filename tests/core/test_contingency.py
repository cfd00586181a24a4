"""Scores of clusters without names, against scikit-learn and closed forms."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics
from sklearn.metrics.cluster import contingency_matrix

from rsclass.core.contingency import (
    adjusted_rand,
    best_pairing,
    normalized_mutual_information,
    purity,
)

sizes = st.shared(st.integers(2, 80), key="n")
labels = arrays(np.int64, sizes, elements=st.integers(0, 5))


@settings(max_examples=150, deadline=None)
@given(labels, labels)
def test_scores_agree_with_scikit_learn(reference, clusters):
    table = contingency_matrix(reference, clusters)
    nmi = metrics.normalized_mutual_info_score(reference, clusters)
    assert normalized_mutual_information(table) == pytest.approx(nmi, abs=1e-9)
    ari = metrics.adjusted_rand_score(reference, clusters)
    assert adjusted_rand(table) == pytest.approx(ari, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=st.integers(0, 9))
)
def test_no_other_one_to_one_pairing_agrees_more_often(table):
    found = best_pairing(table)
    if not table.sum():
        assert math.isnan(found.overall)
        return
    tall = table if table.shape[0] <= table.shape[1] else table.T
    most = max(
        sum(tall[i, j] for i, j in enumerate(order))
        for order in itertools.permutations(range(tall.shape[1]), tall.shape[0])
    )
    assert found.overall == pytest.approx(most / table.sum())
    paired = found.partner[found.partner >= 0]
    assert len({*paired}) == len(paired)
    agree = sum(table[row, col] for col, row in enumerate(found.partner) if row >= 0)
    assert agree == most


def test_purity_counts_the_commonest_class_of_each_cluster():
    assert purity(np.array([[5, 1, 0], [2, 4, 3]])) == pytest.approx((5 + 4 + 3) / 15)


def test_pairs_of_many_pixels_do_not_overflow():
    table = np.array([[4, 1], [1, 4]], dtype=np.int64)
    large = adjusted_rand(table * 10**11)
    # For very large tables the correction for drawing without replacement vanishes.
    shares = table / table.sum()
    cells, rows, cols = (float((s**2).sum()) for s in (shares, shares.sum(1), shares.sum(0)))
    assert large == pytest.approx((cells - rows * cols) / ((rows + cols) / 2 - rows * cols))


def test_an_empty_table_has_no_scores():
    empty = np.zeros((2, 3), dtype=np.int64)
    assert math.isnan(normalized_mutual_information(empty))
    assert math.isnan(adjusted_rand(empty))
    assert math.isnan(purity(empty))

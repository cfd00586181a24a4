"""Published confusion matrices, and scikit-learn on random labels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn import metrics

from rsclass.core.confusion import Confusion, kappa_difference
from rsclass.errors import DataError


def published(text: str) -> Confusion:
    """A matrix as the literature prints it: one row for each map class."""
    rows = np.array([[int(cell) for cell in line.split()] for line in text.strip().splitlines()])
    return Confusion(rows.T, tuple("ABCDEFGHI"[: len(rows)]))


CONGALTON = published("""
    65  4 22 24
     6 81  5  8
     0 11 85 19
     4  7  3 90
""")
SECOND_ANALYST = published("""
    45  4 12 24
     6 91  5  8
     0  8 55  9
     4  7  3 55
""")
NINE_CLASSES = published("""
    19  1  0  0  0  0  0  0  0
     3 35  0  1  0  0  0  0  0
     0  0 17  3 19  0  1  0  2
     0  0 12 77 12  0  1  0  2
     0  0  8 13 74  0  0  0  0
     0  0  0  1  1 19  2  0  0
     0  0  1  4  3  2  9  1  0
     0  0  0  5  3  0  0 13  0
     0  0  3 10  7  0  0  0  0
""")
PONTIUS = published("""
    11 12 13 14
    21 22 23 24
    31 32 33 34
    41 42 43 44
""").weighted([100, 200, 300, 400])


def digits(values: object, places: int = 6) -> list[float]:
    return np.round(np.asarray(values, dtype=float), places).tolist()


def test_rows_are_the_reference_and_columns_the_map():
    confusion = Confusion.of(np.array([0, 0, 1]), np.array([1, 1, 1]), ("water", "forest"))
    assert confusion.counts.tolist() == [[0, 2], [0, 1]]
    assert confusion.reference_totals.tolist() == [2, 1]
    assert confusion.map_totals.tolist() == [0, 3]


def test_pairs_without_a_class_are_left_out():
    confusion = Confusion.of(np.array([0, -1, 1]), np.array([0, 0, -1]), ("a", "b"))
    assert confusion.counts.tolist() == [[1, 0], [0, 0]]


def test_congalton_accuracies():
    assert CONGALTON.n == 434
    assert CONGALTON.map_totals.tolist() == [115, 100, 115, 104]
    assert CONGALTON.reference_totals.tolist() == [75, 103, 115, 141]
    assert digits(CONGALTON.overall) == 0.739631
    assert digits(CONGALTON.users) == [0.565217, 0.81, 0.73913, 0.865385]
    assert digits(CONGALTON.producers) == [0.866667, 0.786408, 0.73913, 0.638298]
    assert digits(CONGALTON.f1) == [0.684211, 0.798030, 0.739130, 0.734694]


def test_congalton_kappa_and_its_variance():
    assert CONGALTON.kappa.value == pytest.approx(92500 / 141542, rel=1e-14)
    assert digits(CONGALTON.kappa.variance, 7) == 0.0007700
    assert digits(CONGALTON.kappa.z, 4) == 23.5518
    assert digits(CONGALTON.users_kappa) == [0.474385, 0.750876, 0.645087, 0.800604]
    assert digits(CONGALTON.producers_kappa) == [0.818600, 0.722458, 0.645087, 0.524307]


def test_congalton_disagreement():
    found = [CONGALTON.quantity, CONGALTON.allocation, CONGALTON.exchange, CONGALTON.shift]
    assert digits(found) == [0.092166, 0.168203, 0.105991, 0.062212]


def test_two_analysts_differ_by_less_than_a_standard_error():
    assert digits(SECOND_ANALYST.overall) == 0.732143
    assert SECOND_ANALYST.kappa.value == pytest.approx(53857 / 84097, rel=1e-14)
    assert digits(SECOND_ANALYST.kappa.variance, 7) == 0.0010143
    assert digits(SECOND_ANALYST.kappa.z, 4) == 20.1086
    assert digits(kappa_difference(CONGALTON.kappa, SECOND_ANALYST.kappa)) == 0.310155


def test_nine_classes_one_of_them_never_right():
    assert digits(NINE_CLASSES.overall) == 0.684896
    assert NINE_CLASSES.kappa.value == pytest.approx(73148 / 119612, rel=1e-14)
    assert digits(NINE_CLASSES.kappa.error) == 0.029262
    assert digits(NINE_CLASSES.users) == [
        0.95, 0.897436, 0.404762, 0.740385, 0.778947, 0.826087, 0.45, 0.619048, 0,
    ]  # fmt: skip
    assert digits(NINE_CLASSES.producers) == [
        0.863636, 0.972222, 0.414634, 0.675439, 0.621849, 0.904762, 0.692308, 0.928571, 0,
    ]  # fmt: skip
    found = [NINE_CLASSES.quantity, NINE_CLASSES.allocation]
    assert digits([*found, NINE_CLASSES.exchange, NINE_CLASSES.shift]) == [
        0.09375, 0.221354, 0.166667, 0.054688,
    ]  # fmt: skip


def test_pontius_matrix_weighted_by_the_size_of_the_map_classes():
    assert digits(PONTIUS.counts.T) == [
        [0.022, 0.024, 0.026, 0.028],
        [0.046667, 0.048889, 0.051111, 0.053333],
        [0.071538, 0.073846, 0.076154, 0.078462],
        [0.096471, 0.098824, 0.101176, 0.103529],
    ]
    assert digits([PONTIUS.quantity, PONTIUS.allocation]) == [0.182234, 0.567194]
    assert digits([PONTIUS.overall, PONTIUS.exchange, PONTIUS.shift]) == [
        0.250572, 0.521812, 0.045382,
    ]  # fmt: skip
    assert digits(PONTIUS.kappa.value) == -0.005190
    assert math.isnan(PONTIUS.kappa.variance)


def test_a_class_that_occurs_nowhere_has_undefined_accuracies():
    confusion = Confusion(np.diag([3, 0]), ("a", "b"))
    for values in (confusion.users, confusion.producers, confusion.f1, confusion.iou):
        assert values[0] == 1
        assert math.isnan(values[1])


def test_a_class_only_in_the_map_has_no_producers_accuracy_and_is_never_right():
    confusion = Confusion(np.array([[3, 2], [0, 0]]), ("a", "b"))
    assert math.isnan(confusion.producers[1])
    assert confusion.users[1] == 0
    assert confusion.f1[1] == 0


def test_kappa_is_undefined_where_chance_agrees_completely():
    kappa = Confusion(np.diag([7, 0]), ("a", "b")).kappa
    assert math.isnan(kappa.value)
    assert math.isnan(kappa.z)


def test_an_empty_matrix_says_nothing():
    confusion = Confusion(np.zeros((2, 2), int), ("a", "b"))
    assert math.isnan(confusion.overall)
    assert math.isnan(confusion.kappa.value)
    assert math.isnan(confusion.quantity)


def test_matrices_of_the_same_classes_add_up():
    both = CONGALTON + SECOND_ANALYST
    assert both.n == 434 + 336
    with pytest.raises(DataError, match="different classes"):
        CONGALTON + NINE_CLASSES


@pytest.mark.parametrize("counts", [np.ones((2, 3)), -np.eye(2), np.full((2, 2), np.nan)])
def test_what_is_no_confusion_matrix_is_refused(counts):
    with pytest.raises(DataError):
        Confusion(counts, ("a", "b"))


labels = st.integers(2, 6).flatmap(
    lambda k: st.tuples(
        st.just(k),
        *[arrays(np.int64, st.shared(st.integers(1, 60), key="n"), elements=st.integers(0, k - 1))]
        * 2,
    )
)


@settings(max_examples=150, deadline=None)
@given(labels)
def test_confusion_statistics_agree_with_scikit_learn(drawn):
    k, reference, mapped = drawn
    classes = list(range(k))
    ours = Confusion.of(reference, mapped, [str(c) for c in classes])
    options = {"labels": classes, "average": None, "zero_division": np.nan}
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        reference, mapped, **options
    )
    matrix = metrics.confusion_matrix(reference, mapped, labels=classes)
    np.testing.assert_array_equal(ours.counts, matrix)
    np.testing.assert_array_equal(ours.reference_totals, support)
    np.testing.assert_allclose(ours.users, precision, rtol=1e-12)
    np.testing.assert_allclose(ours.producers, recall, rtol=1e-12)
    np.testing.assert_allclose(ours.f1, f1, rtol=1e-12)
    present = ours.reference_totals + ours.map_totals > 0
    theirs = metrics.jaccard_score(reference, mapped, labels=classes, average=None, zero_division=0)
    np.testing.assert_allclose(ours.iou[present], theirs[present], rtol=1e-12)
    assert ours.overall == pytest.approx(metrics.accuracy_score(reference, mapped), rel=1e-12)
    if len({*reference, *mapped}) > 1:
        kappa = metrics.cohen_kappa_score(reference, mapped)
        assert ours.kappa.value == pytest.approx(kappa, abs=1e-12)
    else:
        assert math.isnan(ours.kappa.value)
    assert ours.quantity + ours.allocation == pytest.approx(1 - ours.overall, abs=1e-12)
    assert ours.shift >= -1e-12

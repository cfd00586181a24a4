from __future__ import annotations

import math

import numpy as np
import pytest

from rsclass.core.votes import surely, votes

TABLE = np.array([[90, 0, 1, 0], [10, 50, 2, 0], [0, 50, 1, 0]])
LABELS = ("water", "wood", "field")
FEATURES = ("feature", "features")


@pytest.mark.parametrize("n", [1, 2, 10, 1000])
@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 1.0])
def test_the_bound_is_where_the_share_is_just_compatible_with_ninety_percent(share, n):
    """Wilson's bound p solves share - p = z sqrt(p (1 - p) / n), with z exceeded by 10 %."""
    p = surely(share, n)
    z = (share - p) / math.sqrt(p * (1 - p) / n)
    assert 0.5 * math.erfc(z / math.sqrt(2)) == pytest.approx(0.1, abs=1e-9)


def test_more_witnesses_are_believed_more_and_none_not_at_all():
    assert surely(1.0, 0) == 0
    bounds = [surely(1.0, n) for n in (1, 2, 5, 100)]
    assert bounds == sorted(bounds)
    assert bounds[0] < 0.5 < bounds[1]


def test_a_cluster_gets_its_commonest_label_with_purity_and_evidence():
    found = votes(TABLE, np.array([12, 8, 2, 0]), LABELS, FEATURES)
    assert [vote.label for vote in found] == ["water", "wood", "wood", None]
    assert found[0].purity == pytest.approx(0.9)
    assert found[0].evidence == ("water 90%, wood 10% of 100 reference pixels from 12 features",)
    assert found[0].confidence == pytest.approx(surely(0.9, 12))
    assert found[3].confidence == 0
    assert found[3].evidence == ("the reference has no pixel in it",)


def test_one_witness_is_told_as_one_and_few_pixels_are_told_to_be_few():
    table = np.array([[4, 5], [0, 0], [0, 0]])
    few, enough = votes(table, np.array([1, 2]), LABELS, ("patch", "patches"))
    assert few.evidence == (
        "water 100% of 4 reference pixels from 1 patch",
        "fewer than 5 reference pixels speak for it",
    )
    assert few.confidence < 0.5
    assert enough.evidence == ("water 100% of 5 reference pixels from 2 patches",)


def test_a_cluster_whose_pairing_differs_from_its_majority_says_so():
    """Both clusters are mostly water; one to one, the second can only be wood."""
    table = np.array([[90, 60], [5, 40]])
    found = votes(table, np.array([9, 9]), ("water", "wood"), FEATURES)
    assert [vote.label for vote in found] == ["water", "water"]
    assert [vote.partner for vote in found] == ["water", "wood"]
    assert found[1].evidence[1] == "paired one to one it would be wood"


def test_of_equal_labels_the_first_is_taken():
    assert votes(np.array([[5], [5]]), np.array([4]), ("a", "b"), FEATURES)[0].label == "a"

"""Priors of classes."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.core.priors import check_priors, class_priors
from rsclass.errors import UsageError

EIGHT = [str(i) for i in range(1, 9)]


def test_omitted_classes_share_the_rest_equally_as_in_the_documented_example():
    """ArcGIS, Maximum Likelihood Classification: 8 signatures, 3 and 6 are not in the file."""
    given = {"1": 0.3, "2": 0.1, "4": 0, "5": 0.15, "7": 0.05, "8": 0.2}
    found = class_priors(given, EIGHT, np.ones(8, np.int64))
    np.testing.assert_allclose(found, [0.3, 0.1, 0.1, 0, 0.15, 0.1, 0.05, 0.2], rtol=1e-12)


def test_equal_and_sample():
    count = np.array([10, 30, 60])
    np.testing.assert_allclose(class_priors("equal", "abc", count), [1 / 3] * 3)
    np.testing.assert_allclose(class_priors("sample", "abc", count), [0.1, 0.3, 0.6])


def test_numbers_name_classes_too():
    found = class_priors({3: 0.25}, ["3", "7"], np.ones(2, np.int64))
    np.testing.assert_allclose(found, [0.25, 0.75])


def test_all_given_must_add_up_to_one_and_rounding_is_forgiven():
    third = 0.3333333
    found = class_priors({"a": third, "b": third, "c": third}, "abc", np.ones(3, np.int64))
    assert found.sum() == pytest.approx(1, abs=1e-15)
    with pytest.raises(UsageError, match=r"add up to 0\.8 and no class is left out"):
        class_priors({"a": 0.5, "b": 0.3}, "ab", np.ones(2, np.int64))


@pytest.mark.parametrize(
    ("priors", "told"),
    [
        ("equals", "it must be equal or sample"),
        ({}, "it must be equal or sample"),
        (0.5, "it must be equal or sample"),
        ({"a": -0.1}, "the prior of a is -0.1"),
        ({"a": 1.5}, "the prior of a is 1.5"),
        ({"a": "0.5"}, "the prior of a is '0.5'"),
        ({"a": True}, "the prior of a is True"),
        ({"a": float("nan")}, "the prior of a is nan"),
        ({"a": 0.7, "b": 0.6}, "add up to 1.3"),
    ],
)
def test_impossible_priors_are_told(priors, told):
    with pytest.raises(UsageError, match=told):
        check_priors(priors)


def test_a_class_that_the_samples_lack_is_named():
    with pytest.raises(UsageError, match="name snow, which the samples do not have"):
        class_priors({"snow": 0.5}, ["water", "forest"], np.ones(2, np.int64))

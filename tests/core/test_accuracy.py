"""Figures of an assessment put together."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from rsclass.core.accuracy import Accuracy
from rsclass.core.confusion import Confusion
from rsclass.core.estimates import StratifiedSample

NAMES = ("a", "b")


def made(counts, *, sizes=None, census=False, hectares=math.nan):
    counts = np.array(counts)
    sample = None
    if sizes is not None:
        cube = np.zeros((2, 2, 2), dtype=np.int64)
        cube[[0, 1], :, [0, 1]] = counts.T
        sample = StratifiedSample(cube, np.array(sizes), NAMES, NAMES, finite=False, by_map=True)
    confusion = Confusion(counts, NAMES)
    return Accuracy(
        (1, 2),
        confusion,
        np.array(sizes or counts.sum(axis=0)),
        np.full(2, math.nan),
        sample,
        confusion if census else None,
        hectares,
    )


def test_intervals_of_shares_end_at_0_and_1_and_margins_do_not_shrink():
    accuracy = made([[49, 6], [1, 4]], sizes=[5000, 200])
    users = accuracy.users[0]
    assert users.high == 1
    assert users.margin == pytest.approx(1.96 * users.error)
    assert users.value + users.margin > 1
    assert accuracy.users[1].low > 0
    assert all(0 <= f.low <= f.value <= f.high <= 1 for f in accuracy.area_shares)


def test_areas_are_shares_of_the_part_that_the_sample_speaks_of():
    accuracy = made([[49, 6], [1, 4]], sizes=[5000, 200], hectares=1040.0)
    share, area = accuracy.classes[0].area_share, accuracy.classes[0].area_hectares
    assert area.value == pytest.approx(1040 * share.value)
    assert area.margin == pytest.approx(1040 * share.margin)
    assert sum(c.area_hectares.value for c in accuracy.classes) == pytest.approx(1040)


def test_a_census_has_areas_and_no_errors():
    accuracy = made([[49, 6], [1, 4]], census=True, hectares=60.0)
    assert [c.area_hectares.value for c in accuracy.classes] == pytest.approx([55, 5])
    assert math.isnan(accuracy.overall.error)
    assert accuracy.overall.value == pytest.approx(53 / 60)


def test_means_leave_out_classes_that_are_undefined():
    accuracy = made([[5, 0], [0, 0]])
    assert accuracy.mean_f1 == 1
    assert accuracy.mean_iou == 1
    assert math.isnan(made([[0, 0], [0, 0]]).mean_f1)


def test_the_variance_of_kappa_is_that_of_a_simple_sample_alone():
    counts = [[49, 6], [1, 4]]
    assert made(counts).kappa == Confusion(np.array(counts), NAMES).kappa
    assert math.isnan(made(counts, sizes=[5000, 200]).kappa.variance)


def test_what_is_unknown_is_null_in_json():
    data = json.loads(json.dumps(made([[5, 0], [0, 0]]).to_dict(), allow_nan=False))
    assert data["classes"][1]["users"]["value"] is None
    assert data["classes"][0]["area_hectares"]["value"] is None
    assert data["kappa"] == {"value": None, "error": None}
    assert (data["confusion"]["rows"], data["confusion"]["columns"]) == ("reference", "map")

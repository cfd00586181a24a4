"""Sampling designs as text."""

from __future__ import annotations

import json

import pytest

from rsclass.core.design import Design, Stratum
from rsclass.errors import DataError

DESIGN = Design(
    "stratified",
    (Stratum(1, "water", 100, 10), Stratum(4, 'Größe "x"', 7, 7)),
    "map",
    "map classes",
    3,
    25.0,
    "equal",
)


def test_a_design_survives_its_text():
    assert Design.from_json(DESIGN.to_json(), "file") == DESIGN
    assert DESIGN.units == 17
    assert DESIGN.strata[0].inclusion == 0.1


def changed(**parts: object) -> str:
    return json.dumps(json.loads(DESIGN.to_json()) | parts)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "no readable JSON"),
        ("[]", "does not say"),
        (changed(format="other"), "does not say"),
        (changed(format_version=2), "update rsclass"),
        (changed(kind="snowball"), "snowball"),
        (changed(strata=[]), "needs strata"),
        (changed(strata=[{"value": 1}]), "damaged"),
        (changed(color="red"), "damaged"),
        (changed(strata=[{"value": 1, "name": "a", "pixels": 3, "units": 4}]), "no smaller"),
    ],
)
def test_a_text_that_is_no_design_is_told_so(text, told):
    with pytest.raises(DataError, match=told):
        Design.from_json(text, "points.gpkg")

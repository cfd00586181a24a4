from __future__ import annotations

import pytest

from rsclass.core.legend import Legend
from rsclass.core.merging import MergeRow
from rsclass.core.opinions import Opinion
from rsclass.core.proposals import Proposal, coded, merge_rows, proposals
from rsclass.core.schema import Schema, SchemaClass
from rsclass.core.votes import Vote

LEGEND = Legend.of(["class 1", "class 2", "class 3"], [(0, 0, 9), (0, 9, 0), (9, 0, 0)])
GRAY = (9, 9, 9)
SIMPLE = Schema(
    tuple(
        SchemaClass(code, name, GRAY)
        for code, name in enumerate(
            ["Water", "Trees", "Shrub and grass", "Cropland", "Built-up", "Bare ground"], 1
        )
    )
)
LEVELS = Schema(
    (
        SchemaClass(1, "Artificial surfaces", GRAY),
        SchemaClass(3, "Forest and seminatural areas", GRAY),
        SchemaClass(5, "Water bodies", GRAY),
        SchemaClass(11, "Urban fabric", GRAY, 1),
        SchemaClass(14, "Artificial vegetated areas", GRAY, 1),
        SchemaClass(31, "Forests", GRAY, 3),
        SchemaClass(51, "Inland waters", GRAY, 5),
        SchemaClass(52, "Marine waters", GRAY, 5),
    )
)


def vote(label, confidence):
    return Vote(label, confidence, 0.9, 10, 5, label, (f"{label} 90%",))


def opinion(cover, confidence):
    return Opinion(cover, confidence, {"water": confidence}, ("NDWI 0.4",))


def named(name, by="reference"):
    return Proposal(1, "class 1", name, 0.9, by, ("told",))


def test_the_reference_speaks_first_and_the_spectrum_where_it_is_not_sure():
    said = [vote("lake", 0.9), vote("lake", 0.3), vote("lake", 0.3)]
    judged = [opinion("water", 0.99), opinion("water", 0.8), opinion(None, 0.2)]
    found = proposals(LEGEND, said, judged, 0.5)
    assert [(p.name, p.by) for p in found] == [
        ("lake", "reference"),
        ("water", "spectra"),
        (None, ""),
    ]
    assert [p.confidence for p in found] == [0.9, 0.8, 0.3]
    assert found[2].evidence == ("reference: lake 90%", "spectra: NDWI 0.4")


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ("Trees", 2),
        ("bare_ground", 6),
        ("5", 5),
        ("class 5", 5),
        ("forest", 2),
        ("Urban", 5),
        ("herbaceous", 3),
        ("open water", 1),
        ("sand", 6),
        ("tundra", None),
        ("grass and crops", None),
    ],
)
def test_a_label_means_the_class_of_its_name_code_or_kind(label, code):
    assert coded([named(label)], SIMPLE)[0].code == code


@pytest.mark.parametrize(
    ("cover", "code"),
    [
        ("water", 1),
        ("built-up", 5),
        ("bare soil", 6),
        ("vegetation", None),
        ("snow", None),
    ],
)
def test_a_cover_means_the_one_class_that_holds_its_word(cover, code):
    (found,) = coded([named(cover, "spectra")], SIMPLE)
    assert found.code == code
    if code is None:
        assert found.evidence[-1] == f"{cover!r} means no single class of the schema"


@pytest.mark.parametrize(("cover", "code"), [("water", 5), ("built-up", 1)])
def test_of_several_classes_below_one_the_upper_is_meant(cover, code):
    assert coded([named(cover, "spectra")], LEVELS)[0].code == code


def test_of_classes_below_each_other_the_lowest_is_meant():
    assert coded([named("wood")], LEVELS)[0].code == 31


def test_without_a_schema_every_name_is_a_class_and_numbers_stay_numbers():
    found = coded([named("wood"), named("field"), named("wood")], None)
    assert [p.code for p in found] == [2, 1, 2]
    assert [p.class_name for p in found] == ["wood", "field", "wood"]
    assert [p.code for p in coded([named("20"), named("7")], None)] == [20, 7]


def test_names_that_a_table_has_already_keep_their_codes_and_new_ones_clash_with_none():
    known = [MergeRow(1, 4, class_name="Wood"), MergeRow(2)]
    found = coded([named("wood"), named("field")], None, known)
    assert {p.name: p.code for p in found} == {"wood": 4, "field": 5}


def test_a_row_tells_who_decided_and_why_and_an_unknown_cluster_is_not_decided():
    unknown = Proposal(2, "class 2", None, 0.2, "", ("spectra: NDVI 0.3",))
    decided, open_row = merge_rows([*coded([named("wood")], None), unknown])
    assert decided == MergeRow(
        1, 1, "rsclass suggest (reference)", "wood, confidence 0.90: told", "class 1", "wood"
    )
    assert (open_row.code, open_row.by) == (None, "")
    assert open_row.why == "unknown, confidence 0.20: spectra: NDVI 0.3"

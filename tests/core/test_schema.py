"""Schemas: what they refuse, their levels, and their text forms."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from rsclass.core.colors import cielab
from rsclass.core.legend import Legend
from rsclass.core.schema import Schema, SchemaClass
from rsclass.core.schema_text import (
    schema_csv,
    schema_from_csv,
    schema_from_json,
    schema_json,
)
from rsclass.errors import DataError, UsageError

GREEN, BLUE, RED = (0, 128, 0), (0, 0, 255), (255, 0, 0)


@pytest.fixture
def schema() -> Schema:
    return Schema(
        (
            SchemaClass(31, "Broadleaved", GREEN, parent=3),
            SchemaClass(3, "Forest", (10, 90, 10), description="  trees\nabove 5 m "),
            SchemaClass(32, "Needleleaved", (0, 60, 0), parent=3),
            SchemaClass(321, "Spruce", (0, 50, 20), parent=32),
            SchemaClass(5, 'Water, "open"', BLUE),
        ),
        "levels",
    )


def test_classes_are_sorted_by_code_and_texts_are_one_line(schema):
    assert schema.codes == (3, 5, 31, 32, 321)
    assert schema[3].description == "trees above 5 m"


def test_the_level_of_a_class_is_the_length_of_the_line_above_it(schema):
    assert [schema.level(code) for code in schema.codes] == [1, 1, 2, 2, 3]
    assert schema.levels == 3
    assert [c.code for c in schema.line(321)] == [3, 32, 321]


@pytest.mark.parametrize(
    ("level", "expected"), [(1, [3, 5, 3, 3, 3]), (2, [3, 5, 31, 32, 32]), (3, [3, 5, 31, 32, 321])]
)
def test_a_class_is_lifted_to_a_level_and_stays_where_it_is_above_it(schema, level, expected):
    assert [schema.lifted(code, level).code for code in schema.codes] == expected


def test_a_level_that_no_class_has_is_refused(schema):
    with pytest.raises(UsageError, match="level 4 was asked for; the schema has levels 1 to 3"):
        schema.lifted(3, 4)


def test_the_legend_holds_the_classes_that_have_none_below_them(schema):
    assert schema.legend().values == (5, 31, 321)
    assert schema.legend([3, 5]).names == ("Forest", 'Water, "open"')


def test_a_class_is_found_by_code_and_by_name_in_any_case(schema):
    assert schema.find("spruce").code == schema.find(321).code == schema.find(" 321 ").code == 321
    with pytest.raises(UsageError, match=r"no class 'Sprruce'\. Did you mean 'Spruce'"):
        schema.find("Sprruce")


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [
        ([], "no class"),
        ([SchemaClass(1, "a", RED), SchemaClass(1, "b", RED)], "code 1 twice, as 'a' and 'b'"),
        ([SchemaClass(1, "a", RED), SchemaClass(2, "A", RED)], "name 'A' to codes 1 and 2"),
        ([SchemaClass(1, "a", RED, parent=9)], "class 1 of the schema has the parent 9"),
        ([SchemaClass(1, "a", RED, parent=1)], r"in a circle \(1 -> 1\)"),
        (
            [SchemaClass(1, "a", RED, 2), SchemaClass(2, "b", RED, 3), SchemaClass(3, "c", RED, 2)],
            r"in a circle \(2 -> 3 -> 2\)",
        ),
    ],
)
def test_a_schema_that_contradicts_itself_is_refused(classes, sentence):
    with pytest.raises(DataError, match=sentence):
        Schema(tuple(classes))


@pytest.mark.parametrize("code", [0, -1, 65_535])
def test_codes_that_no_map_can_hold_are_refused(code):
    with pytest.raises(DataError, match=f"class {code} cannot be in a legend"):
        SchemaClass(code, "a", RED)


@pytest.mark.parametrize(
    ("write", "read"),
    [(schema_json, schema_from_json), (schema_csv, schema_from_csv)],
    ids=["json", "csv"],
)
def test_text_reads_back_as_the_same_schema(schema, write, read):
    again = read(write(schema))
    assert again.classes == schema.classes
    assert write(again) == write(schema)


def test_both_texts_have_one_class_a_line_in_the_order_of_codes(schema):
    rows = json.loads(schema_json(schema))["classes"]
    assert [row["code"] for row in rows] == [3, 5, 31, 32, 321]
    assert sum('"code"' in line for line in schema_json(schema).splitlines()) == 5
    table = list(csv.DictReader(io.StringIO(schema_csv(schema))))
    assert [row["parent"] for row in table] == ["", "", "3", "3", "32"]


def test_csv_with_names_alone_gets_colors_that_can_be_told_apart():
    text = "code,name\n" + "".join(f"{i},class {i}\n" for i in range(1, 21))
    lab = cielab(np.array([c.color for c in schema_from_csv(text)]))
    apart = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    assert apart[np.triu_indices(20, 1)].min() > 10


def test_given_colors_stay_where_others_are_chosen():
    found = schema_from_csv("code,name,color\n1,a,#ff0000\n2,b,\n3,c,#ff0000\n")
    assert found[1].color == found[3].color == RED
    assert found[2].color != RED


def test_a_table_of_value_and_red_green_blue_is_a_schema_too():
    """P13: a byte-order mark and CRLF line ends do not matter."""
    text = "\ufeffValue,Name,Red,Green,Blue\r\n7,Sumpf,1,2,3\r\n"
    assert schema_from_csv(text).classes == (SchemaClass(7, "Sumpf", (1, 2, 3)),)


def test_names_that_a_spreadsheet_would_run_are_guarded_and_read_back():
    """H14."""
    schema = Schema((SchemaClass(1, "=1+1", RED, description="@sum"),))
    assert "\n1,'=1+1,#ff0000,,'@sum\n" in schema_csv(schema)
    assert schema_from_csv(schema_csv(schema)) == schema


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n1,2\n", "s has the columns a, b; a schema needs code and name"),
        ("", r"columns \(none\)"),
        ("code,name\n1,\n", "s, line 2: class 1 has an empty name"),
        ("code,name\nx,a\n", "s, line 2: its code is 'x'"),
        ("code,name,color\n1,a,red\n", "s, line 2: 'red' is no color"),
        ("code,name,parent\n1,a,\n2,b,x\n", "s, line 3: its parent is 'x'"),
        ("code,name,parent\n1,a,2\n", "s: class 1 of the schema has the parent 2"),
        ("code,name\n", "s: the schema has no class"),
    ],
)
def test_faults_of_a_csv_are_told_with_their_line(text, sentence):
    with pytest.raises(DataError, match=sentence):
        schema_from_csv(text, "s")


def as_json(*classes: object, **head: object) -> str:
    return json.dumps({"format": "rsclass-schema", "format_version": 1, "classes": classes} | head)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "s is no readable JSON"),
        ("[]", "s is no schema"),
        (as_json(format_version=2), "format version 2, this rsclass reads 1"),
        (as_json(classes=None), 'no list of "classes"'),
        (as_json({"code": 1}), "s, class 1: it is not"),
        (as_json({"code": 1, "name": "a", "colour": "#ffffff"}), "s, class 1: it is not"),
        (as_json({"code": "1", "name": "a"}), "its code is '1'"),
        (as_json({"code": True, "name": "a"}), "its code is True"),
        (as_json({"code": 1, "name": 5}), "its name is 5"),
        (as_json({"code": 1, "name": "a", "color": "blue"}), "'blue' is no color"),
        (as_json({"code": 1, "name": "a"}, {"code": 1, "name": "b"}), "code 1 twice"),
    ],
)
def test_faults_of_a_json_are_told_with_their_class(text, sentence):
    with pytest.raises(DataError, match=sentence):
        schema_from_json(text, "s")


def test_a_legend_is_a_schema_of_one_level():
    schema = Schema.of(Legend.of(["a", "b"], [RED, BLUE]))
    assert schema.levels == 1
    assert schema.legend() == Legend.of(["a", "b"], [RED, BLUE])


def test_a_legend_whose_names_repeat_is_no_schema():
    with pytest.raises(DataError, match="name 'a' to codes 1 and 2"):
        Schema.of(Legend.of(["a", "a"], [RED, BLUE]))

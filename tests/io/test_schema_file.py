"""Schemas as files, and those that come with rsclass."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rsclass.core.colors import cielab
from rsclass.core.legend import Legend
from rsclass.core.schema import Schema, SchemaClass
from rsclass.errors import DataError, OutputExistsError, UsageError
from rsclass.io.legend_file import write_legend
from rsclass.io.schema_file import named_schemas, read_schema, write_schema

SCHEMA = Schema(
    (
        SchemaClass(1, "Wald", (0, 100, 0), description="Bäume"),
        SchemaClass(11, "Laubwald", (0, 150, 0), parent=1),
        SchemaClass(12, "Nadelwald", (0, 60, 0), parent=1),
    ),
    "mine",
)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_what_is_written_is_read_again(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    write_schema(path, SCHEMA)
    assert read_schema(path) == SCHEMA
    with pytest.raises(OutputExistsError, match="--overwrite"):
        write_schema(path, SCHEMA)
    write_schema(path, SCHEMA, overwrite=True)


@pytest.mark.parametrize("suffix", [".clr", ".qml"])
def test_color_tables_and_styles_keep_codes_names_and_colors(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    write_schema(path, SCHEMA)
    again = read_schema(path)
    assert [(c.code, c.name, c.color) for c in again] == [(c.code, c.name, c.color) for c in SCHEMA]
    assert again.levels == 1
    assert again.name == "mine"


def test_a_legend_of_a_map_is_a_schema(tmp_path):
    path = tmp_path / "legend.json"
    legend = Legend.of(["a", "b"], [(1, 2, 3), (4, 5, 6)])
    write_legend(path, legend, overwrite=False)
    assert read_schema(path).legend() == legend
    write_legend(tmp_path / "twice.json", Legend.of(["a", "a"], [(1, 2, 3)] * 2), overwrite=False)
    with pytest.raises(DataError, match=r"twice\.json: .*name 'a' to codes 1 and 2"):
        read_schema(tmp_path / "twice.json")


def test_the_simple_schema_has_eight_classes_on_one_level():
    simple = read_schema("simple8")
    assert len(simple) == 8
    assert simple.levels == 1
    assert all(c.description for c in simple)


def test_the_corine_schema_has_the_five_headings_above_their_parts():
    corine = read_schema("corine1")
    top = [c for c in corine if c.parent is None]
    assert [c.name for c in top] == [
        "Artificial surfaces",
        "Agricultural areas",
        "Forest and seminatural areas",
        "Wetlands",
        "Water bodies",
    ]
    assert corine.levels == 2
    # A code of the second level begins with that of the first.
    assert all(c.parent == c.code // 10 for c in corine if c.parent is not None)


@pytest.mark.parametrize("name", sorted(named_schemas()))
def test_colors_of_one_level_can_be_told_apart(name):
    schema = named_schemas()[name]
    for level in range(1, schema.levels + 1):
        colors = [c.color for c in schema if schema.level(c.code) == level]
        lab = cielab(np.array(colors))
        pairs = itertools.combinations(range(len(lab)), 2)
        # Half of the distance that colors chosen by rsclass keep.
        assert min(np.linalg.norm(lab[i] - lab[j]) for i, j in pairs) > 7.5


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(UsageError, match="named 'simple9'; give one of corine1, simple8, or a"):
        read_schema("simple9")
    with pytest.raises(UsageError, match=r"a schema is a \.json"):
        write_schema("mine.txt", SCHEMA)


def test_files_that_cannot_be_read_are_a_sentence(tmp_path):
    """P13."""
    with pytest.raises(DataError, match=r"the schema .*none\.csv cannot be read: No such file"):
        read_schema(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("code,name\n1,Gehölz\n".encode("latin-1"))
    with pytest.raises(DataError, match="is not UTF-8 text"):
        read_schema(tmp_path / "latin.csv")

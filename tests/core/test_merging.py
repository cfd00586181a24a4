"""Merge tables: total, checked, and the same as text."""

from __future__ import annotations

import pytest

from rsclass.core.legend import Legend
from rsclass.core.merging import MergeRow, MergeTable
from rsclass.core.schema import Schema, SchemaClass
from rsclass.errors import DataError, UsageError

SCHEMA = Schema(
    (SchemaClass(1, "Water", (0, 0, 255)), SchemaClass(2, "Forest", (0, 128, 0))), "two"
)
LEGEND = Legend.of(["sea", "lake", "oak"], [(0, 0, 1), (0, 0, 2), (0, 1, 0)])


def table(**codes: int | None) -> MergeTable:
    return MergeTable(tuple(MergeRow(int(c[1:]), code) for c, code in codes.items()))


def test_a_complete_table_answers_for_every_cluster():
    assert table(c1=1, c2=1, c3=2).codes(SCHEMA, LEGEND) == {1: 1, 2: 1, 3: 2}


def test_a_cluster_may_be_left_without_a_class():
    assert table(c1=1, c2=0, c3=0).codes(SCHEMA, LEGEND) == {1: 1, 2: 0, 3: 0}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (table(c1=1, c2=1), "lacks cluster 3 of the map"),
        (table(c1=1, c2=1, c3=2, c7=1, c9=1), "lists clusters 7, 9, which the map does not have"),
        (table(c1=1, c2=None, c3=None), "no code to clusters 2, 3"),
        (table(c1=1, c2=8, c3=9), "gives clusters 2, 3 the codes 8, 9, which the schema"),
        (table(c1=0, c2=0, c3=0), "every cluster the code 0"),
    ],
)
def test_a_table_that_does_not_fit_names_what_is_wrong(wrong, sentence):
    with pytest.raises(DataError, match=sentence):
        wrong.codes(SCHEMA, LEGEND)


def test_each_cluster_has_one_row():
    with pytest.raises(DataError, match=r"cluster 4 twice, with the codes 1 and \(none\)"):
        MergeTable((MergeRow(4, 1), MergeRow(4, None)))
    with pytest.raises(DataError, match="no row"):
        MergeTable(())


@pytest.mark.parametrize("row", [(0, 1), (65_535, 1), (1, -1), (1, 65_535)])
def test_numbers_that_no_map_can_hold_are_refused(row):
    with pytest.raises(DataError, match="cluster"):
        MergeRow(*row)


def test_the_text_is_one_line_a_cluster_sorted_and_reads_back():
    """H14: formulas are guarded."""
    rows = (
        MergeRow(10, 2, "ann", 'NDVI 0.7, "sure"', "oak", "Forest"),
        MergeRow(2, None, "", "", "lake"),
        MergeRow(1, 0, "=me", "two\nlines", "sea"),
    )
    text = MergeTable(rows).to_csv()
    assert text == (
        "cluster,cluster_name,code,class,by,why\n"
        "1,sea,0,,'=me,two lines\n"
        "2,lake,,,,\n"
        '10,oak,2,Forest,ann,"NDVI 0.7, ""sure"""\n'
    )
    assert MergeTable.from_csv(text) == MergeTable(rows)
    assert MergeTable.from_csv("\ufeff" + text.replace("\n", "\r\n")) == MergeTable(rows)


def test_a_fresh_table_lists_every_cluster_undecided():
    fresh = MergeTable.empty(LEGEND)
    assert fresh.undecided == (1, 2, 3)
    assert [row.cluster_name for row in fresh] == ["sea", "lake", "oak"]


def test_classes_and_clusters_may_be_given_by_name():
    text = "cluster_name,class\nSEA,water\nlake,1\noak,forest\n"
    found = MergeTable.from_csv(text, schema=SCHEMA, legend=LEGEND)
    assert found.codes(SCHEMA, LEGEND) == {1: 1, 2: 1, 3: 2}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cluster,code\n1,1\n2,1\n1,2\n", "t lists cluster 1 in lines 2 and 4"),
        ("cluster,code\nx,1\n", "t, line 2: its cluster is 'x'"),
        ("cluster,code\n1,water\n", "t, line 2: its code is 'water'"),
        ("cluster,class\n1,Wader\n", "t, line 2: .*Did you mean 'Water'"),
        ("cluster,code,class\n1,2,Water\n", "code 2 is 'Forest' in the schema.*says 'Water'"),
        ("cluster_name,code\nfjord,1\n", "no class of the map has the name 'fjord'"),
        ("cluster,code\n,1\n", "line 2: it names no cluster"),
        ("cluster,code\n0,1\n", "line 2: cluster 0 cannot be in a map"),
        ("a,b\n1,2\n", "t has the columns a, b; a merge table needs cluster and code"),
        ("cluster,code\n", "t: the merge table has no row"),
    ],
)
def test_faults_of_a_table_are_told_with_their_line(text, sentence):
    with pytest.raises(DataError, match=sentence):
        MergeTable.from_csv(text, "t", schema=SCHEMA, legend=LEGEND)


def test_rows_are_replaced_and_unknown_clusters_are_refused():
    changed = table(c1=1, c2=None).with_rows([MergeRow(2, 2, "me")])
    assert changed[2].code == 2
    assert changed[1].code == 1
    with pytest.raises(UsageError, match="has no cluster 5; its clusters are 1, 2"):
        changed.with_rows([MergeRow(5, 1)])


def test_names_of_classes_follow_the_schema():
    assert [r.class_name for r in table(c1=1, c2=0, c3=None, c4=9).named(SCHEMA)] == [
        "Water",
        "",
        "",
        "",
    ]

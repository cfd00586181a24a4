"""Legends keep every class through every format, and refuse what is no legend."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsclass.core.cells import guard, unguard
from rsclass.core.legend import Legend, LegendClass, clean_name, hex_color, parse_color
from rsclass.errors import DataError

colors = st.tuples(*[st.integers(0, 255)] * 3)
names = st.text(min_size=1).filter(lambda text: clean_name(text))
legends = st.dictionaries(
    st.integers(1, 65534), st.tuples(names, colors), min_size=1, max_size=8
).map(lambda d: Legend(tuple(LegendClass(v, n, c) for v, (n, c) in d.items())))


@given(legends)
def test_json_keeps_every_legend(legend):
    assert Legend.from_json(legend.to_json()) == legend


@given(legends)
def test_csv_keeps_every_legend(legend):
    assert Legend.from_csv(legend.to_csv()) == legend


@given(legends)
def test_a_color_table_keeps_every_legend(legend):
    assert Legend.from_clr(legend.to_clr()) == legend


@given(st.text())
def test_a_guarded_cell_is_recovered_exactly_and_never_starts_a_formula(text):
    assert unguard(guard(text)) == text
    assert not guard(text).startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_formula_as_class_name_is_defused_in_csv():
    """H14."""
    legend = Legend.of(['=HYPERLINK("http://x","y")'], [(1, 2, 3)])
    cell = next(csv.DictReader(io.StringIO(legend.to_csv())))["name"]
    assert cell == '\'=HYPERLINK("http://x","y")'


def test_json_has_one_class_a_line_sorted_by_value():
    legend = Legend((LegendClass(7, "Forest", (0, 100, 0)), LegendClass(2, "Water", (0, 0, 255))))
    assert legend.to_json().splitlines()[4:6] == [
        '  {"value": 2, "name": "Water", "color": "#0000ff"},',
        '  {"value": 7, "name": "Forest", "color": "#006400"}',
    ]


def test_nodata_is_transparent_and_every_class_opaque():
    legend = Legend((LegendClass(3, "Water", (0, 0, 255)),))
    assert legend.colormap() == {0: (0, 0, 0, 0), 3: (0, 0, 255, 255)}


@given(colors)
def test_a_written_color_is_read_back(color):
    assert parse_color(hex_color(color)) == color


def test_a_name_becomes_one_clean_line():
    entry = LegendClass(1, " Wet\tland\r\n(a)\x00 \ud800", (0, 0, 0))
    assert entry.name == "Wet land (a) \ufffd"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ((0, "a", (0, 0, 0)), "0 is nodata"),
        ((65535, "a", (0, 0, 0)), "65534"),
        ((1, " \n", (0, 0, 0)), "empty name"),
        ((1, "a", (0, 0, 256)), "0 to 255"),
        ((1, "a", (0, 0)), "red, green and blue"),
    ],
)
def test_an_impossible_class_is_refused(entry, words):
    with pytest.raises(DataError, match=words):
        LegendClass(*entry)


def test_a_value_that_stands_twice_is_refused_by_both_names():
    with pytest.raises(DataError, match="class 4 twice, as 'a' and 'b'"):
        Legend((LegendClass(4, "a", (0, 0, 0)), LegendClass(4, "b", (1, 1, 1))))


def test_a_legend_without_a_class_is_refused():
    with pytest.raises(DataError, match="no class"):
        Legend(())


def test_reads_the_color_table_that_qgis_exports():
    text = (
        "# QGIS Generated Color Map Export File\n"
        "INTERPOLATION:EXACT\n"
        "0,0,0,0,0,nodata\n"
        "1,31,119,180,255,Water, deep\n"
        "2.0,44,160,44,255,\n"
    )
    legend = Legend.from_clr(text)
    assert [(c.value, c.name, c.color) for c in legend] == [
        (1, "Water, deep", (31, 119, 180)),
        (2, "class 2", (44, 160, 44)),
    ]


def test_reads_the_color_table_of_arcgis_and_gdaldem():
    legend = Legend.from_clr("nv 0 0 0 0\n1 31 119 180\n12\t44 160 44\n")
    assert legend.values == (1, 12)
    assert legend.colors == ((31, 119, 180), (44, 160, 44))


def test_reads_csv_with_color_columns_in_any_order_and_case():
    legend = Legend.from_csv("\ufeffName,Red,Green,Blue,Value\r\nWater,0,0,255,9\r\n")
    assert legend == Legend((LegendClass(9, "Water", (0, 0, 255)),))


@pytest.mark.parametrize(
    ("read", "text", "words"),
    [
        (Legend.from_json, "{", "no readable JSON"),
        (Legend.from_json, "[" * 100_000, "no readable JSON"),
        (Legend.from_json, "[1]", "no legend"),
        (Legend.from_json, '{"format":"rsclass-legend","format_version":2}', "update rsclass"),
        (Legend.from_json, '{"format":"rsclass-legend","format_version":1}', "no list"),
        (
            Legend.from_json,
            '{"format":"rsclass-legend","format_version":1,"classes":[{"value":1}]}',
            "entry 1: it has value;",
        ),
        (
            Legend.from_json,
            '{"format":"rsclass-legend","format_version":1,'
            '"classes":[{"value":true,"name":"a","color":"#000000"}]}',
            "whole number",
        ),
        (
            Legend.from_json,
            '{"format":"rsclass-legend","format_version":1,"classes":[7]}',
            "entry 1: it is no class",
        ),
        (Legend.from_csv, "value,name\n1,a\n", "columns name, value"),
        (Legend.from_csv, "value,name,color\nx,a,#000000\n", "line 2: 'x' is no whole number"),
        (Legend.from_csv, "value,name,color\n1,a,red\n", "line 2: 'red' is no color"),
        (Legend.from_csv, "value,name,color\n1\n", "line 2"),
        (Legend.from_clr, "1 2 3\n", "line 1: '1 2 3' is not"),
        (Legend.from_clr, "0 0 0 0\n", "no class"),
    ],
)
def test_a_broken_legend_is_refused_with_its_place(read, text, words):
    with pytest.raises(DataError, match=words):
        read(text)

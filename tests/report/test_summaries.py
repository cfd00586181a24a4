"""What results tell of themselves at a prompt and in a notebook."""

from pathlib import Path

from rsclass.report.summaries import aligned, class_page, cut, file_lines


def test_columns_are_as_wide_as_their_widest_cell():
    assert aligned([["class", "ha"], ["wet meadow", "9.5"]]) == [
        "  class        ha",
        "  wet meadow  9.5",
    ]


def test_a_long_name_is_cut_and_says_so():
    assert cut("a" * 24) == "a" * 24
    assert cut("a" * 25) == "a" * 23 + "…"


def test_files_stand_below_each_other_and_none_is_no_line():
    assert file_lines({"map": Path("a.tif"), "table": Path("b")}) == [
        "  map    a.tif",
        "  table  b",
    ]
    assert file_lines({}) == []


def test_names_cannot_break_out_of_a_notebook_page():
    row = {"color": "#010203", "value": 1, "name": "<script>", "pixels": 2000, "share": 0.5}
    page = class_page(Path("a<b.tif"), [row])
    assert "<script>" not in page
    assert "a&lt;b.tif" in page
    assert "2,000" in page

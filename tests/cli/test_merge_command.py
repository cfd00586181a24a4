"""``rsclass schema`` and ``rsclass merge`` as a user meets them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from calls import Caller
from rasterio.transform import from_origin

from rsclass.core.legend import Legend
from rsclass.io.schema_file import read_schema

VALUES = np.array([[1, 1, 2], [3, 2, 0]], dtype=np.uint8)


@pytest.fixture
def class_map(tmp_path: Path) -> Path:
    path = tmp_path / "map.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=2,
        width=3,
        count=1,
        dtype="uint8",
        nodata=0,
        crs="EPSG:32633",
        transform=from_origin(500_000, 5_000_000, 10, 10),
    ) as dataset:
        dataset.write(VALUES, 1)
    legend = Legend.of(["deep", "shallow", "oak"], [(0, 0, 90), (0, 90, 255), (0, 99, 0)])
    path.with_suffix(".clr").write_text(legend.to_clr())
    return path


def test_a_table_is_begun_filled_in_and_used(call: Caller, class_map: Path, tmp_path: Path):
    table, out = tmp_path / "table.csv", tmp_path / "lc.tif"
    begun = call("merge", class_map, "--table", table, "--init", "--json")
    assert begun.code == 0
    assert begun.data["undecided"] == [1, 2, 3]
    common = ("merge", class_map, "--table", table, "--schema", "simple8")
    early = call(*common, "-o", out)
    assert early.code == 3
    assert "gives no code to clusters 1, 2, 3" in early.err
    assert not out.exists()
    told = call(*common, "--set", "1-2=water", "--set", "oak=trees", "--by", "ann", "--why", "seen")
    assert told.code == 0
    assert "cluster 3: undecided -> 2 Trees" in told.out
    done = call(*common, "-o", out, "--json")
    assert done.code == 0
    assert [row["pixels"] for row in done.data["classes"]] == [4, 1]
    assert [row["name"] for row in done.data["classes"]] == ["Water", "Trees"]
    assert done.data["merged"][2] == {
        "cluster": 3,
        "cluster_name": "oak",
        "code": 2,
        "class": "Trees",
        "by": "ann",
        "why": "seen",
    }
    with rasterio.open(out) as dataset:
        assert dataset.read(1).tolist() == [[1, 1, 1], [2, 1, 0]]


def test_an_edit_is_taken_back(call: Caller, class_map: Path, tmp_path: Path):
    table = tmp_path / "table.csv"
    call("merge", class_map, "--table", table, "--init")
    before = table.read_bytes()
    call("merge", class_map, "--table", table, "--set", "1=7")
    assert table.read_bytes() != before
    assert call("merge", class_map, "--table", table, "--undo").code == 0
    assert table.read_bytes() == before
    again = call("merge", class_map, "--table", table, "--undo")
    assert again.code == 2
    assert "no edit that could be taken back" in again.err


def test_an_edit_and_its_map_in_one_go(call: Caller, class_map: Path, tmp_path: Path):
    table, out = tmp_path / "table.csv", tmp_path / "lc.tif"
    call("merge", class_map, "--table", table, "--init")
    done = call("merge", class_map, "--table", table, "--set", "1-3=5", "-o", out, "--json")
    assert done.code == 0
    assert [row["value"] for row in done.data["classes"]] == [5]


def test_without_o_the_new_map_lies_beside_the_old_one(call: Caller, class_map: Path):
    schema = class_map.with_name("own.csv")
    schema.write_text("code,name,color\n1,sea,#0000ff\n2,lake,#3333ff\n3,wood,#00ff00\n")
    done = call("merge", class_map, "--schema", schema, "-q")
    assert done.code == 0
    assert done.out == ""
    assert (class_map.parent / "map_merged.tif").is_file()
    again = call("merge", class_map, "--schema", schema, "-q")
    assert again.code == 4
    assert "--overwrite" in again.err


@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        ([], 2, "nothing says which classes become one"),
        (["--init"], 2, "--init works on a table; give it with --table"),
        (["--table", "t.csv", "--init", "--undo"], 2, "--init and --undo exclude each other"),
        (["--to", "2", "--schema", "simple8"], 2, "--to joins classes by their spectra alone"),
        (["--to", "0"], 2, "--to"),
        (["--to", "2"], 3, "give the scene with --scene"),
        (["--table", "t.csv", "--set", "water"], 2, "is not NAME=VALUE"),
        (["--table", "none.csv", "--schema", "simple8"], 3, "cannot be read"),
        (["--table", "t.txt", "--init"], 2, "a merge table is a .csv file"),
        (["--schema", "simple9"], 2, "no schema is named 'simple9'"),
        (["--schema", "none.json"], 3, "cannot be read"),
        (["--band", "2", "--schema", "simple8"], 2, "band"),
    ],
)
def test_requests_that_cannot_be_met_are_one_sentence(
    call: Caller,
    class_map: Path,
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    code: int,
    sentence: str,
):
    monkeypatch.chdir(class_map.parent)
    before = sorted(class_map.parent.iterdir())
    told = call("merge", "map.tif", *flags, "--progress", "none")
    assert told.code == code, told.err
    assert sentence in told.err
    assert "Traceback" not in told.err
    assert [f for f in sorted(class_map.parent.iterdir()) if f.suffix != ".lock"] == before


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("cluster,code\n1,1\n2,1\n3,2\n3,2\n", "lists cluster 3 in lines 4 and 5"),
        ("cluster,code\n1,1\n2,1\n", "lacks cluster 3 of the map"),
        ("cluster,code\n1,1\n2,1\n3,2\n4,2\n", "lists cluster 4, which the map does not have"),
        ("cluster,code\n1,1\n2,1\n3,99\n", "gives cluster 3 the code 99"),
        ("cluster,class\n1,1\n2,1\n3,Treez\n", "line 4: the schema has no class 'Treez'"),
        ("cluster;code\n1;1\n", "has the columns cluster;code"),
        ("", "has the columns (none)"),
    ],
)
def test_bad_tables_end_with_code_3_and_nothing_is_written(
    call: Caller, class_map: Path, text: str, sentence: str
):
    """P13."""
    table, out = class_map.with_name("t.csv"), class_map.with_name("lc.tif")
    table.write_text(text)
    told = call("merge", class_map, "--schema", "simple8", "--table", table, "-o", out)
    assert told.code == 3
    assert sentence in told.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("code,name\n1,a\n1,b\n", "lists code 1 twice"),
        ("code,name\n1,a\n2,A\n", "gives the name 'A' to codes 1 and 2"),
        ("code,name,parent\n1,a,2\n2,b,1\n", "run in a circle"),
        ("code,name,parent\n1,a,9\n", "has the parent 9, which is not in it"),
        ("code,name,color\n1,a,reddish\n", "line 2: 'reddish' is no color"),
        ("code,name\n70000,a\n", "values go from 1 to 65534"),
    ],
)
def test_bad_schemas_end_with_code_3(call: Caller, tmp_path: Path, text: str, sentence: str):
    path = tmp_path / "s.csv"
    path.write_text(text)
    told = call("schema", path, "-o", tmp_path / "out.json")
    assert told.code == 3
    assert sentence in told.err
    assert not (tmp_path / "out.json").exists()


def test_schemas_are_listed_shown_and_converted(call: Caller, tmp_path: Path):
    listed = call("schema", "--json")
    assert [entry["name"] for entry in listed.data["schemas"]] == ["corine1", "simple8"]
    assert "simple8" in call("schema").out
    shown = call("schema", "corine1")
    assert "\n     1  #d7191c  Artificial surfaces" in shown.out
    # Classes stand under those above them.
    lines = shown.out.splitlines()
    assert [line.split()[0] for line in lines[1:7]] == ["1", "11", "12", "13", "14", "2"]
    out = tmp_path / "mine.csv"
    assert call("schema", "corine1", "-o", out, "--json").data["files"] == {"schema": str(out)}
    assert read_schema(out).classes == read_schema("corine1").classes
    assert call("schema", "corine1", "-o", out).code == 4
    assert call("schema", "corine1", "-o", out, "--overwrite").code == 0
    assert call("schema", "corine1", "-o", tmp_path / "mine.xls").code == 2


def test_the_legend_of_a_map_is_a_schema(call: Caller, class_map: Path, tmp_path: Path):
    shown = call("schema", class_map, "-o", tmp_path / "own.csv", "--json")
    assert [entry["name"] for entry in shown.data["classes"]] == ["deep", "shallow", "oak"]
    assert read_schema(tmp_path / "own.csv").codes == (1, 2, 3)


def test_markup_in_names_does_no_harm(call: Caller, class_map: Path):
    """H13, H14."""
    schema, table = class_map.with_name("s.csv"), class_map.with_name("t.csv")
    schema.write_text('code,name\n1,"<b>=HYPERLINK(1)</b>"\n2,=1+1\n')
    table.write_text("cluster,code,why\n1,1,=cmd\n2,1,\n3,2,\n")
    out = class_map.with_name("lc.tif")
    done = call("merge", class_map, "--schema", schema, "--table", table, "-o", out, "--json")
    assert done.code == 0
    rows = list(csv.reader(out.with_suffix(".merged.csv").open()))
    assert rows[1][-1] == "'=cmd"
    assert rows[3][3] == "'=1+1"
    names = [
        row["name"] for row in json.loads(out.with_suffix(".stats.json").read_text())["classes"]
    ]
    assert names == ["<b>=HYPERLINK(1)</b>", "=1+1"]

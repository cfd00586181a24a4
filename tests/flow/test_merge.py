"""Classes of a map joined by a table, by a schema's levels, and by their likeness."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

import rsclass
from rsclass.core.legend import Legend
from rsclass.core.merging import MergeRow, MergeTable
from rsclass.core.schema import Schema, SchemaClass
from rsclass.errors import (
    DataError,
    OutputExistsError,
    RsclassError,
    StoppedError,
    UsageError,
)
from rsclass.flow.classify import classify
from rsclass.flow.merge import merge
from rsclass.flow.remake import remake
from rsclass.flow.separate import separate
from rsclass.flow.tidy import tidy
from rsclass.io.class_map import open_class_map
from rsclass.io.maps import read_map, read_recipe
from rsclass.io.merge_file import read_merge_table
from rsclass.io.schema_file import read_schema, write_schema
from rsclass.io.sink import Writing
from rsclass.run.settings import Running

SCHEMA = Schema(
    (
        SchemaClass(10, "Land", (150, 100, 50)),
        SchemaClass(11, "Forest", (0, 120, 0), parent=10),
        SchemaClass(12, "Field", (230, 200, 60), parent=10),
        SchemaClass(20, "Water", (0, 60, 220)),
        SchemaClass(400, "Snow", (240, 250, 255)),
    ),
    "small",
)
CODES = {1: 20, 2: 11, 3: 12, 4: 11, 5: 0}


def table(codes: dict[int, int | None]) -> MergeTable:
    return MergeTable(tuple(MergeRow(c, code, "ann", "seen") for c, code in codes.items()))


@pytest.fixture(scope="module")
def class_map(scene: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("merge") / "map.tif"
    classify(scene, out, method="kmeans", classes=5, writing=Writing(report=False))
    return out


def recoded(values: np.ndarray, codes: dict[int, int]) -> np.ndarray:
    """One class after the other, without a table to look up."""
    new = np.zeros(values.shape, dtype=np.int64)
    for old, code in codes.items():
        new[values == old] = code
    return new


def test_pixels_names_colors_and_counts_follow_the_table(class_map, tmp_path):
    result = merge(class_map, tmp_path / "lc.tif", schema=SCHEMA, table=table(CODES))
    expected = recoded(read_map(class_map), CODES)
    np.testing.assert_array_equal(result.read(), expected)
    assert result.legend == SCHEMA.legend([11, 12, 20])
    assert result.stats.count.tolist() == [(expected == v).sum() for v in (11, 12, 20)]
    assert result.n_classified == (expected > 0).sum()
    with rasterio.open(result.path) as dataset:
        assert dataset.colormap(1)[11][:3] == (0, 120, 0)
    with open_class_map(result.path) as again:
        assert again.legend == result.legend


def test_who_decided_and_why_stays_with_the_map(class_map, tmp_path):
    result = merge(class_map, tmp_path / "lc.tif", schema=SCHEMA, table=table(CODES))
    told = json.loads(result.files["statistics"].read_text())["merged"]
    assert told[1] == {
        "cluster": 2,
        "cluster_name": "",
        "code": 11,
        "class": "Forest",
        "by": "ann",
        "why": "seen",
    }
    assert read_recipe(result.path)["codes"] == {str(c): code for c, code in CODES.items()}
    assert read_recipe(result.path)["parent"]["map"] == str(class_map)


def test_the_table_beside_the_map_makes_the_same_map_again(class_map, tmp_path):
    first = merge(class_map, tmp_path / "a.tif", schema=SCHEMA, table=table(CODES), level=1)
    again = merge(class_map, tmp_path / "b.tif", schema=SCHEMA, table=first.files["merge table"])
    np.testing.assert_array_equal(first.read(), again.read())
    assert first.legend == again.legend
    assert again.files["merge table"].read_bytes() == first.files["merge table"].read_bytes()


def test_classes_merge_up_to_a_level(class_map, tmp_path):
    up = merge(class_map, tmp_path / "a.tif", schema=SCHEMA, table=table(CODES), level=1)
    expected = recoded(read_map(class_map), {1: 20, 2: 10, 3: 10, 4: 10})
    np.testing.assert_array_equal(up.read(), expected)
    fine = merge(class_map, tmp_path / "b.tif", schema=SCHEMA, table=table(CODES))
    later = merge(fine.path, tmp_path / "c.tif", schema=SCHEMA, level=1)
    np.testing.assert_array_equal(later.read(), expected)
    assert later.legend == up.legend
    np.testing.assert_allclose(later.stats.covariance, up.stats.covariance, rtol=1e-9)


@pytest.mark.parametrize("stated", [False, True])
def test_classes_of_a_schema_without_colors_look_like_their_largest_clusters(
    class_map, tmp_path, stated
):
    schema = tmp_path / "schema.csv"
    colors = ("", "#010203") if stated else ("", "")
    lines = ["code,name,color,parent", "10,Land,,", f"11,Forest,{colors[0]},10"]
    schema.write_text("\n".join([*lines, "12,Field,,10", f"20,Water,{colors[1]},"]) + "\n")
    values, codes = read_map(class_map), {1: 20, 2: 11, 3: 12, 4: 11, 5: 20}
    with open_class_map(class_map) as opened:
        color_of = {c.value: c.color for c in opened.legend}
    how = {"schema": schema, "table": table(codes)}
    for name, level, lifting in (("a", None, {}), ("b", 1, {11: 10, 12: 10})):
        merged = merge(class_map, tmp_path / f"{name}.tif", level=level, **how)
        for entry in merged.legend:
            clusters = [c for c, code in codes.items() if lifting.get(code, code) == entry.value]
            largest = max(clusters, key=lambda c: int((values == c).sum()))
            assert (entry.color == color_of[largest]) is not stated
    assert (merged.legend.colors[-1] == (1, 2, 3)) is stated


def test_a_map_of_codes_takes_the_names_of_a_schema(class_map, tmp_path):
    renamed = Schema(
        tuple(SchemaClass(i, f"land {i}", (i, 2 * i, 3 * i)) for i in range(1, 9)), "eight"
    )
    (tmp_path / "own.csv").write_text("cluster,code\n1,5\n2,4\n3,3\n4,2\n5,1\n")
    codes = merge(class_map, tmp_path / "codes.tif", table=tmp_path / "own.csv")
    result = merge(codes.path, tmp_path / "lc.tif", schema=renamed)
    np.testing.assert_array_equal(result.read(), codes.read())
    assert result.legend.names == ("land 1", "land 2", "land 3", "land 4", "land 5")
    with pytest.raises(DataError, match="classes 1, 2, 3, 4, 5, which are no codes of the schema"):
        merge(codes.path, tmp_path / "other.tif", schema=SCHEMA)


def test_numbers_of_clusters_are_no_codes_of_a_schema(class_map, tmp_path):
    fitting = Schema(
        tuple(SchemaClass(i, f"land {i}", (i, 2 * i, 3 * i)) for i in range(1, 9)), "eight"
    )
    joined = merge(class_map, tmp_path / "three.tif", to=3)
    for path in (class_map, joined.path):
        with pytest.raises(DataError, match="clusters that nobody has named"):
            merge(path, tmp_path / "lc.tif", schema=fitting)
    assert not (tmp_path / "lc.tif").exists()


def test_a_table_without_a_schema_names_the_classes_itself(class_map, tmp_path):
    own = tmp_path / "own.csv"
    own.write_text("cluster,code,class\n1,3,wet\n2,3,\n3,300,dry\n4,300,\n5,0,\n")
    result = merge(class_map, tmp_path / "lc.tif", table=own)
    assert result.legend.values == (3, 300)
    assert result.legend.names == ("wet", "dry")
    assert result.read().dtype == np.uint16
    with open_class_map(class_map) as before:
        counts = before.statistics.stats.count
        larger = 0 if counts[0] >= counts[1] else 1
        assert result.legend.colors[0] == before.legend.colors[larger]


def test_likeness_joins_the_classes_that_separate_shows_as_alike(class_map, tmp_path):
    result = merge(class_map, tmp_path / "lc.tif", to=3)
    tree = separate(class_map).tree
    codes = dict(zip(range(1, 6), (tree.cut(3) + 1).tolist(), strict=True))
    np.testing.assert_array_equal(result.read(), recoded(read_map(class_map), codes))
    rows = list(csv.DictReader(result.files["merge table"].open()))
    assert [int(row["code"]) for row in rows] == list(codes.values())
    again = merge(class_map, tmp_path / "again.tif", table=result.files["merge table"])
    np.testing.assert_array_equal(again.read(), result.read())
    assert again.legend == result.legend
    assert read_recipe(result.path)["to"] == 3


def test_likeness_is_learned_from_the_scene_where_no_statistics_are(class_map, scene, tmp_path):
    bare = tmp_path / "bare.tif"
    with rasterio.open(class_map) as source:
        profile, values = source.profile, source.read(1)
    with rasterio.open(bare, "w", **profile) as target:
        target.write(values, 1)
    with pytest.raises(DataError, match="give the scene with --scene"):
        merge(bare, tmp_path / "a.tif", to=2)
    found = merge(bare, tmp_path / "a.tif", to=2, scene=scene)
    known = merge(class_map, tmp_path / "b.tif", to=2)
    np.testing.assert_array_equal(found.read(), known.read())


def test_merging_two_times_is_merging_once(class_map, tmp_path):
    first = merge(class_map, tmp_path / "a.tif", to=4)
    second = merge(first.path, tmp_path / "b.tif", to=2)
    once = merge(class_map, tmp_path / "c.tif", to=2)
    np.testing.assert_array_equal(second.read(), once.read())


@pytest.mark.parametrize(
    "running",
    [Running(jobs=1), Running(jobs=3, tile=512), Running(jobs=2, tile=4096)],
    ids=["one", "three", "large"],
)
def test_tiles_and_threads_change_no_byte(class_map, tmp_path, running):
    first = merge(class_map, tmp_path / "lc.tif", schema=SCHEMA, table=table(CODES))
    (tmp_path / "other").mkdir()
    other = merge(
        class_map, tmp_path / "other" / "lc.tif", schema=SCHEMA, table=table(CODES), running=running
    )
    for kind in ("map", "legend", "style", "table", "merge table"):
        assert other.files[kind].read_bytes() == first.files[kind].read_bytes(), kind


def test_maps_of_other_software_are_merged(tmp_path):
    """Signed values, another nodata value, no legend at all."""
    values = np.array([[-99, 3, 3], [500, 500, 3]], dtype=np.int16)
    path = tmp_path / "foreign.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=2,
        width=3,
        count=1,
        dtype="int16",
        nodata=-99,
        crs="EPSG:32633",
        transform=from_origin(0, 0, 10, 10),
    ) as dataset:
        dataset.write(values, 1)
    result = merge(path, schema=SCHEMA, table=table({3: 20, 500: 11}))
    assert result.path == tmp_path / "foreign_merged.tif"
    assert result.read().tolist() == [[0, 20, 20], [11, 11, 20]]
    assert result.hectares.tolist() == [0.02, 0.03]


@pytest.mark.parametrize(
    ("request_", "sentence"),
    [
        ({}, "nothing says which classes become one"),
        ({"to": 2, "schema": SCHEMA}, "--to joins classes by their spectra alone"),
        ({"to": 2, "table": table(CODES)}, "--to joins classes by their spectra alone"),
        ({"to": 9}, "9 classes were asked for; the map has 5"),
        ({"table": table(CODES), "level": 1}, "give the schema with --schema"),
        ({"schema": SCHEMA, "table": table(CODES), "level": 3}, "level 3 was asked for"),
        ({"schema": "nothing8", "table": table(CODES)}, "no schema is named 'nothing8'"),
        ({"schema": SCHEMA}, "clusters that nobody has named"),
        ({"schema": SCHEMA, "table": table({1: 20, 2: 20})}, "lacks clusters 3, 4, 5"),
        ({"schema": SCHEMA, "table": table(CODES | {9: 20})}, "lists cluster 9, which the map"),
        ({"schema": SCHEMA, "table": table(CODES | {4: 77})}, "cluster 4 the code 77"),
        (
            {"schema": SCHEMA, "table": table(CODES | {4: None})},
            "no code to cluster 4; .* --set 4=CODE",
        ),
        ({"schema": SCHEMA, "table": "missing.csv"}, r"missing\.csv cannot be read"),
    ],
)
def test_what_cannot_be_merged_is_told_and_leaves_nothing(class_map, tmp_path, request_, sentence):
    with pytest.raises(RsclassError, match=sentence) as told:
        merge(class_map, tmp_path / "lc.tif", **request_)
    assert told.value.exit_code in (2, 3)
    assert not list(tmp_path.iterdir())


def test_a_stopped_merge_leaves_nothing(class_map, tmp_path):
    """P05."""

    def stop(done: float, total: float, message: str) -> None:
        raise StoppedError("stopped")

    with pytest.raises(StoppedError):
        merge(class_map, tmp_path / "lc.tif", to=2, running=Running(progress=stop))
    assert not list(tmp_path.iterdir())


def test_table_and_schema_cannot_be_overwritten(class_map, tmp_path):
    """P02: the table that is read lies where the one that was used would be written."""
    own = tmp_path / "lc.merged.csv"
    own.write_text(table(CODES).to_csv())
    with pytest.raises(UsageError, match="same file as the input"):
        merge(
            class_map,
            tmp_path / "lc.tif",
            schema=SCHEMA,
            table=own,
            writing=Writing(overwrite=True),
        )
    assert read_merge_table(own) == table(CODES)


def test_a_table_of_an_earlier_map_is_replaced_with_it(class_map, tmp_path):
    """F9."""
    first = merge(class_map, tmp_path / "lc.tif", to=2)
    with pytest.raises(OutputExistsError):
        merge(class_map, tmp_path / "lc.tif", to=3)
    merge(class_map, tmp_path / "lc.tif", to=3, writing=Writing(overwrite=True))
    assert max(row.code for row in read_merge_table(first.files["merge table"])) == 3


def test_a_table_is_filled_in_step_by_step_and_steps_are_taken_back(class_map, tmp_path):
    path = tmp_path / "table.csv"
    assert rsclass.begin_merge_table(class_map, path).table.undecided == (1, 2, 3, 4, 5)
    write_schema(tmp_path / "own.csv", SCHEMA)
    done = rsclass.decide(
        class_map,
        path,
        [("1,3", "water"), ("4-9", "FOREST"), ("class 2", "none")],
        schema=tmp_path / "own.csv",
        by="ann",
        why="air photo",
    )
    assert done.table.undecided == ()
    assert [row.code for row in done.table] == [20, 0, 20, 11, 11]
    assert {(row.by, row.why) for row in done.table} == {("ann", "air photo")}
    assert [row.class_name for row in done.table] == ["Water", "", "Water", "Forest", "Forest"]
    changed = rsclass.decide(class_map, path, [("5", "")], schema=SCHEMA, by="bob")
    assert changed.table.undecided == (5,)
    assert "cluster 5: 11 Forest -> undecided" in changed.summary()
    assert rsclass.undo_decision(path).table == done.table
    assert rsclass.undo_decision(path).table.undecided == (1, 2, 3, 4, 5)
    assert json.dumps(done.to_dict())


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (("9", "water"), "has no cluster 9; its clusters are 1, 2, 3, 4, 5"),
        (("1", "wader"), r"no class 'wader'\. Did you mean 'Water'"),
        (("class 9", "water"), "the map has no class 'class 9'"),
        (("7-9", "water"), "no class of the map lies in the range 7-9"),
        (("1,,2", "water"), "'' is neither a value nor a range"),
        (("1-2-3", "water"), "'1-2-3' is neither a value nor a range"),
    ],
)
def test_choices_that_mean_nothing_are_refused_and_change_nothing(
    class_map, tmp_path, choice, sentence
):
    rsclass.begin_merge_table(class_map, tmp_path / "table.csv")
    before = (tmp_path / "table.csv").read_bytes()
    with pytest.raises(RsclassError, match=sentence):
        rsclass.decide(class_map, tmp_path / "table.csv", [("2", "water"), choice], schema=SCHEMA)
    assert (tmp_path / "table.csv").read_bytes() == before


def test_without_a_schema_classes_are_codes(class_map, tmp_path):
    rsclass.begin_merge_table(class_map, tmp_path / "table.csv")
    assert rsclass.decide(class_map, tmp_path / "table.csv", [("1", "7")]).table[1].code == 7
    with pytest.raises(UsageError, match=r"'water' is given by its name, which .*with --schema"):
        rsclass.decide(class_map, tmp_path / "table.csv", [("1", "water")])


def test_without_a_schema_the_table_says_which_code_a_class_name_has(class_map, tmp_path):
    path = tmp_path / "table.csv"
    lines = ["cluster,code,class", "1,20,Water", "2,,", "3,20,", "4,11,Forest", "5,,"]
    path.write_text("\n".join(lines) + "\n")
    row = rsclass.decide(class_map, path, [("2", "water")]).table[2]
    assert (row.code, row.class_name) == (20, "Water")
    with pytest.raises(UsageError, match=r"no cluster .* \(known are 'Water', 'Forest'\)"):
        rsclass.decide(class_map, path, [("5", "Snow")])
    path.write_text("\n".join([*lines[:-2], "4,30,water", "5,,"]) + "\n")
    with pytest.raises(UsageError, match="which two codes have in the table"):
        rsclass.decide(class_map, path, [("5", "water")])


def test_the_public_names_are_there(class_map, tmp_path):
    schema = rsclass.read_schema("simple8")
    result = rsclass.merge(
        class_map,
        tmp_path / "lc.tif",
        schema=schema,
        table=rsclass.MergeTable(table({1: 1, 2: 2, 3: 3, 4: 4, 5: 4}).rows),
    )
    assert result.legend.names == ("Water", "Trees", "Shrub and grass", "Cropland")
    assert isinstance(schema, rsclass.Schema)
    assert "Shrub and grass" in result._repr_html_()


def test_a_published_map_becomes_land_cover(shared_data, tmp_path):
    """Every pixel of the Gewata map, by names of classes alone."""
    scene = shared_data / "landsat7_gewata"
    path = tmp_path / "gt.tif"
    path.write_bytes((scene / "gt.tif").read_bytes())
    names = [row["name"] for row in csv.DictReader((scene / "classes.csv").open())]
    colors = [(40 * i, 255 - 40 * i, 128) for i in range(6)]
    (tmp_path / "gt.clr").write_text(Legend.of(names, colors).to_clr())
    own = tmp_path / "table.csv"
    own.write_text(
        "cluster_name,class,by,why\n"
        "cropland,Cropland,,\nbamboo,Trees,,\nbare_soil,Bare ground,,\n"
        "coffee_plantation,Trees,,\nforest,Trees,,\nwetland,Wetland,,\n"
    )
    result = merge(path, tmp_path / "lc.tif", schema="simple8", table=own)
    expected = np.select([read_map(path) == i for i in range(1, 7)], [4, 2, 7, 2, 2, 5], default=0)
    np.testing.assert_array_equal(result.read(), expected)
    np.testing.assert_allclose(result.hectares, result.stats.count * 0.09)
    assert read_schema("simple8").legend([2, 4, 5, 7]) == result.legend


@pytest.mark.parametrize("made", ["merged", "cut", "tidied"])
def test_a_derived_map_is_made_again_byte_by_byte(class_map, tmp_path, made):
    cases = {
        "merged": lambda out: merge(class_map, out, schema=SCHEMA, table=table(CODES), level=1),
        "cut": lambda out: merge(class_map, out, to=3, writing=Writing(format="COG")),
        "tidied": lambda out: tidy(class_map, out, majority=3, sieve=4, protect=["class 1"]),
    }
    first = cases[made](tmp_path / "lc.tif")
    again = rsclass.replay(first.path, running=Running(jobs=3, tile=512))
    assert again.identical
    assert not again.notes


def test_a_replay_finds_changed_pixels_and_a_changed_parent(class_map, tmp_path):
    parent = tmp_path / "parent.tif"
    parent.write_bytes(class_map.read_bytes())
    for file in class_map.parent.glob("map.*"):
        if file != class_map:
            (tmp_path / file.name.replace("map", "parent", 1)).write_bytes(file.read_bytes())
    out = merge(parent, tmp_path / "lc.tif", schema=SCHEMA, table=table(CODES)).path
    with rasterio.open(out, "r+") as dataset:
        values = dataset.read(1)
        values[:2, 5] = np.where(values[:2, 5] == 11, 12, 11)
        dataset.write(values, 1)
    assert rsclass.replay(out).differing == 2
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in tmp_path.glob("parent.*"):
        file.rename(moved / file.name)
    note = moved / "parent.tif.aux.xml"
    note.write_text(note.read_text().replace("<PAMDataset>", "<PAMDataset><!-- a viewer -->"))
    assert rsclass.replay(out, scene=moved / "parent.tif").differing == 2
    with rasterio.open(moved / "parent.tif", "r+") as dataset:
        dataset.write(np.full((1, 1), 3, dtype=np.uint8), 1, window=((0, 1), (0, 1)))
    with pytest.raises(DataError, match="is not what the map was made from"):
        rsclass.replay(out, scene=moved / "parent.tif")


def test_a_map_made_by_hand_is_not_replayed(tmp_path):
    recipe = {"verb": "edit", "parent": {"map": "other.tif"}}
    with pytest.raises(DataError, match="made by 'edit', which its recipe alone cannot repeat"):
        remake(recipe, tmp_path / "x.tif", running=Running(), writing=Writing())


def test_classes_with_the_same_neighbors_are_joined_by_spatial(tmp_path):
    """Two classes mixed pixel by pixel, and one that is like one of them and stands apart."""
    rng = np.random.default_rng(0)
    left = rng.integers(0, 2, (40, 30)) * 2
    classes = np.concatenate([left, np.full((40, 30), 1)], axis=1)
    values = np.array([10, 46, 30])[classes] + rng.integers(-1, 2, classes.shape)
    scene = tmp_path / "scene.tif"
    with rasterio.open(
        scene, "w", driver="GTiff", height=40, width=60, count=1, dtype="uint8"
    ) as file:
        file.write(values.astype(np.uint8), 1)
    found = classify(
        scene, tmp_path / "map.tif", method="kmeans", classes=3, writing=Writing(report=False)
    )
    by_spectra = merge(found.path, tmp_path / "a.tif", to=2)
    by_place = merge(found.path, tmp_path / "b.tif", to=2, by="spatial")
    with rasterio.open(by_spectra.path) as a, rasterio.open(by_place.path) as b:
        apart, joined = a.read(1), b.read(1)
    assert len(np.unique(apart[:, :30])) == 2
    assert len(np.unique(joined[:, :30])) == 1
    assert len(np.unique(joined)) == 2
    assert read_recipe(by_place.path)["by"] == "spatial"


def test_pairs_of_classes_are_the_same_for_any_tiles(class_map):
    from rsclass.core.surroundings import neighbor_pairs
    from rsclass.core.types import Window
    from rsclass.flow.merge import _pairs_in

    with open_class_map(class_map) as opened:
        whole = Window(0, 0, opened.height, opened.width)
        at = opened.read(whole) - 1
        expected = neighbor_pairs(at.astype(np.int32), whole, whole, 5)
        for tile in (256, 1024):
            np.testing.assert_array_equal(_pairs_in(opened, Running(tile=tile)), expected)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [({"to": 2, "by": "taste"}, "not by 'taste'"), ({"by": "spatial"}, "give --to N")],
)
def test_a_likeness_that_is_none_is_refused(class_map, tmp_path, asked, sentence):
    with pytest.raises(UsageError, match=sentence):
        merge(class_map, tmp_path / "x.tif", **asked)

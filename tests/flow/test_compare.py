"""What changed from one class map to another, whatever their extents, legends and tiles."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import rasterio
from made_maps import write_map
from pyproj import Geod
from rasterio.transform import from_origin
from sklearn.metrics import cohen_kappa_score, confusion_matrix

import rsclass
from rsclass.core.legend import Legend
from rsclass.errors import DataError, OutputExistsError, UsageError
from rsclass.io.class_map import open_class_map
from rsclass.io.maps import read_map, read_recipe
from rsclass.run.settings import Running

FIRST = {1: "water", 2: "forest", 3: "crops"}
SECOND = {10: "Forest", 20: "Water", 30: "urban"}
COMMON = ("water", "forest", "crops", "urban")
OF_FIRST = np.array([-1, 0, 1, 2])
OF_SECOND = np.full(31, -1)
OF_SECOND[[10, 20, 30]] = [1, 0, 3]


@pytest.fixture(scope="module")
def arrays():
    rng = np.random.default_rng(6)
    first = np.kron(rng.integers(0, 4, (60, 90)), np.ones((10, 10))).astype(np.uint8)
    second = np.array([0, 20, 10, 30], np.uint8)[first]
    moved = rng.random(first.shape) < 0.2
    second[moved] = rng.choice([0, 10, 20, 30], moved.sum())
    return first, second


@pytest.fixture(scope="module")
def paths(arrays, tmp_path_factory):
    folder = tmp_path_factory.mktemp("maps")
    return (
        write_map(folder / "first.tif", arrays[0], FIRST),
        write_map(folder / "second.tif", arrays[1], SECOND),
    )


def places(arrays):
    first, second = OF_FIRST[arrays[0]], OF_SECOND[arrays[1]]
    known = (first >= 0) & (second >= 0)
    return first, second, known


def test_the_matrix_is_that_of_scikit_learn_with_the_first_map_in_rows(paths, arrays):
    first, second, known = places(arrays)
    found = rsclass.compare(*paths)
    assert found.classes.names == COMMON
    expected = confusion_matrix(first[known], second[known], labels=range(4))
    np.testing.assert_array_equal(found.pixels, expected)
    told = found.to_dict()
    assert told["matrix"]["axes"] == ["from: first map", "to: second map"]
    assert told["pixels"] == {
        "compared": known.sum(),
        "changed": (first != second)[known].sum(),
        "only_first": ((first >= 0) & (second < 0)).sum(),
        "only_second": ((first < 0) & (second >= 0)).sum(),
        "neither": ((first < 0) & (second < 0)).sum(),
    }
    kappa = cohen_kappa_score(first[known], second[known])
    assert told["agreement"]["kappa"] == pytest.approx(kappa, abs=1e-12)
    assert told["agreement"]["overall"] == pytest.approx((first == second)[known].mean())
    disagreement = told["agreement"]["quantity"] + told["agreement"]["allocation"]
    assert disagreement == pytest.approx(1 - told["agreement"]["overall"])
    json.dumps(told, allow_nan=False)


def test_gain_and_loss_of_a_class_are_counted_on_the_maps(paths, arrays):
    first, second, known = places(arrays)
    found = rsclass.compare(*paths)
    for i, row in enumerate(found.to_dict()["classes"]):
        gain = (known & (first != i) & (second == i)).sum()
        loss = (known & (first == i) & (second != i)).sum()
        assert (row["pixels"]["gain"], row["pixels"]["loss"]) == (gain, loss)
        assert row["hectares"]["net"] == pytest.approx((gain - loss) * 0.09)
    assert found.to_dict()["classes"][0]["first_values"] == [1]
    assert found.to_dict()["classes"][0]["second_values"] == [20]


@pytest.mark.parametrize(
    "running", [Running(jobs=1, tile=1), Running(jobs=3, tile=512), Running(jobs=2, tile=4096)]
)
def test_tiles_and_threads_never_change_a_number_or_a_byte(paths, tmp_path, running):
    once = rsclass.compare(*paths, tmp_path / "once.tif")
    (tmp_path / "again").mkdir()
    again = rsclass.compare(*paths, tmp_path / "again" / "once.tif", running=running)
    np.testing.assert_array_equal(once.pixels, again.pixels)
    assert once.files["change"].read_bytes() == again.files["change"].read_bytes()


def test_the_map_of_changes_tells_each_pair_apart(paths, arrays, tmp_path):
    first, second, known = places(arrays)
    found = rsclass.compare(*paths, tmp_path / "changes.tif")
    values = read_map(tmp_path / "changes.tif")
    np.testing.assert_array_equal(values > 0, known)
    np.testing.assert_array_equal((values == 1)[known], (first == second)[known])
    with open_class_map(tmp_path / "changes.tif") as changes:
        legend: Legend = changes.legend
    for value, name in zip(legend.values[1:], legend.names[1:], strict=True):
        start, end = name.split(" → ")
        pair = (first == COMMON.index(start)) & (second == COMMON.index(end)) & known
        np.testing.assert_array_equal(values == value, pair)
    assert len(legend) == 1 + np.count_nonzero(found.pixels * ~np.eye(4, dtype=bool))
    assert read_recipe(tmp_path / "changes.tif")["second"]["map"] == str(paths[1])


def test_maps_of_different_extent_are_compared_where_they_overlap(paths, arrays, tmp_path):
    first, second, known = places(arrays)
    part = (slice(37, 555), slice(110, 900))
    moved = write_map(
        tmp_path / "part.tif",
        arrays[1][part],
        SECOND,
        transform=from_origin(500_000 + 110 * 30, 5_000_000 - 37 * 30, 30, 30),
    )
    expected = confusion_matrix(first[part][known[part]], second[part][known[part]])
    for maps, matrix in (((paths[0], moved), expected), ((moved, paths[0]), expected.T)):
        found = rsclass.compare(*maps, tmp_path / f"{maps[0].stem}_changes.tif")
        names = [COMMON.index(name.lower()) for name in found.classes.names]
        np.testing.assert_array_equal(found.pixels, matrix[np.ix_(names, names)])
        assert found.size == (518, 790)
        assert "cover different ground" in found.warnings[0]
        values = read_map(found.files["change"])
        np.testing.assert_array_equal(values == 1, (first == second)[part] & known[part])
        with rasterio.open(found.files["change"]) as dataset:
            assert dataset.transform * (0, 0) == (503_300, 4_998_890)


def test_areas_on_the_globe_are_those_of_the_geodesic(tmp_path):
    """Half of a scene of 30 degrees changes; its area comes from polygons on the ellipsoid."""
    values = np.ones((300, 20), np.uint8)
    other = values.copy()
    other[:150] = 2
    place = {"crs": "EPSG:4326", "transform": from_origin(10, 70, 0.1, 0.1)}
    first = write_map(tmp_path / "a.tif", values, {1: "a", 2: "b"}, **place)
    second = write_map(tmp_path / "b.tif", other, {1: "a", 2: "b"}, **place)
    found = rsclass.compare(first, second)
    edge = np.linspace(10, 12, 2001)
    area, _ = Geod(ellps="WGS84").polygon_area_perimeter(
        np.concatenate([edge, edge[::-1]]), np.concatenate([np.full(2001, 55.0), np.full(2001, 70)])
    )
    # The geodesic polygon follows the parallels in steps of 0.001 degrees.
    assert found.to_dict()["changed_hectares"] == pytest.approx(abs(area) / 1e4, rel=1e-6)
    assert found.pixels[0, 1] == 3000


def test_classes_can_be_matched_by_value(paths, tmp_path, arrays):
    found = rsclass.compare(*paths, by="value")
    assert found.agreement.overall == 0
    assert "no class value in common" in found.warnings[0]
    same = write_map(tmp_path / "same.tif", arrays[0], {1: "sea", 2: "forest", 3: "fields"})
    found = rsclass.compare(paths[0], same, by="value")
    assert found.changed == 0
    assert found.classes.names == ("water / sea", "forest", "crops / fields")
    assert found.summary().splitlines()[0].startswith("0 of")
    assert "Largest" not in found.summary()


def test_classes_that_only_one_map_has_are_named_with_their_pixels(paths, arrays, tmp_path):
    first, second, known = places(arrays)
    crops, urban = (first == 2)[known].sum(), (second == 3)[known].sum()
    found = rsclass.compare(*paths)
    (warning,) = [text for text in found.warnings if "without a partner" in text]
    assert f"first.tif has 'crops' ({crops:,} pixels)" in warning
    assert f"second.tif has 'urban' ({urban:,} pixels)" in warning
    assert "'rsclass merge'" in warning
    assert "--by value" in warning
    same = write_map(tmp_path / "same.tif", arrays[0], FIRST)
    assert rsclass.compare(paths[0], same).warnings == []
    by_value = rsclass.compare(paths[0], same, by="value")
    assert by_value.warnings == []


def test_maps_without_a_shared_pixel_or_change_are_told_so(tmp_path):
    left = np.array([[1, 0]], np.uint8)
    first = write_map(tmp_path / "a.tif", left, {1: "a"})
    second = write_map(tmp_path / "b.tif", left[:, ::-1], {1: "a"})
    found = rsclass.compare(first, second, report=tmp_path / "r.html", table=tmp_path / "t.json")
    assert "No pixel has a class in both" in found.summary()
    assert json.loads((tmp_path / "t.json").read_text())["agreement"]["overall"] is None


def test_tables_hold_what_the_result_holds(paths, tmp_path):
    found = rsclass.compare(*paths, table=tmp_path / "t.csv")
    rows = list(csv.DictReader((tmp_path / "t.csv").open()))
    assert sum(int(row["pixels"]) for row in rows) == found.compared
    one = next(row for row in rows if (row["from"], row["to"]) == ("water", "urban"))
    assert int(one["pixels"]) == found.pixels[0, 3]
    assert float(one["hectares"]) == pytest.approx(found.pixels[0, 3] * 0.09)
    rsclass.compare(*paths, table=tmp_path / "t.json")
    told = json.loads((tmp_path / "t.json").read_text())
    assert told["matrix"]["pixels"] == found.pixels.tolist()


def test_the_table_for_notebooks_names_its_axes(paths):
    found = rsclass.compare(*paths)
    frame = found.to_frame()
    assert (frame.index.name, frame.columns.name) == ("from", "to")
    assert frame.loc["water", "urban"] == found.pixels[0, 3]
    assert "<table>" in found._repr_html_()


def test_the_report_shows_both_maps_and_is_whole(paths, tmp_path):
    found = rsclass.compare(*paths, report=tmp_path / "r.html", command="rsclass compare a b")
    page = (tmp_path / "r.html").read_text()
    assert page.count('<figure class="map">') == 2
    assert f"{found.changed:,} of {found.compared:,} pixels" in page
    assert "rsclass compare a b" in page
    assert 'src="http' not in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ({"crs": "EPSG:32633"}, "coordinate systems"),
        ({"transform": from_origin(500_000, 5_000_000, 20, 20)}, "do not coincide"),
        ({"transform": from_origin(500_010, 5_000_000, 30, 30)}, "do not coincide"),
        ({"transform": from_origin(530_000, 5_000_000, 30, 30)}, "lie apart"),
    ],
)
def test_maps_on_other_grids_are_refused(paths, arrays, tmp_path, place, told):
    """R23"""
    other = write_map(tmp_path / "other.tif", arrays[1], SECOND, **place)
    with pytest.raises(DataError, match=told):
        rsclass.compare(paths[0], other, tmp_path / "out.tif")
    assert not (tmp_path / "out.tif").exists()


def test_what_cannot_be_asked_for_is_refused(paths, tmp_path):
    with pytest.raises(UsageError, match="by name or by value"):
        rsclass.compare(*paths, by="color")
    with pytest.raises(UsageError, match=r"\.csv or \.json"):
        rsclass.compare(*paths, table=tmp_path / "t.xlsx")


@pytest.mark.parametrize("kind", ["out", "table", "report"])
def test_files_that_exist_are_refused_before_the_work(paths, tmp_path, kind):
    """P03"""
    file = tmp_path / {"out": "x.tif", "table": "x.csv", "report": "x.html"}[kind]
    file.write_bytes(b"mine")
    told = []
    running = Running(progress=lambda done, total, message: told.append(message))
    with pytest.raises(OutputExistsError):
        rsclass.compare(*paths, **{kind: file}, running=running)
    assert "comparing" not in told
    assert file.read_bytes() == b"mine"
    assert [entry.name for entry in tmp_path.iterdir()] == [file.name]


def test_a_map_of_changes_is_made_again_to_the_byte(paths, arrays, tmp_path):
    other = write_map(tmp_path / "other.tif", arrays[1], SECOND)
    rsclass.compare(paths[0], other, tmp_path / "changes.tif")
    assert rsclass.replay(tmp_path / "changes.tif").identical
    write_map(other, arrays[1][::-1], SECOND)
    with pytest.raises(DataError, match="SHA-256 differs"):
        rsclass.replay(tmp_path / "changes.tif")


def test_neither_map_is_ever_the_output(paths):
    """P02"""
    with pytest.raises(UsageError, match="same file"):
        rsclass.compare(*paths, paths[1], writing=rsclass.Writing(overwrite=True))

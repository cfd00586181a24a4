"""Class maps corrected by hand: changed, logged, taken back and repeated."""

from __future__ import annotations

import json

import geopandas
import numpy as np
import pytest
import rasterio
import rasterio.features
from made_maps import write_map
from rasterio.transform import from_origin
from shapely.geometry import LineString, Point, Polygon, box

import rsclass
from rsclass.errors import DataError, OutputExistsError, UsageError
from rsclass.io.class_map import open_class_map
from rsclass.io.edit_log import read_edit_log
from rsclass.io.maps import read_map, read_recipe
from rsclass.run.settings import Running

NAMES = {1: "water", 2: "forest", 3: "crops", 4: "urban"}
TRANSFORM = from_origin(500_000, 5_000_000, 30, 30)
UTM = "EPSG:32632"


def on_map(col, row):
    return TRANSFORM * (col, row)


def field(left, top, right, bottom):
    return box(*on_map(left, bottom), *on_map(right, top))


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(8)
    return np.kron(rng.integers(0, 5, (70, 90)), np.ones((8, 8))).astype(np.uint8)


@pytest.fixture(scope="module")
def path(values, tmp_path_factory):
    return write_map(tmp_path_factory.mktemp("map") / "map.tif", values, NAMES)


SHAPES = [
    Polygon([on_map(100, 40), on_map(610, 130), on_map(560, 530), on_map(90, 300)]),
    field(300.5, 420.2, 660.1, 555.9),
    field(20, 20, 60, 60),
]


def write_features(file, shapes, crs=UTM, to_crs=None, **columns):
    frame = geopandas.GeoDataFrame(columns, geometry=shapes, crs=crs)
    (frame if to_crs is None else frame.to_crs(to_crs)).to_file(file)
    return file


@pytest.fixture
def features(tmp_path):
    labels = ["water", "4", "Forest"]
    return write_features(tmp_path / "fixes.gpkg", SHAPES, **{"class": labels})


def inside(shape, values):
    return rasterio.features.rasterize([shape], values.shape, transform=TRANSFORM).astype(bool)


def expected_of(values):
    """Where the first two polygons meet nothing changes; the third lies apart."""
    masks = [inside(shape, values) & (values > 0) for shape in SHAPES]
    both = masks[0] & masks[1]
    out = values.copy()
    for mask, value in zip(masks, (1, 4, 2), strict=True):
        out[mask & ~both] = value
    assert both.any()
    return out, int((inside(SHAPES[0], values) & inside(SHAPES[1], values)).sum())


def test_pixels_inside_features_get_the_class_of_the_feature(path, values, features, tmp_path):
    result = rsclass.edit(path, tmp_path / "out.tif", polygons=features, field="class")
    expected, contested = expected_of(values)
    np.testing.assert_array_equal(result.read(), expected)
    assert any(warning.startswith(f"{contested:,} pixels lie") for warning in result.warnings)


def test_features_come_in_any_coordinate_system(path, values, tmp_path):
    """V01"""
    file = write_features(tmp_path / "wgs84.geojson", SHAPES[2:], to_crs="EPSG:4326", code=[2])
    found = rsclass.edit(path, tmp_path / "out.tif", polygons=file, field="code").read()
    changed = inside(SHAPES[2], values) & (values > 0)
    assert (found[changed] == 2).mean() > 0.97  # edges move by parts of a pixel
    np.testing.assert_array_equal(found[100:], values[100:])


def test_lines_and_points_own_the_pixels_they_touch(path, values, tmp_path):
    line = LineString([on_map(10.5, 200.5), on_map(150.5, 200.5)])
    point = Point(on_map(300.2, 300.7))
    file = write_features(tmp_path / "drawn.gpkg", [line, point], to=["urban", "water"])
    found = rsclass.edit(path, tmp_path / "out.tif", polygons=file, field="to", fill=True).read()
    expected = values.copy()
    expected[200, 10:151] = 4
    expected[300, 300] = 1
    np.testing.assert_array_equal(found, expected)


def test_only_pixels_of_the_classes_named_are_changed(path, values, features, tmp_path):
    found = rsclass.edit(
        path, tmp_path / "out.tif", polygons=features, field="class", only=["crops", 2]
    ).read()
    expected, _ = expected_of(values)
    meant = np.isin(values, (2, 3))
    np.testing.assert_array_equal(found, np.where(meant, expected, values))


def test_each_feature_may_say_which_classes_it_changes(path, values, tmp_path):
    """V08: a feature without such a column takes what holds for all."""
    file = write_features(
        tmp_path / "fixes.gpkg",
        [SHAPES[0], SHAPES[2]],
        to=["water", "urban"],
        old=["forest, 3", None],
    )
    found = rsclass.edit(
        path, tmp_path / "out.tif", polygons=file, field="to", only=["crops"], only_field="old"
    ).read()
    expected = values.copy()
    expected[inside(SHAPES[0], values) & np.isin(values, (2, 3))] = 1
    expected[inside(SHAPES[2], values) & (values == 3)] = 4
    np.testing.assert_array_equal(found, expected)


def test_pixels_without_a_class_are_filled_only_when_asked(path, values, tmp_path):
    file = write_features(tmp_path / "fill.gpkg", SHAPES[2:], any=["x"])
    plain = rsclass.edit(path, tmp_path / "plain.tif", polygons=file, to="urban").read()
    np.testing.assert_array_equal(plain == 0, values == 0)
    filled = rsclass.edit(path, tmp_path / "full.tif", polygons=file, to=4, fill=True).read()
    assert (filled[20:60, 20:60] == 4).all()
    assert (values[20:60, 20:60] == 0).any()


def test_classes_that_the_map_lacks_are_refused_or_added(path, values, tmp_path):
    """V07"""
    file = write_features(tmp_path / "new.gpkg", SHAPES, to=["lava", "9", "lava"])
    with pytest.raises(DataError, match=r"features 1, 2, 3 .*'lava'.*--add-classes") as caught:
        rsclass.edit(path, tmp_path / "out.tif", polygons=file, field="to")
    assert caught.value.data["labels"] == ["9", "lava"]
    assert not (tmp_path / "out.tif").exists()
    result = rsclass.edit(path, tmp_path / "out.tif", polygons=file, field="to", add_classes=True)
    assert dict(zip(result.legend.values, result.legend.names, strict=True)) == {
        **NAMES,
        9: "class 9",
        10: "lava",
    }
    assert len(set(result.legend.colors)) == 6
    with open_class_map(result.path) as again:
        assert again.legend == result.legend


@pytest.mark.parametrize("running", [Running(jobs=1, tile=1), Running(jobs=3, tile=512)])
def test_tiles_and_threads_never_change_map_or_log(path, features, tmp_path, running):
    once = rsclass.edit(path, tmp_path / "once.tif", polygons=features, field="class")
    (tmp_path / "again").mkdir()
    again = rsclass.edit(
        path, tmp_path / "again" / "once.tif", polygons=features, field="class", running=running
    )
    assert once.path.read_bytes() == again.path.read_bytes()
    assert read_edit_log(once.path).digest() == read_edit_log(again.path).digest()


def test_log_recipe_and_statistics_tell_what_each_feature_changed(path, values, features, tmp_path):
    result = rsclass.edit(path, tmp_path / "out.tif", polygons=features, field="class")
    found = result.read()
    (edit,) = read_edit_log(result.path).edits
    third = edit.features[2]
    mask = inside(SHAPES[2], values)
    assert third.owned == mask.sum()
    assert third.moves == {
        v: int((mask & (values == v)).sum()) for v in (1, 3, 4) if (mask & (values == v)).any()
    }
    assert sum(f.changed for f in edit.features) == (found != values).sum()
    (told,) = read_recipe(result.path)["edits"]
    assert told["features"][2]["changed"] == [[v, n] for v, n in sorted(third.moves.items())]
    assert told["polygons"] == str(features)
    assert list(told["sha256"]) == [str(features)]
    stats = json.loads(result.files["statistics"].read_text())
    assert stats["edits"] == [told]
    assert sum(row["pixels"] for row in stats["moved"]) == (found != values).sum()


def test_the_last_edit_is_taken_back_to_the_pixel_and_then_the_one_before(
    path, values, features, tmp_path
):
    first = rsclass.edit(path, tmp_path / "1.tif", polygons=features, field="class")
    file = write_features(tmp_path / "more.gpkg", [field(0, 0, 720, 560)], to=["lava"])
    second = rsclass.edit(
        first.path, tmp_path / "2.tif", polygons=file, field="to", add_classes=True, fill=True
    )
    assert (second.read() == 5).all()
    path.rename(path.with_suffix(".away"))
    try:
        back = rsclass.undo_edit(second.path, tmp_path / "3.tif")
        np.testing.assert_array_equal(back.read(), first.read())
        assert back.legend == first.legend
        assert read_edit_log(back.path) == read_edit_log(first.path)
        origin = rsclass.undo_edit(back.path)
    finally:
        path.with_suffix(".away").rename(path)
    assert origin.path == tmp_path / "3_undone.tif"
    np.testing.assert_array_equal(origin.read(), values)
    assert "edits" not in origin.files
    with pytest.raises(DataError, match="there is no edit log"):
        rsclass.undo_edit(origin.path)


def test_an_edit_of_a_changed_map_or_with_another_log_is_not_taken_back(path, features, tmp_path):
    result = rsclass.edit(path, tmp_path / "out.tif", polygons=features, field="class")
    log = result.files["edits"]
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b'"label": "water"', b'"label": "rock"'))
    with pytest.raises(DataError, match="not of this map"):
        rsclass.undo_edit(result.path, tmp_path / "back.tif")
    log.write_bytes(whole)
    with rasterio.open(result.path, "r+") as dataset:
        changed = dataset.read(1)
        changed[300, 300] ^= 1
        dataset.write(changed, 1)
    with pytest.raises(DataError, match="changed after the edit"):
        rsclass.undo_edit(result.path, tmp_path / "back.tif")
    assert not (tmp_path / "back.tif").exists()


def test_edits_are_repeated_on_another_map_of_the_place(path, values, features, tmp_path):
    first = rsclass.edit(path, tmp_path / "1.tif", polygons=features, field="class")
    more = write_features(tmp_path / "more.gpkg", SHAPES[2:], to=["urban"])
    second = rsclass.edit(
        first.path, tmp_path / "2.tif", polygons=more, field="to", only=["forest"], fill=True
    )
    # Another classification: other pixels, other values for the same names.
    renamed = np.array([0, 40, 30, 20, 10], np.uint8)
    other_values = renamed[np.roll(values, 30, axis=1)]
    other = write_map(
        tmp_path / "other.tif",
        other_values,
        {10: "urban", 20: "crops", 30: "forest", 40: "water"},
    )
    features.unlink()
    more.unlink()
    for log in (second.path, second.files["edits"]):
        found = rsclass.replay_edits(log, other, tmp_path / f"{log.suffix[1:]}.tif")
        expected, _ = expected_of(np.roll(values, 30, axis=1))
        third = inside(SHAPES[2], values)
        expected[third & np.isin(expected, (0, 2))] = 4
        np.testing.assert_array_equal(found.read(), renamed[expected])
        assert len(read_edit_log(found.path).edits) == 2
    assert rsclass.undo_edit(found.path, tmp_path / "back.tif").moves.moved > 0


def test_edits_of_another_place_or_system_are_not_repeated(path, features, tmp_path):
    result = rsclass.edit(path, tmp_path / "out.tif", polygons=features, field="class")
    ones = np.ones((9, 9), np.uint8)
    elsewhere = write_map(tmp_path / "a.tif", ones, NAMES, crs="EPSG:32631")
    with pytest.raises(DataError, match="different coordinate systems"):
        rsclass.replay_edits(result.path, elsewhere)
    far = write_map(tmp_path / "b.tif", ones, NAMES, transform=from_origin(0, 0, 30, 30))
    with pytest.raises(DataError, match="lies outside"):
        rsclass.replay_edits(result.path, far)


def test_features_beside_the_map_are_refused(path, tmp_path):
    """V02"""
    file = write_features(tmp_path / "far.gpkg", [box(0, 0, 9, 9)], to=["water"])
    with pytest.raises(DataError, match="lies outside"):
        rsclass.edit(path, tmp_path / "out.tif", polygons=file, field="to")


def test_features_that_own_or_change_no_pixel_are_named(path, tmp_path):
    """V06, V03, V04"""
    bow_tie = Polygon([on_map(*at) for at in ((10, 10), (50, 50), (50, 10), (10, 50))])
    tiny = field(100.1, 100.1, 100.2, 100.2)
    shapes = [bow_tie, tiny, None, field(200, 200, 203, 203)]
    file = write_features(tmp_path / "odd.gpkg", shapes, to=["water"] * 4)
    result = rsclass.edit(path, tmp_path / "out.tif", polygons=file, field="to", only=["water"])
    told = " ".join(result.warnings)
    assert "repaired: feature 1" in told
    assert "no pixel of the map belongs to feature 2" in told
    assert "want of a shape: feature 3" in told
    assert "features 1, 4 of" in told
    assert "No pixel moved" in result.summary()


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({}, UsageError),
        ({"field": "class", "to": "water"}, UsageError),
        ({"field": "klass"}, UsageError),
        ({"field": "class", "only": ["lava"]}, UsageError),
        ({"field": "class", "only_field": "old"}, UsageError),
        ({"to": "lava"}, UsageError),
        ({"field": "class", "vector_crs": "EPSG:1"}, UsageError),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(
    path, features, tmp_path, wrong, error
):
    before = sorted(tmp_path.iterdir())
    with pytest.raises(error):
        rsclass.edit(path, tmp_path / "out.tif", polygons=features, **wrong)
    assert sorted(tmp_path.iterdir()) == before


def test_inputs_are_never_overwritten(path, features, tmp_path):
    """P02, P03"""
    result = rsclass.edit(path, tmp_path / "out.tif", polygons=features, field="class")
    with pytest.raises(OutputExistsError):
        rsclass.edit(path, result.path, polygons=features, field="class")
    writing = rsclass.Writing(overwrite=True)
    with pytest.raises(UsageError, match="same file"):
        rsclass.undo_edit(result.path, result.path, writing=writing)
    with pytest.raises(UsageError, match="same file"):
        rsclass.replay_edits(result.files["edits"], path, result.path, writing=writing)


def test_a_map_that_takes_the_place_of_an_edited_one_leaves_no_old_log(path, features, tmp_path):
    """F9"""
    result = rsclass.edit(path, tmp_path / "out.tif", polygons=features, field="class")
    assert result.files["edits"].is_file()
    rsclass.tidy(path, result.path, sieve=2, writing=rsclass.Writing(overwrite=True))
    assert not result.files["edits"].exists()


def test_an_edited_map_is_made_again_to_the_byte(path, features, tmp_path):
    first = rsclass.edit(path, tmp_path / "1.tif", polygons=features, field="class", only=["2"])
    second = rsclass.edit(first.path, tmp_path / "2.tif", polygons=features, to="urban", fill=True)
    assert rsclass.replay(second.path).identical
    back = rsclass.undo_edit(second.path, tmp_path / "3.tif")
    with pytest.raises(DataError, match="cannot repeat"):
        rsclass.replay(back.path)
    write_features(features, SHAPES[:1], **{"class": ["water"]})
    with pytest.raises(DataError, match="SHA-256 differs"):
        rsclass.replay(second.path)


def test_real_polygons_correct_a_real_map(shared_data, tmp_path):
    """Every pixel of a training polygon of the Aberystwyth scene is of its class afterwards."""
    folder = shared_data / "sentinel2_aberystwyth"
    with rasterio.open(folder / "gt.tif") as truth, rasterio.open(folder / "image.tif") as image:
        labels, transform, crs = truth.read(1), image.transform, image.crs
    values = np.random.default_rng(0).integers(1, 4, labels.shape).astype(np.uint8)
    path = write_map(tmp_path / "map.tif", values, crs=crs, transform=transform)
    polygons = folder / "training_polygons.gpkg"
    frame = geopandas.read_file(polygons)
    column = next(name for name in frame.columns if frame[name].dtype.kind in "iu")
    result = rsclass.edit(
        path, tmp_path / "out.tif", polygons=polygons, field=column, add_classes=True
    )
    found = read_map(result.path)
    own = {
        value: rasterio.features.rasterize(
            frame.geometry[frame[column] == value].to_crs(crs), labels.shape, transform=transform
        ).astype(bool)
        for value in frame[column].unique()
    }
    shared = sum(mask.astype(int) for mask in own.values()) > 1
    for value, mask in own.items():
        alone = mask & ~shared
        assert alone.any()
        assert (found[alone] == value).all()

"""Vector files as labelled features in a scene's coordinate system."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas
import pyogrio
import pytest
import shapely
from made_rasters import UTM
from made_vectors import box, on_ground, place, write_vectors

from rsclass.core.grid import Georeference, GroundControlPoint
from rsclass.core.types import Window
from rsclass.errors import DataError, UsageError
from rsclass.io.vectors import Features, read_features

GEOREF = place()
WHOLE = Window(0, 0, 20, 20)
SQUARES = [box(1, 1, 5, 5), box(8, 8, 12, 12), box(14, 2, 18, 6)]
NAMES = {"cover": ["water", "forest", "water"], "code": [1, 2, 1]}


def owned(features: Features) -> dict[str, int]:
    """Pixels of every label."""
    burnt = features.burn(WHOLE, GEOREF)
    labels = np.array(features.labels)
    return {name: int((labels[burnt[burnt >= 0]] == name).sum()) for name in features.names}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("areas.gpkg", {}),
        ("areas.shp", {}),
        ("areas.fgb", {"driver": "FlatGeobuf"}),
        ("areas.geojson", {"driver": "GeoJSON", "COORDINATE_PRECISION": 12}),
        ("areas.gml", {"driver": "GML"}),
        ("areas.kml", {"driver": "LIBKML"}),
    ],
)
def test_any_vector_format_is_read(tmp_path: Path, name: str, options: dict[str, Any]) -> None:
    crs = "EPSG:4326" if name.endswith(("json", "kml")) else UTM
    ground = geopandas.GeoSeries(SQUARES, crs=UTM).to_crs(crs)
    path = write_vectors(tmp_path / name, ground, NAMES, crs=crs, **options)
    features = read_features(path, "cover", georef=GEOREF)
    assert sorted(features.labels) == ["forest", "water", "water"]
    assert features.names == ("forest", "water")
    assert owned(features) == {"water": 32, "forest": 16}
    assert features.notes == ()
    assert str(path) in features.files


def test_a_table_of_points_is_read(tmp_path: Path) -> None:
    points = [on_ground(shapely.Point(c + 0.5, r + 0.5)) for c, r in [(2, 3), (7, 1), (9, 9)]]
    rows = "\n".join(f"{p.x},{p.y},{i}" for i, p in enumerate(points, 5))
    (tmp_path / "p.csv").write_text(f"X,Y,code\n{rows}\n", encoding="utf-8")
    features = read_features(tmp_path / "p.csv", "code", georef=GEOREF)
    assert features.labels == ("5", "6", "7")
    burnt = features.burn(WHOLE, GEOREF)
    assert [burnt[3, 2], burnt[1, 7], burnt[9, 9], (burnt >= 0).sum()] == [0, 1, 2, 3]
    [note] = features.notes
    assert "states no CRS" in note


@pytest.mark.parametrize("suffix", ["gpkg", "shp"])
def test_features_of_another_crs_are_brought_to_the_scene(tmp_path: Path, suffix: str) -> None:
    """V01."""
    ground = geopandas.GeoSeries(SQUARES, crs=UTM).to_crs("EPSG:3035")
    path = write_vectors(tmp_path / f"a.{suffix}", ground, NAMES, crs="EPSG:3035")
    assert owned(read_features(path, "cover", georef=GEOREF)) == {"water": 32, "forest": 16}


def test_one_crs_alone_is_not_enough(tmp_path: Path) -> None:
    """V01, V10, R19: and a Shapefile is told which part it has lost."""
    path = write_vectors(tmp_path / "a.shp", SQUARES, NAMES)
    with pytest.raises(
        DataError, match=r"the scene has no CRS, unlike .*a.shp.*--vector-crs scene"
    ):
        read_features(path, "cover", georef=place(crs=None))
    (tmp_path / "a.prj").unlink()
    with pytest.raises(DataError, match=r"has no CRS \(a.prj is missing\)"):
        read_features(path, "cover", georef=GEOREF)
    for georef in (GEOREF, place(crs=None)):
        told = read_features(path, "cover", georef=georef, crs="scene")
        assert owned(told) == {"water": 32, "forest": 16}
    assert len(read_features(path, "cover", georef=place(crs=None)).notes) == 0


def test_a_crs_that_was_told_wins(tmp_path: Path) -> None:
    ground = geopandas.GeoSeries(SQUARES, crs=UTM).to_crs("EPSG:4326")
    path = write_vectors(tmp_path / "a.gpkg", ground, NAMES, crs="EPSG:3035")
    right = read_features(path, "cover", georef=GEOREF, crs="EPSG:4326")
    assert owned(right) == {"water": 32, "forest": 16}
    with pytest.raises(UsageError, match="'EPSG:0' is no coordinate reference system"):
        read_features(path, "cover", georef=GEOREF, crs="EPSG:0")


def test_control_points_are_no_place_for_features(tmp_path: Path) -> None:
    path = write_vectors(tmp_path / "a.gpkg", SQUARES, NAMES)
    points = (GroundControlPoint(0, 0, 1, 2),)
    with pytest.raises(DataError, match="warp the scene first"):
        read_features(path, "cover", georef=Georeference(gcps=points))


def test_features_beside_the_scene_are_refused_with_both_extents(tmp_path: Path) -> None:
    """V02."""
    path = write_vectors(tmp_path / "a.gpkg", [box(30, 1, 34, 5)], {"cover": ["a"]})
    features = read_features(path, "cover", georef=GEOREF)
    with pytest.raises(DataError) as caught:
        features.refuse_beside(GEOREF, 20, 20, "scene.tif")
    assert "500300 5399950 500340 5399990" in str(caught.value)
    assert "500000 5399800 500200 5400000" in str(caught.value)
    features.refuse_beside(GEOREF, 20, 31, "scene.tif")


def test_features_without_a_shape_are_left_out_and_counted(tmp_path: Path) -> None:
    """V03."""
    shapes = [SQUARES[0], None, shapely.Polygon(), SQUARES[1]]
    path = write_vectors(tmp_path / "a.gpkg", shapes, {"cover": ["a", "b", "c", "d"]})
    features = read_features(path, "cover", georef=GEOREF)
    assert features.labels == ("a", "d")
    assert features.ids == (1, 4)
    [note] = features.notes
    assert note.endswith("2 of 4 features left out for want of a shape: features 2, 3.")


def test_invalid_features_are_repaired_and_named(tmp_path: Path) -> None:
    """V04: a bow tie is two triangles, half of its box."""
    corners = [(2, 2), (10, 10), (10, 2), (2, 10)]
    tie = on_ground(shapely.Polygon(corners))
    path = write_vectors(tmp_path / "a.gpkg", [SQUARES[2], tie], {"cover": ["a", "b"]})
    features = read_features(path, "cover", georef=GEOREF)
    assert features.geometries[1].is_valid
    assert features.geometries[1].area == pytest.approx(tie.envelope.area / 2)
    [note] = features.notes
    assert note.endswith("invalid shapes were repaired: feature 2.")


def test_a_polygon_without_area_has_no_shape(tmp_path: Path) -> None:
    """V04, V03."""
    flat = on_ground(shapely.Polygon([(2, 2), (10, 2), (5, 2)]))
    path = write_vectors(tmp_path / "a.gpkg", [SQUARES[2], flat], {"cover": ["a", "b"]})
    features = read_features(path, "cover", georef=GEOREF)
    assert features.labels == ("a",)
    assert any(note.endswith("want of a shape: feature 2.") for note in features.notes)


def test_overlapping_features_of_different_labels_contest_their_pixels(tmp_path: Path) -> None:
    """V05: of one label, the first counts."""
    shapes = [box(1, 1, 5, 5), box(3, 3, 7, 7), box(10, 10, 14, 14), box(12, 12, 16, 16)]
    path = write_vectors(tmp_path / "a.gpkg", shapes, {"cover": ["a", "b", "b", "b"]})
    burnt = read_features(path, "cover", georef=GEOREF).burn(WHOLE, GEOREF)
    assert (burnt[3:5, 3:5] == -2).all()
    assert (burnt == -2).sum() == 4
    assert [(burnt == i).sum() for i in range(4)] == [12, 12, 16, 12]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["Wald", " Fläche ", "=1+1"], ("Wald", "Fläche", "=1+1")),
        (np.array([3, 1, 2], dtype="int64"), ("3", "1", "2")),
        (np.array([3.0, 1.0, -2.0]), ("3", "1", "-2")),
        ([True, False, True], ("true", "false", "true")),
        (pandas.array([10, 9, 1], dtype="Int32"), ("10", "9", "1")),
    ],
    ids=["V07-text", "whole", "whole-floats", "truth", "nullable"],
)
def test_labels_are_texts_or_whole_numbers(tmp_path: Path, values: Any, labels: Any) -> None:
    """V07, V08."""
    path = write_vectors(tmp_path / "a.gpkg", SQUARES, {"cover": values})
    assert read_features(path, "cover", georef=GEOREF).labels == labels


def test_whole_numbers_are_ordered_by_size_and_texts_by_the_alphabet(tmp_path: Path) -> None:
    columns = {"number": [10, 9, 1], "text": ["b", "A", "10"]}
    path = write_vectors(tmp_path / "a.gpkg", SQUARES, columns)
    assert read_features(path, "number", georef=GEOREF).names == ("1", "9", "10")
    assert read_features(path, "text", georef=GEOREF).names == ("10", "A", "b")


@pytest.mark.parametrize(
    "values",
    [["a", None, " "], pandas.array([1, None, None], dtype="Int64"), [1.0, np.nan, np.nan]],
    ids=["text", "V08-integer", "V08-float"],
)
def test_features_without_a_label_are_left_out_and_counted(tmp_path: Path, values: Any) -> None:
    """V08."""
    path = write_vectors(tmp_path / "a.gpkg", SQUARES, {"cover": values})
    features = read_features(path, "cover", georef=GEOREF)
    assert len(features) == 1
    assert features.without_label == (2, 3)
    [note] = features.notes
    assert "2 of 3 features left out for want of a label in 'cover': features 2, 3." in note


def test_numbers_that_are_not_whole_are_no_classes(tmp_path: Path) -> None:
    """V08."""
    path = write_vectors(tmp_path / "a.gpkg", SQUARES, {"cover": [1.0, 2.5, 3.0]})
    with pytest.raises(DataError, match=r"holds 2.5 in feature 2; classes are texts or whole"):
        read_features(path, "cover", georef=GEOREF)


def test_nothing_usable_is_an_error(tmp_path: Path) -> None:
    """V03, V08."""
    path = write_vectors(tmp_path / "a.gpkg", [SQUARES[0], None], {"cover": [None, "a"]})
    with pytest.raises(DataError, match="of 2, 1 have no shape and 1 no label"):
        read_features(path, "cover", georef=GEOREF)


def test_coordinates_that_cannot_be_transformed_are_named(tmp_path: Path) -> None:
    """V09."""
    shapes = [shapely.Point(9, 48), shapely.Point(9, 95)]
    path = write_vectors(tmp_path / "a.gpkg", shapes, {"cover": ["a", "b"]}, crs="EPSG:4326")
    with pytest.raises(DataError, match="coordinates of feature 2 do not exist there"):
        read_features(path, "cover", georef=GEOREF)


def test_lost_parts_of_a_shapefile_are_named(tmp_path: Path) -> None:
    """V10."""
    path = write_vectors(tmp_path / "a.shp", SQUARES, NAMES)
    (tmp_path / "a.shx").rename(tmp_path / "kept")
    with pytest.raises(DataError, match=r"Unable to open .*a\.shx"):
        read_features(path, "cover", georef=GEOREF)
    (tmp_path / "kept").rename(tmp_path / "a.shx")
    (tmp_path / "a.dbf").unlink()
    with pytest.raises(DataError, match=r"has no fields \(a.dbf is missing\)"):
        read_features(path, "cover", georef=GEOREF)


def test_texts_of_an_old_shapefile_need_their_encoding(tmp_path: Path) -> None:
    """V10: its .cpg is lost, and cp1250 differs from the encoding that is assumed then."""
    labels = ["Šuma", "voda", "voda"]
    path = write_vectors(tmp_path / "a.shp", SQUARES, {"cover": labels}, encoding="cp1250")
    (tmp_path / "a.cpg").unlink(missing_ok=True)
    told = read_features(path, "cover", georef=GEOREF, encoding="cp1250")
    assert told.labels == tuple(labels)
    with pytest.raises(DataError, match="not in utf-8; name their encoding with --encoding"):
        read_features(path, "cover", georef=GEOREF, encoding="utf-8")
    with pytest.raises(UsageError, match="'klingon' is unknown"):
        read_features(path, "cover", georef=GEOREF, encoding="klingon")
    assumed = read_features(path, "cover", georef=GEOREF)
    assert assumed.labels[0] != labels[0]
    assert any("--encoding" in note for note in assumed.notes)


def test_one_of_several_layers_has_to_be_chosen(tmp_path: Path) -> None:
    path = write_vectors(tmp_path / "a.gpkg", SQUARES[:1], {"cover": ["a"]}, layer="spring")
    write_vectors(path, SQUARES[1:], {"cover": ["b", "b"]}, layer="autumn")
    with pytest.raises(UsageError, match="has 2 layers: spring, autumn; choose one with --layer"):
        read_features(path, "cover", georef=GEOREF)
    assert read_features(path, "cover", georef=GEOREF, layer="autumn").labels == ("b", "b")
    with pytest.raises(UsageError, match=r"no layer 'autum'. Did you mean 'autumn'"):
        read_features(path, "cover", georef=GEOREF, layer="autum")


def test_tables_beside_the_shapes_are_no_layers_to_choose_from(tmp_path: Path) -> None:
    path = write_vectors(tmp_path / "a.gpkg", SQUARES, NAMES)
    styles = pandas.DataFrame({"styleName": ["x"]})
    pyogrio.write_dataframe(styles, path, layer="layer_styles")
    assert len(read_features(path, "cover", georef=GEOREF)) == 3


def test_an_unknown_field_is_told_with_those_that_exist(tmp_path: Path) -> None:
    path = write_vectors(tmp_path / "a.gpkg", SQUARES, NAMES)
    with pytest.raises(UsageError, match=r"no field 'Cover'. Did you mean 'cover'. Its fields: c"):
        read_features(path, "Cover", georef=GEOREF)


def test_shapes_without_labels_can_be_asked_for(tmp_path: Path) -> None:
    path = write_vectors(tmp_path / "a.gpkg", SQUARES, {"cover": ["a", None, "b"]})
    features = read_features(path, None, georef=GEOREF)
    assert features.labels == ("", "", "")
    assert (features.burn(WHOLE, GEOREF) >= 0).sum() == 48


def test_heights_are_dropped(tmp_path: Path) -> None:
    high = shapely.force_3d(SQUARES[0], 700.0)
    path = write_vectors(tmp_path / "a.gpkg", [high], {"cover": ["a"]})
    [shape] = read_features(path, "cover", georef=GEOREF).geometries
    assert not shape.has_z
    assert shape.equals(SQUARES[0])


def test_measures_are_dropped(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        'wkt,cover\n"POINT ZM (500025 5399965 3 4)",a\n"LINESTRING M (500105 5399895 1,'
        '500145 5399895 2)",b\n',
        encoding="utf-8",
    )
    features = read_features(tmp_path / "a.csv", "cover", georef=GEOREF)
    assert owned(features) == {"a": 1, "b": 5}


@pytest.mark.parametrize("content", [b"", b"plain text\n", None], ids=["empty", "text", "absent"])
def test_what_is_no_vector_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.gpkg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.gpkg"):
        read_features(path, "cover", georef=GEOREF)


def test_a_table_without_places_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("cover,code\na,1\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"holds no geometries .columns x and y, lon and lat"):
        read_features(tmp_path / "a.csv", "cover", georef=GEOREF)


def test_reading_changes_nothing_and_the_files_are_known_by_their_sums(tmp_path: Path) -> None:
    path = write_vectors(tmp_path / "a.shp", SQUARES, NAMES)
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    features = read_features(path, "cover", georef=GEOREF)
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before
    assert features.sha256() == {
        str(path.with_suffix(suffix)): hashlib.sha256(before[f"a{suffix}"]).hexdigest()
        for suffix in (".shp", ".shx", ".dbf", ".prj", ".cpg")
    }

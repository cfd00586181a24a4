"""Faults of --training files: systems, shapes, labels and lost parts of drawn features."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import pytest
from fault_scenes import PIXELS, UTM, write
from shapely import Point, Polygon, box
from workplace import CALM, Ended, Workplace

# The scene has 24 x 20 pixels of 10 m in three stripes, one below the other.
TOP = box(500000, 5399930, 500100, 5400000)
MIDDLE = box(500000, 5399850, 500100, 5399910)
BOTTOM = box(500000, 5399770, 500100, 5399830)
BOW_TIE = Polygon([(500100, 5400000), (500200, 5399950), (500200, 5400000), (500100, 5399950)])
ALL = (TOP, MIDDLE, BOTTOM)
NAMES = ("water", "soil", "rock")


def areas(
    place: Workplace,
    *shapes: Any,
    labels: Any = NAMES,
    name: str = "areas.gpkg",
    crs: Any = UTM,
    **options: Any,
) -> Path:
    """A file of training features among the inputs."""
    path = place.inputs / name
    geopandas.GeoDataFrame({"cover": labels}, geometry=list(shapes), crs=crs).to_file(
        path, **options
    )
    return path


def learn(place: Workplace, scene: Path, training: Path, *flags: Any) -> Ended:
    """Make a map from the features, silently."""
    said = ("--training", training, "--field", "cover", "-o", place.map, *flags)
    return place.run("classify", "-m", "mindist", *CALM, "--json", *said, scene)


def classes(ended: Ended) -> dict[str, int]:
    """Pixels of every class."""
    return {row["name"]: row["pixels"] for row in json.loads(ended.out)["classes"]}


def test_features_in_another_system_are_laid_where_they_belong(
    place: Workplace, scene: Path
) -> None:
    """V01: the map is that of the same features in the scene's system."""
    plain = classes(learn(place, scene, areas(place, *ALL)))
    degrees = geopandas.GeoSeries(ALL, crs=UTM).to_crs(4326)
    training = areas(place, *degrees, name="degrees.geojson", crs=4326)
    ended = learn(place, scene, training, "--overwrite")
    assert ended.code == 0, ended.err
    assert classes(ended) == plain == {"water": 160, "soil": 160, "rock": 160}


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_features_or_a_scene_without_a_system_are_refused(place: Workplace, scene: Path) -> None:
    """V01, R19: unless it is said whose coordinates they are."""
    homeless = areas(place, *ALL, name="homeless.gpkg", crs=None)
    learn(place, scene, homeless).refused(3, "homeless.gpkg has no CRS", "assign one", "scene")
    nowhere = write(place.inputs / "nowhere.tif", crs=None)
    training = areas(place, *ALL)
    learn(place, nowhere, training).refused(3, "the scene has no CRS", "assign one")
    learn(place, scene, homeless, "--vector-crs", "scene").done()


def test_features_beside_the_scene_are_refused_with_both_extents(
    place: Workplace, scene: Path
) -> None:
    """V02."""
    training = areas(place, box(700000, 10, 700001, 11), Point(700002, 12), labels=["a", "b"])
    learn(place, scene, training).refused(
        3, "lies outside of scene", "700000 10 700002 12", "500000 5399760 500200 5400000"
    )


def test_features_without_a_shape_are_counted(place: Workplace, scene: Path) -> None:
    """V03."""
    training = areas(place, *ALL, None, Polygon(), labels=[*NAMES, "a", "b"])
    ended = learn(place, scene, training)
    ended.done("2 of 5 features left out for want of a shape: features 4, 5")
    assert set(classes(ended)) == set(NAMES)
    empty = areas(place, None, None, labels=["a", "b"], name="empty.gpkg")
    learn(place, scene, empty, "-o", place.outputs / "b.tif").refused(3, "no usable feature")


def test_a_polygon_that_crosses_itself_is_repaired_and_named(place: Workplace, scene: Path) -> None:
    """V04."""
    training = areas(place, *ALL, BOW_TIE, labels=[*NAMES, "water"])
    learn(place, scene, training).done("invalid shapes were repaired: feature 4")


def test_pixels_of_overlapping_features_are_dropped_and_counted(
    place: Workplace, scene: Path
) -> None:
    """V05: six rows of ten pixels lie in both."""
    over = box(500000, 5399850, 500200, 5399910)
    training = areas(place, *ALL, over, labels=[*NAMES, "rock"])
    ended = learn(place, scene, training, "--allow-missed")
    ended.done(
        "hit no valid pixel of scene: feature 2 (shared with others)",
        "left out 60 pixels shared by features of different classes",
        "no pixel is left of the class soil",
    )


def test_features_that_hit_no_pixel_are_named(place: Workplace, scene: Path) -> None:
    """V06."""
    tiny = box(500001, 5399991, 500002, 5399992)
    training = areas(place, *ALL, tiny, labels=[*NAMES, "water"])
    learn(place, scene, training).refused(
        3, "hit no valid pixel of scene: feature 4 (between pixel centers)", "--allow-missed"
    )
    learn(place, scene, training, "--allow-missed").done("feature 4 (between pixel centers)")


def test_texts_are_classes_and_numbers_keep_their_values(place: Workplace, scene: Path) -> None:
    """V07."""
    named = learn(place, scene, areas(place, *ALL, labels=["Fläche", "<b>", "=1+1"]))
    named.done()
    assert set(classes(named)) == {"Fläche", "<b>", "=1+1"}
    training = areas(place, *ALL, labels=[7, 300, 12], name="numbers.gpkg")
    ended = learn(place, scene, training, "--overwrite")
    assert ended.code == 0, ended.err
    values = [row["value"] for row in json.loads(ended.out)["classes"]]
    assert values == [7, 12, 300]


@pytest.mark.parametrize(
    ("labels", "code", "said"),
    [
        pytest.param(["a", "b", None], 0, "1 of 3 features left out for want of a label",
                     id="V08-missing"),
        pytest.param([None, None, None], 3, "no usable feature", id="V08-all-missing"),
        pytest.param(["a", "a", "a"], 3, "has one class only in 'cover' (a)", id="V08-one"),
        pytest.param([1.0, 2.0, 2.5], 3, "holds 2.5 in feature 3", id="V08-not-whole"),
        pytest.param([1.0, 2.0, 3.0], 0, None, id="V08-whole"),
    ],
)  # fmt: skip
def test_odd_labels_are_counted_or_refused(
    place: Workplace, scene: Path, labels: Any, code: int, said: str | None
) -> None:
    """V08."""
    ended = learn(place, scene, areas(place, *ALL, labels=labels))
    if code:
        assert said is not None
        ended.refused(code, said)
    else:
        ended.done(*([said] if said else []))
        assert sum(classes(ended).values()) == PIXELS


def test_coordinates_that_no_system_knows_are_refused(place: Workplace, scene: Path) -> None:
    """V09."""
    shapes = [Point(9, 48), Point(200, 100)]
    training = areas(place, *shapes, labels=["a", "b"], name="a.geojson", crs=4326)
    learn(place, scene, training).refused(3, "a.geojson cannot be brought", "feature 1", "check")


@pytest.mark.parametrize(
    ("lost", "said"),
    [(".prj", "areas.prj is missing"), (".shx", "areas.shx"), (".dbf", "areas.dbf is missing")],
)
def test_the_lost_part_of_a_shapefile_is_named(
    place: Workplace, scene: Path, lost: str, said: str
) -> None:
    """V10."""
    training = areas(place, *ALL, name="areas.shp")
    training.with_suffix(lost).unlink()
    learn(place, scene, training).refused(3, "areas.shp", said)


def test_texts_that_are_not_utf8_are_read_in_the_encoding_that_is_said(
    place: Workplace, scene: Path
) -> None:
    """V10."""
    labels = ["Šuma", "voda", "stijena"]
    training = areas(place, *ALL, labels=labels, name="areas.shp", encoding="cp1250")
    training.with_suffix(".cpg").unlink(missing_ok=True)
    learn(place, scene, training, "--encoding", "utf-8").refused(3, "not in utf-8", "--encoding")
    ended = learn(place, scene, training, "--encoding", "cp1250")
    ended.done()
    assert set(classes(ended)) == set(labels)


def test_the_training_file_is_never_overwritten(place: Workplace, scene: Path) -> None:
    """P02."""
    training = areas(place, *ALL)
    linked = place.outputs / "map.tif"
    linked.symlink_to(training)
    learn(place, scene, training, "--overwrite").refused(2, "is the same file as the input")
    parts = areas(place, *ALL, name="map.shp")
    (place.outputs / "map.qml").symlink_to(parts.with_suffix(".dbf"))
    linked.unlink()
    learn(place, scene, parts, "--overwrite").refused(2, "is the same file as the input")


@pytest.mark.parametrize("content", [b"", b"nothing"])
def test_what_is_no_vector_file_is_refused(place: Workplace, scene: Path, content: bytes) -> None:
    """R28."""
    training = place.inputs / "areas.gpkg"
    training.write_bytes(content)
    learn(place, scene, training).refused(3, "areas.gpkg cannot be opened as a vector file")


def test_a_scene_as_training_file_is_refused(place: Workplace, scene: Path) -> None:
    """R28."""
    learn(place, scene, scene).refused(3, "scene.tif")


@pytest.mark.parametrize(
    ("flags", "facts"),
    [
        (("-m", "mindist"), ("mindist learns from samples", "--training FILE --field NAME")),
        (("-m", "kmeans", "--training"), ("kmeans finds its classes itself", "mindist")),
        (("-m", "mindist", "--field", "x"), ("--field speaks of training features",)),
    ],
)
def test_a_method_that_does_not_fit_its_samples_is_refused(
    place: Workplace, scene: Path, flags: tuple[str, ...], facts: tuple[str, ...]
) -> None:
    training = (areas(place, *ALL), "--field", "cover") if flags[-1] == "--training" else ()
    ended = place.run("classify", *CALM, "-o", place.map, *flags, *training, scene)
    ended.refused(2, *facts)


def test_without_a_field_those_that_exist_are_told(place: Workplace, scene: Path) -> None:
    training = areas(place, *ALL)
    flags = ("-m", "mindist", *CALM, "-o", place.map, "--training", training)
    place.run("classify", *flags, scene).refused(2, "needs --field NAME", "it has cover")


def test_the_samples_are_listed_without_a_trace(place: Workplace, scene: Path) -> None:
    training = areas(place, *ALL)
    flags = ("--field", "cover", "--progress", "none", "--json")
    ended = place.run("training", scene, training, *flags)
    ended.done(files=set())
    assert [row["pixels"] for row in json.loads(ended.out)["classes"]] == [60, 60, 70]


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (("--merge", "soil,rok=dry"), 2, "Did you mean 'rock'?"),
        (("-o", "OUT/m.gpkg"), 2, "say with --merge"),
        (("--merge", "soil,rock=dry", "-o", "OUT/none/m.gpkg"), 4, "does not exist"),
        (("--merge", "soil,rock=dry", "-o", "OUT/m.shp"), 2, "name it m.gpkg"),
        (("--cross-validate", "kmeans"), 2, "kmeans finds its classes itself"),
        (("--cross-validate", "mindist", "--folds", "9"), 3, "too few for 9 folds"),
        (("--set", "x=1"), 2, "name it with --cross-validate"),
        (("--folds", "3"), 2, "--folds speaks of a method"),
        (("--block-size", "20"), 2, "--block-size speaks of a method"),
        (("--set", "x=1", "--cross-validate", "mindist"), 2, "no parameter 'x'"),
    ],
)
def test_what_cannot_be_done_with_samples_is_refused(
    place: Workplace, scene: Path, flags: tuple[str, ...], code: int, said: str
) -> None:
    training = areas(place, *ALL)
    given = [flag.replace("OUT", str(place.outputs)) for flag in flags]
    ended = place.run("training", scene, training, "--field", "cover", "--progress", "none", *given)
    ended.refused(code, said)

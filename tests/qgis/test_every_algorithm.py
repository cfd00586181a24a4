"""Each algorithm does its work on a sample scene, with the real rsclass behind it."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qgis.core")
pytestmark = pytest.mark.qgis

CLASSES = ["grassland", "cropland", "bare soil", "broadleaf forest", "conifer forest"]
CLASSES += ["built-up", "water", "gravel"]


@pytest.fixture(scope="module")
def run(qgs):
    import processing

    def run(name: str, **values: Any) -> dict[str, Any]:
        texts = {key: str(v) if isinstance(v, Path) else v for key, v in values.items()}
        return processing.run(f"rsclass:{name}", texts)

    return run


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """The sample scene and its reference; the module's maps go beside them."""
    from conftest import SAMPLES

    folder = tmp_path_factory.mktemp("scènes of ours")
    for file in SAMPLES.glob("sentinel2*"):
        shutil.copy(file, folder)
    return folder


@pytest.fixture(scope="module")
def samples(scenes):
    return f"{scenes / 'sentinel2_reference.gpkg'}|layername=polygons"


@pytest.fixture(scope="module")
def points(scenes):
    return f"{scenes / 'sentinel2_reference.gpkg'}|layername=points"


@pytest.fixture(scope="module")
def clusters(run, scenes):
    return run(
        "classify",
        INPUT=scenes / "sentinel2.tif",
        METHOD="kmeans",
        CLASSES=8,
        OUTPUT=scenes / "clusters é.tif",
        CONFIDENCE=scenes / "sure.tif",
        REPORT=scenes / "clusters.html",
    )


@pytest.fixture(scope="module")
def landcover(run, scenes, samples):
    return run(
        "supervised",
        INPUT=scenes / "sentinel2.tif",
        TRAINING=samples,
        FIELD="class_name",
        METHOD="maxlike",
        OUTPUT=scenes / "landcover.tif",
        REPORT=None,
    )


def legend(path: str) -> dict[int, str]:
    """What QGIS shows for a map that it opens by itself."""
    from qgis.core import QgsRasterLayer

    layer = QgsRasterLayer(path)  # it owns its renderer
    return {int(entry.value): entry.label for entry in layer.renderer().classes()}


def values(path: str) -> Any:
    """The pixels of the first band, read by GDAL."""
    from osgeo import gdal

    return gdal.Open(path).ReadAsArray()


def test_classifying_gives_a_map_with_its_legend_a_model_a_layer_and_a_report(clusters, scenes):
    assert clusters["CLASSES_FOUND"] == 8
    assert clusters["CLASSIFIED"] == 53906
    assert list(legend(clusters["OUTPUT"])) == list(range(1, 9))
    assert set(values(clusters["OUTPUT"]).flat) == set(range(9))
    assert Path(clusters["MODEL"]).is_file()
    assert Path(clusters["STATISTICS"]).is_file()
    assert "<html" in Path(clusters["REPORT"]).read_text(encoding="utf-8")
    sure = values(clusters["CONFIDENCE"])
    assert clusters["CONFIDENCE"] == str(scenes / "sure.tif")
    told = sure[sure == sure]  # missing pixels are NaN
    assert told.size == 53906
    assert 0 < told.min() <= told.max() <= 1
    assert not list(scenes.glob("clusters*_confidence*"))


def test_a_method_has_a_field_for_each_of_its_parameters(run, scenes):
    made = run(
        "classify_isodata",
        INPUT=scenes / "sentinel2.tif",
        BANDS=[3, 4, 8],
        CLASSES=6,
        MAX_ITER=7,
        MAX_STD=0.7,
        SCALE="robust",
        SAMPLE=None,
        SEED=3,
        EXTENT=scenes / "sentinel2.tif",
        OUTPUT="TEMPORARY_OUTPUT",
    )
    stats = json.loads(Path(made["STATISTICS"]).with_suffix(".json").read_text(encoding="utf-8"))
    recipe = stats["recipe"]
    assert recipe["method"] == "isodata"
    assert [band["number"] for band in recipe["source"]["bands"]] == [3, 4, 8]
    given = {"max_iter": "7", "max_std": "0.7", "scale": "robust", "sample": "none"}
    assert recipe["parameters"] == given
    assert (recipe["classes"], recipe["seed"]) == (6, 3)


def test_a_network_is_trained_from_the_toolbox(run, scenes):
    made = run(
        "classify_uic",
        INPUT=scenes / "sentinel2.tif",
        CLASSES=4,
        EPOCHS=1,
        TILES=4,
        WARMUP=0,
        OUTPUT="TEMPORARY_OUTPUT",
        REPORT=None,
    )
    assert made["CLASSES_FOUND"] == 4
    assert "REPORT" not in made


def test_the_number_of_classes_is_chosen_from_a_range(run, scenes):
    made = run(
        "classify_kmeans",
        INPUT=scenes / "sentinel2.tif",
        CLASSES=3,
        MOST_CLASSES=5,
        OUTPUT="TEMPORARY_OUTPUT",
    )
    assert 3 <= made["CLASSES_FOUND"] <= 5


def test_more_rasters_bring_more_bands(run, scenes):
    from osgeo import gdal

    first, second = scenes / "two bands.tif", scenes / "one band.tif"
    gdal.Translate(str(first), str(scenes / "sentinel2.tif"), bandList=[3, 8])
    gdal.Translate(str(second), str(scenes / "sentinel2.tif"), bandList=[4])
    given = {"METHOD": "kmeans", "CLASSES": 4, "OUTPUT": "TEMPORARY_OUTPUT"}
    apart = run("classify", INPUT=first, BANDS=[2], MORE_BANDS=[str(second)], **given)
    whole = run("classify", INPUT=scenes / "sentinel2.tif", BANDS=[8, 4], **given)
    assert (values(apart["OUTPUT"]) == values(whole["OUTPUT"])).all()


def test_an_extent_of_the_canvas_is_brought_to_the_scene(run, scenes):
    from qgis.core import (
        QgsCoordinateReferenceSystem,
        QgsCoordinateTransform,
        QgsProject,
        QgsRasterLayer,
        QgsRectangle,
        QgsReferencedRectangle,
    )

    scene = QgsRasterLayer(str(scenes / "sentinel2.tif"))
    canvas = QgsCoordinateReferenceSystem("EPSG:4326")
    middle = scene.extent().center()
    part = QgsRectangle(middle.x() - 300, middle.y() - 200, middle.x() + 300, middle.y() + 200)
    to_canvas = QgsCoordinateTransform(scene.crs(), canvas, QgsProject.instance())
    shown = QgsReferencedRectangle(to_canvas.transformBoundingBox(part), canvas)
    made = run(
        "classify_kmeans",
        INPUT=scenes / "sentinel2.tif",
        CLASSES=3,
        EXTENT=shown,
        OUTPUT="TEMPORARY_OUTPUT",
    )
    rows, columns = values(made["OUTPUT"]).shape
    assert 40 <= rows <= 46  # turned a little, the rectangle has a larger frame
    assert 60 <= columns <= 66


def test_a_raster_inside_a_geopackage_is_a_scene(run, scenes):
    from osgeo import gdal
    from qgis.core import QgsRasterLayer

    place = scenes / "rasters of ours.gpkg"
    for name, band in (("near infrared", 8), ("red", 3)):
        gdal.Translate(
            str(place),
            str(scenes / "sentinel2.tif"),
            bandList=[band],
            creationOptions=["APPEND_SUBDATASET=YES", f"RASTER_TABLE={name}"],
        )
    layer = QgsRasterLayer(f"GPKG:{place}:red", "red")
    assert layer.isValid()
    given = {"CLASSES": 3, "OUTPUT": "TEMPORARY_OUTPUT"}
    made = run("classify_kmeans", INPUT=layer, **given)
    plain = run("classify_kmeans", INPUT=scenes / "sentinel2.tif", BANDS=[3], **given)
    assert made["CLASSIFIED"] == plain["CLASSIFIED"]
    assert (values(made["OUTPUT"]) == values(plain["OUTPUT"])).all()


def test_polygons_of_a_memory_layer_mask_the_scene(run, scenes):
    from qgis.core import QgsFeature, QgsGeometry, QgsRasterLayer, QgsRectangle, QgsVectorLayer

    box = QgsRasterLayer(str(scenes / "sentinel2.tif")).extent()
    left = QgsRectangle(box.xMinimum(), box.yMinimum(), box.center().x(), box.yMaximum())
    crs = QgsRasterLayer(str(scenes / "sentinel2.tif")).crs().authid()
    mask = QgsVectorLayer(f"Polygon?crs={crs}", "left half", "memory")
    feature = QgsFeature()
    feature.setGeometry(QgsGeometry.fromRect(left))
    mask.dataProvider().addFeature(feature)
    made = run(
        "classify_kmeans",
        INPUT=scenes / "sentinel2.tif",
        CLASSES=3,
        MASK=mask,
        OUTPUT="TEMPORARY_OUTPUT",
    )
    pixels = values(made["OUTPUT"])
    assert pixels[:, :120].any()
    assert not pixels[:, 120:].any()


def test_samples_teach_the_classes_that_the_map_then_has(landcover):
    assert sorted(legend(landcover["OUTPUT"]).values()) == sorted(CLASSES)
    assert "REPORT" not in landcover


def test_a_model_learnt_elsewhere_gives_the_same_map(run, scenes, samples, landcover):
    model = run(
        "train",
        INPUT=scenes / "sentinel2.tif",
        TRAINING=samples,
        FIELD="class_name",
        METHOD="maxlike",
        MODEL=scenes / "m.safetensors",
    )
    assert model["CLASSES_FOUND"] == 8
    made = run(
        "predict",
        MODEL=model["MODEL"],
        INPUT=scenes / "sentinel2.tif",
        OUTPUT=scenes / "predicted.tif",
    )
    assert (values(made["OUTPUT"]) == values(landcover["OUTPUT"])).all()


def test_a_model_learns_from_several_scenes(run, scenes, tmp_path):
    from osgeo import gdal

    part = tmp_path / "part.tif"
    gdal.Translate(str(part), str(scenes / "sentinel2.tif"), srcWin=[0, 0, 90, 90])
    made = run(
        "train",
        INPUT=scenes / "sentinel2.tif",
        METHOD="kmeans",
        CLASSES=3,
        MORE_SCENES=[str(part)],
        MODEL=tmp_path / "m.safetensors",
    )
    assert made["CLASSES_FOUND"] == 3
    assert Path(made["MODEL"]).is_file()


def test_a_method_that_needs_samples_asks_for_them(qgs, scenes):
    algorithm = qgs.processingRegistry().algorithmById("rsclass:train").create()
    from qgis.core import QgsProcessingContext

    given = {"INPUT": str(scenes / "sentinel2.tif"), "METHOD": "svm", "MODEL": "m.safetensors"}
    good, why = algorithm.checkParameterValues(given, QgsProcessingContext())
    assert not good
    assert why == "The method svm learns from training samples; give a layer of them."


def test_samples_are_judged(run, scenes, samples):
    made = run(
        "training",
        INPUT=scenes / "sentinel2.tif",
        TRAINING=samples,
        FIELD="class_name",
        METHOD="mindist",
        FOLDS=3,
        MERGE=["broadleaf forest,conifer forest", "forest"],
        OUTPUT=scenes / "joined.gpkg",
    )
    from qgis.core import QgsVectorLayer

    assert made["CLASSES_FOUND"] == 7
    assert 0.5 < made["KAPPA"] < made["OVERALL_ACCURACY"] < 1
    assert 0 < made["LEAST_JM"] < 2
    layer = QgsVectorLayer(made["OUTPUT"])
    assert "forest" in layer.uniqueValues(layer.fields().indexOf("class_name"))


def test_clusters_get_names_and_become_land_cover(run, scenes, samples, clusters):
    proposed = run(
        "suggest",
        INPUT=clusters["OUTPUT"],
        REFERENCE=samples,
        FIELD="class_name",
        SCHEMA_FILE=scenes / "sentinel2_schema.json",
        MIN_CONFIDENCE=0.3,
        TABLE=scenes / "table.csv",
    )
    assert proposed["CLASSES_FOUND"] == proposed["NAMED"] == 8
    made = run(
        "merge",
        INPUT=clusters["OUTPUT"],
        TABLE=proposed["TABLE"],
        SCHEMA_FILE=scenes / "sentinel2_schema.json",
        OUTPUT=scenes / "named.tif",
    )
    assert set(legend(made["OUTPUT"]).values()) <= set(CLASSES)
    assert made["CLASSES_FOUND"] < 8
    assert "grassland" in Path(made["MERGE_TABLE"]).read_text(encoding="utf-8")


def test_a_table_that_is_filled_in_merges_without_any_file(run, clusters):
    made = run(
        "merge",
        INPUT=clusters["OUTPUT"],
        DECISIONS=["1", "water", "2,3,5,7", "green, all kinds", "4,6", "bare", "8", "none"],
        OUTPUT="TEMPORARY_OUTPUT",
    )
    assert legend(made["OUTPUT"]) == {1: "water", 2: "green, all kinds", 3: "bare"}
    before, after = values(clusters["OUTPUT"]), values(made["OUTPUT"])
    for cluster, name in {1: 1, 2: 2, 3: 2, 4: 3, 5: 2, 6: 3, 7: 2, 8: 0, 0: 0}.items():
        assert set(after[before == cluster]) == {name}


def test_rows_change_a_table_that_exists_only_in_a_copy(run, scenes, clusters):
    first = run(
        "merge",
        INPUT=clusters["OUTPUT"],
        DECISIONS=["1", "1", "2-8", "2"],
        OUTPUT=scenes / "two.tif",
    )
    table = Path(first["MERGE_TABLE"])
    text = table.read_text(encoding="utf-8")
    second = run(
        "merge",
        INPUT=clusters["OUTPUT"],
        TABLE=table,
        DECISIONS=["8", "3"],
        OUTPUT="TEMPORARY_OUTPUT",
    )
    assert (first["CLASSES_FOUND"], second["CLASSES_FOUND"]) == (2, 3)
    assert table.read_text(encoding="utf-8") == text


def test_the_most_alike_are_joined_until_some_are_left(run, clusters):
    for likeness in ("spectra", "spatial"):
        made = run(
            "merge",
            INPUT=clusters["OUTPUT"],
            TO=4,
            LIKENESS=likeness,
            OUTPUT="TEMPORARY_OUTPUT",
        )
        assert made["CLASSES_FOUND"] == 4
        assert made["CLASSIFIED"] == 53906


def test_the_legend_of_a_map_becomes_a_schema_to_edit(run, scenes, landcover):
    made = run("schema", INPUT=landcover["OUTPUT"], OUTPUT=scenes / "legend.csv")
    assert made["CLASSES_FOUND"] == 8
    with open(made["OUTPUT"], encoding="utf-8", newline="") as file:
        assert {row["name"] for row in csv.DictReader(file)} == set(CLASSES)


def test_merging_without_a_word_on_what_to_merge_is_refused(qgs, clusters):
    from qgis.core import QgsProcessingContext

    algorithm = qgs.processingRegistry().algorithmById("rsclass:merge").create()
    given = {"INPUT": clusters["OUTPUT"], "DECISIONS": ["", ""], "OUTPUT": "TEMPORARY_OUTPUT"}
    good, why = algorithm.checkParameterValues(given, QgsProcessingContext())
    assert not good
    assert why.startswith("Nothing says which classes to merge; ")


def test_separability_names_the_pair_that_is_least_apart(run, scenes, clusters):
    made = run(
        "separate",
        INPUT=clusters["OUTPUT"],
        MEASURE="td",
        TABLE=scenes / "pairs.csv",
        REPORT="TEMPORARY_OUTPUT",
    )
    assert 0 < made["LEAST"] < 2
    rows = Path(made["TABLE"]).read_text(encoding="utf-8").splitlines()
    assert len(rows) == 1 + 8 * 7 // 2
    assert made["LEAST_PAIR"] == "class 4 / class 6"
    assert Path(made["REPORT"]).is_file()


def test_a_model_has_separable_classes_too(run, landcover):
    made = run("separate", MODEL=landcover["MODEL"], REPORT=None)
    assert 0 < made["LEAST"] < 2


def test_a_clean_map_has_fewer_patches_and_the_same_legend(run, landcover):
    made = run(
        "tidy",
        INPUT=landcover["OUTPUT"],
        SIEVE=12,
        PROTECT="water",
        OUTPUT="TEMPORARY_OUTPUT",
    )
    before, after = values(landcover["OUTPUT"]), values(made["OUTPUT"])
    assert made["CHANGED"] == (before != after).sum() > 0
    water = {name: value for value, name in legend(made["OUTPUT"]).items()}["water"]
    assert (after[before == water] == water).all()
    assert legend(made["OUTPUT"]) == legend(landcover["OUTPUT"])


def test_edits_of_selected_features_are_made_undone_and_repeated(run, scenes, landcover):
    from qgis.core import (
        QgsFeature,
        QgsGeometry,
        QgsProcessingFeatureSourceDefinition,
        QgsProject,
        QgsRasterLayer,
        QgsRectangle,
        QgsVectorLayer,
    )

    scene = QgsRasterLayer(landcover["OUTPUT"])
    box, crs = scene.extent(), scene.crs().authid()
    drawn = QgsVectorLayer(f"Polygon?crs={crs}&field=note:string", "drawn", "memory")
    QgsProject.instance().addMapLayer(drawn)
    drawn.startEditing()
    for top in (box.yMaximum(), box.yMinimum() + 100):
        feature = QgsFeature(drawn.fields())
        square = QgsRectangle(box.xMinimum(), top - 100, box.xMinimum() + 100, top)
        feature.setGeometry(QgsGeometry.fromRect(square))
        drawn.addFeature(feature)
    drawn.selectByExpression("y_max($geometry) > 0 and $id < -2")
    assert drawn.selectedFeatureCount() == 1
    made = run(
        "edit",
        INPUT=landcover["OUTPUT"],
        POLYGONS=QgsProcessingFeatureSourceDefinition(drawn.id(), selectedFeaturesOnly=True),
        TO="water",
        OUTPUT=scenes / "edited.tif",
    )
    before, after = values(landcover["OUTPUT"]), values(made["OUTPUT"])
    water = {name: value for value, name in legend(made["OUTPUT"]).items()}["water"]
    rows, columns = (before != after).nonzero()
    assert 0 < made["CHANGED"] == len(rows) <= 100
    assert set(after[before != after]) == {water}
    assert columns.max() < 10
    assert rows.max() < 10 or rows.min() >= 230  # one corner alone
    undone = run("edit_undo", INPUT=made["OUTPUT"], OUTPUT="TEMPORARY_OUTPUT")
    assert (values(undone["OUTPUT"]) == before).all()
    again = run(
        "edit_repeat",
        INPUT=landcover["OUTPUT"],
        EDITS=made["EDITS"],
        OUTPUT="TEMPORARY_OUTPUT",
    )
    assert (values(again["OUTPUT"]) == after).all()
    QgsProject.instance().clear()


def test_drawn_points_bring_their_design_to_the_assessment(run, scenes, landcover):
    from qgis.core import QgsVectorLayer, edit

    drawn = run(
        "sample",
        INPUT=landcover["OUTPUT"],
        POINTS=120,
        MIN_PER_CLASS=5,
        EXPECTED_OF="gravel=0.6; water=0.95",
        OUTPUT=scenes / "points.gpkg",
    )
    layer = QgsVectorLayer(drawn["OUTPUT"])
    assert drawn["UNITS"] == layer.featureCount() == 120
    truth = legend(str(scenes / "landcover.tif"))
    with edit(layer):
        for feature in layer.getFeatures():
            feature["reference"] = feature["map_class"]
            layer.updateFeature(feature)
    del layer
    made = run("assess", INPUT=landcover["OUTPUT"], REFERENCE=drawn["OUTPUT"])
    assert made["OVERALL_ACCURACY"] == made["KAPPA"] == 1
    assert made["UNITS"] == 120
    assert len(truth) == 8


def test_accuracy_of_a_map_is_that_of_counting(run, scenes, points, landcover):
    from osgeo import gdal, ogr

    made = run(
        "assess",
        INPUT=landcover["OUTPUT"],
        REFERENCE=points,
        FIELD="class_name",
        ASSUME_DESIGN="simple",
        TABLE=scenes / "accuracy.csv",
        REPORT=scenes / "accuracy.html",
    )
    raster = gdal.Open(landcover["OUTPUT"])
    x, width, _, y, _, height = raster.GetGeoTransform()
    pixels, names = raster.ReadAsArray(), legend(landcover["OUTPUT"])
    source = ogr.Open(str(scenes / "sentinel2_reference.gpkg"))
    told = [
        (names.get(int(pixels[int((p[1] - y) / height), int((p[0] - x) / width)])), label)
        for p, label in (
            (feature.geometry().GetPoint(), feature.GetField("class_name"))
            for feature in source.GetLayer("points")
        )
    ]
    counted = [said == label for said, label in told if said]
    assert made["UNITS"] == len(counted)
    assert made["OVERALL_ACCURACY"] == pytest.approx(sum(counted) / len(counted), abs=1e-12)
    assert made["OVERALL_ACCURACY_ERROR"] > 0
    assert "class_name" not in Path(made["TABLE"]).read_text(encoding="utf-8")
    assert Path(made["REPORT"]).is_file()


def test_a_layer_without_a_feature_is_told_before_rsclass_starts(run, landcover):
    from qgis.core import QgsProcessingException, QgsVectorLayer

    empty = QgsVectorLayer("Point?crs=EPSG:32633&field=class_name:string", "felder", "memory")
    with pytest.raises(QgsProcessingException, match="There is no feature to take from felder"):
        run("assess", INPUT=landcover["OUTPUT"], REFERENCE=empty, FIELD="class_name")


def test_a_reference_in_memory_is_exported_for_the_child(run, landcover, points):
    from qgis.core import QgsFeatureRequest, QgsVectorLayer

    memory = QgsVectorLayer(points, "p", "ogr").materialize(QgsFeatureRequest())
    assert memory.providerType() == "memory"
    held = run("assess", INPUT=landcover["OUTPUT"], REFERENCE=memory, FIELD="class_name")
    stored = run("assess", INPUT=landcover["OUTPUT"], REFERENCE=points, FIELD="class_name")
    assert held["OVERALL_ACCURACY"] == stored["OVERALL_ACCURACY"]


def test_a_field_that_qgis_works_out_is_exported_too(run, landcover, points):
    from qgis.core import QgsField, QgsVectorLayer
    from qgis.PyQt.QtCore import QVariant

    layer = QgsVectorLayer(points, "p", "ogr")
    layer.addExpressionField("lower(class_name)", QgsField("worked_out", QVariant.String))
    made = run("assess", INPUT=landcover["OUTPUT"], REFERENCE=layer, FIELD="worked_out")
    assert made["OVERALL_ACCURACY"] > 0.8


def test_a_filter_and_unsaved_changes_of_a_layer_count(run, scenes, landcover, tmp_path):
    from qgis.core import QgsVectorLayer

    shutil.copy(scenes / "sentinel2_reference.gpkg", tmp_path / "r.gpkg")
    layer = QgsVectorLayer(f"{tmp_path / 'r.gpkg'}|layername=points", "p", "ogr")
    everything = layer.featureCount()
    layer.setSubsetString("class_name <> 'water'")
    filtered = run("assess", INPUT=landcover["OUTPUT"], REFERENCE=layer, FIELD="class_name")
    assert filtered["UNITS"] == layer.featureCount() < everything
    layer.setSubsetString("")
    layer.startEditing()
    field = layer.fields().indexOf("class_name")
    for feature in layer.getFeatures():
        layer.changeAttributeValue(feature.id(), field, "water")
    assert layer.isModified()
    changed = run("assess", INPUT=landcover["OUTPUT"], REFERENCE=layer, FIELD="class_name")
    layer.rollBack()
    assert changed["UNITS"] == everything
    assert changed["OVERALL_ACCURACY"] < 0.2


def test_clusters_are_scored_as_clusters(run, scenes, clusters):
    made = run("assess", INPUT=clusters["OUTPUT"], REFERENCE_RASTER=scenes / "sentinel2_truth.tif")
    assert 0.3 < made["NMI"] < 1
    assert "OVERALL_ACCURACY" not in made


def test_a_figure_that_is_missed_stops_a_model(run, landcover, points):
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException, match="overall"):
        run(
            "assess",
            INPUT=landcover["OUTPUT"],
            REFERENCE=points,
            FIELD="class_name",
            FAIL_UNDER="overall=0.999",
        )


def test_two_maps_are_compared(run, scenes, landcover):
    clean = run("tidy", INPUT=landcover["OUTPUT"], OUTPUT=scenes / "clean.tif")
    made = run(
        "compare",
        INPUT=landcover["OUTPUT"],
        SECOND=clean["OUTPUT"],
        OUTPUT=scenes / "changes.tif",
    )
    before, after = values(landcover["OUTPUT"]), values(clean["OUTPUT"])
    assert made["CHANGED"] == (before != after).sum()
    assert made["CHANGED_HECTARES"] == pytest.approx(made["CHANGED"] / 100, abs=1e-9)
    assert 0.8 < made["KAPPA"] < made["AGREEMENT"] < 1
    assert any("→" in name or " to " in name for name in legend(made["OUTPUT"]).values())

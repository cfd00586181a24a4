"""Algorithms as steps: in a model, row by row in a batch, in a thread of the desktop."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core")
pytestmark = pytest.mark.qgis


def child(model, name: str, **values):
    """Add an algorithm to a model; values are constants, or say where they come from."""
    from qgis.core import QgsProcessingModelChildAlgorithm, QgsProcessingModelChildParameterSource

    step = QgsProcessingModelChildAlgorithm(f"rsclass:{name}")
    step.setChildId(name)
    for key, value in values.items():
        if not isinstance(value, QgsProcessingModelChildParameterSource):
            value = QgsProcessingModelChildParameterSource.fromStaticValue(value)
        step.addParameterSources(key, [value])
    model.addChildAlgorithm(step)
    return step


def final(model, step: str, output: str, name: str) -> None:
    """Make what a step writes an output of the model."""
    from qgis.core import QgsProcessingModelOutput

    result = QgsProcessingModelOutput(name)
    result.setChildId(step)
    result.setChildOutputName(output)
    algorithm = model.childAlgorithm(step)
    algorithm.setModelOutputs({**algorithm.modelOutputs(), name: result})
    model.setChildAlgorithm(algorithm)


def test_a_model_classifies_merges_cleans_and_applies_what_it_learnt(qgs, samples):
    from qgis.core import (
        QgsProcessingContext,
        QgsProcessingFeedback,
        QgsProcessingModelAlgorithm,
        QgsProcessingModelChildParameterSource,
        QgsProcessingModelParameter,
        QgsProcessingParameterRasterLayer,
    )

    sources = QgsProcessingModelChildParameterSource
    model = QgsProcessingModelAlgorithm("chain", "tests")
    model.addModelParameter(
        QgsProcessingParameterRasterLayer("SCENE", "Scene"), QgsProcessingModelParameter("SCENE")
    )
    scene = sources.fromModelParameter("SCENE")
    child(model, "classify_kmeans", INPUT=scene, CLASSES=6)
    made = sources.fromChildOutput("classify_kmeans", "OUTPUT")
    child(model, "merge", INPUT=made, TO=4)
    merged = sources.fromChildOutput("merge", "OUTPUT")
    child(model, "tidy", INPUT=merged, MAJORITY=3, CONNECT="8")
    child(
        model,
        "predict",
        INPUT=scene,
        MODEL=sources.fromChildOutput("classify_kmeans", "MODEL"),
    )
    final(model, "tidy", "OUTPUT", "clean")
    final(model, "predict", "OUTPUT", "predicted")
    final(model, "classify_kmeans", "OUTPUT", "clusters")
    model.updateDestinationParameters()
    good, problems = model.validate()
    assert good, problems

    places = {
        f"{step}:{name}": str(samples / f"{name}.tif")
        for step, name in (
            ("tidy", "clean"),
            ("predict", "predicted"),
            ("classify_kmeans", "clusters"),
        )
    }
    given = {"SCENE": str(samples / "sentinel2.tif"), **places}
    results, done = model.run(given, QgsProcessingContext(), QgsProcessingFeedback())
    assert done, results
    from osgeo import gdal

    clusters, predicted, clean = (
        gdal.Open(str(samples / f"{name}.tif")).ReadAsArray()
        for name in ("clusters", "predicted", "clean")
    )
    assert (clusters == predicted).all()
    assert set(clusters.flat) == set(range(7))
    assert set(clean.flat) == set(range(5))


def test_rows_of_a_batch_do_not_disturb_each_other(qgs, samples):
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback

    algorithm = qgs.processingRegistry().algorithmById("rsclass:classify_kmeans")
    assert algorithm.flags() & algorithm.FlagSupportsBatch
    context, feedback = QgsProcessingContext(), QgsProcessingFeedback()
    for scene, classes in (("sentinel2", 5), ("aerial", 3)):
        given = {
            "INPUT": str(samples / f"{scene}.tif"),
            "CLASSES": classes,
            "OUTPUT": str(samples / f"{scene} map.tif"),
        }
        results, done = algorithm.create().run(given, context, feedback)
        assert done
        assert results["CLASSES_FOUND"] == classes
        assert results["OUTPUT"] == str(samples / f"{scene} map.tif")


def run_in_thread(qgs, name: str, given: dict, context, feedback, during=lambda: None):
    """Run as the dialog does: prepared in the main thread, worked in another, waited for here."""
    from qgis.core import QgsProcessingAlgRunnerTask

    algorithm = qgs.processingRegistry().createAlgorithmById(f"rsclass:{name}")
    task = QgsProcessingAlgRunnerTask(algorithm, given, context, feedback)
    ended: list[tuple[bool, dict]] = []
    task.executed.connect(lambda good, results: ended.append((good, results)))
    qgs.taskManager().addTask(task)
    end = time.monotonic() + 60
    while not ended:
        if time.monotonic() > end:
            feedback.cancel()  # else QGIS would wait for it for ever
            pytest.fail("the task does not end")
        qgs.processEvents()
        during()
        time.sleep(0.01)
    return ended[0]


def test_the_map_is_loaded_with_its_legend_unfolded(qgs, samples):
    from processing.gui.Postprocessing import handleAlgorithmResults
    from qgis.core import (
        QgsPalettedRasterRenderer,
        QgsProcessingContext,
        QgsProcessingFeedback,
        QgsProcessingOutputLayerDefinition,
        QgsProject,
    )

    project, feedback = QgsProject.instance(), QgsProcessingFeedback()
    context = QgsProcessingContext()
    context.setProject(project)
    context.setFeedback(feedback)
    given = {
        "INPUT": str(samples / "sentinel2.tif"),
        "CLASSES": 5,
        "OUTPUT": QgsProcessingOutputLayerDefinition("TEMPORARY_OUTPUT", project),
        "ENTROPY": QgsProcessingOutputLayerDefinition(str(samples / "e.tif"), project),
    }
    good, results = run_in_thread(qgs, "classify_kmeans", given, context, feedback)
    assert good
    algorithm = qgs.processingRegistry().algorithmById("rsclass:classify_kmeans")
    assert handleAlgorithmResults(algorithm, context, feedback, parameters=given)
    layers = {layer.name(): layer for layer in project.mapLayers().values()}
    assert set(layers) == {"Class map", "Entropy"}
    shown = layers["Class map"]
    assert isinstance(shown.renderer(), QgsPalettedRasterRenderer)
    labels = [entry.label for entry in shown.renderer().classes()]
    assert labels == [f"class {number}" for number in range(1, 6)]
    assert project.layerTreeRoot().findLayer(shown.id()).isExpanded()
    assert Path(results["MODEL"]).is_file()
    del shown, layers
    project.clear()


def test_a_map_without_its_style_is_dressed_all_the_same(qgs, samples):
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback, QgsRasterLayer
    from rsclass_qgis.legend import ClassLegend

    layer = QgsRasterLayer(str(samples / "sentinel2.tif"))
    legend = ClassLegend([{"value": 7, "name": "eau é", "color": "#3b7dd8"}])
    legend.postProcessLayer(layer, QgsProcessingContext(), QgsProcessingFeedback())
    (entry,) = layer.renderer().classes()
    assert (entry.value, entry.label, entry.color.name()) == (7, "eau é", "#3b7dd8")
    del layer


def test_cancelling_in_the_dialog_stops_the_work_and_leaves_nothing(qgs, samples, tmp_path):
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback

    class Feedback(QgsProcessingFeedback):
        part = ""

        def setProgressText(self, text: str) -> None:  # noqa: N802  as QGIS calls it
            self.part = text

    context, feedback = QgsProcessingContext(), Feedback()
    cancelled: list[float] = []

    def during() -> None:
        if "pass" in feedback.part and not cancelled:
            cancelled.append(time.monotonic())
            feedback.cancel()

    given = {
        "INPUT": str(samples / "sentinel2.tif"),
        "TOLERANCE": 0,
        "MAX_ITER": 1000000,  # work that would never end
        "OUTPUT": str(tmp_path / "x.tif"),
    }
    good, _ = run_in_thread(qgs, "classify_fuzzy", given, context, feedback, during)
    assert not good
    assert cancelled
    assert time.monotonic() - cancelled[0] < 5
    assert not list(tmp_path.glob("x*"))


def test_a_layer_that_is_no_file_is_refused_in_a_sentence(qgs, tmp_path):
    from qgis.core import (
        QgsProcessingContext,
        QgsProcessingException,
        QgsProcessingFeedback,
        QgsRasterLayer,
    )

    url = "type=xyz&url=http://127.0.0.1:1/%7Bz%7D/%7Bx%7D/%7By%7D.png&zmax=1&zmin=0"
    tiles = QgsRasterLayer(url, "tiles of a server", "wms")
    algorithm = qgs.processingRegistry().createAlgorithmById("rsclass:classify_kmeans")
    given = {"INPUT": tiles, "OUTPUT": str(tmp_path / "x.tif")}
    with pytest.raises(QgsProcessingException) as caught:
        algorithm.run(given, QgsProcessingContext(), QgsProcessingFeedback(), {}, False)
    assert str(caught.value) == (
        "The layer tiles of a server is no file: it comes from the provider wms. Export it"
        " (Export > Save As) and take the file."
    )
    del tiles

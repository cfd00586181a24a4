from __future__ import annotations

import numpy as np
import pytest
import rasterio

import rsclass
from rsclass import Running, Writing
from rsclass.flow.confidence import BINS, _patches, confidence_histogram
from rsclass.flow.scene import open_scene, open_stream
from rsclass.io.source import Reading


@pytest.mark.parametrize(("height", "width", "block"), [(530, 560, 1), (530, 560, 128), (40, 7, 1)])
def test_patches_lie_in_the_scene_begin_at_tiles_and_do_not_overlap(height, width, block):
    seen = np.zeros((height, width), int)
    for patch in _patches(height, width, block):
        assert patch.row % block == 0
        assert patch.col % block == 0
        assert patch.row_end <= height
        assert patch.col_end <= width
        seen[patch.row : patch.row_end, patch.col : patch.col_end] += 1
    assert seen.any()
    if min(height, width) > 3 * 64:
        assert seen.max() == 1


def test_the_histogram_is_that_of_the_confidence_layer_in_the_patches(scene, tmp_path):
    made = rsclass.classify(
        scene,
        tmp_path / "map.tif",
        method="kmeans",
        classes=4,
        writing=Writing(layers=("confidence",), report=False),
    )
    with rasterio.open(made.files["confidence"]) as dataset:
        layer = dataset.read(1)
    parts = [
        layer[p.row : p.row_end, p.col : p.col_end].ravel()
        for p in _patches(*layer.shape, made.model.engine.block)
    ]
    whole = np.concatenate(parts)
    expected, _ = np.histogram(whole[np.isfinite(whole)], BINS, (0, 1))
    source = open_scene(scene, Reading())
    with open_stream(source, Running()) as stream:
        found = confidence_histogram(stream, made.model)
    source.close()
    np.testing.assert_array_equal(found, expected)


def test_the_report_of_a_map_has_separability_and_confidence(small_scene, tmp_path):
    made = rsclass.classify(small_scene, tmp_path / "map.tif", method="kmeans", classes=3)
    page = made.files["report"].read_text()
    for section in ("separability", "confidence"):
        assert f'<section id="{section}">' in page
    assert "Jeffries-Matusita distance between every two classes" in page


def test_the_report_of_a_classifier_without_probabilities_leaves_confidence_out(tmp_path):
    land = rsclass.datasets.simulate(height=96, width=96, seed=2).write(tmp_path, "land")
    made = rsclass.classify(
        land["scene"],
        tmp_path / "map.tif",
        method="sklearn",
        parameters={"estimator": "RidgeClassifier()"},
        training=rsclass.Training(
            land["reference"], "class_name", layer="polygons", allow_missed=True
        ),
    )
    page = made.files["report"].read_text(encoding="utf-8")
    assert "<h2>Classes</h2>" in page
    assert 'id="confidence"' not in page

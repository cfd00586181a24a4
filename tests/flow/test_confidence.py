from __future__ import annotations

import numpy as np
import pytest
import rasterio

import rsclass
from rsclass import Running, Writing
from rsclass.core.types import Window
from rsclass.flow.confidence import BINS, confidence_histogram, patches
from rsclass.flow.scene import open_scene, open_stream
from rsclass.io.source import Reading


def cores(path, model):
    source = open_scene(path, Reading())
    with open_stream(source, Running()) as stream:
        found = patches(stream, model), confidence_histogram(stream, model, {})
    source.close()
    return found


@pytest.mark.parametrize(("height", "width", "large"), [(530, 560, False), (3100, 3080, True)])
def test_patches_lie_in_the_scene_begin_at_tiles_and_do_not_overlap(height, width, large, tmp_path):
    path = tmp_path / "scene.tif"
    values = np.random.default_rng(0).integers(1, 200, (2, height, width)).astype(np.uint8)
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=2, dtype="uint8"
    ) as dataset:
        dataset.write(values)
    made = rsclass.classify(
        path, tmp_path / "map.tif", method="kmeans", classes=3, writing=Writing(report=False)
    )
    found, histogram = cores(path, made.model)
    assert len(found) == 9
    assert histogram.sum() == sum(core.pixels for core, _ in found)
    seen = np.zeros((height, width), int)
    for core, around in found:
        assert core == around  # k-means looks at nothing but the pixel
        assert core.within(Window(0, 0, height, width))
        assert not large or core.row % 512 == core.col % 512 == 0
        seen[core.row : core.row_end, core.col : core.col_end] += 1
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
    found, histogram = cores(scene, made.model)
    parts = [layer[p.row : p.row_end, p.col : p.col_end].ravel() for p, _ in found]
    whole = np.concatenate(parts)
    expected, _ = np.histogram(whole[np.isfinite(whole)], BINS, (0, 1))
    np.testing.assert_array_equal(histogram, expected)


@pytest.mark.parametrize("method", ["kmeans", "uic"])
def test_patches_are_kept_while_the_scene_is_labelled(method, scene, tmp_path, monkeypatch):
    kept = []

    def remember(stream, model, seen):
        kept.append((seen, patches(stream, model), confidence_histogram(stream, model, seen)))
        kept.append(confidence_histogram(stream, model, {}))
        return kept[1]

    monkeypatch.setattr("rsclass.flow.pages.confidence_histogram", remember)
    small = {"inputs": "bands", "epochs": 1, "warmup": 0, "tiles": 8, "width": 4}
    fast = small if method == "uic" else {}
    rsclass.classify(scene, tmp_path / "map.tif", method=method, classes=3, parameters=fast)
    (seen, wanted, histogram), read = kept
    assert set(seen) <= {around for _, around in wanted}
    assert seen
    np.testing.assert_array_equal(histogram, read)


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

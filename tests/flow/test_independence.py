"""Assessments of maps that were learned from samples."""

from __future__ import annotations

from pathlib import Path

import pytest
import rasterio

import rsclass
from rsclass.datasets import simulate

PLAIN = rsclass.Writing(report=False)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A scene with its reference, a map of class codes, and one that its model made."""
    folder = tmp_path_factory.mktemp("codes")
    land = simulate(height=160, width=160, seed=2).write(folder, "land")
    # Of the truth, codes are left.
    land["truth"].with_name(land["truth"].name + ".aux.xml").unlink()
    training = rsclass.Training(land["reference"], "class_id", layer="polygons", allow_missed=True)
    done = rsclass.classify(
        land["scene"], folder / "map.tif", method="mindist", training=training, writing=PLAIN
    )
    again = rsclass.predict(done.files["model"], land["scene"], folder / "again.tif", writing=PLAIN)
    return land | {"map": done.path, "again": again.path}


@pytest.mark.parametrize("which", ["map", "again"])
def test_codes_of_training_samples_are_classes_not_clusters(learned, which):
    found = rsclass.assess(learned[which], learned["truth"])
    with rasterio.open(learned[which]) as a, rasterio.open(learned["truth"]) as b:
        shown, right = a.read(1), b.read(1)
    seen = (shown > 0) & (right > 0)
    assert found.accuracy is not None
    assert found.overall == pytest.approx((shown == right)[seen].mean())


def test_another_layer_of_the_training_file_is_another_reference(learned):
    own = rsclass.assess(learned["map"], learned["reference"], field="class_id", layer="polygons")
    assert any("was trained on land_reference.gpkg" in warning for warning in own.warnings)
    other = rsclass.assess(learned["map"], learned["reference"], field="class_id", layer="points")
    assert not any("was trained on" in warning for warning in other.warnings)

"""Maps and models that are learned from drawn features."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score

import rsclass
from rsclass.errors import ChangedInputError, DataError, RsclassWarning, StoppedError, UsageError
from rsclass.flow.classify import classify
from rsclass.flow.plan import plan
from rsclass.flow.predict import predict
from rsclass.flow.preview import preview
from rsclass.flow.replay import replay
from rsclass.flow.train import train
from rsclass.flow.training import Training, read_training
from rsclass.io.maps import read_recipe
from rsclass.io.sink import Writing
from rsclass.run.settings import Running

PLAIN = Writing(report=False)


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A scene of 300 x 320 pixels, its truth, and polygons and points of it."""
    folder = tmp_path_factory.mktemp("learned")
    return rsclass.datasets.simulate(height=240, width=260, seed=6).write(folder, "land")


@pytest.fixture
def training(land: dict[str, Path], tmp_path: Path) -> Training:
    """The polygons in a file of their own."""
    path = tmp_path / "areas.gpkg"
    geopandas.read_file(land["reference"], layer="polygons").to_file(path)
    return Training(path, "class_name", allow_missed=True)


def test_the_map_shows_the_classes_of_the_features(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    done = classify(
        land["scene"], tmp_path / "m.tif", method="maxlike", training=training, writing=PLAIN
    )
    names = sorted(geopandas.read_file(training.path)["class_name"].unique(), key=str.casefold)
    assert list(done.legend.names) == names
    assert done.legend.values == tuple(range(1, len(names) + 1))
    with rasterio.open(land["truth"]) as truth:
        codes = truth.read(1)
    by_code = {int(row.class_id): row.class_name for row in
               geopandas.read_file(training.path).itertuples()}  # fmt: skip
    shown = np.array(["", *done.legend.names])[done.read()]
    real = np.array([by_code.get(code, "") for code in range(codes.max() + 1)])[codes]
    known = (real != "") & (shown != "")
    # Pixels between classes are mixed, so not all can be right; by chance one in eight would be.
    assert accuracy_score(real[known], shown[known]) > 0.8


def test_numbers_of_the_features_are_the_values_of_the_map(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    numbered = Training(training.path, "class_id", allow_missed=True)
    done = classify(
        land["scene"], tmp_path / "m.tif", method="mindist", training=numbered, writing=PLAIN
    )
    ids = sorted(geopandas.read_file(training.path)["class_id"].unique())
    assert list(done.legend.values) == ids
    assert set(np.unique(done.read())) <= {0, *ids}


def test_a_forest_learns_what_scikit_learns_own_does(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    """On the same pixels, in the end on nearly the same share of the truth."""
    done = classify(
        land["scene"],
        tmp_path / "m.tif",
        method="rf",
        parameters={"n_estimators": 40},
        training=training,
        writing=PLAIN,
    )
    samples = read_training(land["scene"], training.path, "class_name", allow_missed=True).pixels
    forest = RandomForestClassifier(40, random_state=0).fit(samples.values, samples.classes)
    with rasterio.open(land["scene"]) as dataset:
        valid = (dataset.read_masks() > 0).all(axis=0)
        table = dataset.read()[:, valid].T * np.array(dataset.scales) + np.array(dataset.offsets)
    assert (forest.predict(table) == done.read()[valid] - 1).mean() > 0.97


@pytest.mark.parametrize("method", ["maxlike", "rf"])
def test_neither_tiles_nor_threads_change_a_byte(
    land: dict[str, Path], training: Training, tmp_path: Path, method: str
) -> None:
    limited = Training(training.path, "class_name", allow_missed=True, per_class=50)
    parameters = {"n_estimators": 10} if method == "rf" else {}
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    for folder, running in (("a", Running(jobs=1, tile=512)), ("b", Running(jobs=3, tile=100))):
        classify(
            land["scene"],
            tmp_path / folder / "m.tif",
            method=method,
            parameters=parameters,
            training=limited,
            running=running,
            writing=PLAIN,
        )
    for name in ("m.tif", "m.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_trained_model_predicts_the_map_of_classify(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    done = classify(
        land["scene"], tmp_path / "m.tif", method="maxlike", training=training, writing=PLAIN
    )
    trained = train(
        land["scene"], tmp_path / "model.safetensors", method="maxlike", training=training
    )
    again = predict(trained.path, land["scene"], tmp_path / "p.tif", writing=PLAIN)
    assert trained.path.read_bytes() == (tmp_path / "m.safetensors").read_bytes()
    assert (again.read() == done.read()).all()
    assert again.legend == done.legend
    told = rsclass.load(trained.path).scene["training"]
    assert told["sha256"] == read_recipe(tmp_path / "m.tif")["training"]["sha256"]


def mapped(land: dict[str, Path], training: Training, out: Path, **more: Any) -> Path:
    classify(land["scene"], out, method="mindist", training=training, writing=PLAIN, **more)
    return out


def test_a_map_is_made_again_from_its_recipe(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    limited = Training(training.path, "class_name", allow_missed=True, per_class=20)
    path = mapped(land, limited, tmp_path / "m.tif", seed=5)
    told = read_recipe(path)["training"]
    assert told["path"] == str(training.path)
    assert (told["field"], told["per_class"], told["allow_missed"]) == ("class_name", 20, True)
    assert replay(path).identical


def test_features_may_have_moved_since(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    path = mapped(land, training, tmp_path / "m.tif")
    moved = Path(training.path).rename(tmp_path / "moved.gpkg")
    assert replay(path, training=moved).same_pixels


def test_a_map_is_not_made_again_from_other_features(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    path = mapped(land, training, tmp_path / "m.tif")
    frame = geopandas.read_file(training.path)
    os.remove(training.path)
    frame.iloc[1:].to_file(training.path)
    with pytest.raises(DataError, match=r"areas.gpkg is not what the map was learned from"):
        replay(path)
    os.remove(training.path)
    with pytest.raises(DataError, match=r"areas.gpkg does not exist"):
        replay(path)


def stop_while_classifying(done: float, total: float, message: str) -> None:
    if message == "classifying":
        raise StoppedError("stopped")


def test_an_interrupted_run_goes_on_with_what_it_had_learned(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    """P07."""
    whole, out = mapped(land, training, tmp_path / "whole.tif"), tmp_path / "m.tif"
    settings: dict[str, Any] = {"method": "mindist", "training": training}
    settings["writing"] = Writing(report=False, resume=True)
    with pytest.raises(StoppedError):
        classify(land["scene"], out, running=Running(progress=stop_while_classifying), **settings)
    assert not out.exists()
    done = classify(land["scene"], out, **settings)
    assert out.read_bytes() == whole.read_bytes()
    assert done.model.sha256() == rsclass.load(whole.with_suffix(".safetensors")).sha256()


def test_a_run_that_was_interrupted_is_not_continued_with_other_features(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    """P07."""
    out = tmp_path / "m.tif"
    settings: dict[str, Any] = {"method": "mindist", "training": training}
    settings["writing"] = Writing(report=False, resume=True)
    with pytest.raises(StoppedError):
        classify(land["scene"], out, running=Running(progress=stop_while_classifying), **settings)
    frame = geopandas.read_file(training.path)
    os.remove(training.path)
    frame[frame["class_name"] != "water"].to_file(training.path)
    with pytest.warns(RsclassWarning, match="of a run with other settings"):
        done = classify(land["scene"], out, **settings)
    assert "water" not in done.legend.names
    assert len(done.legend) == 7


def test_features_that_change_during_the_run_are_noticed(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    """R27."""

    def rewrite(done: float, total: float, message: str) -> None:
        if message == "reading samples":
            with Path(training.path).open("ab") as file:
                file.write(b"more")

    with pytest.raises(ChangedInputError, match=r"areas.gpkg changed"):
        mapped(land, training, tmp_path / "m.tif", running=Running(progress=rewrite))
    assert not (tmp_path / "m.tif").exists()


def test_a_plan_counts_what_is_learned_and_writes_nothing(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())
    planned = plan(land["scene"], tmp_path / "m.tif", method="rf", training=training)
    assert planned.method == "rf"
    assert planned.seconds > 0
    assert sorted(tmp_path.iterdir()) == before


def test_a_preview_leaves_out_features_that_are_too_small_for_it(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    strict = Training(training.path, "class_name")
    done = preview(
        land["scene"], tmp_path / "m.tif", size=80, method="mindist", training=strict, writing=PLAIN
    )
    assert done.path.name == "m_preview.tif"
    assert done.read().shape == (60, 65)  # four by four pixels in one
    assert any("They are left out" in warning for warning in done.warnings)


def test_the_report_of_warnings_names_what_was_left_out(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    frame = geopandas.read_file(training.path)
    frame.loc[0, "class_name"] = None
    os.remove(training.path)
    frame.to_file(training.path)
    mapped(land, training, tmp_path / "m.tif")
    told = json.loads((tmp_path / "m.stats.json").read_text(encoding="utf-8"))
    assert any("for want of a label" in warning for warning in told["warnings"])


@pytest.mark.parametrize("verb", [classify, plan, preview, train])
def test_methods_that_find_classes_take_no_features(
    land: dict[str, Path], training: Training, tmp_path: Path, verb: Any
) -> None:
    with pytest.raises(UsageError, match="kmeans finds its classes itself"):
        verb(land["scene"], tmp_path / "m.tif", method="kmeans", training=training)
    with pytest.raises(UsageError, match="maxlike learns from samples"):
        verb(land["scene"], tmp_path / "m.tif", method="maxlike")


def test_hybrid_learns_with_features_and_without(
    land: dict[str, Path], training: Training, tmp_path: Path
) -> None:
    taught = classify(
        land["scene"], tmp_path / "a.tif", method="hybrid", training=training, writing=PLAIN
    )
    alone = classify(land["scene"], tmp_path / "b.tif", method="hybrid", classes=4, writing=PLAIN)
    assert len(taught.legend) == 8
    assert 1 < len(alone.legend) <= 4

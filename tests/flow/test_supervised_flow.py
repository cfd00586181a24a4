"""From samples and a scene to maps, for every engine that learns from samples."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import rasterio

import rsclass
from rsclass.engines.catalogue import engine_class, method_names
from rsclass.errors import DataError, UsageError
from rsclass.flow.classify import classify
from rsclass.flow.plan import plan
from rsclass.flow.predict import load, predict
from rsclass.flow.replay import replay
from rsclass.flow.train import train
from rsclass.flow.training import Training, read_training
from rsclass.io.maps import read_recipe
from rsclass.io.sink import Writing
from rsclass.run.settings import Running

METHODS = tuple(name for name in method_names() if engine_class(name).takes_training)
QUICK: dict[str, dict[str, Any]] = {
    "rf": {"n_trees": 5},
    "gradient-boosting": {"rounds": 4},
    "sklearn": {"estimator": "GaussianNB"},
}
PLAIN = Writing(report=False)


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A scene of four canonical blocks with a cloud, and polygons on it."""
    folder = tmp_path_factory.mktemp("land")
    made = rsclass.datasets.simulate("sentinel2", height=530, width=540, seed=8)
    files = made.write(folder, "land")
    geopandas.read_file(files["reference"], layer="polygons").to_file(folder / "areas.gpkg")
    return {"scene": Path(files["scene"]), "areas": folder / "areas.gpkg"}


@pytest.fixture(scope="module")
def training(land: dict[str, Path]) -> Training:
    return Training(land["areas"], "class_name", allow_missed=True, per_class=60)


def digest_of(files: dict[str, Path], *kinds: str) -> str:
    content = hashlib.sha256()
    for kind in kinds:
        content.update(files[kind].read_bytes())
    return content.hexdigest()


@pytest.mark.parametrize("method", METHODS)
def test_tiles_and_threads_leave_every_byte_as_it_is(
    method: str, land: dict[str, Path], training: Training, tmp_path: Path
):
    """N05."""
    found = set()
    for running in (Running(jobs=1, tile=512), Running(jobs=3, tile=2048)):
        done = classify(
            land["scene"],
            tmp_path / "map.tif",
            method=method,
            training=training,
            parameters=QUICK.get(method, {}),
            running=running,
            writing=Writing(report=False, overwrite=True, layers=("confidence",)),
        )
        found.add(digest_of(done.files, "map", "confidence", "model", "legend", "style", "table"))
    assert len(found) == 1


@pytest.mark.parametrize("dtype", ["uint16", "float32"])
def test_a_hybrid_without_samples_keeps_its_bytes_too(dtype: str, tmp_path: Path):
    """N05."""
    made = rsclass.datasets.simulate("sentinel2", height=530, width=540, seed=8, dtype=dtype)
    scene = made.write(tmp_path, "land")["scene"]
    found = set()
    for running in (Running(jobs=1, tile=512), Running(jobs=3, tile=2048)):
        done = classify(
            scene,
            tmp_path / "map.tif",
            method="hybrid",
            classes=6,
            running=running,
            writing=Writing(report=False, overwrite=True, layers=("confidence",)),
        )
        found.add(digest_of(done.files, "map", "confidence", "model", "legend", "style", "table"))
    assert len(found) == 1
    assert done.legend.names[0] == "class 1"
    assert replay(done.path).identical


@pytest.mark.parametrize("method", METHODS)
def test_a_model_is_read_back_and_labels_alike(
    method: str, land: dict[str, Path], training: Training, tmp_path: Path
):
    parameters = QUICK.get(method, {})
    trained = train(
        land["scene"],
        tmp_path / "m.safetensors",
        method=method,
        training=training,
        parameters=parameters,
    )
    again = load(trained.path)
    assert again.to_bytes() == trained.path.read_bytes()
    with rasterio.open(land["scene"]) as dataset:
        values = dataset.read().reshape(dataset.count, -1).T[::97]
        table = values * np.array(dataset.scales) + np.array(dataset.offsets)
    np.testing.assert_array_equal(again.engine.predict(table), trained.model.engine.predict(table))
    assert again.legend.names == trained.model.engine.class_names


def test_an_engine_fitted_in_python_is_saved_with_its_labels_and_makes_maps(
    land: dict[str, Path], training: Training, tmp_path: Path
):
    samples = read_training(land["scene"], training.path, "class_id", allow_missed=True)
    numbers = np.array(list(map(int, samples.pixels.names)))
    engine = rsclass.MaximumLikelihood().fit(
        samples.pixels.values, 10 * numbers[samples.pixels.classes]
    )
    done = predict(
        load(engine.save(tmp_path / "m.safetensors")),
        land["scene"],
        tmp_path / "m.tif",
        writing=PLAIN,
    )
    assert done.legend.values == tuple(10 * numbers)
    assert done.legend.names == tuple(f"class {10 * number}" for number in numbers)
    assert set(np.unique(done.read())) <= {0, *(10 * numbers)}


def test_rejected_pixels_are_counted_and_told(
    land: dict[str, Path], training: Training, tmp_path: Path
):
    everything = classify(
        land["scene"], tmp_path / "all.tif", method="maxlike", training=training, writing=PLAIN
    )
    done = classify(
        land["scene"],
        tmp_path / "some.tif",
        method="maxlike",
        training=training,
        parameters={"reject": "0.05"},
        writing=PLAIN,
    )
    whole, kept = everything.read(), done.read()
    lost = int(((whole > 0) & (kept == 0)).sum())
    assert 0 < lost == done.n_rejected == done.to_dict()["rejected"]
    assert everything.n_rejected == 0
    assert (kept[kept > 0] == whole[kept > 0]).all()
    told = [warning for warning in done.warnings if "without a class" in warning]
    share = 100 * lost / (whole > 0).sum()
    assert told == [f"{lost:,} valid pixels are left without a class ({share:.1f}%)."]
    assert json.loads(done.files["statistics"].read_text())["rejected"] == lost


def test_priors_from_a_file_stand_in_the_recipe_and_the_model(
    land: dict[str, Path], training: Training, tmp_path: Path
):
    names = read_training(land["scene"], training.path, "class_name", allow_missed=True).pixels
    path = tmp_path / "priors.csv"
    path.write_text(f"class,prior\n{names.names[0]},0\n{names.names[1]},0.5\n")
    done = classify(
        land["scene"],
        tmp_path / "m.tif",
        method="maxlike",
        training=training,
        parameters={"priors": str(path)},
        writing=PLAIN,
    )
    given = {names.names[0]: 0.0, names.names[1]: 0.5}
    assert read_recipe(done.path)["parameters"]["priors"] == given
    assert done.stats.count[0] == 0
    rest = 0.5 / (len(names.names) - 2)
    np.testing.assert_allclose(
        load(done.files["model"]).engine.priors_, [0, 0.5] + [rest] * (len(names.names) - 2)
    )
    path.unlink()
    assert replay(done.path).identical


def test_classes_of_an_earlier_model_keep_value_and_color_by_name(
    land: dict[str, Path], training: Training, tmp_path: Path
):
    first = classify(
        land["scene"], tmp_path / "a.tif", method="maxlike", training=training, writing=PLAIN
    )
    frame = geopandas.read_file(training.path)
    names = first.legend.names
    frame = frame[frame["class_name"] != names[0]]
    frame.loc[frame["class_name"] == names[2], "class_name"] = "another kind"
    frame.to_file(tmp_path / "less.gpkg")
    second = classify(
        land["scene"],
        tmp_path / "b.tif",
        method="mindist",
        training=Training(tmp_path / "less.gpkg", "class_name", allow_missed=True),
        match_to=first.files["model"],
        writing=PLAIN,
    )
    before = {entry.name: entry for entry in first.legend}
    for entry in second.legend:
        if entry.name == "another kind":
            assert entry.value not in first.legend.values
        else:
            assert entry == before[entry.name]


def test_a_plan_knows_what_samples_need(land: dict[str, Path], training: Training, tmp_path: Path):
    found = plan(land["scene"], tmp_path / "m.tif", method="rf", training=training)
    assert found.method == "rf"
    assert found.seconds > 0
    assert not (tmp_path / "m.tif").exists()


REFUSED: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    "a number of classes": (
        {"method": "maxlike", "classes": 5},
        UsageError,
        "maxlike learns the classes of its training samples; leave --classes out",
    ),
    "no samples": (
        {"method": "rf", "training": None},
        UsageError,
        "rf learns from samples; give them with --training FILE --field NAME",
    ),
    "samples for clusters": (
        {"method": "kmeans"},
        UsageError,
        "kmeans finds its classes itself and cannot use training samples; choose one of maxlike",
    ),
    "a range for samples": (
        {"method": "hybrid", "classes": "3..5"},
        UsageError,
        "hybrid chooses no number of classes where it has training samples",
    ),
    "a sample of the scene": (
        {"method": "svm", "parameters": {"sample": "5000"}},
        UsageError,
        "svm learns from training samples alone; leave --sample out",
    ),
    "a distance that is not measured": (
        {"method": "rf", "writing": Writing(report=False, layers=("distance",))},
        UsageError,
        "rf measures no distance to its classes",
    ),
    "a limit of a distance that is not measured": (
        {"method": "svm", "writing": Writing(report=False, max_distance=3.0)},
        UsageError,
        "svm measures no distance to its classes",
    ),
    "priors of a class that is not there": (
        {"method": "maxlike", "parameters": {"priors": {"moon": 0.5}}},
        UsageError,
        "the priors name moon, which the samples do not have",
    ),
    "priors in no file": (
        {"method": "maxlike", "parameters": {"priors": "absent.csv"}},
        DataError,
        r"absent\.csv cannot be read",
    ),
    "no such classifier": (
        {"method": "sklearn", "parameters": {"estimator": "Magic()"}},
        UsageError,
        "scikit-learn has no classifier 'Magic'",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_before_anything_is_written(
    case: str, land: dict[str, Path], training: Training, tmp_path: Path
):
    settings, kind, told = REFUSED[case]
    with pytest.raises(kind, match=told):
        classify(
            land["scene"],
            tmp_path / "m.tif",
            **({"training": training, "writing": PLAIN} | settings),
        )
    assert not list(tmp_path.iterdir())


def test_the_legend_of_numbers_and_names(land: dict[str, Path], tmp_path: Path):
    """V07."""
    for field, shown in (("class_id", True), ("class_name", False)):
        done = classify(
            land["scene"],
            tmp_path / f"{field}.tif",
            method="sam",
            training=Training(land["areas"], field, allow_missed=True),
            writing=PLAIN,
        )
        pairs = zip(done.legend.names, done.legend.values, strict=True)
        assert all((name == f"class {value}") == shown for name, value in pairs)
        assert load(done.files["model"]).legend == done.legend

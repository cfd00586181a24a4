"""Scenes that are prepared before they are classified: views, and smoothing that keeps edges."""

from __future__ import annotations

import numpy as np
import pytest

from rsclass.cli.main import main
from rsclass.flow.classify import classify
from rsclass.flow.models import Model
from rsclass.flow.predict import predict
from rsclass.flow.replay import replay
from rsclass.io.maps import read_recipe
from rsclass.io.sink import Writing

QUICK = Writing(report=False)
BOTH = {"features": "views", "smooth": "bilateral"}


@pytest.mark.parametrize(
    ("method", "parameters"),
    [("kmeans", {"sample": 2000} | BOTH), ("consensus", {"form": "single", "overcluster": 2})],
)
def test_a_model_predicts_what_it_classified(method, parameters, small_scene, tmp_path):
    found = classify(
        small_scene,
        tmp_path / "a.tif",
        method=method,
        classes=4,
        parameters=parameters,
        writing=QUICK,
    )
    again = predict(found.files["model"], small_scene, tmp_path / "b.tif", writing=QUICK)
    np.testing.assert_array_equal(found.read(), again.read())
    recipe = read_recipe(found.path)
    assert {name: recipe["parameters"][name] for name in parameters} == parameters
    kept = Model.read(found.files["model"]).engine
    assert kept.method == method
    assert kept.halo == 6
    assert replay(found.path).identical


def test_the_flags_are_parameters_of_every_method(small_scene, tmp_path):
    out = tmp_path / "map.tif"
    arguments = ["classify", str(small_scene), "-m", "kmeans", "-k", "3", "-o", str(out)]
    arguments += ["--features", "views", "--smooth", "bilateral", "--no-report"]
    assert main(arguments) == 0
    parameters = read_recipe(out)["parameters"]
    assert {name: parameters[name] for name in BOTH} == BOTH

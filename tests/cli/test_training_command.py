"""``rsclass training``, and the flags of training features elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import pytest
from calls import Caller

import rsclass.flow.classify
import rsclass.flow.train
import rsclass.flow.training_check
from rsclass.datasets import simulate
from rsclass.flow.training import Training
from rsclass.flow.validate import Validation
from rsclass.io.source import Reading


class Asked:
    """Stands in for a verb and remembers what it was asked."""

    warnings = ()

    def __init__(self) -> None:
        self.args: tuple[Any, ...] = ()
        self.settings: dict[str, Any] = {}

    def __call__(self, *args: Any, **settings: Any) -> Asked:
        self.args, self.settings = args, settings
        return self

    def to_dict(self) -> dict[str, Any]:
        return {}

    def summary(self) -> str:
        return "done"


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("land")
    return simulate(height=120, width=130, seed=1).write(folder, "land")


FLAGS = (
    "--layer", "drawn", "--vector-crs", "EPSG:4326", "--encoding", "cp1252",
    "--samples-per-class", "300", "--allow-missed",
)  # fmt: skip
SAID = Training("a.gpkg", "cover", "drawn", "EPSG:4326", "cp1252", 300, True)


@pytest.mark.parametrize("verb", ["classify", "train"])
def test_every_flag_of_training_features_reaches_the_run(
    call: Caller, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    asked = Asked()
    monkeypatch.setattr(getattr(rsclass.flow, verb), verb, asked)
    flags = ("-m", "rf", "--training", "a.gpkg", "--field", "cover", *FLAGS)
    told = call(verb, "scene.tif", *flags)
    assert told.code == 0, told.err
    assert asked.settings["training"] == SAID
    assert call(verb, "scene.tif").code == 0
    assert asked.settings["training"] is None


def test_settings_shared_with_other_commands_do_no_harm(
    call: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = Asked()
    monkeypatch.setattr(rsclass.flow.classify, "classify", asked)
    (tmp_path / "all.toml").write_text('field = "cover"\n', encoding="utf-8")
    monkeypatch.setenv("RSCLASS_ALLOW_MISSED", "1")
    told = call("classify", "scene.tif", "--config-file", tmp_path / "all.toml")
    assert told.code == 0, told.err
    assert asked.settings["training"] is None
    assert call("classify", "scene.tif", "--field", "cover").code == 2


def test_every_flag_of_the_check_reaches_it(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr(rsclass.flow.training_check, "check_training", asked)
    told = call(
        "training", "B02.tif", "B03.tif", "a.gpkg", "--field", "cover", *FLAGS, "-b", "1..2",
        "--cross-validate", "rf", "--folds", "3", "--by", "block", "--block-size", "20",
        "--set", "n_estimators=9", "--seed", "4", "--merge", "a,b=c", "--merge", "d=e",
        "-o", "m.gpkg", "--overwrite", "-j", "2",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert asked.args == (["B02.tif", "B03.tif"], SAID)
    assert asked.settings["validation"] == Validation(
        "rf", 3, "block", 20, {"n_estimators": "9"}, 4
    )
    assert asked.settings["mergers"] == ("a,b=c", "d=e")
    assert asked.settings["out"] == "m.gpkg"
    assert asked.settings["overwrite"] is True
    assert asked.settings["seed"] == 4
    assert asked.settings["reading"] == Reading(bands="1..2")
    assert asked.settings["running"].jobs == 2


def test_without_flags_nothing_is_merged_or_validated(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    monkeypatch.setattr(rsclass.flow.training_check, "check_training", asked)
    assert call("training", "scene.tif", "a.gpkg", "--field", "cover").code == 0
    assert asked.args == ("scene.tif", Training("a.gpkg", "cover"))
    assert asked.settings["validation"] is None
    assert asked.settings["mergers"] == ()
    assert asked.settings["out"] is None


def test_people_get_tables_and_programs_get_json(call: Caller, land: dict[str, Path]) -> None:
    flags = ("--layer", "polygons", "--field", "class_name", "--allow-missed", "--progress", "none")
    text = call("training", land["scene"], land["reference"], *flags)
    data = call("training", land["scene"], land["reference"], *flags, "--json").data
    assert text.code == 0, text.err
    frame = geopandas.read_file(land["reference"], layer="polygons")
    assert len(data["features"]) == len(frame)
    assert {row["name"] for row in data["classes"]} == set(frame["class_name"])
    for row in data["classes"]:
        assert f"{row['name']} " in text.out
    assert f"{data['pixels']:,} pixels in 8 classes, 10 bands" in text.out
    assert data["validation"] is None


def test_a_validation_tells_both_splits(call: Caller, land: dict[str, Path]) -> None:
    flags = ("--layer", "polygons", "--field", "class_name", "--allow-missed", "--progress", "none")
    told = call(
        "training", land["scene"], land["reference"], *flags, "--cross-validate", "mindist",
        "--by", "block", "--block-size", "20", "--json",
    )  # fmt: skip
    assert told.code == 0, told.err
    done = told.data["validation"]
    assert (done["method"], done["by"], done["block_size"]) == ("mindist", "block", 20)
    units = done["confusion"]["units"]
    right = sum(units[i][i] for i in range(len(units)))
    assert done["overall"] == pytest.approx(right / sum(map(sum, units)))
    assert 0 < done["overall"] <= 1
    assert done["optimism"] == pytest.approx(done["random_overall"] - done["overall"])


def test_the_layer_of_a_file_with_several_has_to_be_said(
    call: Caller, land: dict[str, Path]
) -> None:
    told = call("training", land["scene"], land["reference"], "--field", "class_name")
    assert told.code == 2
    assert "has 2 layers: polygons, points; choose one with --layer" in told.err


def test_a_file_without_a_scene_is_a_usage_error(call: Caller) -> None:
    told = call("training", "a.gpkg", "--field", "cover")
    assert told.code == 2

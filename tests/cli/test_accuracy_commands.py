"""``rsclass sample`` and ``rsclass assess`` from the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import pyogrio
import pytest
import rasterio
from calls import Caller
from rasterio.transform import from_origin

import rsclass.flow.assess
import rsclass.flow.sample
from rsclass.cli.assess import _gates


class Asked:
    """Stands in for a verb and remembers what it was asked."""

    warnings = ()

    def __call__(self, *args: Any, **settings: Any) -> Asked:
        self.args, self.settings = args, settings
        return self

    def to_dict(self) -> dict[str, Any]:
        return {"path": "map.tif"}

    def summary(self) -> str:
        return "told"

    def figure(self, name: str) -> float:
        return {"overall": 0.85, "bare soil.users": float("nan")}[name]


@pytest.fixture
def class_map(tmp_path: Path) -> Path:
    values = np.ones((60, 50), np.uint8)
    values[:, 20:] = 2
    path = tmp_path / "map.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=60, width=50, count=1, dtype="uint8", nodata=0,
        crs="EPSG:32632", transform=from_origin(5e5, 5e6, 10, 10),
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    return path


@pytest.fixture
def sample(class_map: Path, call: Caller) -> Path:
    """Points that agree with the map but for the first."""
    assert call("sample", class_map, "-n", "100", "--min-per-class", "20", "-q").code == 0
    path = class_map.with_name("map_sample.gpkg")
    frame = pyogrio.read_dataframe(path, layer="sample")
    frame["reference"] = frame["map_value"]
    frame.loc[0, "reference"] = 3 - frame["map_value"][0]
    labelled = path.with_name("labelled.gpkg")
    pyogrio.write_dataframe(frame, labelled, layer="sample", driver="GPKG")
    for name in ("rsclass_design", "rsclass_units"):
        table = pyogrio.read_dataframe(path, layer=name)
        pyogrio.write_dataframe(table, labelled, layer=name, driver="GPKG", append=True)
    return labelled


def test_flags_of_a_sample_reach_the_verb(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    monkeypatch.setattr(rsclass.flow.sample, "plan_sample", asked)
    flags = "-n 50 --allocation neyman --expected 0.9 --expected water=0.5 --min-distance 30"
    flags += " --strata zones.tif --hide-class --seed 4 --min-per-class 9 -o s.gpkg --overwrite"
    assert call("sample", "map.tif", *flags.split()).code == 0
    assert asked.args == ("map.tif", "s.gpkg")
    assert asked.settings | {"running": None} == {
        "design": "stratified", "allocation": "neyman", "n": 50, "standard_error": 0.02,
        "expected": {"": 0.9, "water": 0.5}, "least": 9, "min_distance": 30.0,
        "strata": "zones.tif", "hide_class": True, "seed": 4, "overwrite": True, "running": None,
    }  # fmt: skip


def test_flags_of_an_assessment_reach_the_verb(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    monkeypatch.setattr(rsclass.flow.assess, "assess", asked)
    flags = "--reference p.gpkg --field f --layer l --vector-crs EPSG:4326 --encoding cp1252"
    flags += " --on-unknown skip --clusters --assume-design simple --strata z --confidence 0.9"
    flags += " -o a.csv --report r.html --overwrite --fail-under overall=0.5"
    assert call("assess", "map.tif", *flags.split()).code == 0
    assert asked.args == ("map.tif", "p.gpkg")
    told = asked.settings.pop("command")
    assert told.startswith("rsclass") or "pytest" in told
    assert asked.settings | {"running": None} == {
        "field": "f", "layer": "l", "vector_crs": "EPSG:4326", "encoding": "cp1252",
        "on_unknown": "skip", "clusters": True, "assume_design": "simple", "strata": "z",
        "confidence": 0.9, "table": "a.csv", "report": "r.html", "overwrite": True,
        "figures": ["overall"],
        "running": None,
    }  # fmt: skip


def test_from_a_sample_to_a_defended_accuracy(call: Caller, class_map: Path, sample: Path) -> None:
    page, table = class_map.with_name("r.html"), class_map.with_name("t.csv")
    told = call("assess", class_map, "--reference", sample, "--report", page, "-o", table, "--json")
    assert told.code == 0
    data = told.data
    assert data["design"]["source"] == "recorded"
    assert data["confusion"]["rows"] == "reference"
    assert np.sum(data["confusion"]["units"]) == data["units"] == 100
    assert 0.97 < data["overall"]["value"] < 1
    assert data["files"] == {"table": str(table), "report": str(page)}
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert call("assess", class_map, "--reference", sample, "-o", table).code == 4


@pytest.mark.parametrize(
    ("gate", "code"),
    [("overall=0.9", 0), ("overall=0.9,1.users=0.5", 0), ("overall=0.999", 5), ("2.f1=1.1", 5)],
)
def test_a_gate_that_is_not_passed_ends_with_code_5_after_the_result(
    call: Caller, class_map: Path, sample: Path, gate: str, code: int
) -> None:
    told = call("assess", class_map, "--reference", sample, "--fail-under", gate, "--json")
    assert told.code == code
    assert told.data["units"] == 100
    assert ("does not reach" in told.err) == (code == 5)


def test_an_undefined_figure_passes_no_gate(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rsclass.flow.assess, "assess", Asked())
    flags = ("--reference", "p.gpkg", "--fail-under", "bare soil.users=0 overall=0.8")
    told = call("assess", "map.tif", *flags)
    assert told.code == 5
    assert "bare soil.users is undefined" in told.err


@pytest.mark.parametrize("figure", ["oa", "9.users"])
def test_a_gate_of_an_unknown_figure_is_a_usage_error_and_writes_nothing(
    call: Caller, class_map: Path, sample: Path, figure: str
) -> None:
    before = sorted(class_map.parent.iterdir())
    outputs = ("-o", class_map.parent / "a.csv", "--report", class_map.parent / "a.html")
    gate = ("--fail-under", f"{figure}=0.8")
    told = call("assess", class_map, "--reference", sample, *outputs, *gate)
    assert told.code == 2
    assert told.out == ""
    assert "overall, kappa, f1" in told.err
    assert sorted(class_map.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("text", "gates"),
    [
        ("overall=0.8", (("overall", 0.8),)),
        (
            "overall=0.8 f1=.7 water.users=0.9",
            (("overall", 0.8), ("f1", 0.7), ("water.users", 0.9)),
        ),
        ("bare soil.users=9e-1, a, b.f1=1", (("bare soil.users", 0.9), ("a, b.f1", 1.0))),
    ],
)
def test_gates_are_names_and_numbers(text: str, gates: Any) -> None:
    assert _gates(text) == gates


@pytest.mark.parametrize("text", ["", "overall", "overall=", "overall=high", "=0.8", "f1=1.2.3"])
def test_what_is_no_gate_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        _gates(text)


@pytest.mark.parametrize("value", ["much", "water=", "1.5", "water=-1"])
def test_an_expected_accuracy_is_a_share(call: Caller, class_map: Path, value: str) -> None:
    assert call("sample", class_map, "--expected", value).code == 2
    assert not class_map.with_name("map_sample.gpkg").exists()


def test_one_class_has_one_expected_accuracy(call: Caller, class_map: Path) -> None:
    told = call("sample", class_map, "--expected", "1=0.9", "--expected", "1=0.8")
    assert told.code == 2
    assert "two accuracies" in told.err


@pytest.mark.parametrize("line", ["1,1", "1,2"])
@pytest.mark.parametrize("flags", [(), ("--assume-design", "simple"), ("--clusters",)])
def test_what_is_undefined_is_null_in_json(
    call: Caller, class_map: Path, line: str, flags: tuple[str, ...]
) -> None:
    table = class_map.with_name("one.csv")
    table.write_text(f"map,reference\n{line}\n", encoding="utf-8")
    told = call("assess", class_map, "--reference", table, "--json", *flags)
    assert told.code == 0
    assert told.data["clusters"]["ari"] is None
    if "--clusters" not in flags:
        assert told.data["overall"]["error"] is None
        assert told.data["classes"][1]["users"]["value"] is None


def test_a_truth_that_covers_the_map_is_told_as_a_census(call: Caller, class_map: Path) -> None:
    told = call("assess", class_map, "--reference", class_map, "--json")
    assert told.data["design"]["kind"] == "census"
    assert told.data["overall"] == {"value": 1.0, "error": None, "low": None, "high": None}
    text = call("assess", class_map, "--reference", class_map)
    assert "every pixel of the map has a label" in text.out

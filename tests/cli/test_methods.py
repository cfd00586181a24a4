from __future__ import annotations

import pytest
from calls import Caller

from rsclass.engines.catalogue import engine_class, make_engine, method_names


def test_every_method_is_listed_with_title_and_paper(call: Caller) -> None:
    told = call("methods")
    assert told.code == 0
    assert told.err == ""
    for name in method_names():
        kind = engine_class(name)
        needed = " (needs --training)" if kind.needs_training else ""
        possible = " (with or without --training)" if name == "hybrid" else ""
        assert f"{name:<17} {kind.title}{needed}{possible}\n" in told.out


def test_the_list_as_json_describes_every_method(call: Caller) -> None:
    entries = call("methods", "--json").data["methods"]
    assert [entry["name"] for entry in entries] == list(method_names())
    for entry in entries:
        assert entry["title"]
        assert entry["help"].endswith(".")
        assert entry["paper"] == engine_class(entry["name"]).paper
        kind = engine_class(entry["name"])
        assert (entry["training"] == "none") == (not kind.takes_training)
        assert (entry["training"] == "needed") == kind.needs_training
    layers = {entry["name"]: entry["layers"] for entry in entries}
    assert layers["kmeans"] == ["confidence", "distance", "entropy", "membership"]
    assert layers["rf"] == ["confidence", "entropy", "membership"]


def test_the_described_defaults_make_the_engine_that_needs_no_words(call: Caller) -> None:
    for entry in call("methods", "--json").data["methods"]:
        told = {p["name"]: p["default"] for p in entry["parameters"]}
        plain = make_engine(entry["name"], {}).get_params(deep=False)
        assert told == {name: plain[name] for name in told}
        assert set(told) == set(engine_class(entry["name"]).parameters)


def test_parameters_have_titles_for_dialogs(call: Caller) -> None:
    told = {p["name"]: p["title"] for p in call("methods", "isodata", "--json").data["parameters"]}
    assert told["max_iter"] == "Maximum iterations"
    assert told["max_std_from_mean"] == "Maximum standard deviation from mean"
    assert told["n_classes"] == "Number of classes"
    assert told["scale"] == "Scale"


def test_defaults_lie_within_the_described_ranges_and_choices(call: Caller) -> None:
    for entry in call("methods", "--json").data["methods"]:
        for parameter in entry["parameters"]:
            value = parameter["default"]
            if value is None:
                assert parameter["optional"], (entry["name"], parameter)
                continue
            if parameter["choices"]:
                assert value in parameter["choices"]
            if parameter["low"] is not None:
                assert value >= parameter["low"]
            if parameter["high"] is not None:
                assert value <= parameter["high"]
            kinds = {"integer": int, "number": (int, float), "boolean": bool, "text": str}
            kinds["choice"] = str
            assert isinstance(value, kinds[parameter["type"]]), (entry["name"], parameter)


@pytest.mark.parametrize(
    "name", [name for name in method_names() if not engine_class(name).needs_training]
)
def test_every_method_that_finds_classes_understands_the_flag_sample(name: str) -> None:
    plain, asked = (make_engine(name, values).get_params() for values in ({}, {"sample": "5000"}))
    assert [asked[p] for p in plain if plain[p] != asked[p]] == [5000]


def test_one_method_is_shown_with_ranges_aliases_and_paper(call: Caller) -> None:
    told = call("methods", "isodata")
    assert told.code == 0
    kind = engine_class("isodata")
    for name, spec in kind.parameters.items():
        assert f"  {name} " in told.out
        assert spec.help.split()[0] in told.out
    assert kind.paper in told.out
    assert "0 to 100" in told.out


def test_an_unknown_method_is_answered_with_the_nearest(call: Caller) -> None:
    told = call("methods", "iscodata")
    assert told.code == 2
    assert told.err.startswith("rsclass: no method is named 'iscodata'. Did you mean 'isodata'?")

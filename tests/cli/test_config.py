from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from calls import Caller

import rsclass.flow.classify
import rsclass.flow.train


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The settings that reach classify or train."""
    settings: dict[str, Any] = {}

    class Result:
        warnings: tuple[str, ...] = ()

        def to_dict(self) -> dict[str, Any]:
            return {}

        def summary(self) -> str:
            return ""

    def verb(*args: Any, **given: Any) -> Result:
        settings.update(given)
        return Result()

    monkeypatch.setattr(rsclass.flow.classify, "classify", verb)
    monkeypatch.setattr(rsclass.flow.train, "train", verb)
    return settings


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rsclass.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_flag_beats_the_variable_the_variable_the_file_the_file_the_default(
    call: Caller, asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = _write(tmp_path, "tile = 64\njobs = 2\nseed = 5\nmethod = 'fuzzy'\n")
    monkeypatch.setenv("RSCLASS_TILE", "128")
    monkeypatch.setenv("RSCLASS_JOBS", "3")
    assert call("classify", "s.tif", "--config-file", config, "--tile", "256").code == 0
    assert asked["running"].tile == 256
    assert asked["running"].jobs == 3
    assert asked["seed"] == 5
    assert asked["method"] == "fuzzy"
    assert asked["classes"] is None  # of the method


@pytest.mark.parametrize("first", [True, False])
def test_the_place_of_the_config_file_among_the_flags_does_not_matter(
    call: Caller, asked: dict[str, Any], tmp_path: Path, first: bool
) -> None:
    config = ("--config-file", _write(tmp_path, "seed = 5\njson = true\n"))
    rest = ("s.tif", "-m", "kmeans")
    told = call("classify", *((*config, *rest) if first else (*rest, *config)))
    assert asked["seed"] == 5
    assert told.data == {}


def test_the_config_file_itself_may_be_a_variable(
    call: Caller, asked: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RSCLASS_CONFIG_FILE", str(_write(tmp_path, "progress = 'json'\nseed = 6")))
    told = call("classify", "s.tif")
    assert asked["seed"] == 6
    assert told.events[-1]["event"] == "done"


def test_a_section_holds_for_its_command_alone_and_beats_what_is_shared(
    call: Caller, asked: dict[str, Any], tmp_path: Path
) -> None:
    config = _write(tmp_path, "seed = 1\n[classify]\nseed = 2\nstac = true\n[train]\nseed = 3\n")
    for verb, seed in (("classify", 2), ("train", 3)):
        told = call(verb, "s.tif", "--config-file", config)
        assert told.code == 0, told.err
        assert asked["seed"] == seed


def test_files_may_use_aliases_lists_tables_and_flags_that_turn_off(
    call: Caller, asked: dict[str, Any], tmp_path: Path
) -> None:
    config = _write(
        tmp_path,
        """
        bidx = ["4,3", "2"]
        max-mem = "1GiB"
        no-report = true
        bounds = [0, 1, 2, 3.5]
        layers = ["entropy"]
        co = ["COMPRESS=ZSTD"]
        preview = false
        [classify.set]
        restarts = 2
        tolerance = 0.5
        """,
    )
    told = call("classify", "s.tif", "--config-file", config)
    assert told.code == 0, told.err
    assert asked["reading"].bands == "4,3,2"
    assert asked["reading"].bounds == (0, 1, 2, 3.5)
    assert asked["running"].max_mem == 2**30
    assert not asked["writing"].report
    assert asked["writing"].layers == ("entropy",)
    assert asked["writing"].creation == (("COMPRESS", "ZSTD"),)
    assert asked["parameters"] == {"restarts": "2", "tolerance": "0.5"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("clases = 3", "no flag is named 'clases'. Did you mean 'classes'?"),
        ("[classify]\ntiles = 3", "[classify]: no flag is named 'tiles'. Did you mean 'tile'?"),
        ("[clasify]\ntile = 3", "no flag is named 'clasify'. Did you mean 'classify'?"),
        ("bands = '1'\nbidx = '2'", "'bidx' gives the flag --bands again"),
        ("tile = ", "is no TOML"),
        ("tile = 'wide'", "'wide' is not a valid integer"),
    ],
)
def test_a_mistake_in_the_file_is_one_sentence(
    call: Caller, asked: dict[str, Any], tmp_path: Path, text: str, sentence: str
) -> None:
    told = call("classify", "s.tif", "--config-file", _write(tmp_path, text))
    assert told.code == 2
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert asked == {}


def test_a_file_that_is_not_there_is_one_sentence(call: Caller, tmp_path: Path) -> None:
    told = call("classify", "s.tif", "--config-file", tmp_path / "no.toml")
    assert told.code == 2
    assert "no.toml cannot be read: No such file" in told.err


def test_a_shared_flag_that_a_command_lacks_is_left_out(
    call: Caller, asked: dict[str, Any], tmp_path: Path
) -> None:
    told = call("train", "s.tif", "--config-file", _write(tmp_path, "stac = true\nseed = 4"))
    assert told.code == 0, told.err
    assert asked["seed"] == 4


def test_a_byte_order_mark_and_crlf_do_no_harm(
    call: Caller, asked: dict[str, Any], tmp_path: Path
) -> None:
    """P13"""
    path = tmp_path / "rsclass.toml"
    path.write_bytes("\ufeffseed = 4\r\n[classify]\r\ntile = 99\r\n".encode())
    assert call("classify", "s.tif", "--config-file", path).code == 0
    assert (asked["seed"], asked["running"].tile) == (4, 99)

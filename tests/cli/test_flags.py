"""From flags to the settings of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from calls import Caller

import rsclass.flow.classify
import rsclass.flow.plan
import rsclass.flow.predict
import rsclass.flow.preview
import rsclass.flow.train
from rsclass.io.sink import Writing
from rsclass.io.source import Reading
from rsclass.run.settings import Running

GIB = 2**30


class Asked:
    """Stands in for a verb and remembers what it was asked."""

    warnings = ("the first band is dark.",)

    def __init__(self) -> None:
        self.args: tuple[Any, ...] = ()
        self.settings: dict[str, Any] = {}

    def __call__(self, *args: Any, **settings: Any) -> Asked:
        self.args, self.settings = args, settings
        return self

    def to_dict(self) -> dict[str, Any]:
        return {"path": "map.tif"}

    def summary(self) -> str:
        return "a map"

    @property
    def running(self) -> Running:
        """Without the reporter, which is made anew in every call."""
        given: Running = self.settings["running"]
        assert given.progress is not None
        return Running(given.jobs, given.max_mem, given.tile, given.device, given.scheduler)


@pytest.fixture
def classified(monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()
    monkeypatch.setattr(rsclass.flow.classify, "classify", asked)
    return asked


def test_without_flags_a_run_has_the_documented_defaults(call: Caller, classified: Asked) -> None:
    told = call("classify", "scene.tif")
    assert told.code == 0
    assert classified.args == ("scene.tif", None)
    assert classified.settings["reading"] == Reading()
    assert classified.settings["writing"] == Writing()
    assert classified.running == Running(max_mem=2 * 2**30)
    assert classified.settings["method"] == "uic"
    assert classified.settings["classes"] is None  # 12, or those of the training samples
    assert classified.settings["parameters"] == {}
    assert classified.settings["seed"] == 0
    assert classified.settings["match_to"] is None
    assert classified.settings["command"] == "rsclass classify scene.tif"


def test_every_flag_reaches_the_run(call: Caller, classified: Asked) -> None:
    told = call(
        "classify", "a.tif", "b.tif", "-m", "isodata", "-k", "6..16", "-o", "map.tif",
        "-b", "4,3", "-b", "2", "--src-nodata", "-9999", "--mask", "m.gpkg",
        "--bounds", "0,1,2,3", "--resolution", "20", "--unscaled", "--palette-as-values",
        "--on-bad-tile", "nodata", "--max-pixels", "1000", "--sample", "all",
        "--set", "max_std=8", "--set", "lump=2", "--init", "a.pth", "--seed", "7",
        "--match-to", "old.safetensors",
        "-j", "3", "--max-mem", "4GiB", "--tile", "512", "--device", "cpu",
        "--scheduler", "tcp://here:1", "--resume", "--overwrite", "--co", "COMPRESS=ZSTD",
        "--co", "ZSTD_LEVEL=9", "-f", "cog", "--layers", "entropy,confidence", "--membership",
        "--min-confidence", "0.5", "--max-distance", "9", "--no-report", "--stac",
    )  # fmt: skip
    assert told.code == 0, told.err
    assert classified.args == (["a.tif", "b.tif"], "map.tif")
    assert classified.settings["reading"] == Reading(
        bands="4,3,2", src_nodata=-9999, mask="m.gpkg", bounds=(0, 1, 2, 3), resolution=20,
        scaled=False, palette_as_values=True, max_pixels=1000, on_bad_tile="nodata",
    )  # fmt: skip
    assert classified.settings["writing"] == Writing(
        format="COG", creation=(("COMPRESS", "ZSTD"), ("ZSTD_LEVEL", "9")), overwrite=True,
        layers=("confidence", "entropy", "membership"), min_confidence=0.5, max_distance=9,
        report=False, stac=True, resume=True,
    )  # fmt: skip
    assert classified.running == Running(3, 4 * GIB, 512, "cpu", "tcp://here:1")
    assert classified.settings["method"] == "isodata"
    assert classified.settings["classes"] == "6..16"
    assert classified.settings["parameters"] == {
        "max_std": "8",
        "lump": "2",
        "sample": "all",
        "init": "a.pth",
    }
    assert classified.settings["seed"] == 7
    assert classified.settings["match_to"] == "old.safetensors"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("-b", "4,3,2"), ("--bands", "4,3,2")),
        (("--bidx", "4", "--bidx", "3", "--bidx", "2"), ("--band", "4,3,2")),
        (("-f", "COG"), ("--of", "COG")),
        (("--driver", "COG"), ("--output-format", "COG")),
        (("--co", "COMPRESS=LZW"), ("--creation-option", "COMPRESS=LZW")),
        (("--nodata", "0"), ("--src-nodata", "0")),
        (("--num-threads", "2"), ("-j", "2")),
        (("--bbox", "0,1,2,3"), ("--bounds", "0 1 2 3")),
        (("--geojson-mask", "m.json"), ("--mask", "m.json")),
        (("-o", "m.tif"), ("--output", "m.tif")),
        (("--confidence",), ("--layers", "confidence")),
    ],
)
def test_both_dialects_ask_for_the_same(
    call: Caller, classified: Asked, one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    asked = []
    for flags in (one, other):
        assert call("classify", "s.tif", *flags).code == 0
        kept = {k: v for k, v in classified.settings.items() if k not in ("command", "running")}
        asked.append((classified.args, kept, classified.running))
    plain = call("classify", "s.tif")
    assert plain.code == 0
    assert asked[0] == asked[1]
    untouched = {k: v for k, v in classified.settings.items() if k not in ("command", "running")}
    assert asked[0] != (classified.args, untouched, classified.running)


def test_nan_is_a_nodata_value(call: Caller, classified: Asked) -> None:
    assert call("classify", "s.tif", "--nodata", "nan").code == 0
    nodata = classified.settings["reading"].src_nodata
    assert nodata != nodata


@pytest.mark.parametrize(
    ("flags", "size"),
    [
        (("--preview", "s.tif"), 1000),
        (("s.tif", "--preview"), 1000),
        (("--preview", "200", "s.tif"), 200),
        (("--preview=200", "s.tif"), 200),
        (("--preview", "-k", "3", "s.tif"), 1000),
        (("--preview", "--", "s.tif"), 1000),
    ],
)
def test_a_preview_may_lack_its_size(
    call: Caller, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...], size: int
) -> None:
    asked = Asked()
    monkeypatch.setattr(rsclass.flow.preview, "preview", asked)
    told = call("classify", *flags)
    assert told.code == 0, told.err
    assert asked.args[0] == "s.tif"
    assert asked.settings["size"] == size


def test_after_two_dashes_preview_is_a_file(call: Caller, classified: Asked) -> None:
    assert call("classify", "--", "--preview").code == 0
    assert classified.args[0] == "--preview"


def test_dry_run_and_preview_exclude_each_other(call: Caller) -> None:
    told = call("classify", "s.tif", "--dry-run", "--preview")
    assert told.code == 2
    assert "exclude each other" in told.err


def test_train_and_predict_get_their_own_arguments(
    call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, predict = Asked(), Asked()
    monkeypatch.setattr(rsclass.flow.train, "train", train)
    monkeypatch.setattr(rsclass.flow.predict, "predict", predict)
    assert call("train", "s.tif", "-m", "kmeans", "-o", "m.safetensors", "--overwrite").code == 0
    assert train.args == ("s.tif", "m.safetensors")
    assert train.settings["overwrite"] is True
    assert train.settings["method"] == "kmeans"
    assert call("predict", "m.safetensors", "s.tif", "t.tif", "--stac", "-b", "red").code == 0
    assert predict.args == ("m.safetensors", ["s.tif", "t.tif"], None)
    assert predict.settings["writing"] == Writing(stac=True)
    assert predict.settings["reading"] == Reading(bands="red")


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("-k", "some"), "invalid value for '-k' / '--classes': 'some' is not a number"),
        (("--max-mem", "lots"), "'lots' is no size; write 4GiB"),
        (("--set", "x"), "'x' is not NAME=VALUE"),
        (("--layers", "confidense"), "Did you mean 'confidence'?"),
        (("--min-confidence", "1.5"), "1.5 is not in the range 0<=x<=1"),
        (("-f", "PNG"), "'PNG' is not one of 'gtiff', 'cog'"),
        (("--device", "tpu"), "'tpu' is not one of"),
        (("--seed", "x"), "'x' is not a valid integer"),
        (("--tile", "0"), "0 is not in the range x>=1"),
        (("--co", "NUM_THREADS=4"), "the creation option NUM_THREADS cannot be set"),
        (("--co", "COMPRES=ZSTD"), "Did you mean 'COMPRESS'?"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_exit_code_2(
    call: Caller, classified: Asked, flags: tuple[str, ...], sentence: str
) -> None:
    told = call("classify", "s.tif", *flags)
    assert told.code == 2
    assert sentence in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert classified.args == ()


def test_warnings_go_to_stderr_and_the_summary_to_stdout(call: Caller, classified: Asked) -> None:
    told = call("classify", "s.tif")
    assert told.out == "a map\n"
    assert told.err == "rsclass: warning: the first band is dark.\n"


def test_json_is_all_there_is_on_stdout(call: Caller, classified: Asked) -> None:
    told = call("classify", "s.tif", "--json")
    assert told.data == {"path": "map.tif"}


DARK = "rsclass: warning: the first band is dark.\n"


def test_quiet_says_nothing_but_warnings(call: Caller, classified: Asked) -> None:
    told = call("classify", "s.tif", "-q")
    assert (told.code, told.out, told.err) == (0, "", DARK)


def test_all_pixels_are_refused_by_a_method_that_has_a_limit(
    call: Caller, classified: Asked
) -> None:
    told = call("classify", "s.tif", "-m", "uic", "--sample", "all")
    assert told.code == 2
    assert (
        "uic learns from at most 100,000,000 pixels (training_pixels); give a number." in told.err
    )
    assert call("classify", "s.tif", "-m", "kmeans", "--sample", "all").code == 0


def test_quiet_json_is_json(call: Caller, classified: Asked) -> None:
    told = call("classify", "s.tif", "-q", "--json")
    assert told.data == {"path": "map.tif"}
    assert told.err == DARK


def test_a_plan_is_told_on_stdout(
    call: Caller, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = Asked()
    monkeypatch.setattr(rsclass.flow.plan, "plan", asked)
    assert call("classify", "s.tif", "--dry-run", "-m", "fuzzy").code == 0
    assert asked.args == ("s.tif", None)
    assert asked.settings["method"] == "fuzzy"
    assert "match_to" not in asked.settings

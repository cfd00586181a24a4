from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from calls import Caller

from rsclass.cli import health
from rsclass.cli.health import Check


def test_a_sound_computer_is_called_so(call: Caller) -> None:
    told = call("doctor", "--json", "--progress", "none")
    checks = {check["name"]: check for check in told.data["checks"]}
    assert told.code == 0, told.data
    assert told.data["healthy"] is True
    assert checks["numpy"]["detail"] == version("numpy")
    assert checks["GDAL"]["status"] == checks["PROJ"]["status"] == "ok"
    assert "the same when made again" in checks["a small map"]["detail"]
    assert "pytest" not in checks


@pytest.mark.parametrize(("status", "code"), [("ok", 0), ("warn", 0), ("fail", 5)])
def test_only_failed_checks_fail_the_gate(
    call: Caller, monkeypatch: pytest.MonkeyPatch, status: str, code: int
) -> None:
    monkeypatch.setattr("rsclass.cli.doctor.CHECKS", (lambda: [Check("fuel", status, "low")],))
    told = call("doctor", "--progress", "none")
    assert told.code == code
    assert told.out == f"{status:<5} fuel  low\n"
    assert told.err == ("rsclass: rsclass will not work well here; look at: fuel.\n" * (code > 0))


@pytest.mark.parametrize(
    ("requirement", "status", "words"),
    [
        ("numpy>=1.26", "ok", version("numpy")),
        ("numpy>=99.1", "fail", "but 99.1 or newer is needed"),
        ("torch<3,>=2.4", "ok", version("torch")),
        ("no-such-library>=1", "fail", "absent; pip install"),
        ("no-such-library>=1; extra == 'dask'", "ok", "rsclass[dask]"),
    ],
)
def test_versions_are_compared_with_what_is_required(
    monkeypatch: pytest.MonkeyPatch, requirement: str, status: str, words: str
) -> None:
    monkeypatch.setattr(health, "requires", lambda _: [requirement])
    (check,) = health._libraries()
    assert check.status == status
    assert words in check.detail


def test_what_only_developers_need_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "requires", lambda _: ["no-such-library>=1; extra == 'dev'"])
    assert health._libraries() == []


def test_a_failing_run_is_told_and_not_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **settings: Any) -> None:
        raise RuntimeError("no\nluck")

    monkeypatch.setattr("rsclass.flow.classify.classify", broken)
    (check,) = health._round_trip()
    assert check == Check("a small map", "fail", "RuntimeError: no luck")


def test_a_cache_of_compiled_code_that_cannot_be_written_is_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health.os, "access", lambda *_: False)
    (check,) = health._compiler()
    assert check.status == "warn"
    assert "NUMBA_CACHE_DIR" in check.detail


def test_no_place_at_all_for_compiled_code_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rsclass.core.compiling.Kernel.folder", None)
    (check,) = health._compiler()
    assert check == Check("compiled code", "warn", check.detail)
    assert check.detail.startswith("no folder can be written")


def test_a_full_temporary_folder_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Full:
        free = 10

    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: Full)
    found = {check.name: check.status for check in health._machine()}
    assert found["disk"] == "warn"

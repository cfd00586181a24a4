"""What libraries and rsclass itself warn of."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytest
from calls import Caller

import rsclass.flow.classify
from rsclass.errors import RsclassWarning


class _Result:
    warnings = ("the disk may fill up.",)

    def to_dict(self) -> dict[str, Any]:
        return {}

    def summary(self) -> str:
        return "done"


@pytest.fixture(autouse=True)
def _noisy(monkeypatch: pytest.MonkeyPatch) -> None:
    def verb(*args: Any, **settings: Any) -> _Result:
        warnings.warn("the disk may fill up.", RsclassWarning, stacklevel=1)
        warnings.warn("soon to be removed", DeprecationWarning, stacklevel=1)
        warnings.warn("divide by zero", RuntimeWarning, stacklevel=1)
        logging.getLogger("rasterio._env").info("GDAL signalled an error")
        logging.getLogger("rasterio._env").warning("CPLE_AppDefined")
        logging.getLogger("another").warning("library")
        return _Result()

    monkeypatch.setattr(rsclass.flow.classify, "classify", verb)


def test_rsclass_warns_once_and_libraries_are_silent(call: Caller) -> None:
    told = call("classify", "s.tif")
    assert told.code == 0
    assert told.err == "rsclass: warning: the disk may fill up.\n"


def test_verbose_shows_what_libraries_say(call: Caller) -> None:
    told = call("classify", "s.tif", "-v")
    assert "rsclass: rsclass classify s.tif -v\n" in told.err
    assert "rsclass: py.warnings: RuntimeWarning: divide by zero (" in told.err
    assert "rsclass: rasterio._env: GDAL signalled an error\n" in told.err
    assert told.err.count("the disk may fill up.") == 1


def test_the_log_file_has_it_without_verbose(
    call: Caller, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RSCLASS_LOG_FILE", str(tmp_path / "log.txt"))
    told = call("classify", "s.tif")
    assert told.err == "rsclass: warning: the disk may fill up.\n"
    kept = (tmp_path / "log.txt").read_text("utf-8")
    assert "INFO rasterio._env GDAL signalled an error" in kept
    assert "RuntimeWarning: divide by zero" in kept


def test_warnings_are_events_of_json_lines(call: Caller) -> None:
    told = call("classify", "s.tif", "--progress", "json")
    assert [e["message"] for e in told.events if e["event"] == "warning"] == [
        "the disk may fill up."
    ]

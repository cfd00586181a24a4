"""An interrupt that a library turns into an error of its own is still an interrupt."""

from __future__ import annotations

import os
import signal

import pytest

from rsclass.cli.boundary import guarded
from rsclass.cli.session import Session


def test_an_import_error_after_a_request_to_stop_ends_with_130(capsys: pytest.CaptureFixture[str]):
    def loading() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.sigtimedwait([], 1)
        except KeyboardInterrupt:
            raise ImportError("a library failed to load") from None

    assert guarded(Session(), loading) == 130
    assert "stopped; no map was written." in capsys.readouterr().err

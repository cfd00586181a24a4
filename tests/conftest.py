"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rsclass.run.settings import GIB, Running


@pytest.fixture(autouse=True, scope="session")
def room_for_the_tests():
    """The process of the tests holds more than a run does; its runs get more by default."""
    made = Running.__init__
    before = made.__defaults__
    made.__defaults__ = tuple(8 * GIB if value == 2 * GIB else value for value in before)
    yield
    made.__defaults__ = before


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scenes with ground truth; tests that need it skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RSCLASS_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"real scenes are not on this machine ({folder}); set RSCLASS_SHARED_DATA")
    return folder

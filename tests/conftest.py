"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real scenes with ground truth; tests that need it skip where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("RSCLASS_SHARED_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"real scenes are not on this machine ({folder}); set RSCLASS_SHARED_DATA")
    return folder

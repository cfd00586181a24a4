"""The exit code of a replay says whether the pixels are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from calls import Caller

import rsclass.flow.replay
from rsclass.flow.results import Replayed


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (Replayed(Path("map.tif"), True, 0, []), 0),
        (Replayed(Path("map.tif"), False, 0, [], same_pixels=True), 0),
        (Replayed(Path("map.tif"), False, 3, []), 5),
    ],
    ids=["bytes", "pixels", "neither"],
)
def test_only_other_pixels_fail_the_gate(
    call: Caller, monkeypatch: pytest.MonkeyPatch, found: Replayed, code: int
) -> None:
    def replay(*args: Any, **settings: Any) -> Replayed:
        return found

    monkeypatch.setattr(rsclass.flow.replay, "replay", replay)
    assert call("replay", "map.tif").code == code

"""Going on where an interrupted run stopped: its model and its labelled windows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from rsclass.core.types import Window
from rsclass.flow.label import Known, Piece
from rsclass.flow.models import Model
from rsclass.io.journal import Journal

_MODEL = Window(0, 0, 0, 0)
_KEPT_IN_MODEL = ("model", "story")


class Progress:
    """What is finished of a map.

    Parameters
    ----------
    journal : Journal
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        # Places only: the pieces together may be larger than memory.
        self._places = journal.places()

    def model(self) -> tuple[Model, dict[str, Any]] | None:
        """The trained model and how it came about, if training was finished."""
        if _MODEL not in self._places:
            return None
        kept = self._journal.piece(self._places[_MODEL])
        model = Model.from_bytes(kept["model"].tobytes(), f"the model in {self._journal.path}")
        return model, json.loads(kept["story"].tobytes())

    def keep_model(self, model: Model, story: Mapping[str, Any]) -> None:
        """Remember a trained model and, JSON-able, how it came about."""
        parts = (model.to_bytes(), json.dumps(story).encode())
        layers = {
            name: np.frombuffer(part, dtype=np.uint8)
            for name, part in zip(_KEPT_IN_MODEL, parts, strict=True)
        }
        self._journal.add(_MODEL, layers)

    def known(self, window: Window) -> Known | None:
        """What was found for exactly this window."""
        place = self._places.get(window)
        return None if place is None else self._journal.piece(place)

    def keep(self, piece: Piece) -> None:
        """Remember a labelled window, unless it is remembered already."""
        if piece.window in self._places:
            return
        self._journal.add(piece.window, {"classes": piece.classes, **piece.layers})


@contextmanager
def resumable(path: Path, wanted: bool, config: Mapping[str, Any]) -> Iterator[Progress | None]:
    """A journal beside ``path``, removed when the work is done; None when it is not wanted.

    Parameters
    ----------
    config : mapping
        All that the result depends on; a journal of another run is not used.
    """
    if not wanted:
        yield None
        return
    text = json.dumps(config, sort_keys=True)
    journal = Journal.open(path.with_name(f"{path.name}.resume"), text, resume=True)
    with journal:
        yield Progress(journal)
        journal.discard()

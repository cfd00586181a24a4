"""Drawn features as the change of a map, and what they changed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.editing import EditRule
from rsclass.core.grid import Georeference, TileGrid, canonical_side, split
from rsclass.core.legend import Legend
from rsclass.core.transitions import Transitions
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError
from rsclass.flow.derive import Around
from rsclass.io.edit_log import ChangedBlock, EditedFeature, LoggedEdit
from rsclass.io.vectors import Features

__all__ = ["BYTES_PER_PIXEL", "Editing", "Restoring", "Step"]

BYTES_PER_PIXEL = 40.0
_SIDE = canonical_side(2)
_CONTESTED = -2


@dataclass(frozen=True)
class Step:
    """One edit before it is done.

    Parameters
    ----------
    features : Features
    labels : tuple of str
        Of the features, as their file has them.
    values : tuple of int
        New class of each feature's pixels.
    only : tuple of (tuple of int or None)
        Classes that each feature may change.
    fill : bool
        Pixels without a class are changed too.
    before, after : Legend
        Of the map.
    facts : dict
        Where it comes from; see :class:`rsclass.io.edit_log.LoggedEdit`.
    """

    features: Features
    labels: tuple[str, ...]
    values: tuple[int, ...]
    only: tuple[tuple[int, ...] | None, ...]
    fill: bool
    before: Legend
    after: Legend
    facts: Mapping[str, Any]


@dataclass
class _Found:
    """What an edit has changed so far; sums and sets, so the order of windows does not matter."""

    owned: NDArray[np.int64]
    moves: Counter[tuple[int, int]] = field(default_factory=Counter)
    blocks: dict[Window, ChangedBlock] = field(default_factory=dict)
    contested: int = 0


class Editing:
    """Edits one after the other; for threads of this process, because it takes notes.

    Parameters
    ----------
    steps : sequence of Step
    georef : Georeference
        Of the map.
    """

    def __init__(self, steps: Sequence[Step], georef: Georeference) -> None:
        self.steps = steps
        self._georef = georef
        self._rules = [EditRule(step.values, step.only, step.fill) for step in steps]
        self._found = [_Found(np.zeros(len(step.features), np.int64)) for step in steps]
        self._lock = threading.Lock()

    def __call__(self, around: Around) -> Labels:
        """New values of the core."""
        values = around.cut(around.values)
        for step, rule, found in zip(self.steps, self._rules, self._found, strict=True):
            owner = step.features.burn(around.core, self._georef)
            new = rule.apply(values, owner)
            self._note(found, around.core, owner, values, new)
            values = new
        return values

    def _note(self, found: _Found, core: Window, owner: Labels, old: Labels, new: Labels) -> None:
        owned = np.bincount(owner[owner >= 0], minlength=len(found.owned))
        changed = old != new
        left = Transitions.of(owner[changed], old[changed])
        blocks = {}
        for part in split(core, _SIDE):
            place = part.inside(core)
            if changed[place].any():
                blocks[part] = ChangedBlock.of(part, old[place], new[place])
        with self._lock:
            found.owned += owned
            found.contested += int(np.count_nonzero(owner == _CONTESTED))
            for number, value, pixels in zip(left.before, left.after, left.pixels, strict=True):
                found.moves[int(number), int(value)] += int(pixels)
            found.blocks |= blocks

    def logged(self) -> tuple[LoggedEdit, ...]:
        """The edits as they were done, after the pass."""
        return tuple(
            _logged(step, found) for step, found in zip(self.steps, self._found, strict=True)
        )


def _logged(step: Step, found: _Found) -> LoggedEdit:
    moves: list[dict[int, int]] = [{} for _ in step.labels]
    for (number, old), pixels in sorted(found.moves.items()):
        moves[number][old] = pixels
    rows = zip(
        step.features.ids,
        step.labels,
        step.values,
        step.only,
        found.owned.tolist(),
        moves,
        step.features.geometries,
        strict=True,
    )
    return LoggedEdit(
        {**step.facts, "fill": step.fill, "contested": found.contested},
        step.before,
        step.after,
        tuple(EditedFeature(*row) for row in rows),
        tuple(found.blocks[window] for window in sorted(found.blocks)),
    )


class Restoring:
    """The change that takes an edit back.

    Parameters
    ----------
    edit : LoggedEdit
    height, width : int
        Of the map.

    Raises
    ------
    DataError
        The edit is of a map of another size.
    """

    def __init__(self, edit: LoggedEdit, height: int, width: int) -> None:
        self._blocks = {block.window: block for block in edit.blocks}
        self._known = np.array([0, *edit.before.values])
        strange = self._blocks.keys() - set(TileGrid(height, width, _SIDE, _SIDE))
        if strange:
            raise DataError(
                f"the edit log does not fit the map of {height} x {width} pixels: it speaks of "
                f"{min(strange)}."
            )

    def __call__(self, around: Around) -> Labels:
        """The old values of the core."""
        out = around.cut(around.values).copy()
        for part in split(around.core, _SIDE):
            if part in self._blocks:
                place = part.inside(around.core)
                out[place] = self._blocks[part].restored(out[place])
                if not np.isin(out[place], self._known).all():
                    raise DataError(f"the edit log is damaged: its values at {part} are no class.")
        return out

"""A training that may be stopped and goes on to the same result."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rsclass.core.ranks import Ranks
from rsclass.deep.keeping import State, keeping
from rsclass.errors import BrokenModelError, OutputExistsError, UsageError
from rsclass.io.checkpoint import read_checkpoint, write_checkpoint

__all__ = ["SECONDS", "checkpointed", "default_checkpoint"]

SECONDS = 10.0
"""A state is written after an epoch if the last one is older."""


def default_checkpoint(output: Path) -> Path:
    """Where the state of a training is kept, beside what will be written."""
    return output.with_name(f"{output.name}.checkpoint")


class _Checkpoint:
    """Keeps the states of a fit's trainings in memory, and now and then in a file."""

    def __init__(self, path: Path, identity: Mapping[str, Any], stages: list[State]) -> None:
        self.path, self.identity = path, identity
        self._known, self._stages = stages, list[State]()
        self._written = time.monotonic()
        self._fresh = False

    def begin(self) -> State | None:
        """The next training of the fit begins; its state when an earlier fit was stopped."""
        number = len(self._stages)
        state = self._known[number] if number < len(self._known) else None
        self._stages.append(state or ({}, {}))
        return state

    def keep(self, state: State) -> None:
        """Take the state after an epoch; write it if the last one is old."""
        self._stages[-1] = state
        self._fresh = True
        if time.monotonic() - self._written >= SECONDS:
            self.write()

    def write(self) -> None:
        """Write what is not written yet."""
        if self._fresh and Ranks.here().leads:
            write_checkpoint(self.path, self.identity, self._stages)
        self._fresh, self._written = False, time.monotonic()


@contextmanager
def checkpointed(
    path: Path | None,
    identity: Mapping[str, Any],
    *,
    resume: bool,
    strict: bool = True,
    overwrite: bool = False,
) -> Iterator[None]:
    """Keep the trainings inside in ``path``, and go on from what stands there.

    The file is removed when all went well; whatever ends the work before, the last epoch is kept.

    Parameters
    ----------
    path : Path or None
        None: nothing is kept.
    identity : mapping
        All that the result depends on, JSON-able.
    resume : bool
        Go on from the state that stands there.
    strict : bool
        Refuse a state that is damaged or of another training; else start anew.
    overwrite : bool
        Whether a state may be replaced without being used.

    Raises
    ------
    OutputExistsError
        A state stands there, and nobody says what to do with it.
    UsageError
        It is the state of another training.
    BrokenModelError
        It is damaged.
    """
    if path is None:
        yield
        return
    identity = json.loads(json.dumps(identity))
    stages = _stages(path, identity, resume, strict, overwrite)
    checkpoint = _Checkpoint(path, identity, stages)
    with keeping(checkpoint):
        try:
            yield
        except BaseException:
            checkpoint.write()
            raise
    if Ranks.here().leads:
        path.unlink(missing_ok=True)


def _stages(
    path: Path, identity: Mapping[str, Any], resume: bool, strict: bool, overwrite: bool
) -> list[State]:
    if not path.exists() or (overwrite and not resume):
        return []
    if not resume:
        raise OutputExistsError(
            f"{path} is the checkpoint of a training that was stopped; give --resume to go on from "
            "it, or --overwrite to start anew.",
            path=str(path),
        )
    try:
        before, stages = read_checkpoint(path)
    except BrokenModelError:
        if strict:
            raise
        return []
    if before == identity:
        return stages
    if not strict:
        return []
    told = "; ".join(_differences(before, identity))
    raise UsageError(
        f"the checkpoint {path} is that of another training ({told}); train as it was begun, or "
        "remove the checkpoint to start anew."
    )


def _differences(before: Mapping[str, Any], now: Mapping[str, Any], name: str = "") -> list[str]:
    """What differs, in words: ``epochs was 20 and is 30``."""
    found = []
    for key in dict.fromkeys([*before, *now]):
        then, this = before.get(key), now.get(key)
        if then == this:
            continue
        if isinstance(then, Mapping) and isinstance(this, Mapping):
            found += _differences(then, this, key)
        elif isinstance(then, str | int | float) and isinstance(this, str | int | float):
            found.append(f"{key} was {then} and is {this}")
        else:
            found.append(f"{key} is another" if not name else f"{key} of {name} is another")
    return found[:4]

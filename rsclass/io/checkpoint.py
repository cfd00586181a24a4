"""The file in which a training that may be stopped leaves its state: a model file of its own kind.

It is written whole or not at all, and a flipped bit in it is found; see
:mod:`rsclass.io.model_file`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from rsclass.errors import BrokenModelError
from rsclass.io.atomic import write_bytes
from rsclass.io.model_file import model_bytes, read_model

__all__ = ["read_checkpoint", "write_checkpoint"]

_METHOD = "a training that was stopped"

State = tuple[Mapping[str, Any], Mapping[str, NDArray[Any]]]


def write_checkpoint(
    path: str | os.PathLike[str], identity: Mapping[str, Any], stages: Sequence[State]
) -> None:
    """Write the state of every training of a fit; what stood there is replaced.

    Parameters
    ----------
    identity : mapping
        All that the result depends on, JSON-able.
    stages : sequence of (card, arrays)

    Raises
    ------
    OutputError
        It cannot be written.
    """
    arrays = {
        f"{number}/{name}": array
        for number, (_, own) in enumerate(stages)
        for name, array in own.items()
    }
    card = {
        "method": _METHOD,
        "parameters": dict(identity),
        "bands": [],
        "engine": {"stages": [dict(card) for card, _ in stages]},
    }
    write_bytes(Path(path), model_bytes(card, arrays), overwrite=True)


def read_checkpoint(path: str | os.PathLike[str]) -> tuple[dict[str, Any], list[State]]:
    """Identity and states of a checkpoint.

    Raises
    ------
    BrokenModelError
        It is damaged, or no checkpoint.
    """
    try:
        card, arrays = read_model(Path(path))
    except BrokenModelError as error:
        raise BrokenModelError(
            f"the checkpoint {path} cannot be used ({str(error).rstrip('.')}); remove it and train "
            "from the start."
        ) from error
    if card["method"] != _METHOD:
        raise BrokenModelError(f"{path} is a model and no checkpoint; name another file.")
    stages: list[State] = []
    for number, own in enumerate(card["engine"]["stages"]):
        prefix = f"{number}/"
        mine = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
        stages.append((own, mine))
    return card["parameters"], stages

"""Files from which a network takes its first weights: models of rsclass, and those of others."""

from __future__ import annotations

import json
from pathlib import Path

from rsclass.errors import DataError
from rsclass.io.model_file import METADATA_KEY

_MOST_BYTES = 2 * 2**30


def read_content(path: str | Path) -> bytes:
    """The bytes of a file of weights.

    Raises
    ------
    DataError
        There is no such file, or it cannot be read or is far too large.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise DataError(
                f"{path} has {size:,} bytes, and weights to start from have at most "
                f"{_MOST_BYTES:,}; give the state dict of the network alone."
            )
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(
            f"there is no file of weights {path}, and no pretext of that name; check the path, or "
            "see init in 'rsclass methods uic'.",
            path=str(path),
        ) from error
    except OSError as error:
        raise DataError(
            f"the weights {path} cannot be read: {error.strerror or error}.", path=str(path)
        ) from error


def holds_model(content: bytes) -> bool:
    """Whether the bytes claim to be a model of rsclass."""
    length = int.from_bytes(content[:8], "little")
    if content[8:9] != b"{" or length + 8 > len(content):
        return False
    try:
        header = json.loads(content[8 : 8 + length])
    except (ValueError, RecursionError):
        return False
    return METADATA_KEY in (header.get("__metadata__") or {})

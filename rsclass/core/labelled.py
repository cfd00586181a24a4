"""Blocks that remember their labels between passes, so that a pass adds up changes alone."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Block, Window


@dataclass(frozen=True, slots=True)
class LabelledBlock:
    """The labels of a block's pixels, and the sums of its classes.

    Parameters
    ----------
    labels : uint8 or uint16 array (pixels,)
        ``len(count) - 1`` is "none".
    count : int64 array (classes + 1,)
    sums, squares : arrays (classes + 1, bands)
        The last row has no meaning.
    """

    labels: NDArray[Any]
    count: NDArray[np.int64]
    sums: NDArray[Any]
    squares: NDArray[Any]

    @classmethod
    def fresh(cls, block: Block, n_classes: int, kind: np.dtype[Any]) -> LabelledBlock:
        """No pixel has a class yet."""
        shape = (n_classes + 1, block.n_bands)
        return cls(
            np.full(block.valid.size, n_classes, label_type(n_classes)),
            np.zeros(n_classes + 1, dtype=np.int64),
            np.zeros(shape, dtype=kind),
            np.zeros(shape, dtype=kind),
        )

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        return self.labels.nbytes + self.count.nbytes + self.sums.nbytes + self.squares.nbytes


def label_type(n_classes: int) -> np.dtype[Any]:
    """The smallest type that holds ``n_classes`` labels and one for "none"."""
    return np.dtype(np.uint8 if n_classes <= np.iinfo(np.uint8).max else np.uint16)


class LabelMemory:
    """The labelled blocks of a scene whose sums are whole numbers.

    It serves threads of one process; sent to another it arrives empty and keeps nothing.

    Parameters
    ----------
    most : int
        Classes at most.
    room : int
        Bytes that it may take; blocks beyond are not kept.
    """

    def __init__(self, most: int, room: int) -> None:
        self._most = most
        self._free = room
        self._blocks: dict[Window, LabelledBlock] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return LabelMemory, (self._most, 0)

    def of(self, block: Block) -> LabelledBlock | None:
        """What is known of ``block``; None where it cannot be kept."""
        found = self._blocks.get(block.window)
        if found is None and self._free > 0:
            found = LabelledBlock.fresh(block, self._most, np.dtype(np.int64))
            with self._lock:
                # Sums of very many classes would outweigh the labels that they belong to.
                few = found.nbytes <= 4 * block.valid.size
                if not few or found.nbytes > self._free:
                    return None
                self._free -= found.nbytes
                self._blocks[block.window] = found
        return found

"""How sure a model is of a scene, from a few patches of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Block, Window
from rsclass.flow.models import Model
from rsclass.flow.stream import SceneStream

__all__ = ["BINS", "confidence_histogram", "patches"]

BINS = 20
_SIDE = 64
_ALONG = 3
_MANY = 6  # canonical blocks on the shorter side of a large scene


def confidence_histogram(
    stream: SceneStream, model: Model, seen: Mapping[Window, Block]
) -> NDArray[np.int64] | None:
    """How many pixels of nine patches, spread evenly over the scene, have which confidence.

    Parameters
    ----------
    seen : mapping of Window to Block
        Surroundings of patches that need not be read again.

    Returns
    -------
    int64 array (bins,) or None
        Of equal bins from 0 to 1; None where the method has no confidence.
    """
    counts = np.zeros(BINS, dtype=np.int64)
    for core, around in patches(stream, model):
        block = seen[around] if around in seen else stream.read(around)
        if not block.valid.any():
            continue
        found = model.engine.predict_block(block, core, {"confidence"})
        confidence = found.layers["confidence"][found.labels >= 0]
        counts += np.histogram(confidence, BINS, (0.0, 1.0))[0]
    return counts if model.engine.tells_confidence else None


def patches(stream: SceneStream, model: Model) -> list[tuple[Window, Window]]:
    """The patches, each with what the engine needs to see around it; none without a confidence.

    They begin where the engine's own tiles do, and in a large scene where canonical blocks do, so
    that one block holds all of a patch. There are fewer in a small scene.
    """
    engine, height, width = model.engine, stream.height, stream.width
    if not engine.tells_confidence:
        return []
    side = max(_SIDE, engine.block)
    large = min(height, width) >= _MANY * stream.side and stream.side % side == 0
    starts = [_starts(size, stream.side if large else engine.block) for size in (height, width)]
    cores = [
        Window(row, col, min(side, height - row), min(side, width - col))
        for row in starts[0]
        for col in starts[1]
    ]
    return [(core, core.grow(engine.halo, height, width)) for core in cores]


def _starts(size: int, step: int) -> list[int]:
    """Multiples of ``step`` near the middles of the thirds of ``size`` pixels."""
    return sorted({(2 * i + 1) * size // (2 * _ALONG) // step * step for i in range(_ALONG)})

"""How sure a model is of a scene, from a few patches of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Window
from rsclass.flow.models import Model
from rsclass.flow.stream import SceneStream

__all__ = ["BINS", "confidence_histogram"]

BINS = 20
_SIDE = 64
_ALONG = 3


def confidence_histogram(stream: SceneStream, model: Model) -> NDArray[np.int64] | None:
    """How many pixels of nine patches, spread evenly over the scene, have which confidence.

    Returns
    -------
    int64 array (bins,) or None
        Of equal bins from 0 to 1; None where the method has no confidence.
    """
    if not model.engine.tells_confidence:
        return None
    counts = np.zeros(BINS, dtype=np.int64)
    for core in _patches(stream.height, stream.width, model.engine.block):
        around = stream.read(core.grow(model.engine.halo, stream.height, stream.width))
        if not around.valid.any():
            continue
        found = model.engine.predict_block(around, core, {"confidence"})
        confidence = found.layers["confidence"][found.labels >= 0]
        counts += np.histogram(confidence, BINS, (0.0, 1.0))[0]
    return counts


def _patches(height: int, width: int, block: int) -> list[Window]:
    """Windows that begin where the engine's own tiles do; fewer in a small scene."""
    starts = [
        sorted({(2 * i + 1) * size // (2 * _ALONG) // block * block for i in range(_ALONG)})
        for size in (height, width)
    ]
    side = max(_SIDE, block)
    return [
        Window(row, col, min(side, height - row), min(side, width - col))
        for row in starts[0]
        for col in starts[1]
    ]

"""What a frozen network makes of units (pixels or patches): features, answers, nearest others."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from rsclass.core.types import Float
from rsclass.deep.infer import Forward
from rsclass.deep.patches import Chunk, TrainingArea
from rsclass.deep.shards import Shards

__all__ = ["features_in", "features_of", "logits_of", "nearest_units", "unit_rows"]

_ROWS = 1024


def features_of(
    area: TrainingArea, forward: Forward, shards: Shards, pixels: NDArray[np.int64]
) -> Float:
    """What the classifier takes (pixels, features) of flat pixel indices in order."""

    return _gathered(area, shards, pixels, lambda chunk: features_in(area, forward, chunk))


def features_in(area: TrainingArea, forward: Forward, chunk: Chunk) -> NDArray[np.float32]:
    """What the classifier takes (features, height, width) of a whole chunk."""
    embedding, _ = forward.run(area.whole(chunk))
    with torch.inference_mode():
        seen: NDArray[np.float32] = forward.net.head(embedding[None])[0].cpu().numpy()
    return seen


def logits_of(
    area: TrainingArea, forward: Forward, shards: Shards, pixels: NDArray[np.int64]
) -> Float:
    """Logits (pixels, outputs) of flat pixel indices in order."""
    return _gathered(area, shards, pixels, lambda c: forward.logits(area.whole(c)).cpu().numpy())


def _gathered(
    area: TrainingArea,
    shards: Shards,
    pixels: NDArray[np.int64],
    seen: Callable[[Chunk], NDArray[np.float32]],
) -> Float:
    """What ``seen`` shows (channels, h, w) at flat pixel indices in order, chunks in threads."""

    def part(chunk: Chunk) -> NDArray[np.float32] | None:
        bounds = np.searchsorted(pixels, [chunk.place.start, chunk.place.stop])
        inside = pixels[bounds[0] : bounds[1]] - chunk.first
        if not len(inside):
            return None
        image = seen(chunk)
        return image.reshape(len(image), -1)[:, inside].T

    parts = [rows for rows in shards.map(part, area.chunks) if rows is not None]
    return np.ascontiguousarray(np.concatenate(parts), dtype=np.float64)


def unit_rows(table: Float) -> Float:
    """Rows of length 1; rows of zeros stay."""
    length = np.sqrt((table * table).sum(axis=1, keepdims=True))
    rows: Float = table / np.where(length > 0, length, 1.0)
    return rows


def nearest_units(table: Float, k: int) -> NDArray[np.int64]:
    """The ``k`` rows of largest cosine to each row (rows, k), itself left out, the nearest first.

    Fewer where there are not so many rows.
    """
    rows = torch.from_numpy(unit_rows(table).astype(np.float32))
    k = min(k, len(rows) - 1)
    found = np.empty((len(rows), k), dtype=np.int64)
    for start in range(0, len(rows), _ROWS):
        cosine = rows[start : start + _ROWS] @ rows.T
        here = torch.arange(len(cosine))
        cosine[here, start + here] = -torch.inf
        found[start : start + _ROWS] = cosine.topk(k, dim=1).indices.numpy()
    return found

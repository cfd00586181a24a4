"""What the clusters of a trained network are: their pixels, spectra and places in feature space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float, PixelStream
from rsclass.deep.infer import Forward
from rsclass.deep.patches import Chunk, TrainingArea
from rsclass.deep.processor import best
from rsclass.deep.shards import Shards

__all__ = ["Clusters", "survey"]


@dataclass(frozen=True, slots=True)
class Clusters:
    """The clusters that hold training pixels.

    Parameters
    ----------
    index : int64 array (clusters,)
        Their numbers as the network has them.
    count : int64 array (clusters,)
    spectra : float64 array (clusters, bands)
        Means in physical units.
    features : float64 array (clusters, features)
        Means in the space in which classes are merged.
    """

    index: NDArray[np.int64]
    count: NDArray[np.int64]
    spectra: Float
    features: Float


def survey(
    stream: PixelStream, area: TrainingArea, forward: Forward, shards: Shards, space: str
) -> Clusters:
    """Label the training area and average over each cluster.

    Parameters
    ----------
    space : str
        ``spectra`` (scaled 5 x 5 means), ``inputs`` (as they are), ``embedding`` or ``logits``.
    """
    k = forward.net.shape.clusters

    def look(chunk: Chunk) -> tuple[NDArray[np.int64], Float]:
        embedding, logits = forward.run(area.whole(chunk))
        labels = best(logits).astype(np.int64).reshape(-1)
        if space in ("spectra", "inputs"):
            image = area.smoothed(chunk) if space == "spectra" else area.center(chunk)
        else:
            image = (embedding if space == "embedding" else logits).cpu().numpy()
        usable = chunk.usable.reshape(-1)
        table = image.reshape(len(image), -1)[:, usable]
        return np.where(usable, labels, -1), _sums(labels[usable], table, k)

    seen = shards.map(look, area.chunks)
    count = np.zeros(k, dtype=np.int64)
    spectra = np.zeros((k, len(stream.bands)))
    features = np.zeros_like(seen[0][1])
    for chunk, (labels, sums) in zip(area.chunks, seen, strict=True):
        usable = chunk.usable.reshape(-1)
        block = stream.read(chunk.window)
        values = block.flat[:, usable].astype(np.float64)
        spectra += _sums(labels[usable], values * block.gain[:, None] + block.offset[:, None], k)
        features += sums
        count += np.bincount(labels[usable], minlength=k)
    alive = np.flatnonzero(count)
    size = count[alive][:, None]
    return Clusters(alive, count[alive], spectra[alive] / size, features[alive] / size)


def _sums(labels: NDArray[np.int64], table: NDArray[np.floating], k: int) -> Float:
    return np.stack([np.bincount(labels, weights=row, minlength=k) for row in table], axis=1)

"""Signatures of classes that are joined, or that exchange pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rsclass.core.stats import ClassStats
from rsclass.core.transitions import Transitions

__all__ = ["pooled"]


def pooled(
    stats: ClassStats, values: Sequence[int], moves: Transitions, new_values: Sequence[int]
) -> ClassStats:
    """Signatures of new classes that are made of pixels of earlier ones.

    Exact where every earlier class went whole; a part of a class is taken to have the mean and
    the covariance of all of it.

    Parameters
    ----------
    stats : ClassStats
        Of the earlier classes.
    values : sequence of int
        What the earlier map stores for each of them.
    moves : Transitions
        From the earlier map to the new one.
    new_values : sequence of int
        What the new map stores for each of its classes.
    """
    place = {value: i for i, value in enumerate(values)}
    n_bands = len(stats.bands)
    mean = np.full((len(new_values), n_bands), np.nan)
    covariance = np.full((len(new_values), n_bands, n_bands), np.nan)
    for j, value in enumerate(new_values):
        # Pixels that had no class before have no known spectra.
        chosen = (moves.after == value) & np.isin(moves.before, values)
        own = [place[int(before)] for before in moves.before[chosen]]
        pixels = moves.pixels[chosen].astype(np.float64)
        n = pixels.sum()
        if n == 0:
            continue
        mean[j] = (pixels[:, None] * stats.mean[own]).sum(axis=0) / n
        if n == 1:
            continue
        scatter = np.zeros((n_bands, n_bands))
        for i, part in zip(own, pixels, strict=True):
            count = float(stats.count[i])
            if count > 1:
                scatter += part / count * (count - 1) * stats.covariance[i]
            shift = stats.mean[i] - mean[j]
            scatter += part * shift[:, None] * shift[None, :]
        covariance[j] = scatter / (n - 1)
    return ClassStats(stats.bands, moves.counts_after(new_values), mean, covariance)

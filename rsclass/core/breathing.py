"""Better centers than any start gives: some are added where errors are large, others removed.

The breathing of Fritzke 2020, The breathing k-means algorithm, arXiv:2006.15666: it leaves most
of the poor optima in which k-means ends.
"""

from __future__ import annotations

import numpy as np

from rsclass.core import kernels
from rsclass.core.lloyd import lloyd
from rsclass.core.types import Float

MOST = 3
"""Centers added at first."""

PASSES = 10
"""K-means passes after each change."""

ENOUGH = 1e-4
"""Share of the inertia by which a breath must better it."""

_NEAR = 1.1
_STEP = 0.01


def breathe(table: Float, centers: Float, rng: np.random.Generator) -> Float:
    """Move centers between places until it lowers the inertia no more.

    In a breath the classes of the largest error get a second center; then the centers that are
    missed least are taken away, no two neighbors at once. As long as that helps, it is repeated;
    then with one center less.

    Parameters
    ----------
    table : float64 array (pixels, bands)
    centers : float64 array (classes, bands)
    rng : Generator
        Says to which side of a center its second is put.

    Returns
    -------
    float64 array (classes, bands)
    """
    values = np.ascontiguousarray(table.T)
    centers, _, inertia = lloyd(table, centers, PASSES)
    most = min(MOST, len(centers) - 1)
    while most > 0 and inertia > 0:
        error, _ = _errors(values, centers)
        chosen = np.argsort(-error, kind="stable")[:most]
        step = 2 * _STEP * np.sqrt(inertia / len(table))
        beside = centers[chosen] + (rng.random((most, centers.shape[1])) - 0.5) * step
        more, _, _ = lloyd(table, np.vstack([centers, beside]), PASSES)
        _, loss = _errors(values, more)
        fewer, _, after = lloyd(table, np.delete(more, _needless(more, loss, most), 0), PASSES)
        if after < inertia * (1 - ENOUGH):
            centers, inertia = fewer, after
        else:
            most -= 1
    return centers


def _errors(values: Float, centers: Float) -> tuple[Float, Float]:
    """Squared error of every class, and what it would grow by without its center."""
    error, loss = np.zeros(len(centers)), np.zeros(len(centers))
    kernels.errors(values, centers, error, loss)
    return error, loss


def _needless(centers: Float, loss: Float, n: int) -> list[int]:
    """``n`` centers of small loss, of which none is a near neighbor of another where possible."""
    apart = np.sqrt(((centers[:, None] - centers[None]) ** 2).sum(axis=2))
    np.fill_diagonal(apart, np.inf)
    near = apart < _NEAR * apart.min(axis=1).mean()
    kept: set[int] = set()
    gone: list[int] = []
    for k in np.argsort(loss, kind="stable").tolist():
        if len(gone) == n:
            return gone
        if k in kept:
            continue
        gone.append(k)
        for other in np.argsort(apart[k], kind="stable").tolist():
            if near[k, other] and other not in gone and len(kept) + n < len(centers):
                kept.add(other)
    left = [k for k in np.argsort(loss, kind="stable").tolist() if k not in gone]
    return gone + left[: n - len(gone)]

"""Reference places and patches drawn from a complete map of the truth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from rsclass.core.sampling import place_keys

# Corners of an octagon with sides of almost equal length, in units of its radius.
_OCTAGON = ((1.0, 0.4), (0.4, 1.0), (-0.4, 1.0), (-1.0, 0.4),
            (-1.0, -0.4), (-0.4, -1.0), (0.4, -1.0), (1.0, -0.4))  # fmt: skip
# Radii in pixels: narrow places serve only classes that offer no others.
_COMFORTABLE, _NARROWEST = 1.2, 0.7
_REACH = 1.08  # farthest corner of the octagon, in units of its radius


class Place(NamedTuple):
    """A pixel of known class."""

    row: int
    col: int
    code: int


class Patch(NamedTuple):
    """A polygon wholly inside one class; corners as (row, col) from the scene's corner."""

    code: int
    corners: tuple[tuple[float, float], ...]


def draw_places(truth: NDArray[np.uint8], n: int, each: int, seed: int) -> list[Place]:
    """Stratified random places: at least ``each`` of every class, the rest by area.

    Parameters
    ----------
    truth : uint8 array (height, width)
        Class codes from 1; 0 is never drawn.
    n : int
        Places in all; more where ``each`` asks for more, fewer where a class has fewer pixels.
    each : int
        Least number for each class.
    seed : int

    Returns
    -------
    list of Place
        By class, then in row-major order.
    """
    count = np.bincount(truth.reshape(-1))
    count[0] = 0
    places = []
    for code in np.flatnonzero(count):
        share = max(each, round(n * int(count[code]) / int(count.sum())))
        rows, cols = np.nonzero(truth == code)
        first = np.argsort(place_keys(rows, cols, seed), kind="stable")[:share]
        places += [Place(int(rows[i]), int(cols[i]), int(code)) for i in np.sort(first)]
    return places


def draw_patches(
    truth: NDArray[np.uint8], each: int, seed: int, largest: float = 4.0
) -> list[Patch]:
    """Octagons as an interpreter would draw them: well inside one class, apart from each other.

    Parameters
    ----------
    truth : uint8 array (height, width)
        Class codes from 1.
    each : int
        Patches for each class; fewer where a class has no more room.
    seed : int
    largest : float, default=4.0
        Largest radius in pixels.
    """
    patches: list[Patch] = []
    for code in np.unique(truth[truth > 0]):
        inside = np.pad(truth == code, 1)
        # To the middle of the next pixel outside the class; its edge is up to 0.71 nearer.
        room = ndimage.distance_transform_edt(inside)[1:-1, 1:-1] - 0.71
        rows, cols = np.nonzero(room >= min(_NARROWEST, float(room.max())))
        narrow = room[rows, cols] < _COMFORTABLE
        taken = np.zeros((0, 3))
        for i in np.lexsort((place_keys(rows, cols, seed), narrow)):
            row, col = int(rows[i]), int(cols[i])
            radius = min(float(room[row, col]) / _REACH, largest)
            apart = np.hypot(taken[:, 0] - row, taken[:, 1] - col) - taken[:, 2] - radius
            if len(taken) and apart.min() < 3.0:
                continue
            taken = np.vstack([taken, (row, col, radius)])
            corners = tuple((row + 0.5 + radius * a, col + 0.5 + radius * b) for a, b in _OCTAGON)
            patches.append(Patch(int(code), corners))
            if len(taken) == each:
                break
    return patches

"""How many reference units a map needs, and how many of them in each stratum.

References
----------
Cochran, W. G. (1977), *Sampling Techniques*, 3rd ed., Wiley: equation 5.25 for the number of units,
5.26 for the allocation of Neyman.
Olofsson, P. et al. (2014), Remote Sensing of Environment 148, 42-57,
doi:10.1016/j.rse.2014.02.015: at least 50 units of a rare class, the rest by area.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rsclass.core.types import Float
from rsclass.errors import UsageError

__all__ = ["ALLOCATIONS", "allocate", "units_for_error"]

ALLOCATIONS = ("proportional", "equal", "neyman")
_HALVINGS = 200


def units_for_error(sizes: ArrayLike, users: ArrayLike, error: float) -> int:
    """Units that a stratified sample needs for an overall accuracy of a wanted precision.

    Parameters
    ----------
    sizes : array (strata,)
        Of the strata, in any unit. One stratum: a simple random sample.
    users : array (strata,)
        Accuracy that is expected in each, 0 to 1.
    error : float
        Wanted standard error of the overall accuracy.

    Raises
    ------
    UsageError
        The error is not positive, or an accuracy is not between 0 and 1.
    """
    if not 0 < error < 1:
        raise UsageError(f"a standard error of {error:g} is not between 0 and 1; 0.02 is usual.")
    size = np.asarray(sizes, dtype=np.float64)
    spread = float((size / size.sum()) @ _spread(users))
    return max(math.ceil(round((spread / error) ** 2, 9)), 2)


def allocate(
    n: int, sizes: NDArray[np.int64], how: str, *, users: ArrayLike, least: int = 0
) -> NDArray[np.int64]:
    """Share out the units of a sample.

    Parameters
    ----------
    n : int
        Units in all. The sum of the result is larger where ``least`` asks for more, and smaller
        where there are fewer pixels.
    sizes : int64 array (strata,)
        Pixels of each stratum.
    how : {"proportional", "equal", "neyman"}
        By size, the same for all, or by size and spread (which gives the overall accuracy its
        least error).
    users : array (strata,)
        Expected accuracy in each stratum; only Neyman's allocation looks at it.
    least : int, default=0
        Units of each stratum that has as many pixels.

    Returns
    -------
    int64 array (strata,)
    """
    weight = _weight(sizes, how, users)
    low = np.minimum(least, sizes)
    total = min(max(n, int(low.sum())), int(sizes.sum()))

    def shares(scale: float) -> Float:
        return np.clip(scale * weight, low, sizes)

    exact = shares(_largest(lambda scale: float(shares(scale).sum()) <= total))
    units = np.floor(exact + 1e-9).astype(np.int64)
    # What rounding has left goes to the largest remainders, of equal ones to the first.
    room = units < sizes
    order = np.argsort(-np.where(room, exact - units, -1.0), kind="stable")
    rest = min(total - int(units.sum()), int(room.sum()))
    units[order[:rest]] += 1
    return units


def _weight(sizes: NDArray[np.int64], how: str, users: ArrayLike) -> Float:
    size = sizes.astype(np.float64)
    if how == "equal":
        return (size > 0).astype(np.float64)
    if how == "neyman":
        return size * _spread(users)
    if how == "proportional":
        return size
    raise UsageError(f"no allocation is named {how!r}; known are {', '.join(ALLOCATIONS)}.")


def _spread(users: ArrayLike) -> Float:
    expected = np.asarray(users, dtype=np.float64)
    if not ((expected >= 0) & (expected <= 1)).all():
        raise UsageError(f"expected accuracies lie between 0 and 1, not {expected.tolist()}.")
    spread: Float = np.sqrt(expected * (1 - expected))
    return spread


def _largest(holds: Callable[[float], bool]) -> float:
    """The largest scale of which ``holds`` is true, found by halving."""
    high = 1.0
    while holds(high) and high < 1e30:
        high *= 2
    low = 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low

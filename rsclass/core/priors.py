"""Prior probabilities of classes: all equal, as in the samples, or given for some of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Float
from rsclass.errors import UsageError

KINDS = ("equal", "sample")
_ROUNDING = 1e-6


def check_priors(priors: Any) -> None:
    """Raise UsageError unless ``priors`` is a kind, or a mapping of classes to probabilities."""
    if isinstance(priors, str):
        if priors not in KINDS:
            raise UsageError(
                f"priors is {priors!r}; it must be {' or '.join(KINDS)}, or a file of classes and "
                "their priors."
            )
        return
    if not isinstance(priors, Mapping) or not priors:
        raise UsageError(
            f"priors is {priors!r}; it must be {' or '.join(KINDS)}, or classes with their priors."
        )
    for name, share in priors.items():
        number = isinstance(share, int | float) and not isinstance(share, bool)
        if not number or not 0 <= share <= 1:
            raise UsageError(f"the prior of {name} is {share!r}; it must lie between 0 and 1.")
    total = math.fsum(priors.values())
    if total > 1 + _ROUNDING:
        raise UsageError(f"the priors add up to {total:.6g}; they must not exceed 1.")


def class_priors(
    priors: str | Mapping[Any, float], names: Sequence[str], count: NDArray[np.int64]
) -> Float:
    """The prior of every class.

    Parameters
    ----------
    priors : {"equal", "sample"} or mapping of class name to prior
        Classes that the mapping leaves out share equally what is left of 1.
    names : sequence of str
    count : int64 array (classes,)
        Training pixels, for ``sample``.

    Raises
    ------
    UsageError
        A class is unknown, the priors exceed 1, or fall short of it and no class is left out.
    """
    check_priors(priors)
    if priors == "equal":
        return np.full(len(names), 1 / len(names))
    if isinstance(priors, str):
        shares: Float = count / count.sum()
        return shares
    given = {str(name): float(share) for name, share in priors.items()}
    unknown = [name for name in given if name not in names]
    if unknown:
        raise UsageError(
            f"the priors name {', '.join(unknown)}, which the samples do not have; their classes: "
            f"{', '.join(names)}."
        )
    total = math.fsum(given.values())
    omitted = [name for name in names if name not in given]
    if not omitted and abs(total - 1) > _ROUNDING:
        raise UsageError(
            f"the priors add up to {total:.6g} and no class is left out to take the rest; they "
            "must add up to 1."
        )
    rest = max(1 - total, 0.0) / len(omitted) if omitted else 0.0
    found = np.array([given.get(name, rest) for name in names])
    return found / math.fsum(found)

"""The one rule that says which pixels of a file are valid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.magnitude import EXACT, limit_passed
from rsclass.core.types import Float, Mask
from rsclass.errors import DataError

_SUSPECTS = (-9999.0, -32768.0, 0.0, 65535.0, 3.4e38, -3.4e38)
_SUSPECT_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class NodataRule:
    """When a stored value of a band means "no data".

    Parameters
    ----------
    low, high : float or int or None
        A value between them, both included, is no data; None: no value is.
    """

    low: float | int | None
    high: float | int | None

    @classmethod
    def of(cls, nodata: float | None, dtype: np.dtype[Any]) -> NodataRule:
        """The rule for a declared nodata value and a stored type.

        Whole numbers must be equal. Files often declare a decimal number that float32 cannot
        hold, so floats may differ by four float32 epsilons of the value, as in GDAL's own masks.
        A NaN needs no rule: what is not finite is never valid.
        """
        if nodata is None or np.isnan(nodata):
            return cls(None, None)
        if dtype.kind in "iu":
            info = np.iinfo(dtype)
            fits = float(nodata).is_integer() and info.min <= nodata <= info.max
            return cls(int(nodata), int(nodata)) if fits else cls(None, None)
        with np.errstate(over="ignore"):
            center = float(dtype.type(nodata))
        if np.isinf(center):
            return cls(None, None)
        slack = 4 * float(np.finfo(np.float32).eps) * abs(center)
        return cls(center - slack, center + slack)


def valid_pixels(
    values: NDArray[Any], rules: Sequence[NodataRule], masks: Sequence[NDArray[np.uint8]]
) -> Mask:
    """Pixels that are valid in every band.

    A pixel is valid when each band's value is finite and is not the band's nodata value, and when
    every mask (mask bands of the file, alpha) is above 0 there.

    Parameters
    ----------
    values : array (bands, height, width)
        Stored values.
    rules : sequence of NodataRule (bands)
    masks : sequence of uint8 arrays (height, width)

    Returns
    -------
    bool array (height, width)
    """
    valid = np.ones(values.shape[1:], dtype=np.bool_)
    for band, rule in zip(values, rules, strict=True):
        if band.dtype.kind == "f":
            valid &= np.isfinite(band)
        if rule.low is None or rule.high is None:
            continue
        if rule.low == rule.high:
            valid &= band != rule.low
        else:
            valid &= (band < rule.low) | (band > rule.high)
    for mask in masks:
        valid &= mask != 0
    return valid


def check_magnitude(values: NDArray[Any], valid: Mask, name: str) -> None:
    """Refuse numbers that statistics in float64 cannot hold.

    Raises
    ------
    DataError
        A valid pixel of a 64-bit integer raster lies beyond 2^53, or one of a float64 raster
        beyond 1e140, where sums of squares overflow.
    """
    passed = limit_passed(values, valid)
    if passed == EXACT:
        raise DataError(
            f"{name} holds {values.dtype} values beyond 2^53, which no statistic can hold "
            "exactly; rescale it or convert it to float64 first."
        )
    if passed is not None:
        raise DataError(
            f"{name} holds values beyond {passed:g}, whose squares no statistic can hold; set "
            "--src-nodata if they mean no data, or rescale it first."
        )


def suspected_nodata(
    stored: Float, declared: Sequence[float | None], names: Sequence[str], scene: str
) -> list[str]:
    """Sentences on values that look like undeclared nodata.

    Parameters
    ----------
    stored : float64 array (pixels, bands)
        Stored values of valid pixels.
    declared : sequence of float or None (bands)
        Nodata values that are known already.
    names : sequence of str (bands)
    scene : str

    Notes
    -----
    A value is suspect where more than 1 % of the pixels of a band equal it and it is the smallest
    or largest of the band: -9999, -32768, 0, 65535 and +-3.4e38.
    """
    if not len(stored):
        return []
    sentences = []
    low, high = stored.min(axis=0), stored.max(axis=0)
    for suspect in _SUSPECTS:
        slack = 0.01 * abs(suspect) if abs(suspect) > 1e38 else 0.0
        at_end = np.minimum(np.abs(low - suspect), np.abs(high - suspect)) <= slack
        share = {
            i: float(np.mean(np.abs(stored[:, i] - suspect) <= slack))
            for i in np.flatnonzero(at_end & (low < high)).tolist()
            if declared[i] is None
        }
        found = [i for i in share if share[i] > _SUSPECT_SHARE]
        if found:
            worst = max(share[i] for i in found)
            sentences.append(
                f"{scene} has {worst:.0%} of its pixels at {suspect:g} in "
                f"{', '.join(names[i] for i in found[:6])}{' ...' if len(found) > 6 else ''} and "
                f"declares no nodata value; set --src-nodata {suspect:g} if that means no data."
            )
    return sentences

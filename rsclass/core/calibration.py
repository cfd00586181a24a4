"""Lines across a scene at which the calibration of its bands changes, as in mosaics.

Where images of two dates or sensors were put together, every band jumps by a factor of its own from
one column (or row) to the next, over the whole length of the line. Land changes there, too, but in
both directions, and in ways in which it changes elsewhere. So the mean steps of log reflectance
between neighboring columns are compared: a line is a seam if its step, weighed by how the steps of
all columns vary together (Mahalanobis 1936), lies far beyond those of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rsclass.core.types import Block, Float, PixelStream, Window
from rsclass.core.views import physical

__all__ = ["DOWN", "RIGHT", "Step", "calibrated", "find_step"]

DOWN, RIGHT = 0, 1
"""Whether a step is met on the way down (at a row) or to the right (at a column)."""

_STRIPS, _STRIP = 8, 64  # of so many rows are the steps between columns
_FEWEST = 64  # pixels on both sides that a step between columns needs
_MARGIN = 8  # columns at the edge, which resampling spoils
_MOST_JUMP = 0.5  # larger differences of neighbors are edges of the land
_ALONE = 0.5  # weight of each band's own variance beside what bands share
_OTHERS = 6  # the rank of the step that stands for those of the land
_BEYOND = 2.2
_LEAST = 0.02  # logarithm of the largest gain
_ROUNDS = 6
_BESIDE = 3  # lines on both sides with which a step is compared
_UNEVEN = 1.5
_SURE = 5.0  # standard errors


@dataclass(frozen=True, slots=True)
class Step:
    """From ``at`` on, all bands are multiplied by gains.

    Parameters
    ----------
    axis : int
        ``DOWN`` or ``RIGHT``.
    at : int
        The first row or column of the other calibration.
    gain : tuple of float
        Logarithm for each band.
    """

    axis: int
    at: int
    gain: tuple[float, ...]


@dataclass(frozen=True)
class _Ground:
    """What is subtracted from each band, and the least of which a logarithm is taken."""

    low: Float
    least: Float

    @classmethod
    def of(cls, values: Float) -> _Ground:
        low = np.minimum(np.percentile(values, 1, axis=0), 0.0)
        least = 1e-3 * np.median(values - low, axis=0) + np.finfo(np.float32).tiny
        return cls(low, least)

    def logarithms(self, block: Block) -> NDArray[np.float32]:
        """Of the bands (bands, height, width) above the darkest; NaN at invalid pixels."""
        values = physical(block).reshape(block.values.shape)
        above = np.maximum(values - self.low[:, None, None], self.least[:, None, None])
        found = np.log(above).astype(np.float32)
        found[:, ~block.valid] = np.nan
        return found


def find_step(stream: PixelStream, sample: Float) -> Step | None:
    """The clearest change of calibration of a scene, if there is one.

    Parameters
    ----------
    stream : PixelStream
    sample : float64 array (pixels, bands)
        Some of its pixels, in physical units.
    """
    ground = _Ground.of(sample)
    found = []
    for axis in (DOWN, RIGHT):
        at = _outlying(*_steps_along(stream, ground, axis))
        step = None if at is None else _jump(stream, ground, axis, at)
        if step is not None:
            found.append(step)
    return max(found, key=lambda step: max(map(abs, step.gain)), default=None)


def calibrated(steps: tuple[Step, ...], window: Window, n_bands: int) -> Float:
    """Logarithm of the gains (bands, height or 1, width or 1) in a window."""
    total = np.zeros((n_bands, 1, 1))
    for step in steps:
        first, n = (window.row, window.height) if step.axis == DOWN else (window.col, window.width)
        beyond = (np.arange(first, first + n) >= step.at).astype(np.float64)
        shape = (1, n, 1) if step.axis == DOWN else (1, 1, n)
        total = total + np.array(step.gain)[:, None, None] * beyond.reshape(shape)
    return total


def _strips(stream: PixelStream, axis: int) -> Iterator[Window]:
    """Evenly spread strips along the way on which steps are met."""
    across = stream.width if axis == DOWN else stream.height
    n = min(_STRIPS, -(-across // _STRIP))
    size = min(_STRIP, -(-across // n))
    for start in np.linspace(0, across - size, n).astype(int).tolist():
        if axis == DOWN:
            yield Window(0, start, stream.height, size)
        else:
            yield Window(start, 0, size, stream.width)


def _steps_along(
    stream: PixelStream, ground: _Ground, axis: int
) -> tuple[Float, NDArray[np.int64]]:
    """Mean steps (bands, lines - 1) between neighboring lines, and how many pixels they are of.

    They are in units of how much the steps at a line differ, which is much at borders of fields.
    """
    n_lines = stream.height if axis == DOWN else stream.width
    sums, squares = np.zeros((2, len(stream.bands), n_lines - 1))
    count = np.zeros(n_lines - 1, np.int64)
    for window in _strips(stream, axis):
        logs = ground.logarithms(stream.read(window))
        steps = np.diff(logs if axis == RIGHT else logs.transpose(0, 2, 1), axis=2)
        known = np.isfinite(steps[0])
        steps = np.where(known, np.clip(steps, -_MOST_JUMP, _MOST_JUMP), 0)
        sums += steps.sum(axis=1, dtype=np.float64)
        squares += (steps.astype(np.float64) ** 2).sum(axis=1)
        count += known.sum(axis=0)
    mean = sums / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(squares / np.maximum(count, 1) - mean**2, 0))
    return mean / np.where(spread > 0, spread, np.inf), count


def _outlying(means: Float, count: NDArray[np.int64]) -> int | None:
    """The line whose step lies far beyond those of all others."""
    used = np.flatnonzero(count >= max(_FEWEST, 0.3 * count.max(initial=0)))
    used = used[(used >= _MARGIN) & (used < len(count) - _MARGIN)]
    if len(used) < 4 * _OTHERS:
        return None
    steps = means[:, used] * np.sqrt(count[used] / count[used].max())
    steps = steps - np.median(steps, axis=1, keepdims=True)
    usual = np.median(np.abs(steps), axis=1, keepdims=True)
    steps = steps / np.where(usual > 0, usual, np.inf)
    weight = np.ones(len(used))
    squares = weight
    for _ in range(_ROUNDS):
        together = np.einsum("bn,cn,n->bc", steps, steps, weight) / weight.sum()
        own = np.diag(np.diag(together))
        mixed = (1 - _ALONE) * together + _ALONE * own + 1e-9 * np.eye(len(steps))
        squares = np.einsum("bn,bn->n", steps, np.linalg.solve(mixed, steps))
        middle = np.median(squares)
        if not middle > 0:
            return None
        # Steps that lie far away say little of how those of the land vary.
        weight = 1 / np.maximum(squares / middle / 4, 1)
    first = int(np.argmax(squares))
    apart = np.abs(used - used[first]) > 2
    others = np.sort(squares[apart])[-_OTHERS]
    return int(used[first]) + 1 if squares[first] > _BEYOND**2 * others else None


def _jump(stream: PixelStream, ground: _Ground, axis: int, at: int) -> Step | None:
    """The step at a line, if it is one and the same along the line; borders of fields are not."""
    first, n = at - _BESIDE - 1, 2 * (_BESIDE + 1)
    if axis == DOWN:
        window = Window(first, 0, n, stream.width)
    else:
        window = Window(0, first, stream.height, n)
    logs = ground.logarithms(stream.read(window)).astype(np.float64)
    steps = np.diff(logs if axis == RIGHT else logs.transpose(0, 2, 1), axis=2)
    steps = steps[:, np.isfinite(steps).all(axis=(0, 2))]
    if steps.shape[1] < _FEWEST:
        return None
    middle = np.median(steps, axis=1)
    around = np.median(np.abs(steps - middle[:, None]), axis=1)
    gain = np.round(middle[:, _BESIDE], 9)
    # The standard error of a median, from the deviations of normal numbers.
    chance = 1.2533 * 1.4826 * around[:, _BESIDE] / np.sqrt(steps.shape[1])
    clear = np.abs(gain) > np.maximum(_LEAST, _SURE * chance)
    unlike = around.mean(axis=0)[_BESIDE] > _UNEVEN * np.median(around.mean(axis=0))
    # No two sensors differ that much: a column is broken.
    broken = np.abs(gain).max() > _MOST_JUMP
    if unlike or broken or not clear.any():
        return None
    return Step(axis, at, tuple(gain.tolist()))

"""A trend of the light over a scene, told apart from the land by what lies everywhere in it.

Haze, view angle and sensors that fall off to one side make all bands brighter from one edge of a
scene to the other. Directions of spectra do not change with it: pixels of one direction are much
the same land wherever they lie, so a brightness that changes with their place alone is light. The
trend is a regression of log brightness on the place within such clusters, each of which keeps a
mean of its own; clusters are formed anew from the evened spectra, now with their brightness. This
is the alternation of classes and bias field of Wells, Grimson, Kikinis, Jolesz 1996, Adaptive
segmentation of MRI data, IEEE Transactions on Medical Imaging 15, doi:10.1109/42.511747, with hard
classes and a field that is linear in the logarithm. Where the calibration of the bands changes at a
line (:mod:`rsclass.core.calibration`), that is undone first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.arrays import ArrayStream
from rsclass.core.calibration import RIGHT, Step, calibrated, find_step
from rsclass.core.components import covariance, principal_axes
from rsclass.core.lloyd import lloyd, nearest, plus_plus
from rsclass.core.types import Band, Block, Float, PixelStream, Sample, T, Window
from rsclass.core.views import physical

__all__ = ["EvenStream", "Light"]

_PIXELS = 20_000
_CLUSTERS = 32
_ROUNDS = 4
_COMPONENTS = 8
_REACH = 4.0  # standard deviations at which features are cut
_OUTLYING = 1.5  # robust deviations beyond which a pixel counts less
_DARK = 1e-3  # of the median: the smallest amount whose logarithm is taken
_DIGITS = 9


@dataclass(frozen=True, slots=True)
class Light:
    """A gain common to all bands that grows or falls evenly over a scene.

    The gain at a place is ``exp(row * down + col * right)``, with rows and columns from -1 at the
    first to 1 at the last.

    Parameters
    ----------
    height, width : int
        Of the scene.
    down, right : float
    steps : tuple of Step
        Lines at which the calibration of the bands changes; their gains are those of the bands.
    """

    height: int
    width: int
    down: float = 0.0
    right: float = 0.0
    steps: tuple[Step, ...] = ()

    @property
    def reach(self) -> float:
        """Logarithm of the gain where it is largest."""
        return abs(self.down) + abs(self.right)

    @classmethod
    def of(cls, stream: PixelStream, seed: int, seams: int = 0) -> Self:
        """The trend of a scene, from at most 20,000 of its pixels.

        Parameters
        ----------
        seams : int
            Lines of changed calibration that are looked for, at most.
        """
        found = cls(stream.height, stream.width)
        sample = stream.sample(_PIXELS, seed)
        for _ in range(seams):
            step = find_step(EvenStream(stream, found), sample.values)
            if step is None:
                break
            found = replace(found, steps=(*found.steps, step))
            sample = EvenStream(stream, found).sample(_PIXELS, seed)
        at = _places(sample.rows, stream.height), _places(sample.cols, stream.width)
        place = np.stack(at, axis=1)
        trend = np.zeros(2)
        for done in range(_ROUNDS):
            values = sample.values / np.exp(np.einsum("np,p->n", place, trend))[:, None]
            features, log_brightness = _direction(values), _brightness(values)
            if done:
                features = np.column_stack([features, _standard(log_brightness[:, None])])
            start = plus_plus(features, _CLUSTERS, np.random.default_rng([seed, done]))
            centers, _, _ = lloyd(features, start, max_iter=30)
            labels, _ = nearest(features, centers)
            trend += _within(log_brightness, place, labels)
        down, right = np.round(trend, _DIGITS).tolist()
        return replace(found, down=down, right=right)

    @classmethod
    def restored(cls, card: Mapping[str, Any]) -> Self:
        """From the fields as JSON keeps them."""
        steps = tuple(
            Step(step["axis"], step["at"], tuple(step["gain"])) for step in card.get("steps", ())
        )
        return cls(**{**card, "steps": steps})

    def gain(self, window: Window) -> NDArray[np.float32]:
        """The gain (height, width) of the light in a window of the scene."""
        rows = _places(np.arange(window.row, window.row_end), self.height)
        cols = _places(np.arange(window.col, window.col_end), self.width)
        over = np.exp(self.down * rows)[:, None] * np.exp(self.right * cols)
        return over.astype(np.float32)

    def evened(self, block: Block) -> Block:
        """The block as it were under even light, in physical units."""
        values = physical(block).reshape(block.values.shape)
        values /= self.gain(block.window)
        n = block.n_bands
        if self.steps:
            values /= np.exp(calibrated(self.steps, block.window, n)).astype(np.float32)
        return Block(block.window, values, block.valid, np.ones(n), np.zeros(n))


class EvenStream:
    """A scene as it were under even light; its values are physical.

    Parameters
    ----------
    scene : PixelStream
    light : Light
    """

    def __init__(self, scene: PixelStream, light: Light) -> None:
        self.scene, self.light = scene, light
        self.height, self.width, self.room = scene.height, scene.width, scene.room
        self.bands: tuple[Band, ...] = tuple(
            replace(band, gain=1.0, offset=0.0) for band in scene.bands
        )

    def read(self, window: Window) -> Block:
        """The pixels of any window."""
        return self.light.evened(self.scene.read(window))

    def sample(self, n: int | None, seed: int) -> Sample:
        """The same pixels that the scene gives, under even light."""
        drawn = self.scene.sample(n, seed)
        rows = _places(drawn.rows, self.height) * self.light.down
        cols = _places(drawn.cols, self.width) * self.light.right
        values = drawn.values / np.exp(rows + cols)[:, None]
        for step in self.light.steps:
            beyond = (drawn.cols if step.axis == RIGHT else drawn.rows) >= step.at
            values[beyond] /= np.exp(step.gain)
        return Sample(values, drawn.rows, drawn.cols, drawn.n_valid)

    def drawn(self, n: int, seed: int) -> ArrayStream | None:
        """The pixels of :meth:`sample` as a stream; None where the scene has no more of them."""
        sample = self.sample(n, seed)
        if sample.n_valid <= n:
            return None
        return ArrayStream.of_table(sample.values.astype(np.float32), self.bands)

    def fold(self, tally: Callable[[Block], T], message: str = "") -> T:
        """The sum of ``tally(block)`` over canonical blocks, in a fixed order."""
        total: T = self.scene.fold(_Evenly(tally, self.light), message)
        return total

    def scan(self, message: str = "") -> Iterator[Block]:
        """Canonical blocks, row by row."""
        for block in self.scene.scan(message):
            yield self.light.evened(block)

    def report(self, done: float, total: float, message: str) -> None:
        """Tell the user how far the work is."""
        self.scene.report(done, total, message)


@dataclass(frozen=True, slots=True)
class _Evenly:
    """A tally of blocks under even light."""

    tally: Callable[[Block], Any]
    light: Light

    def __call__(self, block: Block) -> Any:
        return self.tally(self.light.evened(block))


def _places(at: NDArray[np.integer], size: int) -> Float:
    """Rows or columns from -1 to 1."""
    places: Float = at.astype(np.float64) * (2.0 / max(size - 1, 1)) - 1.0
    return places


def _direction(values: Float) -> Float:
    """Leading components of the spectra divided by their lengths, each band of unit variance."""
    above = values - min(float(values.min()), 0.0)
    length = np.sqrt((above**2).sum(axis=1, keepdims=True))
    table = _standard(above / np.where(length > 0, length, 1.0))
    axes = principal_axes(covariance(table), min(_COMPONENTS, table.shape[1]))
    found: Float = np.einsum("nb,kb->nk", table, axes)
    return found


def _brightness(values: Float) -> Float:
    """Mean over bands of the logarithm of what lies above the darkest."""
    above = values - np.minimum(np.percentile(values, 1, axis=0), 0.0)
    least = _DARK * np.median(above, axis=0) + np.finfo(np.float64).tiny
    brightness: Float = np.log(np.maximum(above, least)).mean(axis=1)
    return brightness


def _standard(table: Float) -> Float:
    deviation = table.std(axis=0)
    scaled = (table - table.mean(axis=0)) / np.where(deviation > 0, deviation, np.inf)
    cut: Float = np.clip(scaled, -_REACH, _REACH)
    return cut


def _within(y: Float, place: Float, labels: NDArray[np.integer]) -> Float:
    """Slopes (2,) of y on the place within clusters; pixels that fit badly count less (Huber)."""
    x, y = _centered(place, labels), _centered(y[:, None], labels)[:, 0]
    weight, slope = np.ones(len(y)), np.zeros(2)
    for _ in range(3):
        moments = np.einsum("n,np,nq->pq", weight, x, x) + 1e-9 * len(y) * np.eye(2)
        slope = np.linalg.solve(moments, np.einsum("n,np,n->p", weight, x, y))
        rest = np.abs(y - np.einsum("np,p->n", x, slope))
        usual = 1.4826 * float(np.median(rest))
        weight = 1 / np.maximum(rest / (_OUTLYING * usual), 1.0) if usual > 0 else weight
    return slope


def _centered(table: Float, labels: NDArray[np.integer]) -> Float:
    """What is left of each column without the mean of its cluster."""
    count = np.maximum(np.bincount(labels), 1)
    means = [np.bincount(labels, weights=column) / count for column in table.T]
    rest: Float = table - np.stack(means, axis=1)[labels]
    return rest

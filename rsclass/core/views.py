"""Several views of the same spectra, in which different things lie far apart.

Each view bends the bands in another way - clipped, logarithms, square roots, direction alone,
weighted by their noise -, is reduced to its principal components and brought to a total variance
of 1, so that no view outweighs another where views are joined to sets.

The noise-weighted view goes half the way to the minimum noise fraction of Green, Berman, Switzer,
Craig 1988, IEEE Transactions on Geoscience and Remote Sensing 26, doi:10.1109/36.3001.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.components import covariance, principal_axes, symmetric_power
from rsclass.core.types import Block, Float

__all__ = ["SETS", "WIDEST", "View", "ViewSet", "Views", "physical"]

WIDEST = 12
"""Components of a view or a set at most."""

SETS: tuple[tuple[str, ...], ...] = (
    ("robust", "log", "direction"),
    ("standard", "direction"),
    ("robust", "log"),
    ("noise", "direction"),
    ("root", "direction"),
    ("robust", "log", "direction", "noise"),
)
"""Which views are joined; the first set serves where only one is wanted."""

_REACH = 4.0  # standard deviations at which what may lie very far out is cut
_QUIET = 0.75  # share of neighbor differences, the smallest, that are taken for noise
_LEAST_NOISE = 0.1  # of the mean noise variance of the bands, added to that of each
_DARK = 1e-3  # of the median: the smallest amount whose logarithm is taken

Image = NDArray[Any]


def _robust(x: Image, low: Image, width: Image) -> Image:
    bent: Image = np.clip((x - low) / width, -0.5, 1.5)
    return bent


def _standard(x: Image, _low: Image, _width: Image) -> Image:
    return x.copy()


def _log(x: Image, floor: Image, least: Image) -> Image:
    bent: Image = np.log(np.maximum(x - floor, least))
    return bent


def _root(x: Image, floor: Image, _least: Image) -> Image:
    bent: Image = np.sqrt(np.maximum(x - floor, 0))
    return bent


def _direction(x: Image, lowest: Image, least: Image) -> Image:
    """Direction of the spectrum, and below it the logarithm of its brightness."""
    above = x - lowest[:-1]
    length2 = np.zeros_like(x[0])
    total = np.zeros_like(x[0])
    for b in range(len(x)):
        length2 += above[b] * above[b]
        total += x[b]
    length = np.sqrt(length2)
    above /= np.where(length > 0, length, 1)
    brightness = np.log(np.maximum(np.abs(total / len(x)), least[-1]))
    return np.concatenate([above, brightness[None]])


_BENDS: dict[str, Callable[[Image, Image, Image], Image]] = {
    "robust": _robust,
    "standard": _standard,
    "log": _log,
    "root": _root,
    "direction": _direction,
    "noise": _standard,
}
_CUT = ("log", "direction")
_OF_VIEW = ("first", "second", "center", "scale", "axes")


@dataclass(frozen=True)
class View:
    """One way to look at spectra.

    Parameters
    ----------
    name : str
    first, second : float64 arrays (features, 1)
        What the bend subtracts, and what it divides by or does not fall below.
    center, scale : float64 arrays (features, 1)
        Mean and standard deviation of the bent spectra; the scale of a feature that does not
        vary is infinite, so that it is 0.
    axes : float64 array (components, features)
    """

    name: str
    first: Float
    second: Float
    center: Float
    scale: Float
    axes: Float

    def standardized(self, x: Image) -> Image:
        """The bent spectra (features, pixels) of ``x`` (bands, pixels), in its type."""
        bent = _BENDS[self.name](x, self.first.astype(x.dtype), self.second.astype(x.dtype))
        bent -= self.center.astype(x.dtype)
        bent /= self.scale.astype(x.dtype)
        if self.name in _CUT:
            np.clip(bent, -_REACH, _REACH, out=bent)
        return bent

    def __call__(self, x: Image) -> Image:
        """The view (components, pixels) of ``x`` (bands, pixels), in its type."""
        return _projected(self.standardized(x), self.axes)


@dataclass(frozen=True)
class ViewSet:
    """Views joined, and reduced to their principal components.

    Parameters
    ----------
    names : tuple of str
        Views.
    axes : float64 array (components, components of all its views)
    spread : float
        Median distance of two neighboring pixels.
    """

    names: tuple[str, ...]
    axes: Float
    spread: float = 0.0

    def __call__(self, views: Mapping[str, Image]) -> Image:
        """The set (components, pixels) of views by name."""
        return _projected(np.concatenate([views[name] for name in self.names]), self.axes)


@dataclass(frozen=True)
class Views:
    """The views of a scene's spectra, and the sets in which they are joined.

    Parameters
    ----------
    views : dict of str to View
    sets : tuple of ViewSet
    """

    views: dict[str, View]
    sets: tuple[ViewSet, ...]

    @classmethod
    def of(cls, table: Float, neighbors: Float, sets: Sequence[tuple[str, ...]] = SETS) -> Self:
        """The views that suit a scene.

        Parameters
        ----------
        table : float64 array (pixels, bands)
            Physical values of a sample.
        neighbors : float64 array (2, pairs, bands)
            Of pixels and their neighbors to the right or below; may hold no pair.
        sets : sequence of tuples of str
        """
        x = np.ascontiguousarray(table.T)
        wanted = dict.fromkeys(name for names in sets for name in names)
        views = {name: _view(name, x, neighbors) for name in wanted}
        seen = {name: view(x) for name, view in views.items()}
        sides = [
            {name: v(np.ascontiguousarray(side.T)) for name, v in views.items()}
            for side in neighbors
        ]
        joined = []
        for names in sets:
            every = np.concatenate([seen[name] for name in names]) / np.sqrt(len(names))
            axes = _main_axes(every) / np.sqrt(len(names))
            view_set = ViewSet(tuple(names), axes)
            here, there = (view_set(side) for side in sides)
            distances = np.sqrt(((here - there) ** 2).sum(axis=0))
            spread = float(np.median(distances)) if len(distances) else 0.0
            joined.append(ViewSet(tuple(names), axes, spread))
        return cls(views, tuple(joined))

    def __call__(self, block: Block) -> list[NDArray[np.float32]]:
        """Every set (components, height, width) of a block; 0 at invalid pixels."""
        x = physical(block)
        seen = {name: view(x) for name, view in self.views.items()}
        shape = block.valid.shape
        found = []
        for view_set in self.sets:
            image = view_set(seen).astype(np.float32, copy=False).reshape(-1, *shape)
            image[:, ~block.valid] = 0
            found.append(image)
        return found

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What must be kept to see the same again: a JSON-able card and named arrays."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, view in self.views.items():
            arrays |= {f"view.{name}.{part}": getattr(view, part) for part in _OF_VIEW}
        for i, view_set in enumerate(self.sets):
            arrays[f"set.{i}.axes"] = view_set.axes
        return {"sets": [{"views": list(s.names), "spread": s.spread} for s in self.sets]}, arrays

    @classmethod
    def restored(cls, card: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """From what :meth:`state` gave; a KeyError or the like says that it cannot be."""
        sets = tuple(
            ViewSet(tuple(of["views"]), arrays[f"set.{i}.axes"], float(of["spread"]))
            for i, of in enumerate(card["sets"])
        )
        names = dict.fromkeys(name for view_set in sets for name in view_set.names)
        views = {
            name: View(name, *(arrays[f"view.{name}.{part}"] for part in _OF_VIEW))
            for name in names
        }
        return cls(views, sets)


def physical(block: Block) -> NDArray[Any]:
    """Physical values (bands, pixels): float32 where that holds them, float64 elsewhere.

    Invalid pixels hold the value 1.
    """
    narrow = block.values.dtype.itemsize <= 2 or block.values.dtype == np.float32
    work = np.dtype(np.float32 if narrow else np.float64)
    x: NDArray[Any] = block.flat.astype(work)
    x *= block.gain.astype(work)[:, None]
    x += block.offset.astype(work)[:, None]
    x[:, ~block.flat_valid] = 1
    return x


def _view(name: str, x: Float, neighbors: Float) -> View:
    first, second = _bounds(name, x)
    n = len(first)
    plain = View(name, first, second, np.zeros((n, 1)), np.ones((n, 1)), np.eye(n))
    bent = _BENDS[name](x, first, second)
    center = bent.mean(axis=1, keepdims=True)
    scale = bent.std(axis=1, keepdims=True)
    varies = scale > 1e-12 * np.maximum(np.abs(center), 1e-300)
    if name == "robust":
        scale = np.ones_like(scale)
    view = View(name, first, second, center, np.where(varies, scale, np.inf), plain.axes)
    t = view.standardized(x)
    if name == "direction":
        axes = np.zeros((min(n - 1, WIDEST) + 1, n))
        axes[:-1, :-1] = _main_axes(t[:-1]) / np.sqrt(2)
        axes[-1, -1] = np.sqrt(0.5) if varies[-1] else 0.0
    elif name == "noise":
        weights = _noise_weights(view, neighbors)
        axes = np.einsum("kb,bc->kc", _main_axes(_projected(t, weights)), weights)
    else:
        axes = _main_axes(t)
    return View(name, first, second, view.center, view.scale, axes)


def _bounds(name: str, x: Float) -> tuple[Float, Float]:
    """What a bend needs to know of the bands: two columns (features, 1)."""
    p1, p2, p98 = np.percentile(x, [1, 2, 98], axis=1)
    floor = np.minimum(p1, 0.0)
    if name == "robust":
        return p2[:, None], np.where(p98 > p2, p98 - p2, 1.0)[:, None]
    if name in ("log", "root"):
        return floor[:, None], _least(np.median(x - floor[:, None], axis=1))[:, None]
    if name == "direction":
        brightness = np.abs(x.mean(axis=0))
        least = np.full(len(x) + 1, _least(np.median(brightness)))
        return np.append(np.minimum(x.min(axis=1), 0.0), 0.0)[:, None], least[:, None]
    return np.zeros((len(x), 1)), np.ones((len(x), 1))


def _least(median: Any) -> Any:
    return _DARK * median + 1e-6


def _noise_weights(view: View, neighbors: Float) -> Float:
    """The inverse fourth root of the noise covariance (bands, bands)."""
    n_bands = neighbors.shape[2]
    here, there = (view.standardized(np.ascontiguousarray(side.T)) for side in neighbors)
    step = (here - there).T
    if len(step) == 0:
        return np.eye(n_bands)
    size = (step**2).sum(axis=1)
    quiet = step[size <= np.quantile(size, _QUIET)]
    noise = np.einsum("nb,nc->bc", quiet, quiet) / (2 * len(quiet))
    mean = np.trace(noise) / n_bands
    if not mean > 0:
        return np.eye(n_bands)
    return symmetric_power(noise / mean + _LEAST_NOISE * np.eye(n_bands), -0.25)


def _main_axes(t: Float) -> Float:
    """Axes (components, features) to the main components of ``t``, of a total variance of 1."""
    spread = covariance(np.ascontiguousarray(t.T))
    axes = np.eye(len(t)) if len(t) <= WIDEST else principal_axes(spread, WIDEST)
    total = float(np.einsum("kb,bc,kc->", axes, spread, axes))
    return axes / np.sqrt(total) if total > 0 else axes


def _projected(values: Image, axes: Float) -> Image:
    out = np.empty((len(axes), values.shape[1]), dtype=values.dtype)
    kernels.project(np.ascontiguousarray(values), axes.astype(values.dtype), out)
    return out

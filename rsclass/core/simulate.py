"""Simulated scenes: from a layout of surfaces to the numbers that a sensor would store.

Every pixel depends on its place, the seed and the size of the scene alone, so any window can be
made by itself and equals that part of the whole.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import Affine6, split
from rsclass.core.landscape import Ground, river_plain
from rsclass.core.placefield import fractal, normal, smooth
from rsclass.core.suburb import suburb
from rsclass.core.surfaces import AERIAL, SENTINEL2, Palette
from rsclass.core.types import Band, Float, Mask, Window
from rsclass.errors import UsageError

Layout = Callable[[Float, Float, int, Palette, frozenset[str]], Ground]

# Four half pixels under a bell: the point spread of an imager reaches into the neighbors.
_SPREAD = (0.125, 0.375, 0.375, 0.125)
_SIDE = 256
_FULL_SIZE = 240
_LEAST_SIZE = 16


@dataclass(frozen=True, slots=True)
class Encoding:
    """How reflectance is stored.

    Parameters
    ----------
    dtype : str
    steps : float
        Stored value = reflectance * steps.
    gain : float
        What the bands state: physical value = stored value * gain.
    """

    dtype: str
    steps: float
    gain: float = 1.0

    @property
    def nodata(self) -> float:
        """0 for whole numbers, NaN otherwise."""
        return float("nan") if self.dtype.startswith("float") else 0.0

    def store(self, reflectance: Float) -> NDArray[Any]:
        """Stored values; valid ones are at least 1 in whole numbers."""
        stored = reflectance * self.steps
        if self.dtype.startswith("float"):
            return stored.astype(self.dtype)
        return np.clip(np.rint(stored), 1, np.iinfo(self.dtype).max).astype(self.dtype)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A kind of scene: what is seen, how it lies, how it is stored, and the usual disturbances.

    Parameters
    ----------
    palette : Palette
    layout : callable
    encodings : tuple of Encoding
        The first one is the usual one.
    pixel : float
        Side of a pixel in metres.
    epsg : int
    corner : tuple of float
        Easting and northing of the upper left corner in metres.
    noise : float
        Standard deviation of the sensor's noise, in reflectance.
    illumination : float
        Relative rise of the light from the left to the right edge.
    cloud : bool
        Scenes usually have a hole where a cloud was.
    """

    palette: Palette
    layout: Layout
    encodings: tuple[Encoding, ...]
    pixel: float
    epsg: int
    corner: tuple[float, float]
    noise: float
    illumination: float
    cloud: bool


SENSORS = {
    "sentinel2": Sensor(
        SENTINEL2,
        river_plain,
        (Encoding("uint16", 1e4, 1e-4), Encoding("float32", 1.0), Encoding("uint8", 250.0, 0.004)),
        pixel=10.0,
        epsg=32633,
        corner=(399960.0, 5500020.0),
        noise=0.0025,
        illumination=0.12,
        cloud=True,
    ),
    "aerial": Sensor(
        AERIAL,
        suburb,
        (Encoding("uint8", 510.0), Encoding("float32", 1.0), Encoding("uint16", 131070.0)),
        pixel=0.5,
        epsg=25833,
        corner=(392000.0, 5820000.0),
        noise=0.006,
        illumination=0.0,
        cloud=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything a simulated scene depends on.

    Parameters
    ----------
    sensor : Sensor
    height, width : int
        Size in pixels.
    seed : int
    encoding : Encoding
    covers : frozenset of str
        Land-cover classes to paint.
    illumination, noise : float
        See :class:`Sensor`.
    cloud, mixed, texture : bool
        With the hole of a cloud, with mixed pixels, with variation inside the classes.
    """

    sensor: Sensor
    height: int
    width: int
    seed: int
    encoding: Encoding
    covers: frozenset[str]
    illumination: float
    noise: float
    cloud: bool
    mixed: bool
    texture: bool

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands with the gain of the encoding."""
        return tuple(
            Band(b.name, b.role, b.wavelength, self.encoding.gain)
            for b in self.sensor.palette.bands
        )

    @property
    def transform(self) -> Affine6:
        """From pixel corners to easting and northing."""
        size, (east, north) = self.sensor.pixel, self.sensor.corner
        return (size, 0.0, east, 0.0, -size, north)

    @property
    def zoom(self) -> float:
        """Pixels per unit of the layout: small scenes show the same land, smaller."""
        return min(1.0, min(self.height, self.width) / _FULL_SIZE)

    def windows(self) -> Iterator[Window]:
        """The parts in which a scene is best made."""
        return split(Window(0, 0, self.height, self.width), _SIDE)

    def render(self, window: Window) -> tuple[NDArray[Any], NDArray[np.uint8]]:
        """Stored values (bands, height, width) and class codes (height, width), 0 in the cloud."""
        ground = self._ground(window)
        share = _shares(ground.surface, len(self.sensor.palette.surfaces), self.mixed)
        truth = self._truth(share)
        reflectance = self._reflectance(window, ground, share)
        values = self.encoding.store(reflectance)
        hidden = self._hidden(window)
        values[:, hidden] = self.encoding.nodata
        truth[hidden] = 0
        return values, truth

    def _ground(self, window: Window) -> Ground:
        """The layout at two by two points a pixel, with one more point around the window."""
        rows = np.arange(2 * window.row - 1, 2 * window.row_end + 1, dtype=np.float64)
        cols = np.arange(2 * window.col - 1, 2 * window.col_end + 1, dtype=np.float64)
        y = ((rows + 0.5) / 2.0 / self.zoom)[:, None]
        x = ((cols + 0.5) / 2.0 / self.zoom)[None, :]
        sensor = self.sensor
        return sensor.layout(y, x, self.seed * 1_000_003, sensor.palette, self.covers)

    def _truth(self, share: dict[int, Float]) -> NDArray[np.uint8]:
        """The class with the greatest share of each pixel; the lower code where two are equal."""
        palette = self.sensor.palette
        of_class: dict[int, Float] = {}
        for index, part in share.items():
            code = palette.code(palette.surfaces[index].cover)
            of_class[code] = of_class[code] + part if code in of_class else part
        codes = sorted(of_class)
        winner = np.argmax(np.stack([of_class[c] for c in codes]), axis=0)
        truth: NDArray[np.uint8] = np.array(codes, dtype=np.uint8)[winner]
        return truth

    def _reflectance(self, window: Window, ground: Ground, share: dict[int, Float]) -> Float:
        palette = self.sensor.palette
        rows, cols = _places(window)
        light = 1.0 + self.illumination * ((cols + 0.5) / self.width - 0.5)
        if ground.shade is not None:
            light = light * _spread(ground.shade)
        light = np.broadcast_to(light, (window.height, window.width))
        brighter, greener, wetter = self._texture(window, ground, share)
        out = np.empty((len(palette.bands), window.height, window.width))
        for b in range(len(palette.bands)):
            mean = np.zeros((window.height, window.width))
            for index, part in share.items():
                mean += part * palette.surfaces[index].reflectance[b]
            mean *= 1.0 + brighter + palette.greening[b] * greener + palette.moistening[b] * wetter
            out[b] = mean * light
            if self.noise:
                out[b] += self.noise * normal(rows, cols, self.seed * 1_000_003 + 500 + b)
        return out

    def _texture(
        self, window: Window, ground: Ground, share: dict[int, Float]
    ) -> tuple[Float, Float, Float]:
        """Relative changes of brightness, greenness and wetness inside the classes."""
        nothing = np.zeros((window.height, window.width))
        if not self.texture:
            return nothing, nothing, nothing
        patchy, grainy, variety = nothing.copy(), nothing.copy(), nothing.copy()
        for index, part in share.items():
            surface = self.sensor.palette.surfaces[index]
            patchy += surface.patchy * part
            grainy += surface.grainy * part
            variety += surface.variety * part
        rows, cols = _places(window)
        y, x = rows.astype(np.float64), cols.astype(np.float64)
        parcel = ground.parcel[:, 1:-1:2, 1:-1:2]
        seed = self.seed * 1_000_003 + 300
        brighter, greener, wetter = (
            2.0 * patchy * smooth(y, x, 11.0, seed + 4 * k)
            + fine * grainy * normal(rows, cols, seed + 4 * k + 1)
            + variety * normal(parcel[0], parcel[1], seed + 4 * k + 2)
            for k, fine in enumerate((1.0, 0.5, 0.4))
        )
        return brighter, greener, wetter

    def _hidden(self, window: Window) -> Mask:
        """The hole of one cloud, right of the middle."""
        if not self.cloud:
            return np.zeros((window.height, window.width), dtype=np.bool_)
        rows, cols = _places(window)
        size = 0.16 * min(self.height, self.width)
        y = (rows.astype(np.float64) - 0.3 * self.height) / size
        x = (cols.astype(np.float64) - 0.68 * self.width) / size
        billow = fractal(y, x, 0.9, self.seed * 1_000_003 + 400, octaves=4)
        hidden: Mask = 0.6 * y * y + x * x < 0.7 + 0.75 * billow
        return hidden


def recipe(
    kind: str = "sentinel2",
    *,
    height: int = 200,
    width: int = 200,
    seed: int = 0,
    dtype: str | None = None,
    illumination: float | None = None,
    noise: float | None = None,
    cloud: bool | None = None,
    mixed: bool = True,
    texture: bool = True,
    classes: Sequence[str] | None = None,
) -> Recipe:
    """Check the wishes for a scene and fill in what is usual for its kind.

    Parameters and errors are those of :func:`rsclass.datasets.simulate`.
    """
    if kind not in SENSORS:
        raise UsageError(_unknown("kind of scene", kind, SENSORS))
    sensor = SENSORS[kind]
    if min(height, width) < _LEAST_SIZE:
        raise UsageError(
            f"a scene of {height} x {width} pixels was asked for; the land needs at least "
            f"{_LEAST_SIZE} x {_LEAST_SIZE}."
        )
    encodings = {e.dtype: e for e in sensor.encodings}
    if dtype is not None and dtype not in encodings:
        raise UsageError(_unknown(f"type of {kind} scenes", dtype, encodings))
    names = [c.name for c in sensor.palette.covers]
    for name in classes or ():
        if name not in names:
            raise UsageError(_unknown(f"class of {kind} scenes", name, names))
    if classes is not None and names[0] not in classes:
        raise UsageError(
            f"the classes {', '.join(classes) or '(none)'} were asked for without {names[0]!r}, "
            f"the ground under all others; add it."
        )
    return Recipe(
        sensor,
        height,
        width,
        seed,
        sensor.encodings[0] if dtype is None else encodings[dtype],
        frozenset(names if classes is None else classes),
        sensor.illumination if illumination is None else illumination,
        sensor.noise if noise is None else noise,
        sensor.cloud if cloud is None else cloud,
        mixed,
        texture,
    )


def _unknown(what: str, name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return f"no {what} is named {name!r}.{hint} Known: {', '.join(sorted(known))}."


def _places(window: Window) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = np.arange(window.row, window.row_end)[:, None]
    cols = np.arange(window.col, window.col_end)[None, :]
    return rows, cols


def _shares(surface: NDArray[np.uint8], n: int, mixed: bool) -> dict[int, Float]:
    """Share of every surface in each pixel, for those that occur."""
    present = np.flatnonzero(np.bincount(surface.reshape(-1), minlength=n))
    if not mixed:
        center = surface[1:-1:2, 1:-1:2]
        return {int(i): (center == i).astype(np.float64) for i in present}
    return {int(i): _spread((surface == i).astype(np.float64)) for i in present}


def _spread(fine: Float) -> Float:
    """From half pixels to pixels, under the point spread function."""
    down = sum(
        (w * fine[k : fine.shape[0] - 3 + k : 2] for k, w in enumerate(_SPREAD)),
        start=np.zeros(1),
    )
    across: Float = sum(
        (w * down[:, k : fine.shape[1] - 3 + k : 2] for k, w in enumerate(_SPREAD)),
        start=np.zeros(1),
    )
    return across

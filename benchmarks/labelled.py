"""Real scenes whose land cover is known, and the ways in which they are made harder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from benchmarks.workplace import ROOT
from rsclass.datasets import simulate

STUDY = (
    "landsat7_ogt",
    "landsat7_gewata",
    "nc_landsat7_2002_landclass96",
    "sentinel2_aberystwyth",
    "sentinel2_rachelcarson",
    "enmap_potsdam",
    "salinas_a",
    "samson",
)
FURTHER = ("landsat8_rondonia_points", "statlog_landsat")
SYNTHETIC = "synthetic"
# Blue, green, red, near infrared and two of the shortwave infrared, by place from 0.
SIX_BANDS = {
    "landsat7_ogt": (0, 1, 2, 3, 4, 5),
    "landsat7_gewata": (0, 1, 2, 3, 4, 5),
    "nc_landsat7_2002_landclass96": (0, 1, 2, 3, 4, 5),
}
LARGE = (
    "landsat7_gewata",
    "nc_landsat7_2002_landclass96",
    "sentinel2_aberystwyth",
    "sentinel2_rachelcarson",
)  # enough of them on both sides to be halved
TREND = 0.25
CALIBRATION = 0.1


@dataclass(frozen=True, eq=False)
class Labelled:
    """An image and what is known of its land cover.

    Parameters
    ----------
    name : str
    values : float32 array (bands, height, width)
        NaN where nothing was seen.
    truth : int array (height, width)
        Class codes; 0 where the class is not known.
    """

    name: str
    values: NDArray[np.float32]
    truth: NDArray[np.int64]

    @property
    def classes(self) -> int:
        """How many of them are known."""
        return len(np.unique(self.truth[self.truth > 0]))

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Pixels (height, width) that were seen in every band."""
        seen: NDArray[np.bool_] = np.isfinite(self.values).all(axis=0)
        return seen

    def columns(self, first: int, stop: int) -> Labelled:
        """The part of the scene between two columns."""
        return replace(self, values=self.values[:, :, first:stop], truth=self.truth[:, first:stop])

    def bands(self, chosen: tuple[int, ...]) -> Labelled:
        """The scene with some of its bands."""
        return replace(self, values=self.values[list(chosen)])


@dataclass(frozen=True)
class Case:
    """What is learned from, and what is labelled and scored; read when it is asked for.

    Parameters
    ----------
    task : str
        A key of ``TASKS``.
    learned : tuple of str
        Scenes.
    scored : str
    """

    task: str
    learned: tuple[str, ...]
    scored: str

    @property
    def title(self) -> str:
        """As the tables show it."""
        return f"{self.learned[0]} to {self.scored}" if self.task == "neighbor" else self.scored

    def images(self) -> tuple[list[Labelled], Labelled]:
        """What is learned from, whose truth is not looked at, and what is scored."""
        scene = read(self.scored)
        if self.task == "half":
            width = scene.truth.shape[1]
            return [scene.columns(0, width // 2)], scene.columns(width // 2, width)
        if self.task in ("neighbor", "joint"):
            others = [read(name).bands(SIX_BANDS[name]) for name in self.learned]
            return others, scene.bands(SIX_BANDS[self.scored])
        scene = {"trend": with_trend, "mosaic": as_mosaic}.get(self.task, lambda s: s)(scene)
        return [scene], scene


TASKS = {
    "single": "each scene as it is",
    "trend": f"light that changes from -{TREND:.0%} at the left edge to +{TREND:.0%} at the right",
    "mosaic": "two halves, the right one with other gains of its bands, "
    f"drawn with a standard deviation of {CALIBRATION:.0%}",
    "half": "learned from the left half, scored on the right",
    "neighbor": "learned from one Landsat 7 scene, scored on another",
    "joint": "learned from all other Landsat 7 scenes at once, scored on the one held out",
}


def home() -> Path:
    """The folder of the scenes; ``RSCLASS_SHARED_DATA`` moves it."""
    return Path(os.environ.get("RSCLASS_SHARED_DATA", ROOT.parent / "shared" / "data"))


def absence(name: str) -> str | None:
    """Why a scene cannot be read, or None where it can."""
    if name == SYNTHETIC:
        return None
    missing = [f for f in ("image.tif", "gt.tif") if not (home() / name / f).is_file()]
    return f"{home() / name} has no {' and no '.join(missing)}" if missing else None


@lru_cache(maxsize=3)
def read(name: str) -> Labelled:
    """A scene of :func:`home`, or a small simulated one; bands without any data are left out."""
    if name == SYNTHETIC:
        made = simulate("sentinel2", height=64, width=72, seed=5)
        pixels = np.where(made.valid, made.values, np.nan).astype(np.float32)
        return Labelled(name, pixels, made.truth.astype(np.int64))
    with rasterio.open(home() / name / "image.tif") as source:
        values = source.read(masked=True).astype(np.float32).filled(np.nan)
    with rasterio.open(home() / name / "gt.tif") as source:
        truth = source.read(1).astype(np.int64)
    values = values[np.isfinite(values).any(axis=(1, 2))]
    truth[~np.isfinite(values).all(axis=0)] = 0
    return Labelled(name, values, truth)


def with_trend(scene: Labelled, most: float = TREND) -> Labelled:
    """The scene under light that changes from column to column."""
    gain = np.linspace(1 - most, 1 + most, scene.values.shape[2], dtype=np.float32)
    return replace(scene, values=scene.values * gain)


def as_mosaic(scene: Labelled, deviation: float = CALIBRATION) -> Labelled:
    """The scene with another calibration of every band in its right half."""
    rng = np.random.default_rng(len(scene.values))
    gain = rng.normal(1, deviation, (len(scene.values), 1, 1)).astype(np.float32)
    values = scene.values.copy()
    values[:, :, values.shape[2] // 2 :] *= gain
    return replace(scene, values=values)


def cases(task: str, names: tuple[str, ...]) -> Iterator[Case]:
    """What a task asks of those scenes that can be read and that suit it."""
    present = [name for name in names if absence(name) is None]
    suited = {"half": LARGE, "neighbor": tuple(SIX_BANDS), "joint": tuple(SIX_BANDS)}
    for name in present:
        if name not in suited.get(task, present):
            continue
        others = tuple(other for other in SIX_BANDS if other in present and other != name)
        if task == "neighbor":
            yield from (Case(task, (other,), name) for other in others)
        elif task == "joint":
            if len(others) > 1:
                yield Case(task, others, name)
        else:
            yield Case(task, (name,), name)

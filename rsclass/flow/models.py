"""A trained engine with all that is needed to use it on another scene."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.colors import class_colors, default_names
from rsclass.core.labels import map_values, whole_numbers
from rsclass.core.legend import RGB, Legend, LegendClass, clean_name
from rsclass.core.matching import match_bands
from rsclass.core.pairing import match_centers
from rsclass.core.types import Band, Float, Sample
from rsclass.engines.base import Engine, register_keeper
from rsclass.engines.catalogue import remade_engine
from rsclass.engines.networks import register_weights_reader
from rsclass.errors import BrokenModelError
from rsclass.io.model_file import model_bytes, parse_model, read_model, write_model
from rsclass.io.weights_file import holds_model, read_content

DRIFT_QUANTILE = 0.995
"""Share of the training pixels that lie within ``SampleStats.reach`` of their class."""


@dataclass(frozen=True)
class SampleStats:
    """How the training pixels are distributed, to judge other scenes by.

    Parameters
    ----------
    mean, std, low, high : float64 arrays (bands,)
        ``low`` and ``high`` are the 2 and 98 % points; physical units.
    reach : float
        Distance from the nearest class signature, in standard deviations of the bands, within
        which 99.5 % of the training pixels lie.
    """

    mean: Float
    std: Float
    low: Float
    high: Float
    reach: float

    @classmethod
    def of(cls, sample: Sample, signatures: Float) -> SampleStats:
        """Of the training sample."""
        values = sample.values
        std = values.std(axis=0)
        low, high = np.percentile(np.ascontiguousarray(values.T), [2, 98], axis=1)
        stats = cls(values.mean(axis=0), std, low, high, 0.0)
        reach = np.quantile(stats.distance(values, signatures), DRIFT_QUANTILE)
        return replace(stats, reach=float(reach))

    def distance(self, values: Float, signatures: Float) -> Float:
        """Distance (pixels,) of a pixel table to the nearest signature, in standard deviations."""
        scale = np.where(self.std > 0, self.std, 1.0)
        nearest = np.full(len(values), np.inf)
        columns = np.ascontiguousarray(values.T)
        for signature in signatures:
            total = np.zeros(len(values))
            for column, middle, unit in zip(columns, signature, scale, strict=True):
                total += ((column - middle) / unit) ** 2
            np.minimum(nearest, total, out=nearest)
        result: Float = np.sqrt(nearest)
        return result

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SampleStats:
        """From what :meth:`to_dict` gave."""
        arrays = {name: np.array(values[name]) for name in ("mean", "std", "low", "high")}
        return cls(**arrays, reach=float(values["reach"]))


@dataclass(frozen=True)
class Model:
    """A trained engine, its legend and where it comes from.

    Parameters
    ----------
    engine : Engine
    legend : Legend
        Of the engine's classes.
    values : tuple of int
        Value in a map of each of the engine's classes.
    sample_stats : SampleStats
    scene : dict
        How the training scene was read.
    seed : int
    """

    engine: Engine
    legend: Legend
    values: tuple[int, ...]
    sample_stats: SampleStats
    scene: dict[str, Any]
    seed: int

    @classmethod
    def of(
        cls,
        engine: Engine,
        sample: Sample,
        scene: dict[str, Any],
        seed: int,
        earlier: Model | None = None,
    ) -> Model:
        """Give the classes of a fitted engine their values, names and colors.

        Parameters
        ----------
        earlier : Model or None
            Classes that have a partner there keep its value, name and color.
        """
        signatures = engine.signatures()
        stats = SampleStats.of(sample, signatures)
        colors = class_colors(signatures, engine.bands_, stats.low, stats.high)
        classes = _legend_classes(engine, colors)
        if earlier is not None and engine.class_names is not None:
            classes = earlier._namesakes_of(classes)
        elif earlier is not None:
            order = match_bands(engine.bands_, earlier.bands, "the scene")
            classes = earlier._partners_of(signatures[:, order], stats.std[order], classes)
        values = tuple(c.value for c in classes)
        return cls(engine, Legend(tuple(classes)), values, stats, scene, seed)

    def _partners_of(
        self, signatures: Float, std: Float, classes: list[LegendClass]
    ) -> list[LegendClass]:
        scale = np.where(std > 0, std, 1.0)
        partner = match_centers(signatures, self.engine.signatures(), scale)
        known = {c.value: c for c in self.legend}
        free = max(known) + 1
        matched = []
        for own, index in zip(classes, partner, strict=True):
            if index >= 0:
                matched.append(known[self.values[index]])
            else:
                name = own.name.replace(str(own.value), str(free))
                matched.append(LegendClass(free, name, own.color))
                free += 1
        return matched

    def _namesakes_of(self, classes: list[LegendClass]) -> list[LegendClass]:
        """Classes of known names: what the earlier map called so keeps its value and color."""
        known = {c.name: c for c in self.legend}
        taken = {c.value for c in self.legend}
        free = (value for value in count(1) if value not in taken)
        matched = []
        for own in classes:
            earlier = known.get(own.name)
            value = own.value if own.value not in taken else next(free)
            matched.append(earlier or LegendClass(value, own.name, own.color))
            taken.add(matched[-1].value)
        return matched

    @property
    def bands(self) -> tuple[Band, ...]:
        """The bands it was trained on, in order."""
        return self.engine.bands_

    @property
    def order(self) -> NDArray[np.intp]:
        """The engine's classes in the order of their values in a map."""
        return np.argsort(np.array(self.values))

    def card_and_arrays(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What the model file holds."""
        state, arrays = self.engine.state()
        card = {
            "method": self.engine.method,
            "parameters": self.engine.plain_parameters(),
            "bands": [asdict(band) for band in self.bands],
            "legend": self.legend.to_rows(),
            "engine": {"state": state, "values": list(self.values)},
            "sample_stats": self.sample_stats.to_dict(),
            "scene": self.scene,
            "seed": self.seed,
            "versions": versions(),
        }
        return card, arrays

    def to_bytes(self) -> bytes:
        """The model file's bytes; the same model gives the same bytes."""
        return model_bytes(*self.card_and_arrays())

    def sha256(self) -> str:
        """SHA-256 of the model file."""
        return hashlib.sha256(self.to_bytes()).hexdigest()

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the model file.

        Raises
        ------
        OutputExistsError
            The file exists and ``overwrite`` is false.
        """
        write_model(path, *self.card_and_arrays(), overwrite=overwrite)
        return Path(path)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a model file.

        Raises
        ------
        DataError
            There is no such file.
        BrokenModelError
            It is damaged, too new, or no model.
        """
        return cls._restored(*read_model(path), str(path))

    @classmethod
    def from_bytes(cls, content: bytes, name: str) -> Self:
        """Of what :meth:`to_bytes` gave.

        Parameters
        ----------
        content : bytes
        name : str
            Where it comes from, for messages.

        Raises
        ------
        BrokenModelError
            It is damaged, too new, or no model.
        """
        return cls._restored(*parse_model(content, name), name)

    @classmethod
    def _restored(cls, card: dict[str, Any], arrays: dict[str, NDArray[Any]], name: str) -> Self:
        try:
            engine = remade_engine(card["method"], card["parameters"])
            engine.bands_ = tuple(Band(**band) for band in card["bands"])
            engine.n_features_in_ = len(engine.bands_)
            engine.warnings_, engine.history_ = [], []
            engine.restore(card["engine"]["state"], arrays)
            return cls(
                engine,
                Legend.from_rows(card["legend"], name),
                tuple(card["engine"]["values"]),
                SampleStats.from_dict(card["sample_stats"]),
                card["scene"],
                card["seed"],
            )
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BrokenModelError(
                f"{name} is not a model that this rsclass can use "
                f"({type(error).__name__}: {error}); train it again."
            ) from error


def _legend_classes(engine: Engine, colors: Sequence[RGB]) -> list[LegendClass]:
    """Clusters are numbered; a class that was learned keeps its own name or number."""
    names = engine.class_names
    if names is None:
        shown = default_names(engine.n_classes_)
        values = tuple(range(1, engine.n_classes_ + 1))
    else:
        values = map_values(names)
        # A number that is not the value is a name, by which its class is found again.
        kept = whole_numbers(names) == values
        shown = [f"class {name}" if kept else clean_name(name) or "no name" for name in names]
    return [LegendClass(*row) for row in zip(values, shown, colors, strict=True)]


def save_engine(engine: Engine, path: str | Path, overwrite: bool) -> Path:
    """Write an engine that was fitted by its own ``fit`` to a model file."""
    seed = int(getattr(engine, "random_state", 0))
    model = Model.of(engine, engine.training_sample_, {}, seed)
    return model.save(path, overwrite=overwrite)


register_keeper(save_engine)


def read_weights(
    path: str,
) -> tuple[str, bytes, dict[str, Any] | None, dict[str, NDArray[Any]] | None]:
    """A file from which a network may start: its name, bytes, and what they are as a model.

    Raises
    ------
    DataError
        There is no such file.
    BrokenModelError
        It claims to be a model of rsclass, and is damaged.
    """
    content = read_content(path)
    card, arrays = parse_model(content, path) if holds_model(content) else (None, None)
    return path, content, card, arrays


register_weights_reader(read_weights)


def versions() -> dict[str, str]:
    """Versions of what computes the result."""
    names = ["rsclass", "numpy", "numba", "rasterio", "scikit-learn", "torch"]
    return {"python": platform.python_version()} | {name: _version(name) for name in names}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:
        return "absent"

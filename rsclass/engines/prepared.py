"""Any classifier on views of the bands in place of the bands, or on smoothed ones."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from rsclass.core.arrays import ArrayStream
from rsclass.core.bilateral import PASSES, reach
from rsclass.core.chunks import shuffled_chunks
from rsclass.core.preparing import Preparation
from rsclass.core.training import TrainingSet
from rsclass.core.types import Band, Block, Float, PixelStream, Prediction, Sample, T, Window
from rsclass.engines.base import PREPARING, Engine
from rsclass.engines.centers import bands_without_scaling
from rsclass.engines.ensemble import view_pixels
from rsclass.engines.parameters import Parameter
from rsclass.engines.pieces import neighbors_in, physical_table
from rsclass.errors import BrokenModelError, UsageError

__all__ = ["Prepared", "PreparedStream"]

_AREA = 500_000  # pixels of the chunks in which neighbors are looked at
_SPECTRA_PIXELS = 200_000
_TILE = 256
_OF_INNER = (
    "method",
    "title",
    "paper",
    "parameters",
    "layers",
    "block",
    "takes_training",
    "needs_training",
    "estimator_type",
    "refuse_layers",
)


@dataclass(frozen=True)
class _Through:
    """A tally of prepared blocks; travels to the workers."""

    scene: Any
    preparation: Preparation
    height: int
    width: int
    tally: Callable[[Block], Any]

    def __call__(self, block: Block) -> Any:
        core = block.window
        around = self.scene.read(core.grow(self.preparation.halo, self.height, self.width))
        return self.tally(self.preparation(around, core))


class PreparedStream:
    """A scene as it looks after its preparation.

    Parameters
    ----------
    stream : PixelStream
    preparation : Preparation
    bands : tuple of Band
    workers : int
        Threads that prepare a sample.
    """

    def __init__(
        self,
        stream: PixelStream,
        preparation: Preparation,
        bands: tuple[Band, ...],
        workers: int,
    ) -> None:
        self.stream = stream
        self.preparation = preparation
        self.bands = bands
        self.workers = workers
        self.height, self.width, self.room = stream.height, stream.width, stream.room

    def read(self, window: Window) -> Block:
        """The prepared pixels of any window inside the scene."""
        around = window.grow(self.preparation.halo, self.height, self.width)
        return self.preparation(self.stream.read(around), window)

    def fold(self, tally: Callable[[Block], T], message: str = "") -> T:
        """As the scene's own, of prepared blocks."""
        scene = getattr(self.stream, "reader", self.stream)
        through = _Through(scene, self.preparation, self.height, self.width, tally)
        found: T = self.stream.fold(through, message)
        return found

    def scan(self, message: str = "") -> Iterator[Block]:
        """As the scene's own, of prepared blocks."""
        for block in self.stream.scan(message):
            yield self.read(block.window)

    def sample(self, n: int | None, seed: int) -> Sample:
        """The same pixels as of the scene, prepared."""
        drawn = self.stream.sample(n, seed)
        values = self.at(drawn.rows, drawn.cols)
        return Sample(values, drawn.rows, drawn.cols, drawn.n_valid)

    def drawn(self, n: int, seed: int) -> PixelStream | None:
        """The pixels of :meth:`sample` as a stream; None where the scene has no more of them."""
        if self.stream.drawn(n, seed) is None:
            return None
        values = self.sample(n, seed).values.astype(np.float32)
        pixels = ArrayStream(
            np.ascontiguousarray(values.T)[:, :, None], bands=self.bands, is_table=True
        )
        pixels.progress = self.report
        return pixels

    def report(self, done: float, total: float, message: str) -> None:
        """Pass the news on."""
        self.stream.report(done, total, message)

    def at(self, rows: NDArray[np.int64], cols: NDArray[np.int64]) -> Float:
        """Prepared values (pixels, features) at places of the scene."""
        values = np.empty((len(rows), len(self.bands)))
        if len(rows) == 0:
            return values
        tile = rows // _TILE * (self.width // _TILE + 1) + cols // _TILE
        order = np.argsort(tile, kind="stable")
        groups = np.split(order, np.flatnonzero(np.diff(tile[order])) + 1)

        def of(group: NDArray[np.int64]) -> Float:
            r, c = rows[group], cols[group]
            top, left = int(r.min()), int(c.min())
            window = Window(top, left, int(r.max()) - top + 1, int(c.max()) - left + 1)
            table: Float = self.read(window).values[:, r - top, c - left].T.astype(np.float64)
            return table

        with ThreadPoolExecutor(self.workers) as pool:
            for done, (group, part) in enumerate(zip(groups, pool.map(of, groups), strict=True), 1):
                values[group] = part
                self.report(done, len(groups), "preparing the sample")
        return values


class Prepared(Engine):
    """An engine that sees views of the bands, or smoothed bands.

    Parameters
    ----------
    inner : Engine
    features : {"bands", "views"}
        ``views``: the first set of :data:`rsclass.core.views.SETS`.
    smooth : {"none", "bilateral"}
        ``bilateral``: see :func:`rsclass.core.bilateral.bilateral`.

    Notes
    -----
    Signatures are physical spectra of the bands, so classes are ordered, colored and matched as
    those of any other engine.
    """

    method: ClassVar[str] = "prepared"
    title: ClassVar[str] = "Any method on prepared bands"
    paper: ClassVar[str] = "Tomasi and Manduchi 1998, doi:10.1109/ICCV.1998.710815"
    parameters: ClassVar[dict[str, Parameter]] = {}

    _means: Float

    def __init__(self, inner: Engine, features: str = "bands", smooth: str = "none") -> None:
        self.inner = inner
        self.features = features
        self.smooth = smooth
        self._scene: PixelStream | None = None
        self._workers = os.cpu_count() or 1
        for name in _OF_INNER:
            setattr(self, name, getattr(inner, name))

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters of the method, and how the scene is prepared."""
        return self.inner.get_params(deep) | {"features": self.features, "smooth": self.smooth}

    def set_params(self, **params: Any) -> Self:
        """Set parameters of the method."""
        self.inner.set_params(**params)
        return self

    def plain_parameters(self) -> dict[str, Any]:
        """The parameters as JSON-able values."""
        return self.inner.plain_parameters() | {"features": self.features, "smooth": self.smooth}

    def check_parameters(self) -> None:
        """Raise UsageError when a parameter is not of its type or outside of its range."""
        for name, spec in PREPARING.items():
            spec.check(f"{self.method}: {name}", getattr(self, name), (str,))
        self.inner.check_parameters()

    def __getattr__(self, name: str) -> Any:
        """What only the engine inside has, such as its tree."""
        if name.startswith("__") or name == "inner" or name in Engine.__annotations__:
            raise AttributeError(name)
        return getattr(self.inner, name)

    def __getstate__(self) -> dict[str, Any]:
        """Everything but the scene at hand."""
        return vars(self) | {"_scene": None}

    @property
    def halo(self) -> int:
        """Pixels of context needed on each side of a predicted window."""
        return self._own_halo + self.inner.halo

    @property
    def _own_halo(self) -> int:
        return reach(PASSES) if self.smooth == "bilateral" else 0

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """Names of the classes, where they were learned with them."""
        return self.inner.class_names

    @property
    def tells_confidence(self) -> bool:
        """Whether there is a confidence for each label."""
        return self.inner.tells_confidence

    @property
    def device_used(self) -> str:
        """Where the labels are computed."""
        return self.inner.device_used

    def use_machine(self, workers: int, device: str) -> None:
        """Tell the engine what it may use."""
        self._workers = workers
        self.inner.use_machine(workers, device)

    def pixels_learned_from(self, n_valid: int) -> int:
        """How many pixels of a scene with ``n_valid`` of them ``fit`` works on."""
        return self.inner.pixels_learned_from(n_valid)

    def learn_bytes(self, n_bands: int, n_valid: int) -> int:
        """Memory in bytes that ``fit`` holds beside the tiles."""
        sample = min(view_pixels(n_bands), n_valid) * n_bands * 8 * 6
        return self.inner.learn_bytes(n_bands, n_valid) + sample

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel, beside a tile's views."""
        return self.inner.label_bytes(layers) + 4.0 * len(self._inner_bands()) + 2.0

    def fit_trial(self, stream: PixelStream) -> float:
        """Fit a part of the way, to see how long all of it takes."""
        self.bands_ = tuple(stream.bands)
        self.n_features_in_ = len(self.bands_)
        seen = self._look_at(stream)
        share = self.inner.fit_trial(seen)
        self._learned(stream)
        return share

    def _learn(self, stream: PixelStream) -> None:
        self.inner.fit_stream(self._look_at(stream))
        self._learned(stream)

    def prepare(self, stream: PixelStream) -> None:
        """Look at the scene in which the samples lie that ``fit_training`` learns from."""
        self._scene = stream

    def fit_training(self, training: TrainingSet, bands: Sequence[Band]) -> Self:
        """Learn from pixels whose class is known; :meth:`prepare` has seen their scene.

        Raises
        ------
        UsageError
            Nobody has shown the scene.
        """
        if self._scene is None:
            raise UsageError(
                "samples are prepared with what surrounds them; learn through rsclass.classify or "
                "rsclass.train, which know their scene."
            )
        self.bands_ = tuple(bands)
        self.n_features_in_ = len(self.bands_)
        seen = self._look_at(self._scene)
        values = seen.at(training.rows, training.cols)
        self.inner.fit_training(replace(training, values=values, integer=False), seen.bands)
        self._learned(self._scene)
        self._scene = None
        return self

    def _look_at(self, stream: PixelStream) -> PreparedStream:
        """Find out how to prepare a scene; it as prepared."""
        if getattr(stream, "is_table", False):
            raise UsageError(
                "views and filters are formed of images (bands, height, width); X is a table."
            )
        seed = int(getattr(self.inner, "random_state", 0))
        n_pixels = view_pixels(len(stream.bands))
        few = stream.sample(n_pixels, seed)
        _, neighbors = neighbors_in(stream, few.n_valid, _AREA, n_pixels, seed)
        self._preparation = Preparation.of(
            few.values,
            neighbors,
            views=self.features == "views",
            smooth=self.smooth == "bilateral",
        )
        self._plain_bands = tuple(bands_without_scaling(stream))
        return self._prepared(stream)

    def _prepared(self, stream: PixelStream) -> PreparedStream:
        return PreparedStream(stream, self._preparation, self._inner_bands(), self._workers)

    def _inner_bands(self) -> tuple[Band, ...]:
        views = self._preparation.views
        if views is None:
            return self._plain_bands
        return tuple(Band(f"view {i + 1}") for i in range(len(views.sets[0].axes)))

    def _learned(self, stream: PixelStream) -> None:
        self.n_classes_ = self.inner.n_classes_
        self.warnings_, self.history_ = self.inner.warnings_, self.inner.history_
        self._means = self._spectra(stream)

    def _spectra(self, stream: PixelStream) -> Float:
        """Mean physical spectra (classes, bands) of some pixels of every class."""
        n, n_bands = self.n_classes_, len(stream.bands)
        sums, count = np.zeros((n, n_bands)), np.zeros(n)
        for core in shuffled_chunks(stream.height, stream.width, 0):
            if count.sum() >= _SPECTRA_PIXELS and (count > 0).all():
                break
            around = stream.read(core.grow(self.halo, stream.height, stream.width))
            if not around.valid.any():
                continue
            labels = self.predict_block(around, core).labels.reshape(-1) + 1
            table = physical_table(around.cut(core))
            count += np.bincount(labels, minlength=n + 1)[1:]
            sums += np.stack([np.bincount(labels, band, n + 1)[1:] for band in table], axis=1)
        everywhere = sums.sum(axis=0) / count.sum()
        found: Float = sums / np.maximum(count, 1)[:, None]
        return np.where(count[:, None] > 0, found, everywhere)

    def meet(self, stream: PixelStream) -> list[str]:
        """Get to know a scene that is to be labelled."""
        return self.inner.meet(self._prepared(stream))

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label ``core``; ``block`` covers it and ``halo`` pixels around it, cut at the scene."""
        window = core.around(self.inner.halo, block.window)
        return self.inner.predict_block(self._preparation(block, window), core, layers)

    def signatures(self) -> Float:
        """Mean spectra (classes, bands) in physical units."""
        return self._means.copy()

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """What must be kept to label again: a JSON-able card and named arrays."""
        inner, inner_arrays = self.inner.state()
        own, own_arrays = self._preparation.state()
        arrays = {f"method.{name}": value for name, value in inner_arrays.items()}
        arrays |= {f"preparation.{name}": value for name, value in own_arrays.items()}
        return {"method": inner, "preparation": own}, arrays | {"signatures": self._means}

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set the fitted attributes from what ``state`` gave.

        Raises
        ------
        BrokenModelError
            Something is missing or does not fit together.
        """
        part = partial(_part, arrays)
        try:
            self._preparation = Preparation.restored(card["preparation"], part("preparation."))
            self._plain_bands = tuple(replace(b, gain=1.0, offset=0.0) for b in self.bands_)
            self._means = arrays["signatures"]
            inner = self.inner
            inner.bands_ = self._inner_bands()
            inner.n_features_in_ = len(inner.bands_)
            inner.warnings_, inner.history_ = [], []
            inner.restore(card["method"], part("method."))
            self.n_classes_ = inner.n_classes_
            self.warnings_, self.history_ = inner.warnings_, inner.history_
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise BrokenModelError(
                f"the preparation of the model cannot be restored: {error}; train it again."
            ) from error


def _part(arrays: dict[str, NDArray[Any]], prefix: str) -> dict[str, NDArray[Any]]:
    return {name[len(prefix) :]: a for name, a in arrays.items() if name.startswith(prefix)}

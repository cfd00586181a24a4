"""What engines that describe a class by its center have in common."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core import kernels
from rsclass.core.assign import nearest, retally
from rsclass.core.exact import Sum
from rsclass.core.labelled import LabelledBlock, LabelMemory
from rsclass.core.scaling import KINDS, Scaling
from rsclass.core.stats import is_exact
from rsclass.core.types import Band, Block, Float, PixelStream, Prediction, Sample, Window
from rsclass.engines.base import Engine, Parameter
from rsclass.errors import RsclassWarning

START_PIXELS = 20_000
"""Pixels on which starts are tried, at least."""

START_PIXELS_OF_CLASS = 4_000
"""Pixels on which starts are tried, for each class; with fewer, small classes are missed."""

SCALING_PIXELS = 100_000
"""Pixels from which an exact fit takes its scaling and its start."""

SAMPLE_NUMBERS = 2**24
"""Values (pixels times bands) that a sample holds at most: 128 MiB."""

MOST_CLASSES = 65_534
"""Classes at most: of the numbers that 16 bits hold, 0 and the greatest mean no data."""

COMMON: dict[str, Parameter] = {
    "n_classes": Parameter(
        "classes to find",
        1,
        MOST_CLASSES,
        aliases=("classes", "n_clusters", "k", "number_of_classes"),
    ),
    "scale": Parameter("space in which distances are measured", choices=KINDS),
    "sample": Parameter("pixels to learn from; none: every pixel of the scene", 1, unit="pixels"),
    "random_state": Parameter("seed of every random choice", 0, aliases=("seed",)),
}


@dataclass(frozen=True)
class CenterTally:
    """Sums over pixels, by nearest center.

    Parameters
    ----------
    count : int64 array (classes,)
    sums, squares : Sum (classes, bands)
        Of stored values minus the pass's origin.
    distance : float64 array (classes,)
        Sums of the distance to the own center in engine space, where asked for.
    moved : int
        Pixels of another class than under the previous centers.
    """

    count: NDArray[np.int64]
    sums: Sum
    squares: Sum
    distance: Float
    moved: int

    def __add__(self, other: CenterTally) -> CenterTally:
        return CenterTally(
            self.count + other.count,
            self.sums + other.sums,
            self.squares + other.squares,
            self.distance + other.distance,
            self.moved + other.moved,
        )


@dataclass(frozen=True)
class CenterPass:
    """One pass over the pixels: called with a block, gives its tally.

    Parameters
    ----------
    scaling : Scaling
    centers : float64 array (classes, bands)
        In engine space.
    previous : float64 array (classes, bands) or None
        Centers of the pass before, to count pixels that change class.
    memory : LabelMemory or None
        Labels of the pass before, which save most of the work.
    distances : bool
        Whether distances to the own center are added up.
    """

    scaling: Scaling
    centers: Float
    previous: Float | None = None
    memory: LabelMemory | None = None
    distances: bool = False

    def __call__(self, block: Block) -> CenterTally:
        """The tally of one block."""
        n_classes = len(self.centers)
        origin = self._origin(block)
        exact = origin.dtype.kind == "i"
        kept = self.memory.of(block) if self.memory is not None and exact else None
        labelled = LabelledBlock.fresh(block, n_classes, origin.dtype) if kept is None else kept
        gain, offset = self.scaling.affine(block)
        values, valid = block.flat, block.flat_valid
        distance = np.zeros(len(labelled.count)) if self.distances else None
        moved = retally(
            values,
            valid,
            gain,
            offset,
            origin,
            self.centers,
            labelled.labels,
            labelled.count,
            labelled.sums,
            labelled.squares,
            distance,
        )
        if kept is None and self.previous is not None:
            before = np.empty(valid.size, dtype=np.int32)
            nearest(values, valid, gain, offset, self.previous, before)
            moved = int(np.count_nonzero((before != labelled.labels) & valid))
        return CenterTally(
            labelled.count[:n_classes].copy(),
            Sum(labelled.sums[:n_classes].copy()),
            Sum(labelled.squares[:n_classes].copy()),
            np.zeros(n_classes) if distance is None else distance[:n_classes],
            moved,
        )

    def _origin(self, block: Block) -> NDArray[Any]:
        """Whole numbers are summed as they are; others from the middle of their band."""
        if is_exact(block.values.dtype):
            return np.zeros(block.n_bands, dtype=np.int64)
        middle: Float = (self.scaling.center - block.offset) / block.gain
        return middle

    def means(self, tally: CenterTally, block: Block) -> Float:
        """Engine-space means (classes, bands); NaN where a class has no pixel.

        Parameters
        ----------
        block : Block
            Any block of the scene, for its type and band scaling.
        """
        gain, offset = self.scaling.affine(block)
        with np.errstate(invalid="ignore", divide="ignore"):
            stored = tally.sums.as_float() / tally.count[:, None] + self._origin(block)
        result: Float = stored * gain + offset
        return result

    def deviations(self, tally: CenterTally, block: Block) -> Float:
        """Engine-space standard deviations (classes, bands), divisor n."""
        gain, _ = self.scaling.affine(block)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = tally.sums.as_float() / tally.count[:, None]
            variance = tally.squares.as_float() / tally.count[:, None] - mean * mean
        result: Float = np.sqrt(np.maximum(variance, 0.0)) * np.abs(gain)
        return result

    def inertia(self, tally: CenterTally, block: Block) -> Float:
        """Sums (classes,) of the squared distance of a class's pixels to its center."""
        filled = tally.count > 0
        spread = np.where(filled[:, None], self.deviations(tally, block), 0.0)
        shift = np.where(filled[:, None], self.means(tally, block) - self.centers, 0.0)
        result: Float = tally.count * (spread * spread + shift * shift).sum(axis=1)
        return result


class CenterEngine(Engine):
    """An engine whose classes are centers, and whose labels are the nearest of them.

    Attributes
    ----------
    centers_ : float64 array (classes, bands)
        In physical units, in canonical order: darkest first, then by the centers' own values.
    scaling_ : Scaling
    """

    fuzzifier: float = 2.0

    n_classes: int
    scale: str
    sample: int | None
    random_state: int
    centers_: Float
    scaling_: Scaling
    _on_device: Callable[..., Any] | None = None

    def use_machine(self, workers: int, device: str) -> None:
        """Tell the engine what it may use.

        Parameters
        ----------
        workers : int
            Threads; sets speed, never the result.
        device : str
            ``cuda`` lets a graphics processor label large scenes, with the same classes.

        Warns
        -----
        RsclassWarning
            ``cuda`` was asked for, there is none, and the processor computes.
        """
        self._on_device = _nearest_on_device() if device == "cuda" else None

    def _pixels(self, stream: PixelStream) -> tuple[PixelStream, Sample]:
        """The pixels to learn from, and a sample of them for the scaling and the start."""
        most = max(START_PIXELS, SAMPLE_NUMBERS // len(stream.bands))
        pixels = stream
        if self.sample is not None:
            drawn = stream.drawn(min(self.sample, most), self.random_state)
            if drawn is not None:
                pixels = drawn
                if self.sample > most:
                    self.warnings_.append(
                        f"learned from {most:,} pixels, because {self.sample:,} of "
                        f"{len(stream.bands)} bands would fill the memory; set the sample to "
                        "'all' to use every pixel."
                    )
        few_pixels = min(SCALING_PIXELS, self.sample or SCALING_PIXELS, most)
        few = stream.sample(few_pixels, self.random_state)
        self.scaling_ = Scaling.fit(few.values, self.scale)
        self._warn_of_constant_bands(few)
        return pixels, few

    def _memory(self, pixels: PixelStream, most: int) -> LabelMemory:
        """Room for the labels of every pixel between passes, for up to ``most`` classes."""
        return LabelMemory(most, pixels.room)

    def _warn_of_constant_bands(self, drawn: Sample) -> None:
        constant = np.flatnonzero(np.ptp(drawn.values, axis=0) == 0)
        if len(constant) and len(drawn) > 1:
            names = ", ".join(self.bands_[i].name for i in constant)
            self.warnings_.append(
                f"{names} {'is' if len(constant) == 1 else 'are'} constant and "
                f"{'does' if len(constant) == 1 else 'do'} not help to tell classes apart."
            )

    def _start_table(self, drawn: Sample) -> Float:
        """Engine-space values of the pixels of a sample on which starts are tried."""
        table = self.scaling_.forward(drawn.values)
        n = max(START_PIXELS, START_PIXELS_OF_CLASS * self.n_classes)
        if len(table) > n:
            rng = np.random.default_rng(self.random_state)
            table = table[np.sort(rng.choice(len(table), n, replace=False))]
        return table

    def _settle(self, centers: Float, count: NDArray[np.int64] | None = None) -> None:
        """Keep the found centers (engine space) in canonical order, without empty classes."""
        if count is not None:
            centers = centers[count > 0]
        # Adding zero turns -0.0 into 0.0, which would otherwise be another center.
        centers = centers + 0.0
        centers = centers[np.lexsort(centers.T[::-1])]
        another = (centers[1:] != centers[:-1]).any(axis=1)
        centers = centers[np.append(True, another)]
        physical = self.scaling_.back(centers)
        self.centers_ = physical[canonical_order(physical)]
        self.n_classes_ = len(self.centers_)
        self._note_missing_classes()

    def _note_missing_classes(self) -> None:
        if self.n_classes_ < self.n_classes:
            self.warnings_.append(
                f"{self.n_classes} classes were asked for and {self.n_classes_} found: "
                "the scene has too few different spectra for more."
            )

    def signatures(self) -> Float:
        """Class centers (classes, bands) in physical units."""
        return self.centers_

    def label_bytes(self, layers: Collection[str]) -> float:
        """Working memory of ``predict_block`` in bytes for one pixel."""
        return super().label_bytes(layers) if layers else 8.0

    def predict_block(self, block: Block, core: Window, layers: Collection[str] = ()) -> Prediction:
        """Label each pixel with its nearest center; see :meth:`Engine.predict_block`.

        ``distance`` is Euclidean in engine space; ``membership`` is that of fuzzy K-means to the
        centers, ``confidence`` its largest value and ``entropy`` its entropy in nats.
        """
        block = block.cut(core)
        gain, offset = self.scaling_.affine(block)
        centers = self.scaling_.forward(self.centers_)
        shape = block.valid.shape
        labels = np.empty(block.valid.size, dtype=np.int32)
        distance2 = np.empty(block.valid.size) if "distance" in layers else None
        pixels = (block.flat, block.flat_valid, gain, offset, centers, labels)
        if self._on_device is not None and distance2 is None:
            self._on_device(*pixels)
        else:
            nearest(*pixels, distance2)
        found: dict[str, NDArray[np.float32]] = {}
        if distance2 is not None:
            found["distance"] = np.sqrt(distance2).astype(np.float32).reshape(shape)
        if set(layers) & {"confidence", "entropy", "membership"}:
            every = np.empty((len(centers), block.valid.size))
            kernels.all_distances2(block.flat, block.flat_valid, gain, offset, centers, every)
            found |= membership_layers(memberships(every, self.fuzzifier), shape, layers)
        return Prediction(labels.reshape(shape), found)

    def transform(self, X: Any) -> Float:
        """Distance of every pixel of a table (pixels, bands) to every center, in engine space."""
        table = self._validated(X)
        z = self.scaling_.forward(table)
        centers = self.scaling_.forward(self.centers_)
        distances: Float = np.sqrt(((z[:, None, :] - centers[None]) ** 2).sum(axis=2))
        return distances

    def fit_transform(self, X: Any, y: Any = None) -> Float:
        """Find the classes of a table and give its distances; see :meth:`transform`."""
        return self.fit(X).transform(X)

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Scaling and centers."""
        return {"scaling": self.scaling_.to_dict()}, {"centers": self.centers_}

    def restore(self, card: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Set scaling and centers from what ``state`` gave."""
        self.scaling_ = Scaling.from_dict(card["scaling"])
        self.centers_ = arrays["centers"]
        self.n_classes_ = len(self.centers_)


def _nearest_on_device() -> Callable[..., Any] | None:
    """Who labels on a graphics processor; None, with a warning, where there is none."""
    try:
        from rsclass.deep import nearest as deep
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise
        missing = "PyTorch, which drives it, is not installed"
    else:
        found = deep.choose_device("cuda")
        if found.type == "cuda":
            return deep.NearestOnDevice(found)
        missing = "this machine has none that PyTorch can use"
    warnings.warn(
        f"the device cuda was asked for and {missing}; the processor computes.",
        RsclassWarning,
        stacklevel=3,
    )
    return None


def bands_without_scaling(stream: PixelStream) -> list[Band]:
    """The stream's bands for values that are physical already."""
    return [replace(band, gain=1.0, offset=0.0) for band in stream.bands]


def canonical_order(centers: Float) -> NDArray[np.intp]:
    """Indices that sort centers (classes, bands) by brightness, then by the centers themselves."""
    return np.lexsort((*centers.T[::-1], centers.mean(axis=1)))


def memberships(distance2: Float, fuzzifier: float) -> Float:
    """Fuzzy memberships from squared distances, both (classes, pixels).

    ``u_i = 1 / sum_k (d_i / d_k)^(2 / (m - 1))``; a pixel at distance zero belongs to the centers
    it lies on, in equal shares (Bezdek 1981, Pattern Recognition with Fuzzy Objective Function
    Algorithms, doi:10.1007/978-1-4757-0450-1).
    """
    smallest = distance2.min(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Relative to the smallest, no power overflows.
        closeness = (smallest / distance2) ** (1.0 / (fuzzifier - 1.0))
    closeness = np.where(smallest == 0, (distance2 == 0).astype(np.float64), closeness)
    total = np.zeros_like(smallest)
    for row in closeness:
        total += row
    result: Float = closeness / total
    return result


def membership_layers(
    membership: Float, shape: tuple[int, ...], layers: Collection[str]
) -> dict[str, NDArray[np.float32]]:
    """Of memberships (classes, pixels): those of confidence, entropy and membership asked for."""
    found: dict[str, NDArray[np.float32]] = {}
    if "confidence" in layers:
        found["confidence"] = membership.max(axis=0).astype(np.float32).reshape(shape)
    if "entropy" in layers:
        entropy = np.zeros(membership.shape[1])
        for row in membership:
            with np.errstate(divide="ignore", invalid="ignore"):
                entropy -= np.where(row == 0, 0.0, row * np.log(row))
        found["entropy"] = entropy.astype(np.float32).reshape(shape)
    if "membership" in layers:
        found["membership"] = membership.astype(np.float32).reshape(len(membership), *shape)
    return found

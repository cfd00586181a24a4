"""From features on the ground to pixels whose class is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid
from rsclass.core.labels import map_values, parse_mergers, whole_numbers
from rsclass.core.stats import is_exact
from rsclass.core.training import TrainingSet
from rsclass.core.types import Band
from rsclass.errors import ChangedInputError, DataError, UsageError
from rsclass.flow.gather import Gathered, gather
from rsclass.flow.scene import open_scene, open_stream
from rsclass.flow.stream import SceneStream
from rsclass.io.source import RasterSource, Reading
from rsclass.report.texts import counted
from rsclass.run.settings import Running

if TYPE_CHECKING:
    from rsclass.io.vectors import Features

__all__ = ["Samples", "Training", "collect", "read_training"]

_TILE = 512


@dataclass(frozen=True)
class Training:
    """Which features to learn from, and how.

    Parameters
    ----------
    path : path
        Points, lines or polygons in any vector format that GDAL reads.
    field : str
        Column of the class names or numbers.
    layer : str or None
        Needed where the file has several.
    vector_crs : str or None
        CRS of the file, where it states none or a wrong one; ``"scene"`` for that of the scene.
    encoding : str or None
        Of the file's texts, where it states none or a wrong one.
    per_class : int or None
        Most pixels of a class to learn from, chosen by place and seed; None: all.
    allow_missed : bool
        Whether features may hit no valid pixel; they are left out then.

    Raises
    ------
    UsageError
        ``per_class`` is less than 1.
    """

    path: str | Path
    field: str
    layer: str | None = None
    vector_crs: str | None = None
    encoding: str | None = None
    per_class: int | None = None
    allow_missed: bool = False

    def __post_init__(self) -> None:
        if self.per_class is not None and self.per_class < 1:
            raise UsageError(f"--samples-per-class is {self.per_class}; it must be 1 or more.")

    def files(self) -> tuple[str, ...]:
        """Local files that the features are kept in.

        Raises
        ------
        DataError
            There is no such file.
        """
        from rsclass.io.layers import files_of

        return files_of(self.path)

    def sha256(self) -> dict[str, str]:
        """SHA-256 of every local file."""
        from rsclass.io.digests import sha256_of

        return sha256_of(self.files())


@dataclass(frozen=True)
class Samples:
    """Pixels of a scene whose class is known, and the features that they come from.

    Attributes
    ----------
    training : Training
        What was asked for.
    scene : str
    bands : tuple of Band
    pixels : TrainingSet
    features : Features
    hits : int64 array (features,)
        Valid pixels of every feature, before a limit of pixels for each class.
    invalid : int
        Pixels of features that are nodata.
    contested : int
        Pixels that features of different classes share, and that none of them got.
    warnings : list of str
    sha256 : dict of str to str
        Of the files that the features were read from.
    """

    training: Training
    scene: str
    bands: tuple[Band, ...]
    pixels: TrainingSet
    features: Features
    hits: NDArray[np.int64]
    invalid: int
    contested: int
    warnings: list[str] = field(default_factory=list)
    sha256: dict[str, str] = field(default_factory=dict)

    @property
    def values(self) -> tuple[int, ...]:
        """Value in a map of each class."""
        return map_values(self.pixels.names)

    def recipe(self) -> dict[str, Any]:
        """What is needed to read the same samples again, JSON-able."""
        path = Path(self.training.path)
        return {
            "path": str(path.absolute() if path.exists() else self.training.path),
            "field": self.training.field,
            "layer": self.features.layer,
            "vector_crs": self.training.vector_crs,
            "encoding": self.training.encoding,
            "per_class": self.training.per_class,
            "allow_missed": self.training.allow_missed,
            "sha256": self.sha256,
        }

    def check_unchanged(self) -> None:
        """Make sure that no file was rewritten since the features were read.

        Raises
        ------
        ChangedInputError
        """
        if self.features.sha256() != self.sha256:
            raise ChangedInputError(
                f"{self.features.name} changed while it was in use; run again on files at rest."
            )


def read_training(
    scene: Any,
    path: str | Path,
    field: str,
    *,
    layer: str | None = None,
    vector_crs: str | None = None,
    encoding: str | None = None,
    per_class: int | None = None,
    allow_missed: bool = False,
    seed: int = 0,
    reading: Reading | None = None,
    running: Running | None = None,
) -> Samples:
    """Read the pixels of ``scene`` that lie in the features of ``path``.

    A polygon has the pixels whose center lies inside of it, a line every pixel that it touches,
    a point the pixel that it falls into. Pixels that are nodata in any used band, and pixels on
    which features of different classes disagree, are left out and counted.

    Parameters
    ----------
    scene, seed, reading, running
        As for :func:`rsclass.classify`.
    path, field, layer, vector_crs, encoding, per_class, allow_missed
        As for :class:`rsclass.Training`.

    Returns
    -------
    Samples

    Raises
    ------
    UsageError
        The layer, field, CRS or encoding does not exist.
    DataError
        The file cannot be read or laid over the scene; labels are no classes; features hit no
        valid pixel; or there is one class only.
    """
    training = Training(path, field, layer, vector_crs, encoding, per_class, allow_missed)
    source = open_scene(scene, reading or Reading())
    try:
        with open_stream(source, running or Running()) as stream:
            return collect(stream, training, seed)
    finally:
        source.close()


def collect(
    stream: SceneStream,
    training: Training,
    seed: int,
    mergers: Sequence[str] = (),
    *,
    keep: bool = False,
) -> Samples:
    """The pixels of ``stream`` that lie in features; see :func:`read_training`.

    Parameters
    ----------
    mergers : sequence of str
        ``old1,old2=new``: classes that are taken as one.
    keep : bool
        The whole scene is read later on: keep the blocks that are read now.

    Raises
    ------
    UsageError, DataError
        As for :func:`read_training`.
    """
    from rsclass.io.vectors import read_features

    source = stream.source
    features = read_features(
        training.path,
        training.field,
        georef=source.georef,
        layer=training.layer,
        crs=training.vector_crs,
        encoding=training.encoding,
    )
    sums = features.sha256()
    if mergers:
        features = features.renamed(parse_mergers(mergers, features.names))
    features.refuse_beside(source.georef, source.height, source.width, source.name)
    drawn = gather(stream, features, training.per_class, seed, keep=keep)
    warnings = [*features.notes]
    missed = np.flatnonzero(drawn.hits == 0)
    if len(missed):
        sentence = _missed(source, features, drawn, missed.tolist())
        if not training.allow_missed or len(missed) == len(features):
            raise DataError(
                f"{sentence} Mend them, or leave them out with --allow-missed.",
                ids=[features.ids[i] for i in missed],
            )
        warnings.append(f"{sentence} They are left out.")
    warnings += _about_dropped(features.name, drawn)
    pixels = _as_set(source, features, drawn)
    if pixels.n_classes < 2:
        raise DataError(
            f"{features.name} has one class only in {training.field!r} ({pixels.names[0]}); "
            "a classifier needs two or more."
        )
    gone = [name for name in features.names if name not in pixels.names]
    if gone:
        warnings.append(f"{features.name}: no pixel is left of the class {', '.join(gone)}.")
    if whole_numbers(pixels.names) not in (None, map_values(pixels.names)):
        warnings.append(
            f"{features.name}: numbers in {training.field!r} are not all from 1 to 65,534, so the "
            "classes keep them as names and are numbered from 1 in the map."
        )
    return Samples(
        training,
        source.name,
        source.bands,
        pixels,
        features,
        drawn.hits,
        int(drawn.invalid.sum()),
        drawn.contested,
        warnings,
        sums,
    )


def _missed(
    source: RasterSource, features: Features, drawn: Gathered, missed: Sequence[int]
) -> str:
    """The sentence that names the features without a pixel, by reason."""
    from rsclass.io.layers import told

    reasons: dict[str, list[int]] = {}
    for number in missed:
        why = _why_missed(source, features, drawn, number)
        reasons.setdefault(why, []).append(features.ids[number])
    listed = "; ".join(f"{told(ids)} {why}" for why, ids in reasons.items())
    return f"{features.name}: features that hit no valid pixel of {source.name}: {listed}."


def _why_missed(source: RasterSource, features: Features, drawn: Gathered, number: int) -> str:
    if drawn.invalid[number]:
        return "(nodata)"
    alone = features.alone(number).placed(source.georef)
    if alone.beside(source.height, source.width).all():
        return "(outside)"
    grid = TileGrid(source.height, source.width, _TILE, _TILE)
    owns = any((alone.burn(window) >= 0).any() for window in alone.touched(grid))
    return "(shared with others)" if owns else "(between pixel centers)"


def _about_dropped(name: str, drawn: Gathered) -> list[str]:
    invalid = int(drawn.invalid.sum())
    told = []
    if drawn.contested:
        shared = counted(drawn.contested, "pixel", "pixels")
        told.append(f"{name}: left out {shared} shared by features of different classes.")
    if invalid:
        told.append(f"{name}: left out {counted(invalid, 'pixel', 'pixels')} without data.")
    return told


def _as_set(source: RasterSource, features: Features, drawn: Gathered) -> TrainingSet:
    """The pixels as physical values, with the classes that have any."""
    classes = features.classes[drawn.owners]
    present = np.unique(classes)
    gain = np.array([band.gain for band in source.bands])
    offset = np.array([band.offset for band in source.bands])
    return TrainingSet(
        drawn.physical(gain, offset),
        np.searchsorted(present, classes).astype(np.int32),
        drawn.owners.astype(np.int64),
        drawn.rows,
        drawn.cols,
        tuple(features.names[i] for i in present),
        is_exact(source.dtype),
    )

"""One or several scenes to learn from, opened together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rsclass.core.level import PIXELS, Level
from rsclass.core.matching import match_bands
from rsclass.core.types import Band, Sample
from rsclass.errors import BandMismatchError, DataError
from rsclass.flow.scene import open_scene
from rsclass.flow.stream import SceneStream
from rsclass.io.source import RasterSource, Reading
from rsclass.run.settings import Running

__all__ = ["Scenes", "leveled", "open_scenes"]


@dataclass(frozen=True)
class Scenes:
    """Scenes of the same bands, in the order of the first one's.

    Parameters
    ----------
    sources : tuple of RasterSource
    level : Level or None
        That all have been brought to; None: values are as they are.
    """

    sources: tuple[RasterSource, ...]
    level: Level | None = None

    @property
    def first(self) -> RasterSource:
        """The one beside which outputs are written."""
        return self.sources[0]

    @property
    def name(self) -> str:
        """Of all, for messages."""
        return ", ".join(source.name for source in self.sources)

    @property
    def bands(self) -> tuple[Band, ...]:
        """Those of the first."""
        return self.first.bands

    @property
    def files(self) -> tuple[str, ...]:
        """Local files that the pixels depend on."""
        return tuple(dict.fromkeys(file for source in self.sources for file in source.files))

    @property
    def warnings(self) -> list[str]:
        """Of all."""
        return [sentence for source in self.sources for sentence in source.warnings]

    def suspect_nodata(self, sample: Sample) -> list[str]:
        """Sentences on values that look like undeclared nodata; of several scenes none."""
        return self.first.suspect_nodata(sample) if len(self.sources) == 1 else []

    def recipe(self) -> dict[str, Any]:
        """What is needed to open them again, for JSON; of several with the files' SHA-256."""
        level = {} if self.level is None else {"level": self.level.to_dict()}
        if len(self.sources) == 1:
            return self.first.recipe() | level
        return {
            "scenes": [source.recipe() | {"sha256": source.sha256()} for source in self.sources]
        } | level

    def check_unchanged(self) -> None:
        """Make sure that no file was rewritten since it was opened.

        Raises
        ------
        ChangedInputError
        """
        for source in self.sources:
            source.check_unchanged()

    def close(self) -> None:
        """Close every handle."""
        for source in self.sources:
            source.close()


def open_scenes(
    scene: Any, reading: Reading, *, each: bool = False, scale_each: bool = False, seed: int = 0
) -> Scenes:
    """Open what the user names: one scene, the bands of one in several files, or several scenes.

    Files on one grid are the bands of one scene, unless ``each`` says otherwise; files that lie
    apart and hold several bands are scenes of their own.

    Parameters
    ----------
    scene : as for :func:`rsclass.classify`
    each : bool
        Every item of a list is a scene of its own.
    scale_each : bool
        Bring all to the level of the first; see :class:`rsclass.core.level.Level`.
    seed : int
        Of the pixels from which levels are worked out.

    Raises
    ------
    BandMismatchError
        A scene lacks a band of the first one.
    UsageError, DataError
        As for :func:`rsclass.classify`.
    """
    sources = _opened(scene, reading, each)
    if not scale_each:
        return Scenes(sources)
    level = Level.of(_sample(sources[0], seed))
    rest = tuple(leveled(source, level, seed) for source in sources[1:])
    return Scenes((sources[0], *rest), level)


def leveled(source: RasterSource, level: Level, seed: int) -> RasterSource:
    """The same scene, brought to a level."""
    return source.with_scale(Level.of(_sample(source, seed)).brought_to(level, source.bands))


def _sample(source: RasterSource, seed: int) -> Sample:
    return SceneStream(source, Running(jobs=1)).sample(PIXELS, seed)


def _opened(scene: Any, reading: Reading, each: bool) -> tuple[RasterSource, ...]:
    several = isinstance(scene, list | tuple) and len(scene) > 1
    if not several:
        return (open_scene(scene, reading),)
    if each:
        return _of_each(scene, reading)
    try:
        return (open_scene(scene, reading),)
    except DataError as error:
        try:
            sources = _of_each(scene, reading)
        except BandMismatchError:
            raise
        except DataError:
            raise error from None
        if any(len(source.bands) == 1 for source in sources):
            raise
        return sources


def _of_each(scene: Sequence[Any], reading: Reading) -> tuple[RasterSource, ...]:
    first = open_scene(scene[0], reading)
    return (first, *(_with_bands_of(first, open_scene(item, reading)) for item in scene[1:]))


def _with_bands_of(first: RasterSource, source: RasterSource) -> RasterSource:
    try:
        order = match_bands(source.bands, first.bands, source.name)
    except BandMismatchError as error:
        raise BandMismatchError(
            str(error).replace("the model's", f"{first.name}'s"), **error.data
        ) from None
    chosen = tuple(source.band_numbers[i] for i in order)
    return source if chosen == source.band_numbers else source.with_bands(chosen)

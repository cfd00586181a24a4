"""A class map tidied up: lone pixels and small patches go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.grid import TileGrid
from rsclass.core.majority import Majority
from rsclass.core.sieve import Sieve, Sieving
from rsclass.core.transitions import Transitions
from rsclass.core.types import Labels, Window
from rsclass.errors import DataError, UsageError
from rsclass.flow.derive import Around, Derived, derive_map
from rsclass.flow.maps import named_classes, output_beside
from rsclass.flow.moved import moved_lines, moved_rows
from rsclass.flow.sieving import BYTES_PER_PIXEL, find_masters, sieve_block
from rsclass.io.class_map import ClassMap, open_class_map
from rsclass.io.sink import Writing
from rsclass.run.settings import Running

__all__ = ["tidy"]

_CONNECTIONS = (4, 8)
_SMOOTHING_BYTES = 8.0  # a pixel: stored values and the places of their classes


def tidy(
    path: str | Path,
    out: str | Path | None = None,
    *,
    majority: int | None = None,
    sieve: int | None = None,
    min_area: float | None = None,
    connect: int = 4,
    protect: Sequence[str | int] = (),
    circular: bool = False,
    center_weight: int = 1,
    min_majority: float = 0.0,
    running: Running | None = None,
    writing: Writing | None = None,
) -> Derived:
    """Tidy up a class map: first a majority filter, then a sieve, of which one may be left out.

    Pixels without a class stay so and have no influence. The result does not depend on tiles,
    threads or the order of work.

    Parameters
    ----------
    path : path
        A class map of rsclass or of any other software.
    out : path or None
        Without: ``<map>_tidy.tif`` beside the map.
    majority : int or None
        Side in pixels, odd, of the window of which each pixel takes the most frequent class; see
        :class:`rsclass.core.majority.Majority`.
    sieve : int or None
        Patches of fewer pixels go to their neighbors; see :class:`rsclass.core.sieve.Sieve`.
    min_area : float or None
        The same in hectares.
    connect : {4, 8}
        Neighbors by which pixels make a patch: at the sides, or at the corners too.
    protect : sequence of str or int
        Names or values of classes whose pixels stay as they are, whatever is around them. Others
        may still join them.
    circular : bool
        The window of the majority filter is round.
    center_weight : int
        Votes of the pixel itself in the majority filter.
    min_majority : float
        Share of the votes, 0 to 1, that it takes to change a pixel.
    running : Running or None
    writing : Writing or None

    Returns
    -------
    Derived
        With the pixels that moved from class to class.

    Raises
    ------
    UsageError
        Nothing is asked for, what is asked for is impossible, or a protected class is not in the
        map.
    DataError
        Hectares are asked of a map that does not tell the size of its pixels.
    OutputError
        The output exists or cannot be written.
    """
    running = running or Running()
    if majority is None and sieve is None and min_area is None:
        raise UsageError("nothing is asked for; give --majority, --sieve or --min-area.")
    if sieve is not None and min_area is not None:
        raise UsageError("--sieve and --min-area say the same in two ways; give one of them.")
    if connect not in _CONNECTIONS:
        raise UsageError(f"pixels connect to 4 or 8 neighbors, not {connect}.")
    with open_class_map(path, report=running.progress) as class_map:
        kept = named_classes(class_map.legend, protect, "--protect")
        smoothing = None
        if majority is not None:
            smoothing = Majority(majority, circular, center_weight, min_majority, kept)
        rule, weights = _rule(class_map, sieve, min_area, connect == 8, kept)
        tidying = Tidying(class_map, smoothing)
        height, width = class_map.height, class_map.width
        block = 1 if rule is None else sieve_block(height, width, running)

        def prepare() -> None:
            if rule is not None:
                grid = TileGrid(height, width, block, block)
                tidying.sieving = find_masters(rule, grid, weights, tidying.read, running)

        def facts(moves: Transitions) -> tuple[dict[str, Any], tuple[str, ...]]:
            legend = class_map.legend
            return {"moved": moved_rows(moves, legend)}, moved_lines(moves, legend, height * width)

        return derive_map(
            class_map,
            out or output_beside(class_map, "tidy"),
            tidying,
            class_map.legend,
            recipe={
                "verb": "tidy",
                "majority": None if smoothing is None else asdict(smoothing),
                "sieve": sieve,
                "min_area_ha": min_area,
                "connect": connect,
                "protect": list(kept),
            },
            halo=tidying.halo,
            block=block,
            prepare=prepare,
            running=running,
            writing=writing,
            bytes_per_pixel=_SMOOTHING_BYTES + (0.0 if rule is None else BYTES_PER_PIXEL),
            message="tidying",
            facts=facts,
        )


def _rule(
    class_map: ClassMap,
    sieve: int | None,
    min_area: float | None,
    diagonal: bool,
    protected: tuple[int, ...],
) -> tuple[Sieve | None, NDArray[np.int64]]:
    """The sieve, and what pixels count in it."""
    ones = np.ones(class_map.height, dtype=np.int64)
    if sieve is not None:
        return Sieve(sieve, diagonal, protected), ones
    if min_area is None:
        return None, ones
    if not min_area > 0:
        raise UsageError(f"--min-area is {min_area:g} ha; it must be more than nothing.")
    ground = class_map.ground
    if ground.unit is None:
        raise DataError(
            f"--min-area needs the size of a pixel, which {class_map.name} does not tell; give "
            "--sieve in pixels."
        )
    return Sieve(ground.weight_of(min_area), diagonal, protected), ground.weights


@dataclass
class Tidying:
    """Majority filter and sieve as the change of a map; travels to the workers.

    Parameters
    ----------
    class_map : ClassMap
    majority : Majority or None
    sieving : Sieving or None
        Which knows where every patch of the smoothed map goes.
    """

    class_map: ClassMap
    majority: Majority | None
    sieving: Sieving | None = None

    @property
    def halo(self) -> int:
        """How far the majority filter looks."""
        return 0 if self.majority is None else self.majority.halo

    def read(self, window: Window) -> NDArray[np.uint16]:
        """The values of a window after the majority filter."""
        around = window.grow(self.halo, self.class_map.height, self.class_map.width)
        return self._smoothed(self.class_map.read(around), around, window)

    def _smoothed(self, values: Labels, around: Window, core: Window) -> NDArray[np.uint16]:
        stored = values.astype(np.uint16)
        if self.majority is None:
            return stored[core.inside(around)]
        return self.majority.apply(stored, core.inside(around))

    def __call__(self, around: Around) -> Labels:
        """New values of the core."""
        core = around.core
        values = self._smoothed(around.values, around.window, core)
        if self.sieving is None:
            return values.astype(np.int32)
        grid = self.sieving.grid
        out: Labels = np.empty(values.shape, dtype=np.int32)
        for r in range(core.row // grid.tile_height, -(-core.row_end // grid.tile_height)):
            for c in range(core.col // grid.tile_width, -(-core.col_end // grid.tile_width)):
                place = grid.window(r, c).inside(core)
                out[place], _ = self.sieving.solve(r * grid.cols + c, values[place])
        return out

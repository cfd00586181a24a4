"""The folder that a benchmark works in, and the scenes in it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import output_of

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"S": 2000, "M": 5000, "L": 10_000}
TINY = {"S": 240, "M": 320, "L": 480}


@dataclass(frozen=True)
class Scene:
    """A scene on the disk.

    Parameters
    ----------
    name : str
        S, M or L.
    size : int
        Pixels on a side.
    layout : str
        ``tiled``, ``raw`` or ``striped``.
    folder : Path
        Of the scenes; maps are written into ``maps`` in it.
    """

    name: str
    size: int
    layout: str
    folder: Path

    @property
    def label(self) -> str:
        """As the tables show it."""
        return self.name if self.layout == "tiled" else f"{self.name} {self.layout}"

    @property
    def pixels(self) -> int:
        """All of them."""
        return self.size * self.size

    @property
    def path(self) -> Path:
        """The pixels."""
        return self.folder / f"{self.name}_{self.layout}.tif"

    @property
    def truth(self) -> Path:
        """The class of every pixel, 0 where there is no data."""
        return self.folder / f"{self.name}_truth.tif"

    def training(self, ending: str) -> Path:
        """The training squares as ``.gpkg`` or ``.shp``, or their pixels as ``.npz``."""
        return self.folder / f"{self.name}_training{ending}"

    def out(self, name: str) -> Path:
        """Where the map of a contestant stands."""
        stem = "".join(letter if letter.isalnum() else "-" for letter in name)
        return self.folder / "maps" / f"{self.name}-{self.layout}-{stem}.tif"


class Workplace:
    """Makes scenes when they are first asked for, and keeps them for the next time.

    Parameters
    ----------
    folder : Path
    sizes : dict of str to int
        Pixels on a side of S, M and L.
    contrast : float
        How unlike the classes are. Usually hardly a pixel looks like one of another class, which
        suits a comparison of times; 0.05 makes one in sixteen ambiguous, for one of results.
    """

    def __init__(self, folder: Path, sizes: dict[str, int], contrast: float = 0.35) -> None:
        self.folder, self.sizes, self.contrast = folder.resolve(), sizes, contrast
        (self.folder / "maps").mkdir(parents=True, exist_ok=True)

    def scene(self, name: str, layout: str = "tiled") -> Scene:
        """The scene ``name`` in ``layout``; about 80 s for L."""
        size = self.sizes[name]
        scene = Scene(name, size, layout, self.folder / f"{size}-{self.contrast:g}")
        done = scene.folder / f"{name}_{layout}.done"
        if not done.exists():
            print(f"making {scene.path.name}, {size} x {size} pixels", flush=True)
            contrast = ("--contrast", self.contrast)
            helper("scenes", scene.folder, name, size, layout, *contrast)
            (scene.folder / "maps").mkdir(exist_ok=True)
            done.touch()
        return scene


def helper(module: str, *arguments: object) -> str:
    """What a module of this package prints when it runs as a program."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, arguments)]
    return output_of(command, ROOT)

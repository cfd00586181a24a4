"""What algorithms share that make a class map from another one, and that which cleans it."""

from __future__ import annotations

from typing import Any

from . import parameters
from .algorithm import Algorithm

__all__ = ["MapAlgorithm", "Tidy"]


class MapAlgorithm(Algorithm):
    """An algorithm that makes a class map from another one."""

    def take_map(self) -> None:
        """Declare the map."""
        self.take(
            parameters.raster("INPUT", "Class map"),
            "",
            "The map; it is never changed itself.",
        )

    def put_map(self, title: str) -> None:
        """Declare the new map, with its creation options."""
        self.take_writing()
        self.put(
            parameters.to_raster("OUTPUT", title),
            "--output",
            "GeoTIFF with names and colors of the classes; 0 is no class.",
            shows_classes=True,
        )
        self.tell("CLASSES_FOUND", "Classes", lambda result: len(result["classes"]))
        self.tell("CLASSIFIED", "Pixels with a class", lambda result: result["classified"])
        self.tell("CHANGED", "Pixels changed", _changed)
        self.tell_file("STATISTICS", "Statistics of the classes", "table")


def _changed(result: dict[str, Any]) -> int:
    return sum(move["pixels"] for move in result["moves"] if move["from"] != move["to"])


class Tidy(MapAlgorithm):
    """``rsclass tidy``."""

    command = "tidy"
    title = "Clean a class map"
    section = "Post-processing"
    about = (
        "Clears a class map of lone pixels and small patches.\n"
        "The majority filter comes first, then the sieve. Pixels without a class stay so, and the"
        " names and colors of the classes are kept."
    )
    keywords = ("majority", "sieve", "filter", "mode", "smooth", "minimum mapping unit")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take_map()
        self.take(
            parameters.number("MAJORITY", "Window of the majority filter", 3, low=3, optional=True),
            "--majority",
            "Pixels take the most frequent class among N x N; N is odd. Empty: no filter.",
        )
        self.take(
            parameters.number("SIEVE", "Smallest patch (pixels)", low=1),
            "--sieve",
            "Patches of fewer pixels go to the largest patch beside them.",
        )
        self.take(
            parameters.number("MIN_AREA", "Smallest patch (hectares)", low=0, real=True),
            lambda request, name: ["--min-area", f"{request.number(name)}ha"],
            "The same by area on the ground, instead of pixels.",
        )
        self.take(
            parameters.choice("CONNECT", "Neighbors of a pixel", ["4", "8"], "4"),
            "--connect",
            "Pixels make a patch if they touch at a side (4), or at a corner too (8).",
        )
        self.take(
            parameters.text("PROTECT", "Classes to protect"),
            "--protect",
            "Names or numbers, parted by commas; their pixels stay as they are.",
        )
        self.take(
            parameters.switch("CIRCULAR", "Round window"),
            "--circular",
            "The window of the majority filter is a circle.",
            advanced=True,
        )
        self.take(
            parameters.number("CENTER_WEIGHT", "Votes of the pixel itself", 1, low=1),
            "--center-weight",
            "In the majority filter.",
            advanced=True,
        )
        self.take(
            parameters.number("MIN_MAJORITY", "Least share of votes", 0, low=0, high=1, real=True),
            "--min-majority",
            "Share of the votes (0 to 1) that it takes to change a pixel.",
            advanced=True,
        )
        self.put_map("Clean map")

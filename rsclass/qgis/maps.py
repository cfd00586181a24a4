"""Algorithms that make a class map from another one: merge, clean and edit it."""

from __future__ import annotations

import csv
import shutil
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingUtils

from . import parameters
from .algorithm import Algorithm
from .request import Request

__all__ = ["Edit", "MapAlgorithm", "Merge", "RepeatEdits", "Tidy", "UndoEdit", "take_schema"]

_TABLE = "table.csv"


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


def take_schema(algorithm: Algorithm, meaning: str) -> None:
    """Declare a schema, one that comes along or one in a file."""
    algorithm.take(
        parameters.choice("SCHEMA", "Schema", algorithm.known.schemas), "--schema", meaning
    )
    algorithm.take(
        parameters.file("SCHEMA_FILE", "Schema from a file", parameters.SCHEMA, optional=True),
        "--schema",
        "A list of classes of your own instead, or a style or color table that has them.",
    )


def one_schema(request: Request) -> str:
    """Why the schemas that are given are too many; empty if they are not."""
    if request.given("SCHEMA") and request.given("SCHEMA_FILE"):
        return "There is a schema by name and one from a file; give one of them."
    return ""


class Merge(MapAlgorithm):
    """``rsclass merge``."""

    command = "merge"
    title = "Merge classes"
    section = "Class schema"
    about = (
        "Joins and names the classes of a map.\n"
        "There are four ways. Fill in the table below: clusters such as 3 or 4,7-9, and the class"
        " that they become. Or take a table that 'Suggest class names' wrote. Or go up to a level"
        " of a schema. Or have the classes joined that are most alike, until a number is left.\n"
        "The map itself is never changed, so that a merge is undone by merging it again."
    )
    keywords = ("reclassify", "recode", "combine", "names", "schema", "level")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take_map()
        self.take(
            parameters.table("DECISIONS", "Clusters and what they become", ["Clusters", "Class"]),
            None,
            "Clusters as numbers (3 or 4,7-9), and the class: its name or number, or none. Every"
            " class of the map must be in the table.",
        )
        self.take(
            parameters.file("TABLE", "Merge table", parameters.CSV, optional=True),
            None,
            "Table of 'Suggest class names' or of an earlier merge; the rows above change it.",
        )
        take_schema(self, "The classes that names and numbers speak of.")
        self.take(
            parameters.number("LEVEL", "Level of the schema to go up to", low=1),
            "--level",
            "Classes of the schema are joined to those above them on this level.",
            advanced=True,
        )
        self.take(
            parameters.number("TO", "Join the most alike until this number is left", low=1),
            "--to",
            "Needs no table and no schema.",
        )
        self.take(
            parameters.raster("SCENE", "Scene", optional=True),
            "--scene",
            "The scene of the map, for likeness, if the statistics of the map are not beside it.",
            advanced=True,
        )
        self.put_map("Merged map")
        self.tell_file("MERGE_TABLE", "Merge table", "merge table")

    def checkParameterValues(self, values: Any, context: Any) -> tuple[bool, str]:
        """Whether it is clear what becomes of the classes."""
        request = Request(self, values, context, None)
        ways = ("TABLE", "SCHEMA", "SCHEMA_FILE", "TO")
        if not (request.rows("DECISIONS") or any(request.given(name) for name in ways)):
            return False, (
                "Nothing says which classes to merge; fill in the table, or give a merge table, a"
                " schema, or the number of classes to be left."
            )
        return self.checked(one_schema(request), values, context)

    def work(self, words: list[str], places: dict[str, str], request: Request) -> dict[str, Any]:
        """Bring what was filled in into a merge table, then merge by it."""
        decisions = request.rows("DECISIONS")
        if decisions:
            words = [*words, *self._decided(decisions, request)]
        elif request.given("TABLE"):
            words = [*words, "--table", request.file("TABLE")]
        return super().work(words, places, request)

    def _decided(self, rows: list[list[str]], request: Request) -> list[str]:
        """The flags for decisions in a table that is made, or copied, for them alone."""
        table = QgsProcessingUtils.generateTempFilename(_TABLE)
        if request.given("TABLE"):
            shutil.copyfile(request.file("TABLE"), table)
        else:
            self.rsclass([self.command, self._inputs[0], "--table", table, "--init"], request)
        words = ["--table", table]
        for row in rows:
            if not all(row):
                raise QgsProcessingException(
                    f"The row '{' | '.join(row)}' is not filled in; write clusters and a class."
                )
            words += ["--set", "=".join(row)]
        named = [row[1] for row in rows if not row[1].isdigit() and row[1].lower() != "none"]
        if named and not (request.given("SCHEMA") or request.given("SCHEMA_FILE")):
            words += ["--schema", _own_schema([row[1] for row in rows])]
        return words


def _own_schema(classes: list[str]) -> str:
    """A schema of the names that were filled in, in their order."""
    path = QgsProcessingUtils.generateTempFilename("schema.csv")
    names = [name for name in dict.fromkeys(classes) if name.lower() != "none"]
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["code", "name"])
        writer.writerows(enumerate(names, start=1))
    return str(path)


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


class Edit(MapAlgorithm):
    """``rsclass edit --polygons``."""

    command = "edit"
    title = "Edit a class map by polygons"
    section = "Post-processing"
    about = (
        "Gives the pixels inside drawn features another class.\n"
        "The class comes from a field, or is one for all features. A log beside the new map holds"
        " the old values: 'Undo an edit' takes them back, 'Repeat edits' makes them on another map."
    )
    keywords = ("correct", "digitize", "recode", "manual")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take_map()
        self.take(
            parameters.features("POLYGONS", "Features"),
            "--polygons",
            "Polygons, lines or points whose pixels get another class, in any CRS.",
        )
        self.take(
            parameters.field("FIELD", "Field with the class", "POLYGONS", optional=True),
            "--field",
            "Column with the class of each feature: names or numbers.",
        )
        self.take(
            parameters.text("TO", "One class for all features"),
            "--to",
            "Name or number, instead of a field.",
        )
        self.take(
            parameters.text("ONLY", "Change these classes alone"),
            "--only",
            "Names or numbers, parted by commas.",
            advanced=True,
        )
        self.take(
            parameters.field(
                "ONLY_FIELD", "Field with the classes to change", "POLYGONS", optional=True
            ),
            "--only-field",
            "Column of such classes for each feature.",
            advanced=True,
        )
        self.take(
            parameters.switch("ADD_CLASSES", "Add classes that the map does not have"),
            "--add-classes",
            "Otherwise they are an error, as they may be a slip.",
            advanced=True,
        )
        self.take(
            parameters.switch("FILL", "Change pixels without a class too"),
            "--fill",
            "Otherwise they stay without.",
            advanced=True,
        )
        self.put_map("Edited map")
        self.tell_file("EDITS", "Log of the edits", "edits")

    def checkParameterValues(self, values: Any, context: Any) -> tuple[bool, str]:
        """Whether the new class is clear."""
        request = Request(self, values, context, None)
        both = request.given("FIELD") == request.given("TO")
        trouble = "Give the field with the classes, or one class for all features." if both else ""
        return self.checked(trouble, values, context)


class UndoEdit(MapAlgorithm):
    """``rsclass edit --undo``."""

    command = "edit"
    title = "Undo an edit"
    section = "Post-processing"
    about = (
        "Takes the last edit of a class map back.\n"
        "It needs the log that 'Edit a class map by polygons' wrote beside the map."
    )
    keywords = ("undo", "revert")

    def name(self) -> str:
        """Its id."""
        return "edit_undo"

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take_map()
        self.put_map("Map before the edit")

    def arguments(self, request: Request) -> list[str]:
        """The command line without destinations."""
        return [*super().arguments(request), "--undo"]


class RepeatEdits(MapAlgorithm):
    """``rsclass edit --replay``."""

    command = "edit"
    title = "Repeat edits"
    section = "Post-processing"
    about = (
        "Makes the edits of one class map on another map of the same place, such as one that was"
        " classified anew."
    )
    keywords = ("replay", "repeat")

    def name(self) -> str:
        """Its id."""
        return "edit_repeat"

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take_map()
        self.take(
            parameters.file("EDITS", "Log of the edits", "Logs of edits (*.jsonl)"),
            "--replay",
            "The .edits.jsonl file beside the map that was edited.",
        )
        self.put_map("Edited map")

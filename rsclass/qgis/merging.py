"""The algorithm that joins and names classes."""

from __future__ import annotations

import csv
import shutil
from typing import Any

from qgis.core import QgsProcessingException, QgsProcessingUtils

from . import parameters
from .maps import MapAlgorithm
from .request import Request
from .schemas import one_schema, take_schema

__all__ = ["Merge"]

_TABLE = "table.csv"


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
            parameters.choice("LIKENESS", "Alike by", ["spectra", "spatial"], "spectra"),
            None,
            "Their spectra, or having the same neighbors in the map rather than spectra alone.",
            advanced=True,
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

    def arguments(self, request: Request) -> list[str]:
        """The command line without destinations."""
        words = super().arguments(request)
        return words + request.words("LIKENESS", "--by") if request.given("TO") else words

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

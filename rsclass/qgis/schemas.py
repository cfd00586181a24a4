"""Lists of land-cover classes: as parameters of algorithms, and as files."""

from __future__ import annotations

from typing import Any

from . import parameters
from .algorithm import Algorithm
from .request import Request

__all__ = ["ExportSchema", "one_schema", "take_schema"]

_KINDS = ";;".join(
    ("CSV files (*.csv)", "JSON files (*.json)", "Styles (*.qml)", "Color tables (*.clr)")
)


def take_schema(algorithm: Algorithm, meaning: str, flag: str = "--schema") -> None:
    """Declare a schema, one that comes along or one in a file."""
    algorithm.take(parameters.choice("SCHEMA", "Schema", algorithm.known.schemas), flag, meaning)
    algorithm.take(
        parameters.file("SCHEMA_FILE", "Schema from a file", parameters.SCHEMA, optional=True),
        flag,
        "A list of classes of your own instead, or a style or color table that has them.",
    )


def one_schema(request: Request) -> str:
    """Why the schemas that are given are too many; empty if they are not."""
    if request.given("SCHEMA") and request.given("SCHEMA_FILE"):
        return "There is a schema by name and one from a file; give one of them."
    return ""


class ExportSchema(Algorithm):
    """``rsclass schema``."""

    command = "schema"
    title = "Export a schema or legend"
    section = "Class schema"
    about = (
        "Writes a list of classes, with codes, names and colors, as a file.\n"
        "The list is a schema that comes along, one from a file, or the legend of a class map. As a"
        " .csv it can be edited and given to 'Merge classes'; .qml is a style of QGIS, .clr a color"
        " table of other software."
    )
    keywords = ("legend", "nomenclature", "color table", "style", "corine")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        take_schema(self, "One that comes along.", "")
        self.take(
            parameters.raster("INPUT", "Legend of a class map", optional=True),
            "",
            "A map whose classes are written.",
        )
        self.take_extra()
        self.put(parameters.to_file("OUTPUT", "List of classes", _KINDS), "--output", "The file.")
        self.tell("CLASSES_FOUND", "Classes", lambda result: result["n_classes"])

    def checkParameterValues(self, values: Any, context: Any) -> tuple[bool, str]:
        """Whether it is clear what to write."""
        request = Request(self, values, context, None)
        given = sum(request.given(name) for name in ("SCHEMA", "SCHEMA_FILE", "INPUT"))
        trouble = "" if given == 1 else "Give one schema, one file or one map."
        return self.checked(trouble, values, context)

"""Algorithms that edit a class map by hand, and take that back or repeat it."""

from __future__ import annotations

from typing import Any

from . import parameters
from .maps import MapAlgorithm
from .request import Request

__all__ = ["Edit", "RepeatEdits", "UndoEdit"]


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

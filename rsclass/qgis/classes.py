"""Algorithms that tell what the classes of a map are: their names, and how far they differ."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingUtils

from . import parameters
from .algorithm import Algorithm
from .files import put_in_place
from .request import Request
from .schemas import one_schema, take_schema

__all__ = ["Separate", "Suggest"]

_MEASURES = [
    "jm",
    "jm-root",
    "bhattacharyya",
    "td",
    "divergence",
    "mahalanobis",
    "euclid",
    "angle",
]


class Suggest(Algorithm):
    """``rsclass suggest``."""

    command = "suggest"
    title = "Suggest class names"
    section = "Class schema"
    about = (
        "Proposes names for the classes of a map, with the evidence and a confidence for each.\n"
        "A reference speaks first: labelled features, or an older map. Where it is silent, indices"
        " and typical spectra of water, vegetation, bare soil, built-up ground, snow and cloud are"
        " judged. The proposals are listed in the log and written to a table that 'Merge classes'"
        " takes; nothing is applied by itself."
    )
    keywords = ("names", "label", "identify", "clusters")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take(parameters.raster("INPUT", "Class map"), "", "The map of the clusters.")
        self.take(
            parameters.features("REFERENCE", "Reference features", optional=True),
            "--reference",
            "Polygons, lines or points with labels.",
        )
        self.take(
            parameters.field("FIELD", "Field with the label", "REFERENCE", optional=True),
            "--field",
            "Column with the label of each feature.",
        )
        self.take(
            parameters.raster("REFERENCE_RASTER", "Reference map", optional=True),
            "--reference",
            "A raster of classes instead, such as an older land-cover map.",
        )
        take_schema(self, "Land-cover classes that the names are to mean; else every name is one.")
        self.take(
            parameters.number("MIN_CONFIDENCE", "Least confidence", 0.5, low=0, high=1, real=True),
            "--min-confidence",
            "Classes of less confidence stay unknown.",
        )
        self.take(
            parameters.switch("SPECTRA", "Judge spectra", True),
            None,
            "Judge mean spectra where the reference is silent.",
        )
        self.take(
            parameters.raster("SCENE", "Scene", optional=True),
            "--scene",
            "The scene of the map, if the statistics of the map are not beside it.",
            advanced=True,
        )
        self.take_extra()
        self.put(
            parameters.to_file("TABLE", "Merge table", parameters.CSV, optional=True),
            None,
            "Table of the proposals; those that stay unknown are open in it.",
        )
        self.tell("CLASSES_FOUND", "Classes", lambda result: len(result["clusters"]))
        self.tell("NAMED", "Classes with a proposal", _named)

    def checkParameterValues(self, values: Any, context: Any) -> tuple[bool, str]:
        """Whether the reference is clear."""
        request = Request(self, values, context, None)
        trouble = one_schema(request) or one_reference(request)
        return self.checked(trouble, values, context)

    def arguments(self, request: Request) -> list[str]:
        """The command line without destinations."""
        words = super().arguments(request)
        return words if request.truth("SPECTRA") else [*words, "--no-spectra"]

    def work(self, words: list[str], places: dict[str, str], request: Request) -> dict[str, Any]:
        """Propose, and list what was proposed."""
        words = [self.command, *words]
        if "TABLE" in places:
            # rsclass fills in what is open in a table; whoever names a file here wants a new one.
            table = QgsProcessingUtils.generateTempFilename("table.csv")
            result = self.rsclass([*words, "--table", table, "--apply"], request)
            put_in_place(table, places["TABLE"])
        else:
            result = self.rsclass(words, request)
        for cluster in result["clusters"]:
            request.feedback.pushInfo(_line(cluster))
        return result


def _named(result: dict[str, Any]) -> int:
    return sum(cluster["suggestion"] is not None for cluster in result["clusters"])


def _line(cluster: dict[str, Any]) -> str:
    proposal = cluster["suggestion"] or "unknown"
    evidence = "; ".join(cluster["evidence"][:2])
    return f"{cluster['name']}: {proposal}, confidence {cluster['confidence']:.2f} ({evidence})"


def one_reference(request: Request) -> str:
    """Why the references that are given are too many or too few; empty if they are right."""
    features, raster = request.given("REFERENCE"), request.given("REFERENCE_RASTER")
    if features and raster:
        return "There are reference features and a reference raster; give one of them."
    return ""


class Separate(Algorithm):
    """``rsclass separate``."""

    command = "separate"
    title = "Separability of classes"
    section = "Class schema"
    about = (
        "Tells how well the classes of a map can be told apart, and which may be one.\n"
        "Every pair is judged by eight measures, among them the Jeffries-Matusita distance and the"
        " transformed divergence; the report has a tree of the classes. Nothing is merged."
    )
    keywords = ("signature", "jeffries-matusita", "divergence", "bhattacharyya", "dendrogram")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take(
            parameters.raster("INPUT", "Class map", optional=True), "", "The map to be judged."
        )
        self.take(
            parameters.file("MODEL", "Model", parameters.MODEL, optional=True),
            "",
            "A model instead of a map; of a supervised one, the training samples are judged.",
            advanced=True,
        )
        self.take(
            parameters.choice("MEASURE", "Measure", _MEASURES, "jm"),
            "--measure",
            "By which pairs are ranked: Jeffries-Matusita distance (jm, 0 to 2) or its root,"
            " Bhattacharyya distance, transformed divergence (td, 0 to 2), divergence,"
            " Mahalanobis distance, Euclidean distance, spectral angle.",
        )
        self.take(
            parameters.raster("SCENE", "Scene", optional=True),
            "--scene",
            "The scene of the map, if the statistics of the map are not beside it.",
            advanced=True,
        )
        self.take_extra()
        self.put(
            parameters.to_file("TABLE", "Table of pairs", parameters.CSV, optional=True),
            "--output",
            "Every pair of classes with every measure.",
        )
        self.put(
            parameters.to_file("REPORT", "Report", parameters.HTML, optional=True),
            "--report",
            "Page with tables, figures and the tree of the classes.",
        )
        self.tell("LEAST", "Measure of the pair that is least apart", _least)
        self.tell_text("LEAST_PAIR", "Pair that is least apart", _least_pair)

    def checkParameterValues(self, values: Any, context: Any) -> tuple[bool, str]:
        """Whether it is clear what to judge."""
        request = Request(self, values, context, None)
        unclear = request.given("INPUT") == request.given("MODEL")
        trouble = "Give a class map or a model." if unclear else ""
        return self.checked(trouble, values, context)


def _least(result: dict[str, Any]) -> float | None:
    return result["pairs"][0][result["measure"]] if result["pairs"] else None


def _least_pair(result: dict[str, Any]) -> str | None:
    return " / ".join(result["pairs"][0]["names"]) if result["pairs"] else None

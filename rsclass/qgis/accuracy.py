"""Algorithms about how right a map is: draw reference points, assess, compare two maps."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessing

from . import parameters
from .algorithm import Algorithm
from .classes import one_reference
from .engines import lines
from .request import Request

__all__ = ["Assess", "Compare", "Sample"]

_SECTION = "Accuracy"
_DESIGNS = ["simple", "systematic", "stratified"]
_PERCENT = 0.95


class Sample(Algorithm):
    """``rsclass sample``."""

    command = "sample"
    title = "Draw reference points"
    section = _SECTION
    about = (
        "Draws points over a class map, to be labelled by an interpreter.\n"
        "Fill in the column 'reference' of the points, then give them to 'Accuracy and areas'. The"
        " design is recorded in the file, so that standard errors and areas come out right."
    )
    keywords = ("sampling", "random points", "stratified", "validation", "sample size")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take(parameters.raster("INPUT", "Class map"), "", "The map to be assessed.")
        self.take(
            parameters.choice("DESIGN", "Design", _DESIGNS, "stratified"),
            "--design",
            "At random over the map, on a grid with a random start, or at random within each"
            " class of the map.",
        )
        self.take(
            parameters.number("POINTS", "Number of points", low=1),
            "--points",
            "Unless given, as many as the wanted standard error needs.",
        )
        self.take(
            parameters.number(
                "STANDARD_ERROR", "Wanted standard error", 0.02, low=1e-4, high=0.5, real=True
            ),
            lambda request, name: (
                [] if request.given("POINTS") else ["--standard-error", request.number(name)]
            ),
            "Of the overall accuracy; sets the number of points unless it is given.",
        )
        self.take(
            parameters.choice(
                "ALLOCATION", "Allocation", ["proportional", "equal", "neyman"], "proportional"
            ),
            "--allocation",
            "Points of a class by its size, the same for all, or by size and expected spread.",
        )
        self.take(
            parameters.number("MIN_PER_CLASS", "Least number of points of a class", 50, low=0),
            "--min-per-class",
            "Small classes get at least so many.",
        )
        self.take(
            parameters.number(
                "EXPECTED", "Expected user's accuracy", 0.8, low=0, high=1, real=True
            ),
            "--expected",
            "Of every class (0 to 1), to plan with.",
            advanced=True,
        )
        self.take(
            parameters.text("EXPECTED_OF", "Expected accuracy of single classes", lines=True),
            lambda request, name: lines(request, name, "--expected"),
            "Lines such as wetland=0.6.",
            advanced=True,
        )
        self.take(
            parameters.number("MIN_DISTANCE", "Least distance (meters)", 0, low=0, real=True),
            "--min-distance",
            "Between points.",
            advanced=True,
        )
        self.take(
            parameters.raster("STRATA", "Strata", optional=True),
            "--strata",
            "Strata other than the map classes: whole numbers on the same pixels.",
            advanced=True,
        )
        self.take(
            parameters.switch("HIDE_CLASS", "Leave out what the map says"),
            "--hide-class",
            "So that it does not influence whoever labels the points.",
            advanced=True,
        )
        self.take(
            parameters.number("SEED", "Seed", 0, low=0),
            "--seed",
            "The same seed draws the same points.",
            advanced=True,
        )
        self.take_extra()
        self.put(
            parameters.to_vector("OUTPUT", "Reference points", QgsProcessing.TypeVectorPoint),
            "--output",
            "GeoPackage of points with an empty column 'reference'.",
        )
        self.tell("UNITS", "Points", lambda result: result["units"])
        self.tell(
            "EXPECTED_STANDARD_ERROR",
            "Standard error to expect",
            lambda result: result["expected_standard_error"],
        )


class Assess(Algorithm):
    """``rsclass assess``."""

    command = "assess"
    title = "Accuracy and areas"
    section = _SECTION
    about = (
        "Tells how right a class map is, and how large its classes really are.\n"
        "The report has the confusion matrix (rows are the reference, columns the map), overall,"
        " user's and producer's accuracies, kappa, F1, quantity and allocation disagreement, and"
        " for a reference of known design standard errors, confidence intervals and areas. Points"
        " of 'Draw reference points' bring their design along."
    )
    keywords = ("confusion matrix", "kappa", "validation", "error matrix", "overall accuracy")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take(parameters.raster("INPUT", "Class map"), "", "The map to be assessed.")
        self.take(
            parameters.features("REFERENCE", "Reference features", optional=True),
            "--reference",
            "Points, polygons or lines that are right.",
        )
        self.take(
            parameters.field("FIELD", "Field with the class", "REFERENCE", optional=True),
            "--field",
            "Column with the class; not needed for points of 'Draw reference points'.",
        )
        self.take(
            parameters.raster("REFERENCE_RASTER", "Reference raster", optional=True),
            "--reference",
            "A raster of labels (0 is none) instead of features.",
        )
        self.take(
            parameters.choice("ASSUME_DESIGN", "Design of the reference", _DESIGNS),
            "--assume-design",
            "How it was drawn, where it does not tell; without there are no intervals.",
        )
        self.take(
            parameters.choice("SCORE", "Score", ["auto", "classes", "clusters"], "auto"),
            _score,
            "As classes, or as clusters whose numbers mean nothing; auto: clusters if rsclass"
            " found them and nobody named them.",
            advanced=True,
        )
        self.take(
            parameters.choice("ON_UNKNOWN", "Unknown labels", ["fail", "class", "skip"], "fail"),
            "--on-unknown",
            "Labels that are no class of the map: refuse them, count them as classes that the map"
            " misses, or leave them out.",
            advanced=True,
        )
        self.take(
            parameters.raster("STRATA", "Strata of the sample", optional=True),
            "--strata",
            "Raster on the pixels of the map.",
            advanced=True,
        )
        self.take(
            parameters.field("STRATA_FIELD", "Field with the stratum", "REFERENCE", optional=True),
            "--strata",
            "Column of the reference, instead of a raster.",
            advanced=True,
        )
        self.take(
            parameters.number(
                "CONFIDENCE", "Confidence of intervals", _PERCENT, low=0.5, high=0.9999, real=True
            ),
            "--confidence",
            "Share of samples whose interval holds the truth.",
            advanced=True,
        )
        self.take(
            parameters.text("FAIL_UNDER", "Fail below", lines=True),
            lambda request, name: lines(request, name, "--fail-under"),
            "Figures that must be reached, as lines: overall=0.8, kappa=0.7, water.users=0.9.",
            advanced=True,
        )
        self.take_extra()
        self.put(
            parameters.to_file("TABLE", "Table", parameters.CSV, optional=True),
            "--output",
            "Confusion matrix and all figures of each class.",
        )
        self.put(
            parameters.to_file("REPORT", "Report", parameters.HTML, optional=True),
            "--report",
            "Page with tables and figures.",
        )
        self.tell("UNITS", "Reference units", lambda result: result.get("units"))
        self.tell("OVERALL_ACCURACY", "Overall accuracy", _estimate("overall", "value"))
        self.tell(
            "OVERALL_ACCURACY_ERROR",
            "Standard error of the overall accuracy",
            _estimate("overall", "error"),
        )
        self.tell("KAPPA", "Kappa", _estimate("kappa", "value"))
        self.tell("F1", "Mean F1", lambda result: result.get("f1"))
        self.tell("IOU", "Mean intersection over union", lambda result: result.get("iou"))
        for name, title in (
            ("nmi", "Normalized mutual information"),
            ("ari", "Adjusted Rand index"),
            ("purity", "Purity"),
            ("paired", "Accuracy of the best pairing of clusters and classes"),
        ):
            self.tell(name.upper(), title, _of_clusters(name))

    def checkParameterValues(self, values: Any, context: Any) -> tuple[bool, str]:
        """Whether the reference is clear."""
        request = Request(self, values, context, None)
        trouble = one_reference(request)
        if not (request.given("REFERENCE") or request.given("REFERENCE_RASTER")):
            trouble = "Give a reference: features or a raster."
        return self.checked(trouble, values, context)


def _score(request: Request, name: str) -> list[str]:
    chosen = request.choices(name)[0]
    return [] if chosen == "auto" else [f"--{chosen}"]


def _estimate(name: str, part: str) -> Any:
    return lambda result: (result.get(name) or {}).get(part)


def _of_clusters(name: str) -> Any:
    return lambda result: (result.get("clusters") or {}).get(name)


class Compare(Algorithm):
    """``rsclass compare``."""

    command = "compare"
    title = "Compare two class maps"
    section = _SECTION
    about = (
        "Tells what changed from one class map to another, and how far they agree.\n"
        "Their pixels must coincide; maps of different extent are compared where they overlap."
    )
    keywords = ("change detection", "transition", "from-to", "difference", "kappa")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take(parameters.raster("INPUT", "First map"), "", "The earlier class map.")
        self.take(parameters.raster("SECOND", "Second map"), "", "The later class map.")
        self.take(
            parameters.choice("BY", "Same classes", ["name", "value"], "name"),
            "--by",
            "What makes classes of the two legends the same.",
        )
        self.take_writing()
        self.put(
            parameters.to_raster("OUTPUT", "Map of changes", optional=True),
            "--output",
            "GeoTIFF with a class for each change that occurs.",
            shows_classes=True,
        )
        self.put(
            parameters.to_file("TABLE", "Table of changes", parameters.CSV, optional=True),
            "--table",
            "Pixels and hectares of each change.",
        )
        self.put(
            parameters.to_file("REPORT", "Report", parameters.HTML, optional=True),
            "--report",
            "Page with tables and figures.",
        )
        self.tell("CHANGED", "Pixels changed", lambda result: result["pixels"]["changed"])
        self.tell("CHANGED_SHARE", "Share changed", lambda result: result["changed_share"])
        self.tell("CHANGED_HECTARES", "Hectares changed", lambda result: result["changed_hectares"])
        self.tell("AGREEMENT", "Agreement", lambda result: result["agreement"]["overall"])
        self.tell("KAPPA", "Kappa", lambda result: result["agreement"]["kappa"])

    def legend(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        """None: the result tells the classes of the maps, and those of changes are in the style."""
        return []

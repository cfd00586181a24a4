"""The algorithm that judges training samples."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessing, QgsProcessingException

from . import parameters
from .engines import lines, supervised
from .request import Request
from .scene_algorithm import SceneAlgorithm

__all__ = ["CheckSamples"]

_VALIDATION = ("FOLDS", "BY", "BLOCK_SIZE", "PARAMETERS", "SEED")


class CheckSamples(SceneAlgorithm):
    """``rsclass training``."""

    command = "training"
    title = "Check training samples"
    about = (
        "Lists the training samples on a scene and judges them.\n"
        "The log tells sizes of the classes, which of them are hard to tell apart, and which"
        " features do not look like the rest of their class. With a method, a cross-validation"
        " tells how well it does on parts that it has not seen. Classes can be joined into a new"
        " layer."
    )
    keywords = ("training", "samples", "cross-validation", "outliers", "roi", "signature")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take_scene()
        self.take_samples(flag="")
        self.take(
            parameters.choice("METHOD", "Cross-validate", supervised(self.known.methods)),
            "--cross-validate",
            "Method that learns from parts of the samples and is tested on the others.",
        )
        self.take(
            parameters.number("FOLDS", "Parts", 5, low=2),
            None,
            "Parts of the cross-validation.",
            advanced=True,
        )
        self.take(
            parameters.choice("BY", "Parts are made of", ["feature", "block"], "feature"),
            None,
            "Whole features, or whole squares of the scene.",
            advanced=True,
        )
        self.take(
            parameters.number("BLOCK_SIZE", "Side of such a square (pixels)", 50, low=1),
            None,
            "For parts made of squares.",
            advanced=True,
        )
        self.take_any_parameters(flag=None)
        self.take_seed(flag=None)
        self.take_samples_use()
        self.take(
            parameters.table("MERGE", "Classes to join", ["Classes", "New class"]),
            _merges,
            "Classes, parted by commas, and the name that they become.",
            advanced=True,
        )
        self.take_reading()
        self.take_extra()
        self.put(
            parameters.to_vector(
                "OUTPUT",
                "Samples with joined classes",
                QgsProcessing.TypeVectorAnyGeometry,
                optional=True,
                made=False,
            ),
            "--output",
            "GeoPackage of the samples; needs classes to join.",
        )
        self.tell("PIXELS", "Training pixels", lambda result: result["pixels"])
        self.tell("CLASSES_FOUND", "Classes", lambda result: len(result["classes"]))
        self.tell("OUTLIERS", "Features unlike their class", lambda result: len(result["outliers"]))
        self.tell("LEAST_JM", "Least Jeffries-Matusita distance", _least_apart)
        self.tell("OVERALL_ACCURACY", "Overall accuracy in cross-validation", _valid("overall"))
        self.tell("KAPPA", "Kappa in cross-validation", _valid("kappa"))

    def arguments(self, request: Request) -> list[str]:
        """The command line without destinations."""
        words = super().arguments(request)
        if request.given("METHOD"):
            words += request.words("FOLDS", "--folds") + request.words("BY", "--by")
            if request.choices("BY") == ["block"]:
                words += request.words("BLOCK_SIZE", "--block-size")
            words += lines(request, "PARAMETERS", "--set") + request.words("SEED", "--seed")
        return words

    def work(self, words: list[str], places: dict[str, str], request: Request) -> dict[str, Any]:
        """Judge the samples, and list what was found."""
        result = super().work(words, places, request)
        for line in _findings(result):
            request.feedback.pushInfo(line)
        return result


def _merges(request: Request, name: str) -> list[str]:
    words = []
    for row in request.rows(name):
        if not all(row):
            raise QgsProcessingException(
                f"The row '{' | '.join(row)}' is not filled in; write classes and a new class."
            )
        words += ["--merge", "=".join(row)]
    return words


def _least_apart(result: dict[str, Any]) -> float | None:
    return result["pairs"][0]["jm"] if result["pairs"] else None


def _valid(figure: str) -> Any:
    return lambda result: (result.get("validation") or {}).get(figure)


def _findings(result: dict[str, Any]) -> list[str]:
    found = [
        f"{entry['name']}: {entry['pixels']} pixels in {entry['features']} features"
        for entry in result["classes"]
    ]
    found += [
        f"{' / '.join(pair['names'])}: Jeffries-Matusita distance {pair['jm']:.3f}"
        for pair in result["pairs"]
    ]
    found += [
        f"feature {odd['feature']} of {odd['class']} looks like {odd['like']}"
        f" ({odd['share']:.0%} of its pixels are unusual)"
        for odd in result["outliers"]
    ]
    return found

"""Algorithms that read a scene: find classes, learn them, apply a model, judge samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import parameters
from .engines import cleared, supervised, take_parameters, unsupervised
from .program import Program
from .request import Request
from .scene_algorithm import SceneAlgorithm
from .sources import path_of_raster

__all__ = ["Classify", "MethodAlgorithm", "Predict", "Supervised", "Train"]

_USUAL = "rf"
"""Supervised method that is offered first, where the program has it."""


def _usual(names: list[str]) -> str | None:
    return _USUAL if _USUAL in names else names[0] if names else None


class Classify(SceneAlgorithm):
    """``rsclass classify`` without samples, by any method."""

    command = "classify"
    title = "Classify (unsupervised)"
    about = (
        "Finds spectral classes in a scene and writes their map.\n"
        "No samples are needed. The classes are numbered and colored; 'Suggest class names' and"
        " 'Merge classes' turn them into land cover. The model that is written beside the map"
        " can be applied to other scenes with 'Apply a model'."
    )
    keywords = ("clustering", "unsupervised", "k-means", "isodata", "segmentation", "uic")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        names = unsupervised(self.known.methods)
        self.take_scene()
        self.take(
            parameters.choice("METHOD", "Method", names, names[0] if names else None),
            "--method",
            _choices("How classes are found", self.known.methods, names),
        )
        self.take_number_of_classes()
        self.take_any_parameters()
        self.take_identity()
        self.take_reading()
        self.put_map()
        self.tell_file("MODEL", "Model", "model")


class Supervised(SceneAlgorithm):
    """``rsclass classify --training``, by any method that learns from samples."""

    command = "classify"
    title = "Classify with training samples (supervised)"
    about = (
        "Learns classes from samples of known land cover and writes their map.\n"
        "Samples are points, lines or polygons; those selected in a layer can be used alone."
        " 'Check training samples' tells beforehand how good they are."
    )
    keywords = ("supervised", "training", "random forest", "maximum likelihood", "svm")

    def name(self) -> str:
        """Its id."""
        return "supervised"

    def declare(self) -> None:
        """Declare parameters and outputs."""
        names = supervised(self.known.methods)
        self.take_scene()
        self.take_samples()
        self.take(
            parameters.choice("METHOD", "Method", names, _usual(names)),
            "--method",
            _choices("How classes are learnt", self.known.methods, names),
        )
        self.take_any_parameters()
        self.take_samples_use()
        self.take_seed()
        self.take_reading()
        self.put_map()
        self.tell_file("MODEL", "Model", "model")


class MethodAlgorithm(SceneAlgorithm):
    """``rsclass classify`` by one method, with a field for each of its parameters.

    Parameters
    ----------
    program : Program
    method : mapping
        The method, as ``rsclass methods --json`` tells it.
    """

    command = "classify"

    def __init__(self, program: Program, method: Mapping[str, Any]) -> None:
        super().__init__(program)
        self._method = method
        title = str(method["title"])
        self.title = title[:1].upper() + title[1:]
        needs_samples = method["training"] == "needed"
        self.section = "Supervised methods" if needs_samples else "Unsupervised methods"
        self.about = f"{method['help']}\n{method['paper']}"
        self.keywords = ("supervised" if needs_samples else "clustering", str(method["name"]))

    def createInstance(self) -> Any:
        """A fresh copy of this algorithm."""
        return type(self)(self.program, self._method)

    def name(self) -> str:
        """Its id."""
        return f"classify_{str(self._method['name']).replace('-', '_')}"

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take_scene()
        if self._method["training"] != "none":
            self.take_samples(optional=self._method["training"] == "possible")
            self.take_samples_use()
        own = {told["name"]: told for told in self._method["parameters"]}
        if "n_classes" in own:
            self.take_number_of_classes(own["n_classes"]["default"])
        take_parameters(self, self._method)
        if self._method["training"] == "none":
            self.take_identity()
        elif "random_state" in own:
            self.take_seed()
        self.take_reading()
        self.put_map()
        self.tell_file("MODEL", "Model", "model")

    def arguments(self, request: Request) -> list[str]:
        """The command line without destinations."""
        words = ["--method", str(self._method["name"])]
        return super().arguments(request) + words + cleared(request, self._method)


class Train(SceneAlgorithm):
    """``rsclass train``."""

    command = "train"
    title = "Train a model"
    about = (
        "Finds or learns classes in a scene and writes the model that tells them apart.\n"
        "'Apply a model' then classifies this scene or others with it."
    )
    keywords = ("training", "learn", "signature")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        names = [method["name"] for method in self.known.methods]
        self.take_scene()
        self.take(
            parameters.choice("METHOD", "Method", names, names[0] if names else None),
            "--method",
            _choices("How classes are found or learnt", self.known.methods, names),
        )
        self.take_number_of_classes(None)
        self.take_samples(optional=True)
        self.take_any_parameters()
        self.take_samples_use()
        self.take_identity()
        self.take(
            parameters.rasters("MORE_SCENES", "More scenes to learn from"),
            _more_scenes,
            "Scenes with the same bands, all of which the classes are to fit; without samples.",
            advanced=True,
        )
        self.take(
            parameters.switch("SCALE_EACH", "Bring the scenes to the same brightness"),
            "--scale-each",
            "Every scene gets the mean and spread of the first, band by band; 'Apply a model' will"
            " do so, too.",
            advanced=True,
        )
        self.take_reading()
        self.take_extra()
        self.put(
            parameters.to_file("MODEL", "Model", parameters.MODEL), "--output", "File to write."
        )
        self.tell("CLASSES_FOUND", "Classes found", lambda result: len(result["classes"]))

    def checkParameterValues(self, values: Any, context: Any) -> tuple[bool, str]:
        """Whether a method that needs samples has them."""
        request = Request(self, values, context, None)
        method = ",".join(request.choices("METHOD"))
        needing = set(supervised(self.known.methods)) - set(unsupervised(self.known.methods))
        if method in needing and not request.given("TRAINING"):
            trouble = f"The method {method} learns from training samples; give a layer of them."
            return False, trouble
        if request.given("MORE_SCENES") and request.given("MORE_BANDS"):
            return False, "More rasters are either bands of the scene or scenes; give one of them."
        return self.checked("", values, context)


class Predict(SceneAlgorithm):
    """``rsclass predict``."""

    command = "predict"
    title = "Apply a model"
    about = (
        "Labels a scene with the classes of a model and writes the map.\n"
        "The model is the .safetensors file of 'Train a model', or the one that lies beside every"
        " class map. Bands are matched by their names; a scene that lacks one is refused."
    )
    keywords = ("predict", "model", "apply")

    def declare(self) -> None:
        """Declare parameters and outputs."""
        self.take(parameters.file("MODEL", "Model", parameters.MODEL), "", "File of the model.")
        self.take_scene()
        self.take_reading()
        self.put_map()


def _more_scenes(request: Request, name: str) -> list[str]:
    return [*(path_of_raster(layer) for layer in request.raster_layers(name)), "--each"]


def _choices(what: str, methods: list[dict[str, Any]], names: list[str]) -> str:
    """Help that lists the methods: QGIS itself shows their short names alone."""
    titles = {method["name"]: method["title"] for method in methods}
    return f"{what}: " + ", ".join(f"{name} ({titles[name]})" for name in names) + "."

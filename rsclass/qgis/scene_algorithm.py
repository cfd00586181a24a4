"""What algorithms share that read a scene: the scene, samples, classes and the map."""

from __future__ import annotations

from typing import Any

from . import parameters
from .algorithm import Algorithm
from .engines import lines
from .files import put_in_place
from .request import Flag, Request
from .sources import path_of_raster

__all__ = ["SceneAlgorithm"]

_LAYERS = {
    "CONFIDENCE": "How sure the method is of each pixel's class, 0 to 1.",
    "DISTANCE": "How far each pixel is from its class, in the method's own measure.",
    "ENTROPY": "How evenly each pixel's memberships are spread over the classes.",
    "MEMBERSHIP": "A band for each class with the pixel's membership in it.",
}


def _settings(request: Request, name: str) -> list[str]:
    return lines(request, name, "--set")


class SceneAlgorithm(Algorithm):
    """An algorithm that reads pixels of a scene."""

    section = "Classification"

    def take_scene(self) -> None:
        """Declare the scene and its bands."""
        self.take(parameters.raster("INPUT", "Scene"), _scene, "The raster whose pixels are used.")
        self.take(
            parameters.bands("BANDS", "Bands", "INPUT"),
            _bands,
            "Bands to use; none selected means all but an alpha band.",
        )

    def take_reading(self) -> None:
        """Declare how the scene is read; all of it is advanced but the mask and the extent."""
        self.take(
            parameters.rasters("MORE_BANDS", "More rasters with bands of the scene"),
            None,
            "Rasters of the same place, all of whose bands are added, such as one file a band.",
            advanced=True,
        )
        self.take(
            parameters.mask("MASK", "Mask"),
            "--mask",
            "Raster (0 is out) or polygons (inside is in) that limit what is classified.",
            advanced=True,
        )
        self.take(
            parameters.extent("EXTENT", "Extent"),
            "--bounds",
            "Part of the scene to be classified.",
            advanced=True,
        )
        self.take(
            parameters.number("NODATA", "Value of missing pixels", real=True),
            "--src-nodata",
            "Stored value that means no data, instead of what the file declares.",
            advanced=True,
        )
        self.take(
            parameters.length("RESOLUTION", "Size of a pixel", "INPUT"),
            "--resolution",
            "Size of the pixels that are classified; unless given, that of the finest band.",
            advanced=True,
        )
        self.take(
            parameters.switch("UNSCALED", "Take stored values without their scale and offset"),
            "--unscaled",
            "Do not apply the scale and offset that the file declares.",
            advanced=True,
        )

    def take_samples(self, *, optional: bool = False, flag: str = "--training") -> None:
        """Declare the training samples."""
        self.take(
            parameters.features("TRAINING", "Training samples", optional=optional),
            flag,
            "Points, lines or polygons of known class, in any CRS.",
        )
        self.take(
            parameters.field("FIELD", "Field with the class", "TRAINING", optional=optional),
            "--field",
            "Column with the class of each feature: names or whole numbers.",
        )

    def take_samples_use(self) -> None:
        """Declare which of their pixels are taken."""
        self.take(
            parameters.number("SAMPLES_PER_CLASS", "Most training pixels of a class", low=1),
            "--samples-per-class",
            "That many are chosen at random where a class has more; unless given, all are taken.",
            advanced=True,
        )
        self.take(
            parameters.switch("ALLOW_MISSED", "Leave out samples that hit no valid pixel"),
            "--allow-missed",
            "Otherwise such samples are an error.",
            advanced=True,
        )

    def take_number_of_classes(self, default: int | None = 12) -> None:
        """Declare how many classes are looked for."""
        self.take(
            parameters.number("CLASSES", "Number of classes", default, low=1, high=65534),
            _number_of_classes,
            "Classes to find, or the least of them where a range is given.",
        )
        self.take(
            parameters.number("MOST_CLASSES", "Choose up to this number of classes", low=2),
            None,
            "If given, the number of classes is chosen on evidence, between 'Number of classes'"
            " and this.",
            advanced=True,
        )

    def take_identity(self) -> None:
        """Declare what makes classes and results repeatable."""
        self.take(
            parameters.file(
                "MATCH_TO", "Keep the classes of an earlier model", parameters.MODEL, optional=True
            ),
            "--match-to",
            "Model of an earlier map whose class numbers, names and colors are kept.",
            advanced=True,
        )
        self.take_seed()

    def take_seed(self, flag: str | None = "--seed") -> None:
        """Declare the seed."""
        self.take(
            parameters.number("SEED", "Seed", 0, low=0),
            flag,
            "The same seed gives the same result, bit for bit.",
            advanced=True,
        )

    def take_any_parameters(self, flag: Flag | None = _settings) -> None:
        """Declare the parameters of a method that is chosen by its name."""
        self.take(
            parameters.text("PARAMETERS", "Parameters of the method", lines=True),
            flag,
            "Lines such as restarts=4. The algorithms below 'Unsupervised methods' and"
            " 'Supervised methods' have a field for each.",
            advanced=True,
        )

    def put_map(self) -> None:
        """Declare the map and what may be written with it."""
        self.take(
            parameters.number("MIN_CONFIDENCE", "Least confidence", low=0, high=1, real=True),
            "--min-confidence",
            "Pixels of less confidence (0 to 1) get no class.",
            advanced=True,
        )
        self.take(
            parameters.number("MAX_DISTANCE", "Largest distance", low=0, real=True),
            "--max-distance",
            "Pixels farther from their class get none.",
            advanced=True,
        )
        self.take_writing()
        self.put(
            parameters.to_raster("OUTPUT", "Class map"),
            "--output",
            "GeoTIFF with names and colors of the classes; 0 is no class. Model and statistics"
            " are written beside it.",
            shows_classes=True,
        )
        for name, meaning in _LAYERS.items():
            self.put(
                parameters.to_raster(name, name.capitalize(), optional=True, made=False),
                _wanted(f"--{name.lower()}"),
                meaning,
            )
        self.put(
            parameters.to_file("REPORT", "Report", parameters.HTML, optional=True),
            _report,
            "Page with spectra, sizes and quality of the classes.",
        )
        self.tell("CLASSES_FOUND", "Classes found", lambda result: len(result["classes"]))
        self.tell("CLASSIFIED", "Pixels with a class", lambda result: result["classified"])
        self.tell("REJECTED", "Pixels left without a class", lambda result: result["rejected"])
        self.tell_file("STATISTICS", "Statistics of the classes", "table")

    def work(self, words: list[str], places: dict[str, str], request: Request) -> dict[str, Any]:
        """Classify, then bring the layers that rsclass writes beside the map to their places."""
        result = super().work(words, places, request)
        for name in _LAYERS:
            if name in places:
                put_in_place(result["files"][name.lower()], places[name])
        return result


def _scene(request: Request, name: str) -> list[str]:
    """The raster, and those that bring more bands of the same scene."""
    return [
        request.raster(name),
        *(path_of_raster(layer) for layer in request.raster_layers("MORE_BANDS")),
    ]


def _bands(request: Request, name: str) -> list[str]:
    """Chosen bands of the first raster, and all of the others."""
    numbers = [request.bands(name)]
    start = request.raster_layer("INPUT").bandCount()
    for layer in request.raster_layers("MORE_BANDS"):
        numbers += [str(start + band) for band in range(1, layer.bandCount() + 1)]
        start += layer.bandCount()
    return ["--bands", ",".join(numbers)]


def _number_of_classes(request: Request, name: str) -> list[str]:
    least = request.number(name)
    most = request.number("MOST_CLASSES") if request.given("MOST_CLASSES") else ""
    return ["--classes", f"{least}..{most}" if most else least]


def _wanted(flag: str) -> Any:
    """``flag`` if there is a place for what it makes."""
    return lambda request, place: [flag] if place else []


def _report(request: Request, place: str) -> list[str]:
    return ["--report-to", place] if place else ["--no-report"]

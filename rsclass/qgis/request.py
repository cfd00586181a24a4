"""The values of an algorithm's parameters, as words of a command line."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from typing import Any, ClassVar, Union

from qgis.core import NULL, QgsCoordinateReferenceSystem, QgsProcessingException

from .sources import path_of_mask, path_of_raster, path_of_vector

__all__ = ["Flag", "Request"]

Flag = Union[str, Callable[["Request", str], "list[str]"]]
"""The flag that takes a value, ``""`` for an argument without, or what gives the words."""


class Request:
    """One call of an algorithm.

    Parameters
    ----------
    algorithm : QgsProcessingAlgorithm
    parameters : dict
        Values by name, as QGIS gives them.
    context : QgsProcessingContext
    feedback : QgsProcessingFeedback
    """

    def __init__(self, algorithm: Any, parameters: Any, context: Any, feedback: Any) -> None:
        self.algorithm = algorithm
        self.parameters = parameters
        self.context = context
        self.feedback = feedback

    def given(self, name: str) -> bool:
        """Whether the parameter has a value, its default or another."""
        default = self.algorithm.parameterDefinition(name).defaultValue()
        value = self.parameters.get(name, default)
        return not (value is None or value == NULL or value == "" or value == [])

    def words(self, name: str, flag: Flag) -> list[str]:
        """Flag and value of a parameter; nothing where it has no value."""
        if not self.given(name):
            return []
        if callable(flag):
            return flag(self, name)
        kind = self.algorithm.parameterDefinition(name).type()
        if kind == "boolean":
            return [flag] if self.truth(name) else []
        if kind == "source":
            return self.features(name, flag)
        value = self._READERS[kind](self, name)
        return [flag, value] if flag and value else [value] if value else []

    def text(self, name: str) -> str:
        """A string, a field or an expression."""
        return str(self.algorithm.parameterAsString(self.parameters, name, self.context)).strip()

    def truth(self, name: str) -> bool:
        """A boolean."""
        return bool(self.algorithm.parameterAsBool(self.parameters, name, self.context))

    def number(self, name: str) -> str:
        """A number, without a point if whole ones are asked for."""
        value = self.algorithm.parameterAsDouble(self.parameters, name, self.context)
        definition = self.algorithm.parameterDefinition(name)
        whole = definition.type() == "number" and definition.dataType() == definition.Type.Integer
        return str(int(value)) if whole else repr(float(value))

    def choices(self, name: str) -> list[str]:
        """The chosen names of an enumeration."""
        if self.algorithm.parameterDefinition(name).allowMultiple():
            chosen = self.algorithm.parameterAsEnumStrings(self.parameters, name, self.context)
            return [str(one) for one in chosen]
        return [str(self.algorithm.parameterAsEnumString(self.parameters, name, self.context))]

    def file(self, name: str) -> str:
        """An existing file, with its whole path."""
        path = self.algorithm.parameterAsFile(self.parameters, name, self.context)
        return os.path.abspath(path) if path else ""

    def raster_layer(self, name: str) -> Any:
        """A raster layer.

        Raises
        ------
        QgsProcessingException
            It cannot be opened.
        """
        layer = self.algorithm.parameterAsRasterLayer(self.parameters, name, self.context)
        if layer is None:
            raise QgsProcessingException(self.algorithm.invalidRasterError(self.parameters, name))
        return layer

    def raster(self, name: str) -> str:
        """The file of a raster layer."""
        return path_of_raster(self.raster_layer(name))

    def raster_layers(self, name: str) -> list[Any]:
        """Any number of raster layers."""
        if not self.given(name):
            return []
        return list(self.algorithm.parameterAsLayerList(self.parameters, name, self.context))

    def features(self, name: str, flag: str) -> list[str]:
        """A vector layer as flag, file, ``--layer`` and ``--vector-crs``."""
        fields = [self.text(field) for field in self._fields_of(name) if self.given(field)]
        path, layer, crs = path_of_vector(
            self.algorithm, self.parameters, name, self.context, self.feedback, fields
        )
        words = [flag, path] if flag else [path]
        words += ["--layer", layer] if layer else []
        return words + (["--vector-crs", crs] if crs else [])

    def _fields_of(self, name: str) -> list[str]:
        """Parameters that are columns of the layer ``name``."""
        return [
            definition.name()
            for definition in self.algorithm.parameterDefinitions()
            if definition.type() == "field" and definition.parentLayerParameterName() == name
        ]

    def bands(self, name: str) -> str:
        """Numbers of bands, parted by commas."""
        numbers = self.algorithm.parameterAsInts(self.parameters, name, self.context)
        return ",".join(map(str, numbers))

    def extent(self, name: str, parent: str = "INPUT") -> str:
        """Left, bottom, right, top in the CRS of the raster ``parent``."""
        layer = self.algorithm.parameterAsRasterLayer(self.parameters, parent, self.context)
        crs = layer.crs() if layer is not None else QgsCoordinateReferenceSystem()
        box = self.algorithm.parameterAsExtent(self.parameters, name, self.context, crs)
        if box.isNull():
            return ""
        corners = (box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum())
        return ",".join(repr(float(corner)) for corner in corners)

    def mask(self, name: str) -> str:
        """A raster or polygons."""
        return path_of_mask(self.algorithm, self.parameters, name, self.context, self.feedback)

    def rows(self, name: str) -> list[list[str]]:
        """The rows of a table, without those that are empty."""
        if not self.given(name):
            return []
        cells = self.algorithm.parameterAsMatrix(self.parameters, name, self.context)
        texts = ["" if cell is None or cell == NULL else str(cell).strip() for cell in cells]
        width = len(self.algorithm.parameterDefinition(name).headers())
        rows = [texts[start : start + width] for start in range(0, len(texts), width)]
        return [row for row in rows if any(row)]

    def flags(self, name: str) -> list[str]:
        """Words as they would be typed."""
        try:
            return shlex.split(self.text(name))
        except ValueError as error:
            raise QgsProcessingException(f"{name} cannot be read: {error}.") from None

    _READERS: ClassVar[dict[str, Callable[[Request, str], str]]] = {
        "raster": raster,
        "layer": mask,
        "band": bands,
        "extent": extent,
        "distance": number,
        "number": number,
        "enum": lambda self, name: ",".join(self.choices(name)),
        "string": text,
        "field": text,
        "file": file,
    }

"""The legend of class maps in the layer tree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qgis.core import (
    QgsPalettedRasterRenderer,
    QgsProcessingLayerPostProcessorInterface,
    QgsRasterLayer,
)
from qgis.PyQt.QtGui import QColor

__all__ = ["ClassLegend", "show_legend"]

_MOST_SHOWN = 30

_waiting: set[Any] = set()
"""Post-processors that have not been called yet: QGIS holds them without owning them."""


class ClassLegend(QgsProcessingLayerPostProcessorInterface):  # type: ignore[misc]
    """Gives a class map names and colors, and shows them unless they are many.

    rsclass writes a style beside its maps, which QGIS takes by itself; this is for maps that lost
    it, and for users who have set another default style.

    Parameters
    ----------
    classes : sequence of mapping
        Value, name and color of each, as rsclass tells them. If there are none, the style beside
        the map is all there is.
    """

    def __init__(self, classes: Sequence[Mapping[str, Any]]) -> None:
        super().__init__()
        self._classes = classes

    def postProcessLayer(self, layer: Any, context: Any, feedback: Any) -> None:
        """Dress a layer that has just been loaded."""
        _waiting.discard(self)
        if not isinstance(layer, QgsRasterLayer) or not layer.isValid():
            return
        if self._classes and not self._is_dressed(layer):
            layer.setRenderer(QgsPalettedRasterRenderer(layer.dataProvider(), 1, self._entries()))
            layer.emitStyleChanged()
            layer.triggerRepaint()
        project = context.project()
        node = project.layerTreeRoot().findLayer(layer.id()) if project is not None else None
        if node is not None:
            shown = layer.renderer().legendSymbologyItems()
            node.setExpanded(len(shown) <= _MOST_SHOWN)

    def _is_dressed(self, layer: Any) -> bool:
        renderer = layer.renderer()
        if not isinstance(renderer, QgsPalettedRasterRenderer):
            return False
        shown = {int(entry.value): entry.label for entry in renderer.classes()}
        return shown == {int(entry["value"]): entry["name"] for entry in self._classes}

    def _entries(self) -> list[Any]:
        return [
            QgsPalettedRasterRenderer.Class(
                int(entry["value"]), QColor(entry["color"]), entry["name"]
            )
            for entry in self._classes
        ]


def show_legend(path: str, classes: Sequence[Mapping[str, Any]], context: Any) -> None:
    """Have the map at ``path`` dressed when QGIS loads it, if it does."""
    if path and context.willLoadLayerOnCompletion(path):
        dresser = ClassLegend(classes)
        _waiting.add(dresser)
        context.layerToLoadOnCompletionDetails(path).setPostProcessor(dresser)

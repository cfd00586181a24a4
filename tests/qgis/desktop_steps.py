"""What a user does in the desktop, step by step; run by QGIS itself (``--code``).

The folder in DESKTOP_FOLDER holds what is worked on, and gets what was seen: ``facts.json`` and
pictures. The last step is a run that never ends, for the test to kill QGIS in the middle of it.
"""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import processing
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import QModelIndex, Qt, QTimer
from qgis.PyQt.QtGui import QColor
from qgis.PyQt.QtWidgets import QDockWidget, QTextEdit, QTreeView
from qgis.utils import iface

FOLDER = Path(os.environ["DESKTOP_FOLDER"])
SECONDS = 90
STEP_MS = 100
ROW = 19
"""Height of an entry of the toolbox in pixels."""

# Fuzzy memberships go on changing a little for ever.
ENDLESS = {"METHOD": "fuzzy", "CLASSES": 12, "PARAMETERS": "tolerance=0\nmax_iter=100000"}

Condition = Callable[[], Any]
facts: dict[str, Any] = {}


def steps() -> Iterator[Condition]:
    """Do something, and yield what to wait for before the next."""
    window = iface.mainWindow()
    window.setGeometry(0, 0, 1500, 900)
    for name in ("Browser", "LayerOrder"):
        panel = window.findChild(QDockWidget, name)
        if panel is not None:
            panel.hide()
    scene = _scene(FOLDER / "scène 1.tif")
    iface.mapCanvas().setCanvasColor(QColor("lightgray"))  # else white, as the class gravel is
    iface.setActiveLayer(scene)
    iface.zoomToActiveLayer()

    toolbox = window.findChild(QDockWidget, "ProcessingToolbox")
    toolbox.show()
    tree = toolbox.findChild(QTreeView)
    yield lambda: _provider(tree) is not None and _groups(tree).get("Unsupervised methods")
    yield pause(1)
    facts["toolbox"] = _groups(tree)
    toolbox.setFloating(True)
    entries = len(facts["toolbox"]) + sum(map(len, facts["toolbox"].values()))
    toolbox.setGeometry(0, 0, 480, 160 + ROW * (entries + 3))
    _expand(tree)
    yield pause(1)
    _picture(toolbox, "toolbox")
    toolbox.close()

    dialog = _dialog("rsclass:classify", INPUT=scene, METHOD="kmeans", CLASSES=6)
    yield pause(1)
    _picture(dialog, "dialog")
    dialog.runButton().click()
    yield lambda: _map() and not _children()
    yield _finished(dialog)
    facts["classify"] = _seen(_map()) | {"log": _log(dialog)}
    dialog.close()
    iface.messageBar().clearWidgets()
    iface.zoomToActiveLayer()
    yield pause(2)
    _picture(window, "classes")

    dialog = _dialog("rsclass:classify_isodata", INPUT=scene)
    yield pause(1)
    _picture(dialog, "method")
    dialog.close()

    samples = QgsVectorLayer(f"{FOLDER / 'reference.gpkg'}|layername=polygons", "Samples", "ogr")
    QgsProject.instance().addMapLayer(samples, False)
    QgsProject.instance().removeMapLayer(_map().id())
    dialog = _dialog(
        "rsclass:supervised",
        INPUT=scene,
        TRAINING=samples,
        FIELD="class_name",
        METHOD="rf",
        OUTPUT=str(FOLDER / "cover é.tif"),
        REPORT=str(FOLDER / "cover é.html"),
    )
    dialog.runButton().click()
    yield lambda: _map() and not _children()
    yield _finished(dialog)
    facts["supervised"] = _seen(_map()) | {"log": _log(dialog)}
    dialog.close()

    cover = _map()
    dialog = _dialog("rsclass:merge", INPUT=cover, SCHEMA_FILE=str(FOLDER / "schema.json"))
    dialog.runButton().click()
    yield lambda: _map() not in (None, cover) and not _children()
    yield _finished(dialog)
    facts["merge"] = _seen(_map()) | {"log": _log(dialog)}
    dialog.close()
    iface.messageBar().clearWidgets()
    yield pause(2)
    _picture(window, "result")

    stopped = FOLDER / "stopped"
    dialog = _dialog("rsclass:classify", INPUT=scene, **ENDLESS, OUTPUT=str(stopped / "map.tif"))
    dialog.runButton().click()
    yield lambda: _children() and "pass 3" in _log(dialog)
    facts["children before cancel"] = _children()
    dialog.cancelButton().click()
    since = time.monotonic()
    yield lambda: not _children()
    facts["seconds to cancel"] = time.monotonic() - since
    yield _finished(dialog)
    facts["cancelled"] = {"log": _log(dialog), "files": _names(stopped)}
    dialog.close()

    dialog = _dialog(
        "rsclass:classify",
        INPUT=scene,
        METHOD="kmeans",
        PARAMETERS="restart=3",
        OUTPUT=str(stopped / "map.tif"),
    )
    dialog.runButton().click()
    yield lambda: "Execution failed" in _log(dialog)
    yield _finished(dialog)
    facts["failed"] = {"log": _log(dialog), "files": _names(stopped)}
    _picture(dialog, "error")
    dialog.close()

    dialog = _dialog("rsclass:classify", INPUT=scene, **ENDLESS, OUTPUT=str(stopped / "map.tif"))
    dialog.runButton().click()
    yield lambda: _children() and "pass 3" in _log(dialog)
    facts["children before kill"] = _children()


def pause(seconds: float) -> Condition:
    """For what QGIS draws in its own time."""
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


def _scene(path: Path) -> Any:
    layer = QgsRasterLayer(str(path), "scène 1")
    renderer = layer.renderer().clone()
    for color, name in (("Red", "B04"), ("Green", "B03"), ("Blue", "B02")):
        band = next(i for i in range(1, layer.bandCount() + 1) if name in layer.bandName(i))
        getattr(renderer, f"set{color}Band")(band)
    layer.setRenderer(renderer)
    QgsProject.instance().addMapLayer(layer)
    layer.setDefaultContrastEnhancement()
    return layer


def _provider(tree: Any) -> QModelIndex | None:
    model = tree.model()
    rows = (model.index(row, 0) for row in range(model.rowCount()))
    return next((index for index in rows if index.data() == "rsclass"), None)


def _groups(tree: Any) -> dict[str, list[str]]:
    """Algorithms by group, as the toolbox shows them."""
    model, top = tree.model(), _provider(tree)
    groups = [model.index(row, 0, top) for row in range(model.rowCount(top))]
    return {
        group.data(): [model.index(row, 0, group).data() for row in range(model.rowCount(group))]
        for group in groups
    }


def _expand(tree: Any) -> None:
    model, top = tree.model(), _provider(tree)
    tree.expand(top)
    for row in range(model.rowCount(top)):
        tree.expand(model.index(row, 0, top))
    tree.scrollTo(top, QTreeView.ScrollHint.PositionAtTop)


def _dialog(algorithm: str, **values: Any) -> Any:
    dialog = processing.createAlgorithmDialog(algorithm, values)
    dialog.show()
    dialog.resize(900, 640)
    return dialog


def _finished(dialog: Any) -> Condition:
    return lambda: not dialog.cancelButton().isEnabled()


def _log(dialog: Any) -> str:
    return str(dialog.findChild(QTextEdit, "txtLog").toPlainText())


def _map() -> Any:
    """The uppermost layer that is shown in classes."""
    layers = QgsProject.instance().layerTreeRoot().layerOrder()
    rasters = (layer for layer in layers if isinstance(layer, QgsRasterLayer))
    return next((one for one in rasters if one.renderer().type() == "paletted"), None)


def _seen(layer: Any) -> dict[str, Any]:
    """What the layer tree shows of a class map."""
    node = QgsProject.instance().layerTreeRoot().findLayer(layer.id())
    legend = iface.layerTreeView().layerTreeModel().layerLegendNodes(node)
    return {
        "source": layer.source(),
        "expanded": node.isExpanded(),
        "legend": [entry.data(Qt.ItemDataRole.DisplayRole) for entry in legend],
        "classes": [
            {"value": int(one.value), "name": one.label, "color": one.color.name()}
            for one in layer.renderer().classes()
        ],
    }


def _children() -> list[int]:
    """Processes that this QGIS has started and that still run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = path.read_text().rpartition(")")[2].split()[:2]
        except OSError:  # it has just ended
            continue
        if int(parent) == os.getpid() and state != "Z":
            found.append(int(path.parent.name))
    return found


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _picture(widget: Any, name: str) -> None:
    widget.grab().save(str(FOLDER / f"{name}.png"))


class Driver:
    """Goes through the steps, each when the one before has come true."""

    def __init__(self) -> None:
        self._steps = steps()
        self._wait: Condition = lambda: QgsApplication.processingRegistry().providerById("native")
        self._until = time.monotonic() + SECONDS
        self._timer = QTimer()
        self._timer.timeout.connect(self._go_on)
        self._timer.start(STEP_MS)

    def _go_on(self) -> None:
        try:
            if self._wait():
                self._wait = next(self._steps)
                self._until = time.monotonic() + SECONDS
            elif time.monotonic() > self._until:
                line = self._steps.gi_frame.f_lineno if self._steps.gi_frame else 0
                raise TimeoutError(f"waiting at line {line}, seen so far: {facts}")
        except StopIteration:
            self._end()
        except Exception:
            facts["trouble"] = traceback.format_exc()
            iface.mainWindow().grab().save(str(FOLDER / "trouble.png"))
            self._end()

    def _end(self) -> None:
        self._timer.stop()
        part = FOLDER / "facts.part"
        part.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
        part.rename(FOLDER / "facts.json")


driver = Driver()

"""The provider: it knows the algorithms, and asks the program which methods it has."""

from __future__ import annotations

from typing import Any

from processing.core.ProcessingConfig import ProcessingConfig, Setting, settingsWatcher
from qgis.core import QgsApplication, QgsProcessingProvider, QgsTask
from qgis.PyQt.QtCore import QTimer
from qgis.PyQt.QtGui import QIcon

from .accuracy import Assess, Compare, Sample
from .algorithm import ICON
from .classes import Separate, Suggest
from .edits import Edit, RepeatEdits, UndoEdit
from .maps import Tidy
from .merging import Merge
from .program import VARIABLE, Known, Program, ask, recall
from .samples import CheckSamples
from .scenes import Classify, MethodAlgorithm, Predict, Supervised, Train
from .schemas import ExportSchema

__all__ = ["RsclassProvider"]

_GROUP = "rsclass"
_MACHINE = {
    "RSCLASS_JOBS": "Worker threads (empty: one on each core)",
    "RSCLASS_MAX_MEM": "Memory that a run may occupy, such as 4GiB (empty: 2GiB)",
    "RSCLASS_DEVICE": "Where networks are computed: auto, cpu or cuda (empty: auto)",
}
"""Settings that are passed on as environment variables of the same name."""

_ALGORITHMS = (
    *(Classify, Supervised, Train, Predict, CheckSamples),
    *(Merge, Suggest, Separate, ExportSchema),
    *(Tidy, Edit, UndoEdit, RepeatEdits),
    *(Sample, Assess, Compare),
)


class RsclassProvider(QgsProcessingProvider):  # type: ignore[misc]  # PyQGIS has no types
    """rsclass in the Processing toolbox.

    Parameters
    ----------
    wait : bool, optional
        Whether to wait for a program that has not told its methods yet. If not, the algorithms
        that depend on them appear when it has.
    """

    def __init__(self, wait: bool = True) -> None:
        super().__init__()
        self._wait = wait
        # Algorithms are made anew once whoever caused it has finished; a timer of the provider's
        # own, as another would outlive it.
        self._renewal = QTimer(self)
        self._renewal.setSingleShot(True)
        self._renewal.timeout.connect(self.refreshAlgorithms)
        self._program = Program(_path, _environment, self._renewal.start)
        self._task: Any = None

    def id(self) -> str:
        """Its name in ids of algorithms."""
        return "rsclass"

    def name(self) -> str:
        """Its name in the toolbox."""
        return "rsclass"

    def longName(self) -> str:
        """Its name with what it is for."""
        return "rsclass (land-cover classification)"

    def icon(self) -> Any:
        """The icon of rsclass."""
        return QIcon(ICON)

    def svgIconPath(self) -> str:
        """The same as a file."""
        return ICON

    def versionInfo(self) -> str:
        """The version of the program."""
        return self._program.known.version

    def supportsNonFileBasedOutput(self) -> bool:
        """Whether outputs may go to databases."""
        return False

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        """Endings of maps."""
        return ["tif"]

    def supportedOutputVectorLayerExtensions(self) -> list[str]:
        """Endings of samples."""
        return ["gpkg"]

    def load(self) -> bool:
        """Add the settings and the algorithms."""
        ProcessingConfig.settingIcons[_GROUP] = self.icon()
        ProcessingConfig.addSetting(
            Setting(
                _GROUP, VARIABLE, "Program rsclass (empty: as found)", "", valuetype=Setting.FILE
            )
        )
        for name, title in _MACHINE.items():
            ProcessingConfig.addSetting(Setting(_GROUP, name, title, ""))
        ProcessingConfig.readSettings()
        self._look()
        self.refreshAlgorithms()
        settingsWatcher.settingsChanged.connect(self._look)
        return True

    def unload(self) -> None:
        """Take the settings away."""
        settingsWatcher.settingsChanged.disconnect(self._look)
        self._renewal.stop()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for name in (VARIABLE, *_MACHINE):
            ProcessingConfig.settings.pop(name, None)

    def loadAlgorithms(self) -> None:
        """Add the algorithms; those of the methods as the program has told them."""
        self._renewal.stop()
        for kind in _ALGORITHMS:
            self.addAlgorithm(kind(self._program))
        for method in self._program.known.methods:
            self.addAlgorithm(MethodAlgorithm(self._program, method))

    def _look(self) -> None:
        """Find the program and learn its methods, in the background unless QGIS has to wait."""
        if self._wait:
            self._program.look()
            return
        path = self._program.locate()
        if path:
            known = recall(path)
            if known is not None:
                self._program.learn(known)
            self._ask(path)

    def _ask(self, path: str) -> None:
        """Ask the program in a thread of its own: it may be slow, or another one than it was."""

        def answered(error: Any, known: Known | None = None) -> None:
            if known is not None and self._task is not None:  # else it is unloaded
                self._task = None
                self._program.learn(known)

        self._task = QgsTask.fromFunction(
            "Methods of rsclass",
            lambda task: ask(path, task.isCanceled),
            on_finished=answered,
        )
        QgsApplication.taskManager().addTask(self._task)


def _path() -> str:
    return str(ProcessingConfig.getSetting(VARIABLE) or "").strip()


def _environment() -> dict[str, str]:
    """Variables for what the user has set in the options."""
    given = {name: str(ProcessingConfig.getSetting(name) or "").strip() for name in _MACHINE}
    return {name: value for name, value in given.items() if value}

"""What QGIS loads and unloads."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsApplication

from .provider import RsclassProvider


class Plugin:
    """The plugin: it brings a provider to Processing, and nothing else.

    Parameters
    ----------
    iface : QgisInterface or None
        The desktop; None in ``qgis_process``.
    """

    def __init__(self, iface: Any) -> None:
        self._iface = iface
        self._provider: Any = None

    def initProcessing(self) -> None:
        """Bring the provider; ``qgis_process`` calls nothing else."""
        # The desktop must not wait for a program that may be slow, and may be missing.
        self._provider = RsclassProvider(wait=self._iface is None)
        QgsApplication.processingRegistry().addProvider(self._provider)

    def initGui(self) -> None:
        """Begin in the desktop."""
        self.initProcessing()

    def unload(self) -> None:
        """Take the provider away."""
        if self._provider is not None:
            QgsApplication.processingRegistry().removeProvider(self._provider)
            self._provider = None

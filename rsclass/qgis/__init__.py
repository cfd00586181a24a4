"""rsclass in the Processing toolbox of QGIS.

The plugin imports PyQGIS and the standard library alone and starts the program ``rsclass``, which
lives in a Python of its own. Installed, this folder is called ``rsclass_qgis``: one called ``qgis``
among the plugins would hide PyQGIS itself. It is written for Python 3.9, which some QGIS have.

Unlike the rest of rsclass, this folder is under GPL-2.0-or-later; see LICENSE beside this file.
"""

from __future__ import annotations

from typing import Any

__all__ = ["classFactory"]


def classFactory(iface: Any) -> Any:
    """What QGIS calls to load the plugin; PyQGIS is imported no sooner.

    Parameters
    ----------
    iface : QgisInterface or None
        The desktop; None in ``qgis_process``.
    """
    from .plugin import Plugin

    return Plugin(iface)

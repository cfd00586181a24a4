"""``rsclass qgis``."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import OVERWRITE, Option
from rsclass.cli.session import Session
from rsclass.errors import UsageError

_ACTION = click.Argument(["action"], type=click.Choice(["install", "uninstall", "zip"]))
_FLAGS = (
    Option(
        "--profile",
        group="Output",
        metavar="NAME|FOLDER",
        type=values.path,
        help="Profile of QGIS to install into. [default: the one QGIS begins with]",
    ),
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="Archive to write. [default: rsclass_qgis-VERSION.zip]",
    ),
    OVERWRITE,
)
_EXAMPLES = """\
  rsclass qgis install
  rsclass qgis install --profile survey --overwrite
  rsclass qgis uninstall
  rsclass qgis zip -o rsclass_qgis.zip
"""

_PROGRAM = ("Processing", "Configuration/RSCLASS_EXECUTABLE")


@make_command("qgis", _ACTION, *_FLAGS, examples=_EXAMPLES)
def command(session: Session, action: str, **flags: Any) -> None:
    """Put rsclass into the Processing toolbox of QGIS, or make an archive of its plugin.

    ACTION install copies the plugin into your QGIS profile, switches it on and tells it to use
    this very rsclass; uninstall takes all of that back. ACTION zip writes the archive that
    "Install from ZIP" in QGIS, and the repository of its plugins, accept. Restart QGIS afterwards
    if it is running.
    """
    session.working = True
    _check(action, flags)
    if action == "zip":
        _zip(session, flags["output"], overwrite=flags["overwrite"])
    elif action == "install":
        _install(session, flags["profile"], overwrite=flags["overwrite"])
    else:
        _uninstall(session, flags["profile"])


def _check(action: str, flags: dict[str, Any]) -> None:
    if action == "zip" and flags["profile"] is not None:
        raise UsageError("--profile says where to install; with zip, say with -o where to write.")
    if action != "zip" and flags["output"] is not None:
        raise UsageError(
            f"-o names the archive of zip; with {action}, name the profile with --profile."
        )


def _zip(session: Session, output: str | None, *, overwrite: bool) -> None:
    from rsclass.io.atomic import write_bytes
    from rsclass.io.qgis_plugin import PLUGIN, archive, plugin_version

    version = plugin_version()
    path = Path(output or f"{PLUGIN}-{version}.zip")
    write_bytes(path, archive(), overwrite=overwrite)
    session.put(
        {"path": str(path), "files": {"archive": str(path)}, "version": version},
        f"{path}: version {version} of the QGIS plugin; in QGIS: Plugins > Manage and Install "
        "Plugins > Install from ZIP.",
    )


def _install(session: Session, name: str | None, *, overwrite: bool) -> None:
    from rsclass.io.qgis_plugin import PLUGIN, install, plugin_version
    from rsclass.io.qgis_profile import find_profile

    program, profile = _program(), find_profile(name)
    place = install(profile.plugins, overwrite=overwrite)
    settings = profile.configure({_PROGRAM: str(program), ("PythonPlugins", PLUGIN): "true"})
    version = plugin_version(place)
    lines = [
        f"Version {version} of the plugin is in the QGIS profile {profile.folder.name}; restart "
        "QGIS if it is running, and look for rsclass in the Processing toolbox.",
        f"  plugin    {place}",
        *(f"  settings  {path}" for path in settings),
        f"  program   {program}",
    ]
    if profile.others and name is None:
        lines.append(f"There are other profiles, too: {', '.join(profile.others)} (--profile).")
    session.put(
        {
            "path": str(place),
            "files": {"plugin": str(place)},
            "settings": [str(path) for path in settings],
            "profile": str(profile.folder),
            "other_profiles": list(profile.others),
            "program": str(program),
            "version": version,
        },
        "\n".join(lines),
    )


def _uninstall(session: Session, name: str | None) -> None:
    from rsclass.io.qgis_plugin import PLUGIN, uninstall
    from rsclass.io.qgis_profile import find_profile

    profile = find_profile(name)
    present = uninstall(profile.plugins)
    profile.configure({_PROGRAM: None, ("PythonPlugins", PLUGIN): None})
    profile.forget_program()
    told = "is no longer" if present else "was not"
    session.put(
        {"profile": str(profile.folder), "removed": present},
        f"The plugin {told} in the QGIS profile {profile.folder}.",
    )


def _program() -> Path:
    """The rsclass that QGIS is to start: the one that is running, by the name it keeps.

    A link such as pipx makes is not followed: it still leads to rsclass after an upgrade.
    """
    started = shutil.which(sys.argv[0]) if Path(sys.argv[0]).stem == "rsclass" else None
    if started is not None:
        return Path(started).absolute()
    schemes = (sysconfig.get_default_scheme(), sysconfig.get_preferred_scheme("user"))
    folders = [sysconfig.get_path("scripts", scheme) for scheme in schemes]
    found = shutil.which("rsclass", path=os.pathsep.join(folders))
    if found is None:
        raise UsageError(
            f"the program rsclass is in none of {', '.join(folders)}, where pip puts it; install "
            "rsclass with pip or pipx, then run 'rsclass qgis install' again."
        )
    return Path(found).absolute()

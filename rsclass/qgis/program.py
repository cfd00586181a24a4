"""The program that does the work: where it is, which version it has and which methods it knows."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from qgis.core import QgsApplication, QgsProcessingException

from .bridge import Child

__all__ = ["MINIMUM", "VARIABLE", "Known", "Program", "ask", "find", "recall"]

VARIABLE = "RSCLASS_EXECUTABLE"
"""Name of the setting and of the environment variable that say where the program is."""

MINIMUM = (0, 1, 0)
"""The oldest version that has every flag this plugin uses."""

_INSTALL = (
    "install it with 'pipx install rsclass', or say where it is in Settings > Options > Processing"
    " > Providers > rsclass"
)
_VERSION = re.compile(r"rsclass (\d+)\.(\d+)(?:\.(\d+))?")
_FOREIGN = (
    "{path} does not tell its methods as this plugin understands them ({error}); plugin and program"
    " differ in version, so upgrade the older one."
)
_OF_METHODS = frozenset({"name", "title", "help", "paper", "training"})
_OF_THEIRS = frozenset({"name", "title", "type", "default", "low", "high", "choices", "unit"})
_OF_THEIRS |= {"optional", "help"}
_SECONDS = 20.0


@dataclass(frozen=True)
class Known:
    """What a program has told about itself.

    Parameters
    ----------
    path : str
        The program; empty where there is none.
    version : str
    stamp : tuple of int
        Its time of change and its size, by which a new one is noticed.
    methods : list of dict
        As ``rsclass methods --json`` tells.
    schemas : list of str
        Names of the land-cover schemas that come along.
    problem : str
        Why it cannot be used; empty where it can.
    """

    path: str = ""
    version: str = ""
    stamp: tuple[int, ...] = ()
    methods: list[dict[str, Any]] = field(default_factory=list)
    schemas: list[str] = field(default_factory=list)
    problem: str = ""

    @property
    def current(self) -> bool:
        """Whether the program is still the one that was asked."""
        return bool(self.path) and self.stamp == _stamp(self.path)


def find(setting: str) -> str:
    """The program: of the setting, of the environment, of the path, or of the usual places.

    Raises
    ------
    QgsProcessingException
        There is none, or none where it was said to be.
    """
    named = (
        (f"the setting {VARIABLE} of the provider rsclass", setting),
        (f"the environment variable {VARIABLE}", os.environ.get(VARIABLE, "")),
    )
    for who, path in named:
        if path:
            return _checked(os.path.expanduser(path), who)
    found = shutil.which("rsclass")
    for path in [found] if found else _usual_places():
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return os.path.abspath(path)
    raise QgsProcessingException(f"The program rsclass was not found; {_INSTALL}.")


def _checked(path: str, who: str) -> str:
    """A path that somebody named, which is never passed over in silence."""
    if not os.path.exists(path):
        trouble = "does not exist"
    elif os.path.isdir(path):
        trouble = "is a folder; name the program inside it"
    elif not os.access(path, os.X_OK):
        trouble = "is no program that may be run"
    else:
        return os.path.abspath(path)
    raise QgsProcessingException(f"{path}, named by {who}, {trouble}.")


def _usual_places() -> list[str]:
    """Where installers put programs, for a QGIS whose path is too short to show them."""
    name = "rsclass.exe" if os.name == "nt" else "rsclass"
    folders = [os.path.expanduser(os.path.join("~", ".local", "bin"))]
    if os.name == "nt":
        folders.append(os.path.join(os.environ.get("APPDATA", ""), "Python", "Scripts"))
    else:
        folders += ["/opt/homebrew/bin", "/usr/local/bin"]
    return [os.path.join(folder, name) for folder in folders]


def _stamp(path: str) -> tuple[int, ...]:
    try:
        state = os.stat(path)
    except OSError:
        return ()
    return (state.st_mtime_ns, state.st_size)


def ask(path: str, stopped: Callable[[], bool] = lambda: False) -> Known:
    """Have the program tell about itself, and keep what it tells for the next start of QGIS.

    Whatever is wrong with it becomes the ``problem``.
    """
    stamp = _stamp(path)
    try:
        version = _version(path, _said(path, ["--version"], stopped).strip())
        methods = json.loads(_said(path, ["methods", "--json"], stopped))["methods"]
        schemas = json.loads(_said(path, ["schema", "--json"], stopped))["schemas"]
        _check(methods)
        known = Known(path, version, stamp, methods, [schema["name"] for schema in schemas])
    except QgsProcessingException as error:
        return Known(path, stamp=stamp, problem=str(error))
    except (ValueError, KeyError, TypeError) as error:
        return Known(path, stamp=stamp, problem=_FOREIGN.format(path=path, error=error))
    _keep(known)
    return known


def _check(methods: Any) -> None:
    """Raise KeyError unless the methods tell all that fields are made from."""
    for method in methods:
        lacking = _OF_METHODS - method.keys()
        for parameter in method["parameters"]:
            lacking |= _OF_THEIRS - parameter.keys()
        if lacking:
            raise KeyError(min(lacking))


def _version(path: str, said: str) -> str:
    found = _VERSION.match(said)
    if found is None:
        raise QgsProcessingException(
            f"{path} is not the program rsclass: asked for its version it said '{said[:80]}'."
        )
    if tuple(int(part or 0) for part in found.groups()) < MINIMUM:
        wanted = ".".join(map(str, MINIMUM))
        raise QgsProcessingException(
            f"{path} is {found.group()}, and this plugin needs {wanted} or newer; upgrade it with"
            " 'pipx upgrade rsclass'."
        )
    return said.partition(" ")[2]


def _said(path: str, arguments: list[str], stopped: Callable[[], bool]) -> str:
    end = time.monotonic() + _SECONDS
    heard: list[str] = []
    child = Child(path, arguments)
    child.run(lambda: stopped() or time.monotonic() > end, heard.append)
    if time.monotonic() > end:
        raise QgsProcessingException(f"{path} did not answer within {_SECONDS:g} seconds.")
    if child.crashed or child.code:
        why = " ".join(heard[-3:]) or f"exit code {child.code}"
        raise QgsProcessingException(f"{path} does not run: {why}")
    return child.output


def _shelf() -> str:
    return os.path.join(QgsApplication.qgisSettingsDirPath(), "rsclass", "program.json")


def recall(path: str) -> Known | None:
    """What this very program told earlier; None if it is another one, or was never asked."""
    try:
        with open(_shelf(), encoding="utf-8") as file:
            stored: Mapping[str, Any] = json.load(file)
        known = Known(**{**stored, "stamp": tuple(stored["stamp"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return known if known.path == path and known.current else None


def _keep(known: Known) -> None:
    """A profile that cannot be written costs no more than the question at the next start."""
    shelf = _shelf()
    part = f"{shelf}.{os.getpid()}.part"
    try:
        os.makedirs(os.path.dirname(shelf), exist_ok=True)
        with open(part, "w", encoding="utf-8") as file:
            json.dump(asdict(known), file)
        os.replace(part, shelf)
    except OSError:
        return


class Program:
    """The program that the algorithms use, as far as it is known.

    Parameters
    ----------
    setting : callable
        Gives the path that the user has set, or an empty text.
    environment : callable
        Gives the variables that the other settings stand for.
    changed : callable
        Called when something else is known than the algorithms were made from.
    """

    def __init__(
        self,
        setting: Callable[[], str],
        environment: Callable[[], dict[str, str]],
        changed: Callable[[], None],
    ) -> None:
        self.known = Known(problem="The program rsclass has not answered yet; try again.")
        self.environment = environment
        self._setting = setting
        self._changed = changed

    def locate(self) -> str:
        """Where it is; if nowhere, that becomes the problem."""
        try:
            return find(self._setting())
        except QgsProcessingException as error:
            self.learn(Known(problem=str(error)))
            return ""

    def learn(self, known: Known) -> None:
        """Take what it has told."""
        before, self.known = self.known, known
        if before != known:
            self._changed()

    def look(self) -> None:
        """Find it, and ask it unless it has told already; waits for the answer."""
        path = self.locate()
        if path:
            self.learn(recall(path) or ask(path))

    def problem(self) -> str:
        """Why it cannot be used, looked at anew: it may have been installed meanwhile."""
        if self.known.problem or not self.known.current:
            self.look()
        return self.known.problem

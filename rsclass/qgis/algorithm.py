"""What all algorithms share: a command of rsclass with parameters for its flags."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple, Optional

from qgis.core import (
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputFile,
    QgsProcessingOutputNumber,
    QgsProcessingOutputString,
    QgsProcessingParameterDefinition,
)
from qgis.PyQt.QtCore import QUrl
from qgis.PyQt.QtGui import QIcon

from . import parameters
from .bridge import call
from .legend import show_legend
from .program import Known, Program
from .request import Flag, Request

__all__ = ["FOLDER", "ICON", "Algorithm"]

FOLDER = os.path.dirname(__file__)
ICON = os.path.join(FOLDER, "icon.svg")
_HELP_PAGE = os.path.join(FOLDER, "help.html")

Figure = Callable[["dict[str, Any]"], Optional[float]]


class _Told(NamedTuple):
    """Something of the result that becomes an output."""

    name: str
    read: Callable[[dict[str, Any]], Any]


class Algorithm(QgsProcessingAlgorithm):  # type: ignore[misc]  # PyQGIS has no types
    """A command of rsclass.

    A subclass names the command and declares its parameters with :meth:`take`, its destinations
    with :meth:`put` and what it tells with :meth:`tell` and :meth:`tell_file`.

    Parameters
    ----------
    program : Program
        What runs it.
    """

    command = ""
    """The command, which is also the id unless :meth:`name` says otherwise."""

    title = ""
    section = ""
    about = ""
    """What it does, in HTML."""

    keywords: Sequence[str] = ()

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self._flags: dict[str, Flag] = {}
        self._places: dict[str, Flag] = {}
        self._maps: list[str] = []
        self._told: list[_Told] = []
        self._inputs: list[str] = []
        self._trouble: QgsProcessingException | None = None

    def createInstance(self) -> Any:
        """A fresh copy of this algorithm."""
        return type(self)(self.program)

    def name(self) -> str:
        """Its id."""
        return self.command

    def displayName(self) -> str:
        """Its name in the toolbox."""
        return self.title

    def group(self) -> str:
        """The heading above it in the toolbox."""
        return self.section

    def groupId(self) -> str:
        """The id of that heading."""
        return self.section.lower().replace(" ", "_").replace("-", "_")

    def tags(self) -> list[str]:
        """Words by which the search finds it."""
        return ["classification", "land cover", "rsclass", *self.keywords]

    def icon(self) -> Any:
        """The icon of rsclass."""
        return QIcon(ICON)

    def svgIconPath(self) -> str:
        """The same as a file."""
        return ICON

    def shortDescription(self) -> str:
        """Its first sentence."""
        return self.about.partition("\n")[0]

    def shortHelpString(self) -> str:
        """What it does, and what each parameter means."""
        lines = [f"<p>{paragraph}</p>" for paragraph in self.about.split("\n")]
        for definition in self.parameterDefinitions():
            if definition.help():
                name, meaning = definition.description(), definition.help()
                lines.append(f"<p><b>{_html(name)}</b>: {_html(meaning)}</p>")
        return "\n".join(lines)

    def helpUrl(self) -> str:
        """The section about it on the help page of the plugin."""
        url = QUrl.fromLocalFile(_HELP_PAGE)
        url.setFragment(self.command)
        return str(url.toString())

    def canExecute(self) -> tuple[bool, str]:
        """Whether there is a program that can do it, and if not, why."""
        problem = self.program.problem()
        return not problem, problem

    @property
    def known(self) -> Known:
        """What the program has told about itself."""
        return self.program.known

    def initAlgorithm(self, configuration: Any = None) -> None:
        """Declare the parameters; QGIS calls it once for each instance."""
        self.declare()

    def declare(self) -> None:
        """Declare parameters and outputs."""
        raise NotImplementedError

    def take(
        self, definition: Any, flag: Flag | None, meaning: str, *, advanced: bool = False
    ) -> None:
        """Declare an input.

        Parameters
        ----------
        definition : QgsProcessingParameterDefinition
        flag : Flag or None
            What it becomes on the command line; None where another parameter speaks for it.
        meaning : str
            Its help.
        advanced : bool, optional
            Whether it is hidden until it is asked for.
        """
        name = self._declare(definition, meaning, advanced)
        if flag is not None:
            self._flags[name] = flag

    def put(
        self,
        definition: Any,
        flag: Flag | None,
        meaning: str,
        *,
        shows_classes: bool = False,
        advanced: bool = False,
    ) -> None:
        """Declare a destination; ``shows_classes`` if it is a class map."""
        name = self._declare(definition, meaning, advanced)
        if flag is not None:
            self._places[name] = flag
        if shows_classes:
            self._maps.append(name)

    def _declare(self, definition: Any, meaning: str, advanced: bool) -> str:
        definition.setHelp(meaning)
        if advanced:
            kinds = QgsProcessingParameterDefinition
            # A model made before there was this parameter is not to lack it.
            flags = definition.flags() | kinds.FlagAdvanced | kinds.FlagOptional
            definition.setFlags(flags)
        name = str(definition.name())
        self.addParameter(definition)
        return name

    def tell(self, name: str, title: str, figure: Figure) -> None:
        """Declare a number that is read off the result; None leaves it out."""
        self.addOutput(QgsProcessingOutputNumber(name, title))
        self._told.append(_Told(name, figure))

    def tell_text(self, name: str, title: str, read: Callable[[dict[str, Any]], Any]) -> None:
        """Declare a text that is read off the result; None leaves it out."""
        self.addOutput(QgsProcessingOutputString(name, title))
        self._told.append(_Told(name, read))

    def tell_file(self, name: str, title: str, key: str) -> None:
        """Declare a file that rsclass writes beside the others, by its key in the result."""
        self.addOutput(QgsProcessingOutputFile(name, title))
        self._told.append(_Told(name, lambda result: result["files"].get(key)))

    def prepareAlgorithm(self, values: Any, context: Any, feedback: Any) -> bool:
        """Turn layers into files, in the thread that layers live in."""
        request = Request(self, values, context, feedback)
        try:
            self._inputs = self.arguments(request)
        except QgsProcessingException as error:
            self._trouble = error  # raised here, QGIS would tell no more than that there is one
        return True

    def arguments(self, request: Request) -> list[str]:
        """The command line without destinations."""
        words: list[str] = []
        for name, flag in self._flags.items():
            words += request.words(name, flag)
        return words

    def processAlgorithm(self, values: Any, context: Any, feedback: Any) -> dict[str, Any]:
        """Run the command."""
        if self._trouble is not None:
            raise self._trouble
        request = Request(self, values, context, feedback)
        places = self._destinations(request)
        words = list(self._inputs)
        for name, flag in self._places.items():
            if callable(flag):
                words += flag(request, places.get(name, ""))
            elif places.get(name):
                words += [flag, places[name]]
        try:
            result = self.work(words, places, request)
            for name in self._maps:
                show_legend(places.get(name, ""), self.legend(result), context)
            told = {one.name: one.read(result) for one in self._told}
        except (KeyError, IndexError, TypeError) as error:
            raise QgsProcessingException(
                f"The result of rsclass lacks {error}; if no additional flag asks for another"
                " result, plugin and program differ in version; upgrade the older one."
            ) from error
        return {**places, **{name: value for name, value in told.items() if value is not None}}

    def work(self, words: list[str], places: dict[str, str], request: Request) -> dict[str, Any]:
        """Have rsclass do the command, with what must be done before and after."""
        return self.rsclass([self.command, *words, "--overwrite"], request)

    def legend(self, result: dict[str, Any]) -> list[dict[str, Any]]:
        """The classes of the map that was made."""
        return list(result["classes"])

    def rsclass(self, words: list[str], request: Request) -> dict[str, Any]:
        """Have rsclass do something.

        Raises
        ------
        QgsProcessingException
            There is no rsclass, or it failed, or was stopped.
        """
        if self.known.problem:
            raise QgsProcessingException(self.known.problem)
        return call(self.known.path, words, request.feedback, self.program.environment())

    def _destinations(self, request: Request) -> dict[str, str]:
        """Where to write, by parameter; those that are not wanted are left out."""
        places = {}
        for definition in self.destinationParameterDefinitions():
            name = str(definition.name())
            read = self.parameterAsOutputLayer
            if definition.type() == "fileDestination":
                read = self.parameterAsFileOutput
            place = read(request.parameters, name, request.context)
            if place:
                places[name] = os.path.abspath(place)
        return places

    def take_writing(self) -> None:
        """Declare how a map is written, and the flags that have no parameter of their own."""
        self.take(
            parameters.choice("FORMAT", "Format", ["GTiff", "COG"], "GTiff"),
            "--format",
            "GeoTIFF, or Cloud Optimized GeoTIFF.",
            advanced=True,
        )
        self.take(
            parameters.creation_options("CREATE_OPTIONS", "Creation options"),
            _creation,
            "GDAL creation options of the map, such as COMPRESS=ZSTD|PREDICTOR=2.",
            advanced=True,
        )
        self.take_extra()

    def checkParameterValues(self, values: Any, context: Any) -> tuple[bool, str]:
        """Whether the values can be used, and if not, why."""
        return self.checked("", values, context)

    def checked(self, trouble: str, values: Any, context: Any) -> tuple[bool, str]:
        """What hinders the program, ``trouble``, or what QGIS itself finds wrong with the values.

        Without the program QGIS does not know the methods, and would call each of them wrong.
        """
        trouble = self.program.problem() or trouble
        if trouble:
            return False, trouble
        good, why = super().checkParameterValues(values, context)
        return bool(good), str(why)

    def take_extra(self) -> None:
        """Declare the flags that have no parameter of their own."""
        self.take(
            parameters.text("EXTRA", "Additional command-line flags"),
            Request.flags,
            f"Any other flag of 'rsclass {self.command} --help', as it would be typed.",
            advanced=True,
        )


def _html(text: str) -> str:
    return escape(text, quote=False)  # qgis_process shows the entities of quotes as they are


def _creation(request: Request, name: str) -> list[str]:
    options = [option.strip() for option in request.text(name).split("|")]
    return [word for option in options if option for word in ("--co", option)]

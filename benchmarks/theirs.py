"""What a user would run instead of rsclass, where it is installed."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from benchmarks.pairs import Absent, Contestant
from benchmarks.processes import output_of
from benchmarks.workplace import ROOT, Scene

SCRIPTS = Path(__file__).parent / "peers"
_OF_PYTHON = {"scikit-learn": "sklearn", "faiss": "faiss", "OpenCV": "cv2"}
_PROGRAMS = {
    "GRASS": ("grass", ("grass", "--version")),
    "SAGA": ("saga_cmd", ("saga_cmd", "--version")),
    "Orfeo ToolBox": ("otbcli_ImageClassifier", ("otbcli_ImageClassifier", "-version")),
}
NAMES = (*_PROGRAMS, *_OF_PYTHON)
_FIND = """
import importlib, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.import_module(name).__version__
        import rasterio
    except ImportError:
        found[name] = None
print(json.dumps(found))
"""


class Peers:
    """The peers of this machine.

    Parameters
    ----------
    python : str
        The interpreter that has rasterio, scikit-learn, faiss and OpenCV, as far as they are there.
    only : collection of str or None
        Names of those to run; None: all.

    Attributes
    ----------
    versions : dict of str to str or None
        Of each of :data:`NAMES`; None where it is not installed.
    """

    def __init__(self, python: str, only: Collection[str] | None = None) -> None:
        self.python = python
        found = json.loads(output_of([python, "-c", _FIND, *_OF_PYTHON.values()], ROOT))
        versions = {name: found[module] for name, module in _OF_PYTHON.items()}
        versions |= {name: _version(*how) for name, how in _PROGRAMS.items()}
        self.versions: dict[str, str | None] = {name: versions[name] for name in NAMES}
        self._wanted = set(NAMES if only is None else only)

    def contestant(self, name: str, scene: Scene) -> Contestant | Absent:
        """The peer that does the work ``name``, a key of :data:`WORKS`."""
        work = WORKS[name]
        if self.versions[work.peer] is None:
            return Absent(name, "not installed")
        if work.peer not in self._wanted:
            return Absent(name, "not run")
        out = scene.out(name)
        command = work.command(scene, out)
        python = (self.python,) if work.peer in _OF_PYTHON else ()
        return Contestant(name, scene, (*python, *command), out)


@dataclass(frozen=True)
class Work:
    """What one peer can do, and the command for a scene and a map."""

    peer: str
    command: Callable[[Scene, Path], tuple[str, ...]]


def _script(name: str, *arguments: object) -> tuple[str, ...]:
    return (str(SCRIPTS / name), *map(str, arguments))


def _grass(name: str, scene: Scene, *arguments: object) -> tuple[str, ...]:
    location = ("grass", "--tmp-location", str(scene.path), "--exec", "bash")
    return (*location, *_script(name, scene.path, *arguments))


def _bayes(scene: Scene, out: Path) -> tuple[str, ...]:
    model = bayes_model(scene)
    options = "?&gdal:co:COMPRESS=DEFLATE&gdal:co:TILED=YES"
    command = ("otbcli_ImageClassifier", "-in", str(scene.path), "-model", str(model))
    return (*command, "-out", f"{out}{options}", "uint8", "-ram", "512")


def bayes_model(scene: Scene) -> Path:
    """A normal Bayes model of the training squares; its training is not counted."""
    model = scene.folder / f"{scene.name}_bayes.txt"
    if not model.exists():
        command = ["otbcli_TrainImagesClassifier", "-io.il", str(scene.path)]
        command += ["-io.vd", str(scene.training(".shp")), "-sample.vfn", "class"]
        command += ["-sample.mt", "-1", "-sample.mv", "0", "-sample.vtr", "0"]
        command += ["-sample.bm", "0"]
        command += ["-classifier", "bayes", "-io.out", str(model), "-rand", "1"]
        output_of(command, scene.folder)
    return model


def _version(program: str, command: tuple[str, ...]) -> str | None:
    if shutil.which(program) is None:
        return None
    # Some print their version as an error.
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    said = done.stdout + done.stderr
    found = re.search(r"\d+\.\d+(\.\d+)*", said)
    return found.group() if found else "of unknown version"


WORKS = {
    "GRASS i.cluster + i.maxlik": Work("GRASS", lambda s, o: _grass("grass_kmeans.sh", s, o)),
    "GRASS i.gensig + i.maxlik": Work(
        "GRASS", lambda s, o: _grass("grass_maxlik.sh", s, s.training(".shp"), o)
    ),
    "scikit-learn k-means, sample": Work(
        "scikit-learn", lambda s, o: _script("sklearn_kmeans.py", "sample", s.path, o)
    ),
    "scikit-learn k-means, all pixels": Work(
        "scikit-learn", lambda s, o: _script("sklearn_kmeans.py", "all", s.path, o)
    ),
    "scikit-learn QDA": Work(
        "scikit-learn", lambda s, o: _script("sklearn_qda.py", s.path, s.training(".npz"), o)
    ),
    "faiss k-means, sample": Work(
        "faiss", lambda s, o: _script("faiss_kmeans.py", "sample", s.path, o)
    ),
    "faiss k-means, all pixels": Work(
        "faiss", lambda s, o: _script("faiss_kmeans.py", "all", s.path, o)
    ),
    "OpenCV k-means, all pixels": Work(
        "OpenCV", lambda s, o: _script("opencv_kmeans.py", s.path, o)
    ),
    "SAGA k-means, all pixels": Work(
        "SAGA", lambda s, o: ("bash", *_script("saga.sh", "kmeans", s.path, o))
    ),
    "SAGA ISODATA, all pixels": Work(
        "SAGA", lambda s, o: ("bash", *_script("saga.sh", "isodata", s.path, o))
    ),
    "SAGA maximum likelihood": Work(
        "SAGA",
        lambda s, o: ("bash", *_script("saga.sh", "maxlike", s.path, o, s.training(".shp"))),
    ),
    "Orfeo ToolBox bayes": Work("Orfeo ToolBox", _bayes),
}

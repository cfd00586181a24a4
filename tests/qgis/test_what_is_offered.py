"""Every algorithm explains itself, and methods get fields of the right kind without an edit."""

from __future__ import annotations

import ast
import configparser
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "rsclass" / "qgis"
pytestmark = pytest.mark.qgis


@pytest.fixture(scope="module")
def algorithms(qgs):
    pytest.importorskip("qgis.core")
    return qgs.processingRegistry().providerById("rsclass").algorithms()


def test_every_algorithm_has_help_icon_group_and_words_to_be_found_by(algorithms):
    page = (FOLDER / "help.html").read_text(encoding="utf-8")
    assert len(algorithms) >= 31
    for algorithm in algorithms:
        assert algorithm.displayName()
        assert algorithm.group()
        assert algorithm.groupId().isidentifier()
        assert len(algorithm.shortHelpString()) > 100
        assert algorithm.shortDescription()
        assert not algorithm.icon().isNull()
        assert Path(algorithm.svgIconPath()).is_file()
        assert len(algorithm.tags()) > 3
        address = urlparse(algorithm.helpUrl())
        assert Path(unquote(address.path)).is_file()
        assert f'id="{address.fragment}"' in page


def test_every_parameter_has_a_meaning_and_a_place_on_the_command_line(algorithms):
    source = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py"))
    lines = [line for line in source.splitlines() if "parameters." not in line]  # not declared
    for algorithm in algorithms:
        spoken_for = set(algorithm._flags) | set(algorithm._places)
        for definition in algorithm.parameterDefinitions():
            assert definition.help(), (algorithm.name(), definition.name())
            assert definition.name() == definition.name().upper()
            used = definition.name() in spoken_for
            read = any(f'"{definition.name()}"' in line for line in lines)
            assert used or read, (algorithm.name(), definition.name())


def test_what_is_optional_is_advanced_or_asked_for_at_first(algorithms):
    """At most nine fields before the advanced ones, outputs apart, but for methods' own."""
    for algorithm in algorithms:
        if algorithm.name().startswith("classify_"):
            continue
        seen = [
            definition.name()
            for definition in algorithm.parameterDefinitions()
            if not definition.isDestination() and not definition.flags() & definition.FlagAdvanced
        ]
        assert len(seen) <= 9, (algorithm.name(), seen)


def test_parameters_of_a_new_method_have_the_right_kinds(qgs):
    from qgis.core import QgsProcessingParameterDefinition as Definition
    from rsclass_qgis.program import Known, Program
    from rsclass_qgis.scenes import MethodAlgorithm

    def told(name: str, kind: str, default: object, **more: object) -> dict[str, object]:
        usual = {"low": None, "high": None, "choices": [], "unit": "", "optional": False}
        title = name.capitalize()
        own = {"name": name, "title": title, "type": kind, "default": default, "help": "how"}
        return {**own, **usual, **more}

    method = {
        "name": "brand-new",
        "title": "brand-new method",
        "help": "Something.",
        "paper": "Nobody 2030",
        "training": "none",
        "parameters": [
            told("n_classes", "integer", 9, low=2, high=50),
            told("random_state", "integer", 0),
            told("rate", "number", 1e-6, low=0, high=1),
            told("rounds", "integer", None, optional=True, unit="passes"),
            told("shape", "choice", "round", choices=["round", "square"]),
            told("fast", "boolean", True),
            told("note", "text", "as it is"),
        ],
    }
    program = Program(lambda: "", dict, lambda: None)
    program.known = Known(methods=[method])
    algorithm = MethodAlgorithm(program, method).create()
    assert algorithm.name() == "classify_brand_new"
    assert algorithm.displayName() == "Brand-new method"
    kinds = {
        name: algorithm.parameterDefinition(name)
        for name in ("CLASSES", "SEED", "RATE", "ROUNDS", "SHAPE", "FAST", "NOTE")
    }
    assert kinds["CLASSES"].defaultValue() == 9
    assert (kinds["RATE"].minimum(), kinds["RATE"].maximum()) == (0, 1)
    assert kinds["RATE"].dataType() == kinds["RATE"].Type.Double
    assert kinds["ROUNDS"].dataType() == kinds["ROUNDS"].Type.Integer
    assert kinds["ROUNDS"].flags() & Definition.FlagOptional
    assert kinds["ROUNDS"].description() == "Rounds (passes)"
    assert kinds["SHAPE"].options() == ["round", "square"]
    assert kinds["SHAPE"].usesStaticStrings()
    assert kinds["FAST"].type() == "boolean"
    assert kinds["NOTE"].type() == "string"


def test_only_values_that_the_user_changed_are_passed_on(qgs, samples):
    from qgis.core import QgsProcessingContext, QgsProcessingFeedback

    algorithm = qgs.processingRegistry().createAlgorithmById("rsclass:classify_isodata")
    given = {
        "INPUT": str(samples / "sentinel2.tif"),
        "MAX_STD": 0.4,  # as it is anyway
        "MIN_DISTANCE": 0.6,
        "SAMPLE": None,
        "SCALE": "standard",
        "START_CLASSES": 3,
    }
    assert algorithm.prepare(given, QgsProcessingContext(), QgsProcessingFeedback())
    words = algorithm._inputs
    settings = [words[place + 1] for place, word in enumerate(words) if word == "--set"]
    assert sorted(settings) == ["min_distance=0.6", "sample=none", "start_classes=3"]
    assert words[0] == str(samples / "sentinel2.tif")


def test_the_plugin_imports_pyqgis_and_the_standard_library_alone():
    for file in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            for name in names:
                top = name.partition(".")[0]
                known = top in sys.stdlib_module_names or top in ("qgis", "processing")
                assert known, f"{file.name} imports {name}"


def test_the_plugin_is_written_for_python_3_9():
    for file in FOLDER.glob("*.py"):
        text = file.read_text(encoding="utf-8")
        ast.parse(text, feature_version=(3, 9))
        assert "from __future__ import annotations" in text


def test_the_metadata_are_those_that_the_plugin_repository_asks_for():
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(FOLDER / "metadata.txt", encoding="utf-8")
    given = parser["general"]
    required = "name description version qgisMinimumVersion author email about tracker repository"
    for key in f"{required} homepage hasProcessingProvider icon license".split():
        assert given[key]
    assert (FOLDER / given["icon"]).is_file()
    assert given["hasProcessingProvider"] == "yes"
    assert "installed separately" in given["about"]
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{given["version"]}"\n' in project
    license_text = (FOLDER / "LICENSE").read_text(encoding="utf-8")
    assert "GNU GENERAL PUBLIC LICENSE" in license_text
    assert "Version 2, June 1991" in license_text

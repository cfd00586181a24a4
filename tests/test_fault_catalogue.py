"""Which faults rsclass answers for, and that each of them has a test that names it.

A fault is named by a test in its docstring or in the id of a parameter. ``tests/faults`` shows
each one as a user meets it: one clear sentence, the exit code, no partial file, the input
untouched. The tests of the layers show the same close to the code.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

FAULTS = {
    "F1": "a write that fails while the file is closed",
    "F2": "write errors swallowed by compression in threads",
    "F3": "files beyond 4 GB",
    "F4": "a crash that leaves a file which looks whole",
    "F5": "one open dataset shared by threads",
    "F6": "two writers of one file",
    "F7": "a dropped HTTP body that GDAL keeps",
    "F8": "overviews that average class numbers",
    "F9": "files beside an old map that speak of a new one",
    "F10": "flipped bits that TIFF does not notice",
    "R01": "NaN without a nodata value",
    "R02": "NaN and a nodata value",
    "R03": "infinity",
    "R04": "nodata in the data that is not declared",
    "R05": "a decimal nodata value that float32 cannot hold",
    "R06": "a nodata value beyond 2^53",
    "R07": "alpha and nodata both",
    "R08": "another nodata value in each band",
    "R09": "scale and offset, and a model of another scale",
    "R10": "no valid pixel",
    "R11": "a constant band",
    "R12": "fewer spectra than classes",
    "R13": "scenes of one row, one column, one pixel",
    "R14": "scenes of no pixel",
    "R15": "one band, hundreds of bands, thousands of bands",
    "R16": "complex numbers",
    "R17": "every type of numbers, and those beyond 2^53",
    "R18": "a color table",
    "R19": "no coordinate system",
    "R20": "a rotated grid",
    "R21": "a grid whose rows go north",
    "R22": "ground control points only",
    "R23": "files of another grid, place or system",
    "R24": "windows partly outside",
    "R25": "a file that was cut off",
    "R26": "a tile that cannot be decoded",
    "R27": "a file that is rewritten while it is read",
    "R28": "empty files, texts, folders",
    "R29": "a server that drops or refuses",
    "R30": "files that appear beside the input",
    "R31": "nodata kept in .aux.xml alone",
    "N01": "arithmetic in the file's own type",
    "N02": "more than 2^31 pixels",
    "N03": "small differences of large values",
    "N04": "distances by products of matrices",
    "N05": "sums that depend on tiles and threads",
    "W01": "arrays larger than their window",
    "W02": "numbers that the map's type cannot hold",
    "W03": "masked arrays",
    "W04": "misspelt creation options",
    "W05": "palettes of 16-bit maps",
    "W06": "overviews of a COG without a rule",
    "V01": "polygons in another coordinate system, or in none",
    "V02": "polygons beside the scene",
    "V03": "features without a shape",
    "V04": "polygons that cross themselves",
    "V05": "training features that contradict each other",
    "V06": "polygons smaller than a pixel",
    "V07": "names and numbers as classes",
    "V08": "missing and odd labels, one class only",
    "V09": "coordinates that cannot be transformed",
    "V10": "lost parts of a shapefile",
    "P01": "an output that cannot be",
    "P02": "the input as output",
    "P03": "an output that exists",
    "P04": "a full disk",
    "P05": "Ctrl-C",
    "P06": "SIGTERM",
    "P07": "kill -9, and what it leaves",
    "P08": "too little memory",
    "P09": "two runs with one output",
    "P10": "odd names of files",
    "P11": "names that look like addresses",
    "P12": "names that are no text",
    "P13": "locales, line ends, byte-order marks, time zones",
    "H01": "a tiny file that claims a trillion pixels",
    "H02": "a tiny file that claims one huge tile",
    "H03": "huge scenes in small files",
    "H04": "virtual rasters that point elsewhere",
    "H05": "virtual rasters of raw bytes",
    "H06": "virtual rasters that reach into the network",
    "H07": "virtual rasters that carry code",
    "H08": "names that are XML",
    "H09": "pickles as models",
    "H10": "arrays of objects",
    "H11": "archives that expand",
    "H12": "damaged models",
    "H13": "markup in names",
    "H14": "formulas in tables",
}

ELSEWHERE = {
    "H15": "foreign requests: of the app, which does not exist yet",
}

_ID = re.compile(r"\b[FRNWVPH]\d{1,2}\b")


def named_by(function: ast.FunctionDef) -> set[str]:
    """The faults that a test names in its docstring and decorators."""
    texts = [ast.get_docstring(function) or ""]
    for decorator in function.decorator_list:
        nodes = ast.walk(decorator)
        texts += [
            n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
    return {name for text in texts for name in _ID.findall(text)}


def named_faults() -> set[str]:
    """The faults that some test names."""
    found: set[str] = set()
    for path in Path(__file__).parent.rglob("test_*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
        found.update(*(named_by(f) for f in functions if f.name.startswith("test_")))
    return found


def test_every_fault_has_a_test() -> None:
    assert sorted(set(FAULTS) - named_faults()) == []


def test_what_is_tested_is_not_excused() -> None:
    assert sorted(set(ELSEWHERE) & (set(FAULTS) | named_faults())) == []


def test_the_list_has_no_gap() -> None:
    known = set(FAULTS) | set(ELSEWHERE)
    for letter in {name[0] for name in known}:
        numbers = sorted(int(name[1:]) for name in known if name[0] == letter)
        assert numbers == list(range(1, len(numbers) + 1)), letter


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('def test_a():\n    """R01, H2: and more."""', {"R01", "H2"}),
        ('@mark(param(1, id="P05-twice"))\ndef test_a():\n    pass', {"P05"}),
        ('def test_a():\n    """Band B04 and RR01."""\n    x = "R02"  # R03', set()),
    ],
)
def test_a_fault_counts_only_where_a_test_names_it(source: str, expected: set[str]) -> None:
    [function] = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    assert named_by(function) == expected

"""A folder of inputs and one of outputs, and what a call of the command line did to them."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from rsclass.cli.main import main

Content = dict[str, bytes]

FEW = ("-m", "kmeans", "-k", "3")
CALM = ("--no-report", "--progress", "none")
BESIDE_MAP = {"map.tif", "map.tif.aux.xml", "map.qml", "map.stats.json", "map.stats.csv"}
OF_CLASSIFY = BESIDE_MAP | {"map.safetensors"}


def content(folder: Path) -> Content:
    """Every file below ``folder`` with its bytes; of a link, where it leads."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(folder))] = os.fsencode(os.readlink(path))
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


@dataclass(frozen=True)
class Ended:
    """How a call ended, and what lay in the two folders before and after."""

    code: int
    out: str
    err: str
    inputs: tuple[Content, Content]
    outputs: tuple[Content, Content]

    def refused(self, code: int, *facts: str) -> None:
        """One sentence with these facts, that exit code, and not a byte changed anywhere."""
        errors = [line for line in self.lines if not line.startswith("rsclass: warning: ")]
        assert self.code == code, self.err
        assert len(errors) == 1, self.err
        assert errors[0].startswith("rsclass: ")
        assert errors[0].endswith((".", "?"))
        assert "Traceback" not in self.err
        assert self.out == ""
        for fact in facts:
            assert fact in errors[0], f"{fact!r} is not said in: {errors[0]}"
        assert self.inputs[0] == self.inputs[1]
        assert self.outputs[0] == self.outputs[1]

    def done(self, *warnings: str, files: set[str] = OF_CLASSIFY) -> None:
        """Exit code 0, these warnings and no other, exactly these files, the inputs untouched."""
        assert self.code == 0, self.err
        assert len(self.lines) == len(warnings), self.err
        for line, fact in zip(self.lines, warnings, strict=True):
            assert line.startswith("rsclass: warning: ")
            assert fact in line, f"{fact!r} is not said in: {line}"
        assert set(self.outputs[1]) == set(self.outputs[0]) | files
        assert self.inputs[0] == self.inputs[1]

    @property
    def lines(self) -> list[str]:
        """What was said on stderr."""
        return self.err.splitlines()


class Workplace:
    """Runs the command line on ``inputs``, with outputs in ``outputs``.

    Parameters
    ----------
    folder : Path
    capfd : CaptureFixture
        Catches what C libraries print, too.
    """

    def __init__(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        self.inputs, self.outputs = folder / "in", folder / "out"
        self.inputs.mkdir()
        self.outputs.mkdir()
        self.map = self.outputs / "map.tif"
        self._capfd = capfd

    def run(self, *args: Any) -> Ended:
        """Run ``rsclass`` in this process."""
        before = content(self.inputs), content(self.outputs)
        self._capfd.readouterr()
        code = main([str(arg) for arg in args])
        told = self._capfd.readouterr()
        return self._ended(code, told.out, told.err, before)

    def classify(self, *args: Any) -> Ended:
        """Make a map of three classes, silently."""
        return self.run("classify", *self.usual, *args)

    def predict(self, model: Path, *args: Any) -> Ended:
        """Apply ``model``, silently."""
        return self.run("predict", *CALM, "-o", self.map, model, *args)

    @property
    def usual(self) -> tuple[Any, ...]:
        """The flags of :meth:`classify`."""
        return (*FEW, *CALM, "-o", self.map)

    def start(self, *args: Any, **options: Any) -> subprocess.Popen[str]:
        """Start ``rsclass`` in a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "rsclass", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="surrogateescape",
            **options,
        )

    def run_apart(self, *args: Any, **options: Any) -> Ended:
        """Run ``rsclass`` in a process of its own."""
        before = content(self.inputs), content(self.outputs)
        process = self.start(*args, **options)
        out, err = process.communicate(timeout=120)
        return self._ended(process.returncode, out, err, before)

    def _ended(self, code: int, out: str, err: str, before: tuple[Content, Content]) -> Ended:
        after = content(self.inputs), content(self.outputs)
        folders = zip(before, after, strict=True)
        return Ended(code, out, err, *folders)

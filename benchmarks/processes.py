"""Commands as processes of their own, and what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CommandError", "Usage", "measured", "output_of"]

_LAUNCH = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launch.py")))


@dataclass(frozen=True)
class Usage:
    """What one run of a command cost.

    Parameters
    ----------
    wall : float
        Seconds from start to end.
    cpu : float
        Seconds of all processors, of the command and of all that it started and waited for.
    peak : int
        Bytes of resident memory of the largest process among them.
    """

    wall: float
    cpu: float
    peak: int


class CommandError(RuntimeError):
    """A command that had to succeed did not, or made something wrong.

    Parameters
    ----------
    message : str
    code : int
        Exit code; 0 where the command itself found no fault.
    """

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


def measured(command: Sequence[str], folder: Path) -> Usage:
    """Run ``command`` in ``folder``.

    Raises
    ------
    CommandError
        It ended with another exit code than 0; with the last lines that it said.
    """
    with tempfile.TemporaryDirectory() as aside:
        report = Path(aside) / "cost.json"
        output_of([*_LAUNCH, str(report), *command], folder)
        return Usage(**json.loads(report.read_text()))


def output_of(command: Sequence[str], folder: Path) -> str:
    """What ``command`` prints; it is not measured.

    Raises
    ------
    CommandError
        It ended with another exit code than 0.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip().splitlines()[-15:]
        called = " ".join(command).removeprefix(" ".join(_LAUNCH) + " ")
        last = "\n".join(f"    {line}" for line in said)
        raise CommandError(
            f"{called} ended with exit code {done.returncode}:\n{last}", done.returncode
        )
    return done.stdout


def _environment() -> dict[str, str]:
    """What a user has: compiled bytecode is kept; Orfeo ToolBox does not chat."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "OTB_LOGGER_LEVEL": "WARNING"}

"""The commands of docs/qgis.md do what the page says, in the folder of the samples."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

PAGE = (ROOT / "docs" / "qgis.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_commands_of_qgis_process(qgis_process, samples: Path, tmp_path: Path) -> None:
    (script,) = (block for block in _blocks("sh") if "qgis_process" in block)
    command = tmp_path / "bin" / "qgis_process"  # Debian 12's own fails in every call
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {qgis_process.program} "$@"\n')
    command.chmod(0o755)
    done = subprocess.run(
        ["sh", "-e", "-c", script],
        cwd=samples,
        env={**qgis_process.environment, "PATH": f"{command.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for name in ("clusters.tif", "names.csv", "landcover.tif", "accuracy.html"):
        assert (samples / name).is_file()
    accuracy = re.search(r"OVERALL_ACCURACY:\t(\S+)", done.stdout)
    assert accuracy is not None
    assert 0.7 < float(accuracy[1]) <= 1


def test_the_script(
    qgs, samples: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (script,) = _blocks("python")
    # Tests of finding the program leave the provider with another one.
    qgs.processingRegistry().providerById("rsclass")._look()
    monkeypatch.chdir(samples)
    exec(script, {})  # noqa: S102  it is ours
    assert re.search(r"8 classes in .*cover\.tif", capsys.readouterr().out)


def test_every_picture_is_there_and_small() -> None:
    pictures = re.findall(r"\]\((images/[^)]+)\)", PAGE)
    assert len(pictures) == 6
    for picture in pictures:
        assert (ROOT / "docs" / picture).stat().st_size < 300_000

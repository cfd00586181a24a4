"""The examples run, and so do the tutorial's commands and the README's lines of Python."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import rasterio

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("example", sorted(path.name for path in (ROOT / "examples").glob("*.py")))
def test_an_example_runs(example: str, tmp_path: Path):
    runpy.run_path(str(ROOT / "examples" / example))["main"](tmp_path)
    assert list(tmp_path.glob("*.tif"))


def test_the_python_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shutil.copytree(ROOT / "data_samples", tmp_path / "data_samples")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})  # noqa: S102 - our own text
    assert (tmp_path / "again.tif").exists()


def blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of the fenced blocks of a page."""
    return re.findall(r"```(\w+)\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


def words(text: str) -> list[str]:
    """Words of a printed table; numbers differ in the last digits between processors."""
    return re.findall(r"[a-z][a-z'-]*", text)


def test_the_tutorial_prints_what_it_says(tmp_path: Path):
    """Its commands are run in one shell, as a reader would, and its Python in another process."""
    for folder in ("data_samples", "examples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    python, lines = Path(sys.executable), []
    for language, text in blocks(ROOT / "docs" / "tutorial.md"):
        if language == "sh":
            lines.append(text)
        elif language == "python":
            lines.append(f"{python.name} - <<'END'\n{text}END\n")
    run = subprocess.run(
        ["/bin/bash", "-e"],
        input="".join(lines),
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{python.parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    printed = " ".join(words(run.stdout))
    shown = [text for language, text in blocks(ROOT / "docs" / "tutorial.md") if language == "text"]
    assert shown
    assert all(" ".join(words(text)) in printed for text in shown)
    estimate = re.search(r"Overall accuracy ([\d.]+) ± ([\d.]+)", run.stdout)
    with (
        rasterio.open(tmp_path / "tutorial" / "supervised.tif") as a,
        rasterio.open(tmp_path / "data_samples" / "sentinel2_truth.tif") as b,
    ):
        shown_codes, true_codes = a.read(1), b.read(1)
    seen = (shown_codes > 0) & (true_codes > 0)
    right = (shown_codes == true_codes)[seen].mean()
    # Two half-widths of 95 %: one sample in ten thousand lies beyond.
    assert abs(float(estimate[1]) - right) < 2 * float(estimate[2])

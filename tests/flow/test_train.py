"""A model that is trained alone is written as carefully as a map."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(os.name == "nt", reason="file limits are POSIX")
def test_a_model_that_does_not_fit_on_the_disk_ends_with_6_and_leaves_nothing(
    small_scene: Path, tmp_path: Path
):
    """P04."""
    import resource

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    flags = ["-m", "kmeans", "-k", "3", "--progress", "none", "-o", tmp_path / "m.safetensors"]
    ended = subprocess.run(
        [sys.executable, "-B", "-m", "rsclass", "train", *flags, small_scene],
        capture_output=True,
        text=True,
        preexec_fn=little_room,
        timeout=60,
    )
    assert ended.returncode == 6, ended.stderr
    assert "the disk was full before" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []

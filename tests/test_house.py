"""The layout of the code is what docs/architecture.md says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_each_floor_imports_only_those_below():
    pytest.importorskip("importlinter")
    command = [str(Path(sys.executable).with_name("lint-imports"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_engine_of_the_catalogue_keeps_the_contract():
    from rsclass.engines.base import Engine
    from rsclass.engines.catalogue import engine_class, method_names

    for method in method_names():
        engine = engine_class(method)
        assert issubclass(engine, Engine)
        assert engine.method == method
        assert set(engine.parameters) == set(engine().get_params())
        assert engine.title
        assert engine.paper

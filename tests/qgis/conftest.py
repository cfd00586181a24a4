"""QGIS for the tests of the plugin: a profile of its own, and the plugin as users install it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "data_samples"
PLUGIN = "rsclass_qgis"
QGIS_PYTHON = "/usr/share/qgis/python/plugins"


def find_program() -> Path | None:
    """The rsclass to be tested, in the environment of its own that it has."""
    named = os.environ.get("RSCLASS_EXECUTABLE")
    program = Path(named) if named else ROOT / ".venv" / "bin" / "rsclass"
    return program if program.exists() else None


def copy_plugin(folder: Path) -> Path:
    """The plugin as ``folder/rsclass_qgis``."""
    return Path(
        shutil.copytree(
            ROOT / "rsclass" / "qgis",
            folder / PLUGIN,
            ignore=shutil.ignore_patterns("__pycache__"),
        )
    )


def qgis_environment(folder: Path, **more: str) -> dict[str, str]:
    """Variables for a QGIS with its own profile below ``folder`` and nothing of this process.

    With a PATH that has another Python first, QGIS would load that one and find no PyQGIS.
    """
    run = folder / "xdg"
    run.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(run),
        "QGIS_CUSTOM_CONFIG_PATH": str(folder / "profile"),
        **more,
    }


@dataclass(frozen=True)
class QgisProcess:
    """``qgis_process`` with a profile in which the plugin is switched on."""

    program: str
    environment: dict[str, str]

    def start(self, *arguments: str, **more: Any) -> subprocess.Popen[str]:
        environment = {**self.environment, **more.pop("env", {})}
        return subprocess.Popen(
            [self.program, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            **more,
        )

    def __call__(self, *arguments: str, **more: Any) -> tuple[int, str]:
        """Exit code, and all that it says."""
        process = self.start(*arguments, **more)
        said, _ = process.communicate(timeout=120)
        return process.returncode, said


@pytest.fixture(scope="session")
def program() -> Path:
    """The rsclass that the plugin starts."""
    found = find_program()
    if found is None:
        pytest.skip("rsclass is not installed; run `make test-qgis`, or set RSCLASS_EXECUTABLE")
    return found


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of plugins that holds this one."""
    folder = tmp_path_factory.mktemp("plugins")
    copy_plugin(folder)
    return folder


@pytest.fixture(scope="session")
def qgis_process(
    tmp_path_factory: pytest.TempPathFactory, plugins: Path, program: Path
) -> QgisProcess:
    """``qgis_process``, which has listed the algorithms once."""
    found = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if found is None:
        pytest.skip("qgis_process is not installed")
    environment = qgis_environment(
        tmp_path_factory.mktemp("process"),
        QGIS_PLUGINPATH=str(plugins),
        RSCLASS_EXECUTABLE=str(program),
    )
    process = QgisProcess(found, environment)
    code, said = process("plugins", "enable", PLUGIN)
    assert code == 0, said
    return process


@pytest.fixture(scope="session")
def qgs(tmp_path_factory: pytest.TempPathFactory, plugins: Path, program: Path) -> Iterator[Any]:
    """One QGIS without windows for all tests that use PyQGIS, with the provider."""
    core = pytest.importorskip("qgis.core")
    for folder in (QGIS_PYTHON, str(plugins)):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    profile = tmp_path_factory.mktemp("profile")
    os.environ.update(
        QT_QPA_PLATFORM="offscreen",
        QGIS_CUSTOM_CONFIG_PATH=str(profile),
        RSCLASS_EXECUTABLE=str(program),
    )
    application = core.QgsApplication([], False, str(profile))
    application.initQgis()
    from processing.core.Processing import Processing

    Processing.initialize()
    from rsclass_qgis.provider import RsclassProvider

    provider = RsclassProvider()
    assert application.processingRegistry().addProvider(provider)
    yield application
    application.processingRegistry().removeProvider(provider)
    core.QgsProject.instance().clear()
    application.exitQgis()


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """The sample scenes in a folder whose name has a space and an accent."""
    folder = tmp_path / "scènes of ours"
    folder.mkdir()
    for file in SAMPLES.glob("*.*"):
        if file.suffix != ".py":
            shutil.copy(file, folder)
    return folder

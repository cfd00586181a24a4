"""``rsclass qgis install`` and ``uninstall``, as QGIS and Qt see what they leave."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import PLUGIN

from rsclass.io.qt_settings import changed, value_in

KEY = ("Processing", "Configuration/RSCLASS_EXECUTABLE")
VALUES = (
    "/usr/local/bin/rsclass",
    "/opt/my tools/rsclass",
    "/home/Zoé/été 1é2/rsclass",
    "/data/𝔐/中文/rsclass",
    r"C:\Users\Zoë\AppData\Roaming\Python\Scripts\rsclass.exe",
    r"\\server\share\x41\rsclass.exe",
    'a "quoted"; name=1, 2',
    "@here",
    "%20",
)


@pytest.fixture
def ini(tmp_path: Path) -> Path:
    return tmp_path / "QGIS3.ini"


@pytest.mark.parametrize("value", VALUES)
def test_qt_reads_what_is_written_and_the_other_way_round(ini: Path, value: str) -> None:
    core = pytest.importorskip("qgis.PyQt.QtCore")
    ini.write_bytes(changed(b"[UI]\na=1\n", {KEY: value}))
    settings = core.QSettings(str(ini), core.QSettings.Format.IniFormat)
    assert settings.value("/".join(KEY)) == value
    assert settings.value("UI/a") == "1"
    ini.unlink()
    settings = core.QSettings(str(ini), core.QSettings.Format.IniFormat)
    settings.setValue("/".join(KEY), value)
    settings.sync()
    assert value_in(ini.read_bytes(), KEY) == value


def test_a_qgis_that_runs_keeps_what_is_changed_meanwhile(ini: Path) -> None:
    """Qt writes its own changes into the file as it then is, not the file it once read."""
    core = pytest.importorskip("qgis.PyQt.QtCore")
    running = core.QSettings(str(ini), core.QSettings.Format.IniFormat)
    running.setValue("UI/a", 1)
    running.sync()
    ini.write_bytes(changed(ini.read_bytes(), {KEY: "/new/rsclass"}))
    running.setValue("UI/b", 2)
    running.sync()
    content = ini.read_bytes()
    assert value_in(content, KEY) == "/new/rsclass"
    assert (value_in(content, ("UI", "a")), value_in(content, ("UI", "b"))) == ("1", "2")


@pytest.fixture
def at_home(tmp_path: Path, program: Path) -> Callable[..., str]:
    """Run a program as a user in whose environment nothing says where anything is."""
    home = tmp_path / "Zoé's home"
    (home / "run").mkdir(parents=True, mode=0o700)
    (home / "bin").mkdir()
    (home / "bin" / "rsclass").symlink_to(program)
    environment = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "QT_QPA_PLATFORM": "offscreen",
        "XDG_RUNTIME_DIR": str(home / "run"),
    }
    programs = {
        "rsclass": home / "bin" / "rsclass",
        "qgis": shutil.which("qgis_process.bin") or shutil.which("qgis_process"),
    }

    def run(name: str, *arguments: str | os.PathLike[str]) -> str:
        done = subprocess.run(
            [str(programs[name]), *map(str, arguments)],
            env=environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_after_install_qgis_has_the_algorithms_and_knows_the_program(
    at_home: Callable[..., str], tmp_path: Path, samples: Path
) -> None:
    told = at_home("rsclass", "qgis", "install")
    profile = tmp_path / "Zoé's home" / ".local/share/QGIS/QGIS3/profiles/default"
    assert str(profile / "python" / "plugins" / PLUGIN) in told
    out = tmp_path / "map.tif"
    words = (f"--INPUT={samples / 'sentinel2.tif'}", "--METHOD=kmeans", f"--OUTPUT={out}")
    at_home("qgis", "run", "rsclass:classify", *words)
    assert out.exists()
    at_home("rsclass", "qgis", "uninstall")
    assert "rsclass:classify" not in at_home("qgis", "list")

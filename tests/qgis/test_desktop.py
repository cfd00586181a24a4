"""The desktop of QGIS, with the plugin as a user unzips it and a program that it has to find."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import PLUGIN, SAMPLES

SECONDS = 300
SCREEN = "1600x1400x24"


@pytest.fixture(scope="module")
def home(program: Path) -> Iterator[Path]:
    """A new user's: the plugin unzipped into an empty profile, the program where pipx puts it."""
    home = Path(tempfile.mkdtemp(prefix="home-"))  # shorter in pictures than those of pytest
    profile = home / ".local" / "share" / "QGIS" / "QGIS3" / "profiles" / "default"
    plugins = profile / "python" / "plugins"
    plugins.mkdir(parents=True)
    archive = home / "plugin.zip"
    subprocess.run([program, "qgis", "zip", "-o", archive], check=True)
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(plugins)
    (home / ".local" / "bin").mkdir()
    (home / ".local" / "bin" / "rsclass").symlink_to(program)
    yield home
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def environment(home: Path) -> dict[str, str]:
    """That of a new session: nothing in it says where rsclass is."""
    run = home / "run"
    run.mkdir(mode=0o700)
    return {
        "HOME": str(home),
        "TMPDIR": str(run),  # a killed QGIS leaves its temporary files
        "PATH": "/usr/bin:/bin",
        "LC_ALL": "C.UTF-8",
        "XDG_RUNTIME_DIR": str(run),
    }


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """An X server without a screen."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", SCREEN, "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """What is worked on."""
    folder = Path(tempfile.mkdtemp(prefix="land cover-"))
    shutil.copy(SAMPLES / "sentinel2.tif", folder / "scène 1.tif")
    shutil.copy(SAMPLES / "sentinel2_reference.gpkg", folder / "reference.gpkg")
    shutil.copy(SAMPLES / "sentinel2_schema.json", folder / "schema.json")
    (folder / "stopped").mkdir()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def facts(home: Path, environment: dict[str, str], display: str, folder: Path) -> dict[str, Any]:
    """What was seen in the desktop; it has been killed, and this is what it left."""
    enabled = subprocess.run(
        [shutil.which("qgis_process.bin") or "qgis_process", "plugins", "enable", PLUGIN],
        env={**environment, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        check=False,
    )
    assert enabled.returncode == 0, enabled.stdout + enabled.stderr
    script = Path(__file__).with_name("desktop_steps.py")
    with (folder / "qgis.log").open("wb") as log:
        desktop = subprocess.Popen(
            [shutil.which("qgis.bin") or "qgis", "--nologo", "--noversioncheck", "--code", script],
            env={**environment, "DISPLAY": display, "DESKTOP_FOLDER": str(folder)},
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    written = folder / "facts.json"
    try:
        end = time.monotonic() + SECONDS
        while not written.exists() and desktop.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
    finally:
        desktop.send_signal(signal.SIGKILL)
        desktop.wait()
    assert written.exists(), (folder / "qgis.log").read_text(errors="replace")[-3000:]
    found: dict[str, Any] = json.loads(written.read_text(encoding="utf-8"))
    found["seconds to outlive"] = _outlived(found.get("children before kill", []))
    _keep_pictures(folder)
    assert "trouble" not in found, found["trouble"]
    return found


def _outlived(children: list[int]) -> float:
    """Seconds until none of these processes runs any more."""
    start = time.monotonic()
    while any(_runs(child) for child in children):
        assert time.monotonic() - start < 30, "rsclass outlives QGIS"
        time.sleep(0.02)
    return time.monotonic() - start


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _keep_pictures(folder: Path) -> None:
    """Copy what was seen to the folder of the pages, if asked to."""
    place = os.environ.get("SCREENSHOTS")
    if not place:
        return
    from qgis.PyQt.QtGui import QImage

    Path(place).mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.png")):
        smallest = 0
        assert QImage(str(path)).save(str(Path(place, path.name)), "PNG", smallest)


def test_the_toolbox_shows_every_group(facts: dict[str, Any]) -> None:
    groups = facts["toolbox"]
    assert "Classification" in groups
    assert {"K-means", "ISODATA"} <= set(groups["Unsupervised methods"])
    assert {"Random forest", "Maximum likelihood"} <= set(groups["Supervised methods"])


@pytest.mark.parametrize("run", ["classify", "supervised", "merge"])
def test_the_map_is_loaded_with_names_and_colors(
    facts: dict[str, Any], folder: Path, run: str
) -> None:
    seen = facts[run]
    told = Path(seen["source"]).with_suffix(".stats.json")
    classes = json.loads(told.read_text(encoding="utf-8"))["classes"]
    wanted = [{key: one[key] for key in ("value", "name", "color")} for one in classes]
    assert [one | {"color": one["color"].lower()} for one in wanted] == seen["classes"]
    _heading, *names = seen["legend"]
    assert names == [one["name"] for one in wanted]
    assert seen["expanded"]
    assert len({one["color"] for one in wanted}) == len(wanted)


def test_names_of_samples_are_names_of_classes(facts: dict[str, Any]) -> None:
    assert {"grassland", "water"} <= set(facts["supervised"]["legend"])


def test_a_schema_gives_its_colors(facts: dict[str, Any], folder: Path) -> None:
    schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    wanted = {one["name"]: one["color"].lower() for one in schema["classes"]}
    assert {one["name"]: one["color"] for one in facts["merge"]["classes"]} == wanted


def test_the_cancel_button_leaves_no_child_and_no_file(facts: dict[str, Any]) -> None:
    assert len(facts["children before cancel"]) == 1
    # A tenth of a second to hear the button, 0.25 to stop; the rest is for a busy machine.
    assert facts["seconds to cancel"] < 3
    assert facts["cancelled"]["files"] == []


def test_an_error_is_the_sentence_of_the_program(facts: dict[str, Any]) -> None:
    assert "no parameter 'restart'" in facts["failed"]["log"]
    assert "Traceback" not in facts["failed"]["log"]
    assert facts["failed"]["files"] == []


def test_a_killed_desktop_leaves_no_child_and_no_file(facts: dict[str, Any], folder: Path) -> None:
    assert len(facts["children before kill"]) == 1
    assert facts["seconds to outlive"] < 3
    assert list((folder / "stopped").iterdir()) == []

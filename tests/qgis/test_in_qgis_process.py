"""The plugin in qgis_process: lists, helps, runs, fails and stops as a command should."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core")
pytestmark = pytest.mark.qgis

CLASSIFY = ("run", "rsclass:classify_kmeans", "--CLASSES=4")


@pytest.fixture
def silent(tmp_path, program) -> Path:
    """A rsclass that answers questions, and says nothing at all while it classifies."""
    path = tmp_path / "silent"
    path.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        "if sys.argv[1] != 'classify':\n"
        f"    os.execv({str(program)!r}, [{str(program)!r}, *sys.argv[1:]])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))\n"
        "while os.read(0, 4096): pass\n"
        "sys.exit(130)\n"
    )
    path.chmod(0o755)
    return path


def wait_for(path: Path) -> str:
    end = time.monotonic() + 60
    while not (path.exists() and path.read_text()):
        assert time.monotonic() < end, f"{path} does not appear"
        time.sleep(0.02)
    return path.read_text()


def gone_after(number: int) -> float:
    """Seconds until the process has ended."""
    started = time.monotonic()
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() - started < 20, "the child lives on"
        time.sleep(0.01)
    return time.monotonic() - started


def test_all_commands_and_all_methods_are_listed(qgis_process, program):
    code, said = qgis_process("list")
    assert code == 0
    listed = {line.split("\t")[1] for line in said.splitlines() if line.startswith("\trsclass:")}
    told = subprocess.run(
        [program, "methods", "--json"], capture_output=True, text=True, check=True
    )
    methods = [method["name"] for method in json.loads(told.stdout)["methods"]]
    assert {f"rsclass:classify_{name.replace('-', '_')}" for name in methods} <= listed
    commands = "classify supervised train predict training merge suggest separate tidy edit sample"
    assert {f"rsclass:{name}" for name in f"{commands} assess compare".split()} <= listed


def test_the_help_tells_every_parameter(qgis_process):
    code, said = qgis_process("help", "rsclass:classify_isodata")
    assert code == 0
    for text in (
        "MAX_STD: ",
        "Deviation beyond which a class is split.",
        "MIN_CLASS_SIZE: ",
        "(pixels)",
        "Ball and Hall 1965; Tou and Gonzalez 1974",
        "OUTPUT: Class map",
    ):
        assert text in said


def test_a_run_gives_files_and_numbers_as_json(qgis_process, samples, tmp_path):
    output, report = tmp_path / "carte é 1.tif", tmp_path / "r é.html"
    code, said = qgis_process(
        "--json",
        *CLASSIFY,
        f"--INPUT={samples / 'sentinel2.tif'}",
        f"--OUTPUT={output}",
        f"--REPORT={report}",
    )
    assert code == 0, said
    result = json.loads(said[said.index("\n{") :])
    assert result["results"]["OUTPUT"] == str(output)
    assert result["results"]["CLASSES_FOUND"] == 4
    assert output.is_file()
    assert report.is_file()


def test_bad_input_is_one_sentence(qgis_process, samples, tmp_path):
    code, said = qgis_process(
        *CLASSIFY,
        f"--INPUT={samples / 'sentinel2.tif'}",
        "--MIN_CONFIDENCE=0.5",
        "--BANDS=3",
        "--EXTENT=0,1,0,1",
        f"--OUTPUT={tmp_path / 'x.tif'}",
    )
    assert code == 1
    assert "sentinel2.tif" in said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("x*"))


def test_an_old_map_is_replaced_with_all_that_belongs_to_it(qgis_process, samples, tmp_path):
    common = [f"--INPUT={samples / 'sentinel2.tif'}", f"--OUTPUT={tmp_path / 'm.tif'}"]
    assert qgis_process(*CLASSIFY, *common, "--EXTRA=--stac")[0] == 0
    assert (tmp_path / "m.stac.json").is_file()
    (tmp_path / "m.tif.vat.dbf").write_text("of another map")
    code, said = qgis_process(
        "run", "rsclass:classify_kmeans", "--CLASSES=3", "--EXTRA=--no-report", *common
    )
    assert code == 0, said
    assert "CLASSES_FOUND:\t3" in said
    assert (tmp_path / "m.qml").read_text().count("<paletteEntry") == 3
    assert not (tmp_path / "m.stac.json").exists()
    assert not (tmp_path / "m.tif.vat.dbf").exists()


def test_what_leaks_from_qgis_does_no_harm(qgis_process, samples, tmp_path):
    leaked = {
        "PYTHONHOME": "/usr",
        "PYTHONPATH": "/usr/lib/python3/dist-packages",
        "PROJ_LIB": "/usr/share/proj",
        "PROJ_DATA": "/usr/share/proj",
        "GDAL_DATA": "/usr/share/gdal",
    }
    maps = []
    for number, variables in enumerate(({}, leaked)):
        maps.append(tmp_path / f"{number}" / "map.tif")
        maps[-1].parent.mkdir()
        code, said = qgis_process(
            *CLASSIFY,
            f"--INPUT={samples / 'sentinel2.tif'}",
            f"--OUTPUT={maps[-1]}",
            env=variables,
        )
        assert code == 0, said
    from osgeo import gdal

    one, other = (gdal.Open(str(path)) for path in maps)
    assert (one.ReadAsArray() == other.ReadAsArray()).all()
    assert one.GetProjection() == other.GetProjection()
    assert "UTM" in one.GetProjection()
    assert maps[0].with_suffix(".qml").read_bytes() == maps[1].with_suffix(".qml").read_bytes()


@pytest.mark.parametrize("whole_group", [False, True], ids=["qgis alone", "Ctrl-C"])
def test_an_interrupt_stops_a_silent_child(qgis_process, samples, tmp_path, silent, whole_group):
    process = qgis_process.start(
        *CLASSIFY,
        f"--INPUT={samples / 'sentinel2.tif'}",
        f"--OUTPUT={tmp_path / 'x.tif'}",
        env={"RSCLASS_EXECUTABLE": str(silent)},
        start_new_session=True,
    )
    child = int(wait_for(tmp_path / "pid"))
    time.sleep(0.5)
    started = time.monotonic()
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    assert gone_after(child) < 1
    said, _ = process.communicate(timeout=30)
    assert time.monotonic() - started < 3
    assert process.returncode == 1
    assert "Cancelled." in said
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_killed_qgis_leaves_no_child(qgis_process, samples, tmp_path, number):
    """The real program, in the middle of work that would never end."""
    process = qgis_process.start(
        "run",
        "rsclass:classify_fuzzy",
        "--TOLERANCE=0",
        "--MAX_ITER=1000000",
        f"--INPUT={samples / 'sentinel2.tif'}",
        f"--OUTPUT={tmp_path / 'x.tif'}",
    )
    assert any("pass 2" in line for line in process.stdout)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    (child,) = (
        int(one) for one in children if "classify" in Path(f"/proc/{one}/cmdline").read_text()
    )
    process.send_signal(number)
    process.communicate(timeout=30)
    gone_after(child)
    assert not list(tmp_path.glob("x*"))


@pytest.mark.parametrize("trouble", ["missing", "not executable", "too old"])
def test_a_program_that_cannot_be_used_is_told_in_a_sentence(
    qgis_process, samples, tmp_path, trouble
):
    path = tmp_path / "rsclass"
    if trouble != "missing":
        path.write_text("#!/bin/sh\necho rsclass 0.0.1\n")
        path.chmod(0o755 if trouble == "too old" else 0o644)
    code, said = qgis_process(
        "run",
        "rsclass:classify",
        "--METHOD=kmeans",
        f"--INPUT={samples / 'sentinel2.tif'}",
        f"--OUTPUT={tmp_path / 'x.tif'}",
        env={"RSCLASS_EXECUTABLE": str(path)},
    )
    assert code == 1
    expected = {
        "missing": "does not exist",
        "not executable": "is no program that may be run",
        "too old": "needs 0.1.0 or newer",
    }
    assert expected[trouble] in said
    assert "Traceback" not in said


def test_the_setting_of_the_options_needs_no_variable(qgis_process, program, samples, tmp_path):
    profile = tmp_path / "profile"
    shutil.copytree(qgis_process.environment["QGIS_CUSTOM_CONFIG_PATH"], profile)
    settings = profile / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    with settings.open("a", encoding="utf-8") as file:
        file.write(f"\n[Processing]\nConfiguration\\RSCLASS_EXECUTABLE={program}\n")
    code, said = qgis_process(
        *CLASSIFY,
        f"--INPUT={samples / 'sentinel2.tif'}",
        f"--OUTPUT={tmp_path / 'm.tif'}",
        env={"RSCLASS_EXECUTABLE": "", "QGIS_CUSTOM_CONFIG_PATH": str(profile)},
    )
    assert code == 0, said
    assert (tmp_path / "m.tif").is_file()

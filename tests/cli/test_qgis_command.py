"""``rsclass qgis``: into a profile, out of it, and into an archive."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from calls import Caller

PLUGIN = "profiles/default/python/plugins/rsclass_qgis"
SETTINGS = "profiles/default/QGIS/QGIS3.ini"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where QGIS would keep its profiles."""
    monkeypatch.setenv("QGIS_CUSTOM_CONFIG_PATH", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def test_install_says_where_and_uninstall_leaves_the_profile_as_it_was(
    call: Caller, home: Path
) -> None:
    settings = home / SETTINGS
    settings.parent.mkdir(parents=True)
    before = b"[UI]\r\ngeometry=@ByteArray(\\x1\\xd9)\r\n\r\n[Processing]\r\na=1\r\n"
    settings.write_bytes(before)
    told = call("qgis", "install")
    assert (told.code, told.err) == (0, "")
    assert str(home / PLUGIN) in told.out
    assert str(settings) in told.out
    assert (home / PLUGIN / "metadata.txt").is_file()
    program = Path(sys.executable).with_name("rsclass")
    assert (
        settings.read_bytes()
        == before
        + (
            f"Configuration\\RSCLASS_EXECUTABLE={program}\r\n\r\n"
            "[PythonPlugins]\r\nrsclass_qgis=true\r\n"
        ).encode()
    )
    noted = settings.parents[1] / "rsclass" / "program.json"
    noted.parent.mkdir()
    noted.write_text("{}")  # by the plugin, when it had started the program
    told = call("qgis", "uninstall")
    assert told.code == 0
    assert not (home / PLUGIN).exists()
    assert not noted.parent.exists()
    assert settings.read_bytes() == before + b"\r\n[PythonPlugins]\r\n"


def test_the_result_tells_programs_what_was_done(call: Caller, home: Path) -> None:
    (home / "profiles" / "survey").mkdir(parents=True)
    data = call("qgis", "install", "--json").data
    assert data["path"] == data["files"]["plugin"] == str(home / PLUGIN)
    assert data["settings"] == [str(home / SETTINGS)]
    assert data["program"] == str(Path(sys.executable).with_name("rsclass"))
    assert data["other_profiles"] == ["survey"]
    assert call("qgis", "uninstall", "--json").data["removed"] is True
    assert call("qgis", "uninstall", "--json").data["removed"] is False


def test_a_profile_is_chosen_by_name_and_a_wrong_name_is_refused(call: Caller, home: Path) -> None:
    (home / "profiles" / "survey").mkdir(parents=True)
    assert call("qgis", "install", "--profile", "survey").code == 0
    assert [p.name for p in (home / "profiles").iterdir()] == ["survey"]
    told = call("qgis", "install", "--profile", "servey")
    assert told.code == 2
    assert "the profiles are survey" in told.err


def test_another_version_is_replaced_when_asked_to(call: Caller, home: Path) -> None:
    assert call("qgis", "install").code == 0
    (home / PLUGIN / "metadata.txt").write_text("[general]\nversion=0.0.9\n")
    told = call("qgis", "install")
    assert told.code == 4
    assert "holds version 0.0.9 of the plugin; add --overwrite" in told.err
    assert call("qgis", "install", "--overwrite").code == 0
    assert "0.0.9" not in (home / PLUGIN / "metadata.txt").read_text()


def test_the_archive_is_written_and_not_overwritten(call: Caller, tmp_path: Path) -> None:
    told = call("qgis", "zip", "--json")
    made = tmp_path / told.data["path"]
    assert made.name == f"rsclass_qgis-{told.data['version']}.zip"
    with zipfile.ZipFile(made) as packed:
        assert packed.testzip() is None
    assert call("qgis", "zip").code == 4
    assert call("qgis", "zip", "--overwrite").code == 0
    assert call("qgis", "zip", "-o", "own.zip").code == 0
    assert (tmp_path / "own.zip").read_bytes() == made.read_bytes()


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("qgis", "install", "-o", "x.zip"), "-o names the archive of zip"),
        (("qgis", "zip", "--profile", "default"), "--profile says where to install"),
        (("qgis", "remove"), "'remove' is not one of 'install', 'uninstall', 'zip'"),
        (("qgis",), "missing argument"),
    ],
)
def test_what_makes_no_sense_is_refused(
    call: Caller, args: tuple[str, ...], sentence: str, home: Path
) -> None:
    told = call(*args)
    assert told.code == 2
    assert sentence in told.err
    assert not home.exists()


def test_a_missing_program_is_told_before_anything_is_written(
    call: Caller, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sysconfig

    monkeypatch.setattr(sysconfig, "get_path", lambda *_: "/nowhere")
    told = call("qgis", "install")
    assert told.code == 2
    assert "the program rsclass is in none of /nowhere" in told.err
    assert not home.exists()

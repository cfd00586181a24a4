"""The profile of QGIS is found, and its settings are changed with care."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from rsclass.errors import DataError, OutputError, UsageError
from rsclass.io.qgis_profile import CONFIG_VARIABLE, find_profile

KEY = ("PythonPlugins", "rsclass_qgis")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("system", "variables", "home"),
    [
        ("linux", {"HOME": "~"}, "~/.local/share/QGIS/QGIS3"),
        ("linux", {"XDG_DATA_HOME": "~/data"}, "~/data/QGIS/QGIS3"),
        ("darwin", {"HOME": "~"}, "~/Library/Application Support/QGIS/QGIS3"),
        ("win32", {"APPDATA": "~/Roaming"}, "~/Roaming/QGIS/QGIS3"),
        ("linux", {CONFIG_VARIABLE: "~/own"}, "~/own"),
    ],
)
def test_every_system_has_its_place_for_profiles(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    system: str,
    variables: dict[str, str],
    home: str,
) -> None:
    for name in ("XDG_DATA_HOME", CONFIG_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", system)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("~", str(tmp_path)))
    profile = find_profile()
    folder = Path(home.replace("~", str(tmp_path))) / "profiles" / "default"
    assert profile.folder == folder
    assert profile.plugins == folder / "python" / "plugins"
    assert profile.settings == [folder / "QGIS" / "QGIS3.ini"]
    assert list(tmp_path.iterdir()) == []


def test_the_newest_qgis_of_the_user_is_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    for name in ("QGIS3", "QGIS4"):
        (tmp_path / "QGIS" / name).mkdir(parents=True)
    assert find_profile().settings == [
        tmp_path / "QGIS" / "QGIS4" / "profiles" / "default" / "QGIS" / "QGIS4.ini"
    ]


def test_the_profile_that_qgis_begins_with_is_taken(home: Path) -> None:
    for name in ("default", "été", "survey"):
        (home / "profiles" / name).mkdir(parents=True)
    (home / "profiles" / "profiles.ini").write_bytes(b"[core]\ndefaultProfile=\\xe9t\\xe9\n")
    profile = find_profile()
    assert profile.folder.name == "été"
    assert profile.others == ("default", "survey")
    assert find_profile("survey").folder.name == "survey"


def test_an_unknown_profile_is_refused_with_those_there_are(home: Path) -> None:
    (home / "profiles" / "default").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"no profile named 'survay' .* the profiles are default"):
        find_profile("survay")
    with pytest.raises(UsageError, match="there is no folder"):
        find_profile(str(home / "elsewhere" / "p"))


def test_a_profile_may_be_given_by_its_folder(home: Path) -> None:
    assert find_profile(f"{home}{os.sep}").folder == home


def test_settings_of_every_version_in_a_profile_are_changed(home: Path) -> None:
    settings = home / "profiles" / "default" / "QGIS"
    settings.mkdir(parents=True)
    for name in ("QGIS3.ini", "QGIS4.ini"):
        (settings / name).write_text("[UI]\na=1\n")
    find_profile().configure({KEY: "true"})
    for name in ("QGIS3.ini", "QGIS4.ini"):
        told = (settings / name).read_text()
        assert told == "[UI]\na=1\n\n[PythonPlugins]\nrsclass_qgis=true\n"


@pytest.mark.skipif(os.name != "posix", reason="rights and links of POSIX")
def test_rights_of_the_settings_and_a_link_to_them_are_kept(home: Path) -> None:
    real = home / "dotfiles.ini"
    real.write_text("[UI]\n")
    real.chmod(0o600)
    link = home / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    find_profile().configure({KEY: "true"})
    assert link.is_symlink()
    assert "rsclass_qgis=true" in real.read_text()
    assert real.stat().st_mode & 0o777 == 0o600


def test_taking_back_what_was_never_set_writes_nothing(home: Path) -> None:
    find_profile().configure({KEY: None})
    assert list(home.iterdir()) == []


def test_settings_that_cannot_be_read_or_written_are_one_sentence(home: Path) -> None:
    folder = home / "profiles" / "default" / "QGIS" / "QGIS3.ini"
    folder.mkdir(parents=True)
    with pytest.raises(DataError, match=r"the settings of QGIS in .*QGIS3.ini cannot be read"):
        find_profile().configure({KEY: "true"})
    (home / "profiles" / "other").write_text("a file where a folder should be")
    (home / "profiles" / "profiles.ini").write_text("[core]\ndefaultProfile=other\n")
    with pytest.raises((DataError, OutputError), match="the settings of QGIS in"):
        find_profile().configure({KEY: "true"})

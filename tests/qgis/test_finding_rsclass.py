"""The program is found where users have it, asked once, and refused in a sentence."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core")
pytestmark = pytest.mark.qgis


@pytest.fixture
def module(qgs, tmp_path, monkeypatch):
    """The module, with nothing installed and nothing asked yet."""
    from rsclass_qgis import program

    monkeypatch.delenv("RSCLASS_EXECUTABLE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(program, "_shelf", lambda: str(tmp_path / "profile" / "program.json"))
    return program


def write(path: Path, version: str = "9.9.9", more: str = "") -> str:
    """A program that answers as rsclass does, and counts how often."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"#!{sys.executable}\n"
        "import json, sys, time\n"
        f"open({str(path) + '.asked'!r}, 'a').write('x')\n"
        f"{more}\n"
        f"if '--version' in sys.argv: print('rsclass {version}')\n"
        "elif 'methods' in sys.argv: print(json.dumps({'methods': []}))\n"
        "else: print(json.dumps({'schemas': [{'name': 'simple8'}]}))\n",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return str(path)


def refusal(call, *arguments: str) -> str:
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException) as caught:
        call(*arguments)
    return str(caught.value)


def test_setting_goes_before_environment_path_and_usual_places(module, tmp_path, monkeypatch):
    usual = write(tmp_path / "home" / ".local" / "bin" / "rsclass")
    assert module.find("") == usual
    in_path = write(tmp_path / "bin" / "rsclass")
    assert module.find("") == in_path
    named = write(tmp_path / "my tools é" / "rs")
    monkeypatch.setenv("RSCLASS_EXECUTABLE", named)
    assert module.find("") == named
    chosen = write(tmp_path / "chosen")
    assert module.find(chosen) == chosen
    assert module.find("~/.local/bin/rsclass") == usual


def test_no_program_anywhere_is_one_sentence(module):
    said = refusal(module.find, "")
    assert said.startswith("The program rsclass was not found; install it with 'pipx install")
    assert "Settings > Options > Processing" in said


def test_a_wrong_place_is_named_and_never_passed_over(module, tmp_path, monkeypatch):
    write(tmp_path / "bin" / "rsclass")
    text = tmp_path / "text"
    text.write_text("no program")
    for path, trouble in (
        (str(tmp_path / "gone"), "does not exist"),
        (str(tmp_path), "is a folder"),
        (str(text), "is no program that may be run"),
    ):
        said = refusal(module.find, path)
        assert said.startswith(f"{path}, named by the setting RSCLASS_EXECUTABLE")
        assert trouble in said
        monkeypatch.setenv("RSCLASS_EXECUTABLE", path)
        assert "named by the environment variable" in refusal(module.find, "")


def test_an_old_program_is_told_to_be_old(module, tmp_path):
    known = module.ask(write(tmp_path / "old", version="0.0.9"))
    assert known.problem == (
        f"{tmp_path}/old is rsclass 0.0.9, and this plugin needs 0.1.0 or newer; upgrade it with"
        " 'pipx upgrade rsclass'."
    )


@pytest.mark.parametrize("version", ["0.1.0", "0.1.0.dev3", "0.10", "1.0.0rc1"])
def test_a_program_new_enough_is_taken(module, tmp_path, version):
    known = module.ask(write(tmp_path / "new", version=version))
    assert not known.problem
    assert known.version == version
    assert known.schemas == ["simple8"]


def test_another_program_is_not_taken_for_rsclass(module, tmp_path):
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho GDAL 3.6\n")
    other.chmod(0o755)
    assert "is not the program rsclass" in module.ask(str(other)).problem


def test_a_program_that_does_not_run_says_why(module, tmp_path):
    broken = write(tmp_path / "broken", more="import no_such_module")
    assert "No module named 'no_such_module'" in module.ask(broken).problem


def test_methods_that_are_told_otherwise_are_refused_before_any_field_is_made(module, tmp_path):
    path = tmp_path / "other"
    told = '{"methods": [{"name": "kmeans", "parameters": []}]}'
    path.write_text(f"""#!/bin/sh
case "$1" in
--version) echo rsclass 9.9 ;;
methods) echo '{told}' ;;
*) echo '{{"schemas": []}}' ;;
esac
""")
    path.chmod(0o755)
    said = module.ask(str(path)).problem
    assert "does not tell its methods as this plugin understands them ('help')" in said


def test_a_program_that_hangs_is_given_up(module, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS", 0.5)
    slow = write(tmp_path / "slow", more="time.sleep(60)")
    started = time.monotonic()
    assert "did not answer within 0.5 seconds" in module.ask(slow).problem
    assert time.monotonic() - started < 5


def test_a_program_is_asked_once_and_again_when_it_changes(module, tmp_path):
    path = write(tmp_path / "rsclass")
    asked = Path(f"{path}.asked")
    assert module.recall(path) is None
    known = module.ask(path)
    assert asked.read_text() == "xxx"
    assert module.recall(path) == known
    assert asked.read_text() == "xxx"
    os.utime(path, ns=(1, 1))
    assert module.recall(path) is None
    assert not known.current


def test_a_damaged_memory_is_as_good_as_none(module, tmp_path):
    path = write(tmp_path / "rsclass")
    module.ask(path)
    shelf = Path(module._shelf())
    for text in ("", "[]", "{}", '{"path": 3}', "\x00"):
        shelf.write_text(text)
        assert module.recall(path) is None


def test_a_profile_that_cannot_be_written_costs_nothing(module, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setattr(module, "_shelf", lambda: str(tmp_path / "file" / "program.json"))
    assert not module.ask(write(tmp_path / "rsclass")).problem


@pytest.fixture
def provider(module, qgs):
    """Makes a provider of its own beside that of the other tests."""
    from rsclass_qgis.provider import RsclassProvider

    class Second(RsclassProvider):
        def id(self) -> str:
            return "second"

    made = []

    def make(wait: bool):
        one = Second(wait)
        made.append(one)
        assert qgs.processingRegistry().addProvider(one)
        return one

    yield make
    for one in made:
        qgs.processingRegistry().removeProvider(one)


def until(qgs, ready) -> None:
    """Let the event loop run until something has come true."""
    end = time.monotonic() + 20
    while not ready():
        assert time.monotonic() < end
        qgs.processEvents()
        time.sleep(0.01)


def test_the_desktop_does_not_wait_for_a_slow_program(provider, qgs, tmp_path):
    write(tmp_path / "bin" / "rsclass", more="time.sleep(1)")
    started = time.monotonic()
    one = provider(wait=False)
    assert time.monotonic() - started < 0.5
    assert one.algorithm("tidy") is not None
    until(qgs, lambda: one.versionInfo() == "9.9.9")
    until(qgs, lambda: one.algorithm("merge").known.schemas == ["simple8"])
    assert one.algorithm("classify").canExecute() == (True, "")


def test_without_a_program_the_algorithms_say_how_to_get_one(provider, qgs, tmp_path):
    one = provider(wait=False)
    good, why = one.algorithm("classify").canExecute()
    assert not good
    assert why.startswith("The program rsclass was not found; install it")
    write(tmp_path / "bin" / "rsclass")  # the user does as told, and QGIS goes on running
    assert one.algorithm("classify").canExecute() == (True, "")
    until(qgs, lambda: one.algorithm("merge").parameterDefinition("SCHEMA").options())


def test_a_changed_setting_is_noticed(provider, qgs, tmp_path):
    from processing.core.ProcessingConfig import ProcessingConfig, settingsWatcher

    write(tmp_path / "bin" / "rsclass", version="1.0.0")
    other = write(tmp_path / "newer", version="2.0.0")
    one = provider(wait=True)
    assert one.versionInfo() == "1.0.0"
    ProcessingConfig.setSettingValue("RSCLASS_EXECUTABLE", other)
    try:
        settingsWatcher.settingsChanged.emit()
        until(qgs, lambda: one.versionInfo() == "2.0.0")
    finally:
        ProcessingConfig.setSettingValue("RSCLASS_EXECUTABLE", "")


def test_settings_of_the_machine_are_passed_on(provider, qgs):
    from processing.core.ProcessingConfig import ProcessingConfig
    from rsclass_qgis import provider as module

    provider(wait=False)
    ProcessingConfig.setSettingValue("RSCLASS_JOBS", " 2 ")
    try:
        assert module._environment() == {"RSCLASS_JOBS": "2"}
    finally:
        ProcessingConfig.setSettingValue("RSCLASS_JOBS", "")

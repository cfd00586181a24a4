"""How the program is started, heard and stopped, shown on programs that behave as none should."""

from __future__ import annotations

import os
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("qgis.core")
pytestmark = pytest.mark.qgis


class Listener:
    """What QGIS is told."""

    def __init__(self) -> None:
        self.said: list[tuple[str, object]] = []
        self.stopped = threading.Event()

    def isCanceled(self) -> bool:  # noqa: N802  as QGIS calls it
        return self.stopped.is_set()

    def __getattr__(self, name: str):
        if not name.startswith(("push", "set", "report")):
            raise AttributeError(name)
        return lambda value: self.said.append((name, value))

    def heard(self, name: str) -> list[object]:
        return [value for said, value in self.said if said == name]


@pytest.fixture
def bridge(qgs):
    from rsclass_qgis import bridge

    return bridge


@pytest.fixture
def script(tmp_path):
    """Writes a program in Python and gives its path."""

    def write(body: str) -> str:
        path = tmp_path / "rs class é"
        text = "import json, os, signal, sys, time\n" + textwrap.dedent(body)
        path.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return write


def failing(bridge, program: str, listener: Listener | None = None) -> str:
    """The sentence with which a run fails."""
    from qgis.core import QgsProcessingException

    with pytest.raises(QgsProcessingException) as caught:
        bridge.call(program, ["classify"], listener or Listener())
    return str(caught.value)


def test_events_become_progress_texts_and_messages(bridge, script):
    path = script(
        """
        def tell(**event): print(json.dumps(event), file=sys.stderr, flush=True)
        tell(event="progress", percent=10, message="sampling")
        tell(event="progress", percent=60.5, message="sampling")
        tell(event="info", message="é")
        tell(event="warning", message="few pixels")
        print("a library speaks", file=sys.stderr)
        print("[1, 2]", file=sys.stderr)
        tell(event="cancelled")
        print(json.dumps({"arguments": sys.argv[1:]}))
        """
    )
    listener = Listener()
    result = bridge.call(path, ["classify", "a b.tif"], listener)
    assert result["arguments"] == ["classify", "a b.tif", "--progress", "json", "--json"]
    assert listener.heard("setProgress") == [10, 60.5]
    assert listener.heard("setProgressText") == ["sampling"]
    assert listener.heard("pushInfo") == ["é"]
    assert listener.heard("pushWarning") == ["few pixels"]
    assert listener.heard("pushConsoleInfo") == ["a library speaks", "[1, 2]"]
    assert listener.heard("pushCommandInfo") == [f"'{path}' classify 'a b.tif'"]


@pytest.mark.parametrize("code", [2, 3, 4, 5, 6])
def test_the_childs_own_sentence_is_the_error(bridge, script, code):
    path = script(
        f"""
        print(json.dumps({{"event": "error", "message": "b.tif does not exist."}}), file=sys.stderr)
        sys.exit({code})
        """
    )
    assert failing(bridge, path) == "b.tif does not exist."


def test_an_unknown_flag_points_to_versions_that_differ(bridge, script):
    path = script(
        """
        print(json.dumps({"event": "error", "message": "there is no option --x."}), file=sys.stderr)
        sys.exit(2)
        """
    )
    said = failing(bridge, path)
    assert said.startswith("there is no option --x. If you did not ask for that yourself,")
    assert "differ in version" in said


def test_a_bug_asks_for_a_report(bridge, script):
    assert "please report" in failing(bridge, script("raise KeyError('lost')"))
    assert "KeyError: 'lost'" in failing(bridge, script("raise KeyError('lost')"))


def test_a_child_that_fails_without_a_word_is_told_so(bridge, script):
    assert failing(bridge, script("sys.exit(7)")) == (
        "rsclass failed (exit code 7) and did not say why."
    )


def test_an_unreadable_result_is_an_error(bridge, script):
    assert failing(bridge, script("print('done')")) == "rsclass returned an unreadable result."
    assert failing(bridge, script("print('[1]')")) == "rsclass returned an unreadable result."


def test_a_crash_is_told(bridge, script):
    said = failing(bridge, script("os.kill(os.getpid(), signal.SIGSEGV)"))
    assert said.startswith("rsclass stopped unexpectedly (signal or crash)")


def test_a_program_that_cannot_be_started_is_named(bridge, tmp_path):
    said = failing(bridge, str(tmp_path / "nowhere"))
    assert said.startswith(f"{tmp_path}/nowhere cannot be started: ")


def test_much_output_on_both_streams_blocks_nobody(bridge, script):
    path = script(
        """
        print(json.dumps({"text": "x" * 3_000_000}), flush=True)
        for line in range(20_000): print("y" * 60, file=sys.stderr)
        """
    )
    listener = Listener()
    assert len(bridge.call(path, [], listener)["text"]) == 3_000_000
    assert len(listener.heard("pushConsoleInfo")) == 20_000


def test_a_silent_child_is_stopped_at_once(bridge, script):
    listener = Listener()
    threading.Timer(0.5, listener.stopped.set).start()
    started = time.monotonic()
    assert failing(bridge, script("time.sleep(30)"), listener) == "Cancelled."
    assert time.monotonic() - started < 1.5


def test_a_child_that_ignores_signals_hears_the_end_of_its_input(bridge, script):
    path = script(
        """
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while os.read(0, 100): pass
        sys.exit(130)
        """
    )
    listener = Listener()
    listener.stopped.set()
    assert failing(bridge, path, listener) == "Cancelled."


def test_a_child_that_hears_nothing_is_killed(bridge, script, monkeypatch, tmp_path):
    monkeypatch.setattr(bridge, "_PATIENCE", 0.3)
    path = script(
        f"""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
        time.sleep(30)
        """
    )
    listener = Listener()
    threading.Timer(0.7, listener.stopped.set).start()
    assert failing(bridge, path, listener) == "Cancelled."
    number = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_stop_that_the_child_got_itself_is_a_stop(bridge, script):
    assert failing(bridge, script("sys.exit(130)")) == "Cancelled."


def test_the_environment_of_qgis_does_not_reach_the_child(bridge, script, monkeypatch):
    leaked = {
        "PYTHONHOME": "/nowhere",
        "PYTHONPATH": "/nowhere",
        "PYTHONSTARTUP": "/nowhere",
        "PROJ_LIB": "/nowhere",
        "PROJ_DATA": "/nowhere",
        "GDAL_DATA": "/nowhere",
        "GDAL_DRIVER_PATH": "/nowhere",
        "CPL_DEBUG": "ON",
        "GISBASE": "/nowhere",
        "LD_LIBRARY_PATH": "/nowhere",
        "QT_PLUGIN_PATH": "/nowhere",
        "VIRTUAL_ENV": "/nowhere",
        "SSL_CERT_FILE": r"C:\OSGeo4W\bin\curl-ca-bundle.crt",
    }
    path = script("print(json.dumps(dict(os.environ)))")
    for name, value in leaked.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("RSCLASS_JOBS", "3")
    seen = bridge.call(path, [], Listener(), {"RSCLASS_MAX_MEM": "1GiB"})
    assert not set(leaked) & set(seen)
    assert seen["RSCLASS_JOBS"] == "3"
    assert seen["RSCLASS_MAX_MEM"] == "1GiB"
    assert seen["RSCLASS_STOP_ON_STDIN_EOF"] == seen["PYTHONUTF8"] == "1"
    assert seen["PATH"] == os.environ["PATH"]


def test_certificates_of_the_users_own_are_kept(bridge, script, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "/etc/ours.pem")
    path = script("print(json.dumps(dict(os.environ)))")
    assert bridge.call(path, [], Listener())["SSL_CERT_FILE"] == "/etc/ours.pem"


def test_the_event_loop_lives_while_the_main_thread_waits(bridge, script):
    from qgis.PyQt.QtCore import QTimer

    listener = Listener()
    QTimer.singleShot(300, listener.stopped.set)
    started = time.monotonic()
    assert failing(bridge, script("time.sleep(30)"), listener) == "Cancelled."
    assert time.monotonic() - started < 1.5


def test_the_bridge_knows_no_more_of_qgis_than_its_error():
    source = Path(__file__).parents[2] / "rsclass" / "qgis" / "bridge.py"
    imported = [
        line for line in source.read_text(encoding="utf-8").splitlines() if "import" in line
    ]
    assert [line for line in imported if "qgis" in line] == [
        "from qgis.core import QgsProcessingException",
        "from qgis.PyQt.QtCore import QCoreApplication, QProcess, QProcessEnvironment, QThread",
    ]

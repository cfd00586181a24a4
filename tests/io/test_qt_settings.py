"""Single values of a settings file change; every other byte stays."""

from __future__ import annotations

import pytest

from rsclass.io.qt_settings import changed, value_in

PROGRAM = ("Processing", "Configuration/RSCLASS_EXECUTABLE")
PLUGIN = ("PythonPlugins", "rsclass_qgis")

# As QGIS 3.22 writes it, with a comment, a binary value and a section of the user's own.
WRITTEN = b"""[General]
projections\\defaultProjectionCrs=EPSG:4326

; mine
[Processing]
Configuration\\ACTIVATE_GRASS7=true
Configuration\\MAX_THREADS=2

[PythonPlugins]
processing=true

[UI]
geometry=@ByteArray(\\x1\\xd9\\xd0\\xcb\\0\\x3)
recent=/data/\\xe9t\\xe9.qgz, "/a,b.qgz"
"""


def test_a_new_value_stands_at_the_end_of_its_section() -> None:
    new = changed(WRITTEN, {PROGRAM: "/opt/rs/bin/rsclass", PLUGIN: "true"})
    assert new == WRITTEN.replace(
        b"MAX_THREADS=2\n",
        b"MAX_THREADS=2\nConfiguration\\RSCLASS_EXECUTABLE=/opt/rs/bin/rsclass\n",
    ).replace(b"processing=true\n", b"processing=true\nrsclass_qgis=true\n")


def test_an_old_value_is_replaced_in_its_place_and_taken_out_without_a_trace() -> None:
    once = changed(WRITTEN, {PROGRAM: "/old/rsclass"})
    twice = changed(once, {PROGRAM: "/new/rsclass"})
    assert twice == once.replace(b"/old/", b"/new/")
    assert changed(twice, {PROGRAM: None, PLUGIN: None}) == WRITTEN


def test_a_file_without_the_section_gets_it_and_an_empty_one_too() -> None:
    assert changed(b"[UI]\na=1", {PLUGIN: "true"}) == (
        b"[UI]\na=1\n\n[PythonPlugins]\nrsclass_qgis=true\n"
    )
    assert changed(b"", {PLUGIN: "true"}) == b"[PythonPlugins]\nrsclass_qgis=true\n"


def test_the_same_key_of_another_section_is_not_touched() -> None:
    other = b"[Other]\nrsclass_qgis=false\n"
    assert changed(other, {PLUGIN: None}) == other
    assert value_in(other, PLUGIN) is None


def test_lines_end_as_they_did() -> None:
    windows = WRITTEN.replace(b"\n", b"\r\n")
    new = changed(windows, {PROGRAM: "/opt/rsclass"})
    assert new.count(b"\n") == new.count(b"\r\n") == windows.count(b"\n") + 1


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("/usr/bin/rsclass", b"/usr/bin/rsclass"),
        ("/opt/my tools/rsclass", b'"/opt/my tools/rsclass"'),
        (r"C:\Users\eve\rsclass.exe", rb'"C:\\Users\\eve\\rsclass.exe"'),
        # The a after an escape would be read as one more digit of it.
        ("/home/Zoé/aé1/rsclass", rb'"/home/Zo\xe9/a\xe9\x31/rsclass"'),
        ("/data/𝔐", rb'"/data/\xd835\xdd10"'),
        ('a"b;c,d=e', rb'"a\"b;c,d=e"'),
    ],
)
def test_values_are_written_in_the_dialect_of_qt_and_read_back(value: str, written: bytes) -> None:
    """As documented for QSettings::IniFormat."""
    new = changed(b"", {PROGRAM: value})
    assert new == b"[Processing]\nConfiguration\\RSCLASS_EXECUTABLE=" + written + b"\n"
    assert value_in(new, PROGRAM) == value


@pytest.mark.parametrize("raw", [b"\xc3\xa9t\xc3\xa9", b"\xe9t\xe9", rb"\xe9t\xe9"])
def test_text_is_read_from_qt_6_and_from_qt_5(raw: bytes) -> None:
    assert value_in(b"[core]\ndefaultProfile=" + raw + b"\n", ("core", "defaultProfile")) == "été"

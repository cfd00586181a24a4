"""Settings files of Qt programs (.ini), in which single values are changed and all else is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

__all__ = ["changed", "value_in"]

_HEADING = re.compile(rb"\[(?P<section>.*)\]")
_ESCAPE = re.compile(r"\\(?:x(?P<hex>[0-9a-fA-F]{1,4})|(?P<char>.))", re.DOTALL)
_CONTROLS = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "0": "\0"}
_UNQUOTED = re.compile(r"[A-Za-z0-9_./:+-]*")

Key = tuple[str, str]
"""Section, and the key in it: ``("Processing", "Configuration/MAX_THREADS")``."""


def value_in(content: bytes, key: Key) -> str | None:
    """The value of a key as text; None where the file has none."""
    lines = content.splitlines()
    places = _places(lines, key)
    return _decoded(lines[places[-1]].partition(b"=")[2]) if places else None


def changed(content: bytes, values: Mapping[Key, str | None]) -> bytes:
    """``content`` with these values in place of the old ones; those that are None are removed.

    Every other byte stays as it is: comments, order, line ends, and what other programs wrote in
    ways of their own.
    """
    end = b"\r\n" if b"\r\n" in content else b"\n"
    lines = content.splitlines(keepends=True)
    if lines and not lines[-1].endswith((b"\r", b"\n")):
        lines[-1] += end
    for key, value in values.items():
        places = _places(lines, key)
        if value is None:
            lines = [line for at, line in enumerate(lines) if at not in places]
            continue
        new = _name(key[1]) + b"=" + _encoded(value) + end
        if places:
            lines[places[-1]] = new
        else:
            lines = _added(lines, key[0], new, end)
    return b"".join(lines)


def _places(lines: Sequence[bytes], key: Key) -> list[int]:
    """Where the key stands; of several, Qt takes the last."""
    section, name = key[0].encode(), _name(key[1])
    here, found = False, []
    for at, line in enumerate(map(bytes.strip, lines)):
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            here = heading["section"] == section
        elif here and b"=" in line and line.partition(b"=")[0].rstrip() == name:
            found.append(at)
    return found


def _added(lines: Sequence[bytes], section: str, new: bytes, end: bytes) -> list[bytes]:
    """With a new line at the end of its section, which is made if need be."""
    here = at = None
    for index, line in enumerate(map(bytes.strip, lines)):
        heading = _HEADING.fullmatch(line)
        if heading is not None:
            here = heading["section"] == section.encode()
        if here and line:
            at = index + 1
    if at is not None:
        return [*lines[:at], new, *lines[at:]]
    gap = [end] if lines else []
    return [*lines, *gap, b"[" + section.encode() + b"]" + end, new]


def _name(key: str) -> bytes:
    """A key as it stands in the file, where slashes are backslashes."""
    return key.replace("/", "\\").encode("ascii")


def _encoded(value: str) -> bytes:
    """A value in ASCII alone, which each version of Qt reads alike."""
    if _UNQUOTED.fullmatch(value):
        return value.encode()
    marked = "@" + value if value.startswith("@") else value  # Qt's own mark of other types
    units = marked.encode("utf-16-be")
    codes = [int.from_bytes(units[at : at + 2]) for at in range(0, len(units), 2)]
    written, after_hex = "", False
    for code in codes:
        plain = 32 <= code < 127
        # What looks like one more digit of an escape has to be an escape itself.
        as_hex = not plain or (after_hex and chr(code) in "0123456789abcdefABCDEF")
        written += f"\\x{code:x}" if as_hex else re.sub(r'(["\\])', r"\\\1", chr(code))
        after_hex = as_hex
    return f'"{written}"'.encode()


def _decoded(raw: bytes) -> str:
    try:
        text = raw.strip().decode("utf-8")
    except UnicodeDecodeError:
        text = raw.strip().decode("latin-1")
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    units = _ESCAPE.sub(_character, text.removeprefix("@") if text.startswith("@@") else text)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _character(escape: re.Match[str]) -> str:
    if escape["hex"]:
        return chr(int(escape["hex"], 16))
    return _CONTROLS.get(escape["char"], escape["char"])

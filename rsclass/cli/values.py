"""The values of flags: text, or what stands in a TOML file, turned into what the verbs take."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import Any

import click

__all__ = ["PREVIEW", "area", "bounds", "classes", "jobs", "names", "one_of", "page", "pairs"]
__all__ += ["path", "preview", "sample", "size", "words"]

PREVIEW = 1000
"""Pixels of the longer side of a preview."""

_SIZE = re.compile(r"([0-9]*\.?[0-9]+)\s*([kmgt]?)(i?)b?", re.I)
_AREA = re.compile(r"([0-9]*\.?[0-9]+)\s*(ha|m2|m²|km2|km²)", re.I)
_HECTARES = {"ha": 1.0, "m2": 1e-4, "km2": 100.0}
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def path(value: Any) -> str:
    """A path or URL that can be written down."""
    text = str(value)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise click.BadParameter(f"{text!a} is not valid UTF-8; rename the file") from None
    if "\0" in text:
        raise click.BadParameter(f"{text!a} holds a NUL character")
    if not text:
        raise click.BadParameter("the path is empty")
    return text


def page(value: Any) -> str | None:
    """A path of an HTML file; ``false`` in a file shared with other commands is none."""
    if value is False:
        return None
    text = path(value)
    if not text.lower().endswith((".html", ".htm")):
        raise click.BadParameter(f"{text!r} is not named as an HTML file; name it report.html")
    return text


def size(value: Any) -> int:
    """Bytes from ``4GiB``, ``350M``, ``2g`` or a number; every unit is a power of 1024."""
    found = _SIZE.fullmatch(str(value).strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is no size; write 4GiB, 350MiB or a number of bytes")
    number, unit, _ = found.groups()
    amount = int(float(number) * 1024 ** _POWERS[unit.lower()])
    if amount < 1:
        raise click.BadParameter(f"{value!r} is less than a byte")
    return amount


def area(value: Any) -> float:
    """Hectares of ``0.5ha``, ``900m2`` or ``0.01km2``."""
    found = _AREA.fullmatch(str(value).strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is no area; write 0.5ha, 900m2 or 0.01km2")
    number, unit = found.groups()
    return float(number) * _HECTARES[unit.lower().replace("²", "2")]


def names(value: Any) -> tuple[str, ...]:
    """Names or values of classes, ``water,urban``; a name with a comma is given by its value."""
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return tuple(str(part).strip() for part in parts if str(part).strip())


def classes(value: Any) -> int | str:
    """A number, ``auto``, or a range such as ``6..16``."""
    text = str(value).strip().lower()
    if text.isdecimal():
        return int(text)
    if text == "auto" or re.fullmatch(r"\d+(\.\.|-)\d+", text):
        return text
    raise click.BadParameter(f"{value!r} is not a number (12), a range (6..16) or auto")


def jobs(value: Any) -> int | None:
    """Worker threads; None, one for each core, for -1."""
    number = _whole(value)
    if number == -1:
        return None
    if number < 1:
        raise click.BadParameter(f"{value!r} is not 1 or more, or -1 for every core")
    return number


def sample(value: Any) -> str:
    """A number of pixels as text, or ``all``."""
    text = str(value).strip().lower().replace("_", "")
    if text != "all" and not (text.isdecimal() and int(text) > 0):
        raise click.BadParameter(f"{value!r} is not a number of pixels, or all")
    return text


def preview(value: Any) -> int | None:
    """Pixels of the longer side of a preview; ``true`` in a file is the usual size."""
    if isinstance(value, bool):
        return PREVIEW if value else None
    number = _whole(value)
    if number < 1:
        raise click.BadParameter(f"{value!r} is not 1 or more pixels")
    return number


def bounds(value: Any) -> tuple[float, float, float, float]:
    """Left, bottom, right and top: ``"l,b,r,t"``, ``"l b r t"`` or a list."""
    parts = value if isinstance(value, list | tuple) else re.split(r"[,\s]+", value.strip("[] "))
    try:
        left, bottom, right, top = (float(part) for part in parts)
    except ValueError:
        raise click.BadParameter(
            f"{value!r} is not four numbers: left,bottom,right,top in units of the CRS"
        ) from None
    return left, bottom, right, top


def words(known: Sequence[str]) -> Callable[[Any], tuple[str, ...]]:
    """A list of words, each of them known: ``confidence,entropy``."""

    def parse(value: Any) -> tuple[str, ...]:
        parts = value if isinstance(value, list | tuple) else str(value).split(",")
        return tuple(one_of(str(part).strip(), known) for part in parts)

    return parse


def pairs(value: Any) -> tuple[str, str]:
    """Name and value of ``NAME=VALUE``."""
    if isinstance(value, list | tuple) and len(value) == 2:
        return str(value[0]), str(value[1])
    name, equals, setting = str(value).partition("=")
    if not equals or not name.strip():
        raise click.BadParameter(f"{value!r} is not NAME=VALUE")
    return name.strip(), setting.strip()


def one_of(word: str, known: Sequence[str]) -> str:
    """``word``, if it is known.

    Raises
    ------
    click.BadParameter
        With the nearest known word.
    """
    if word in known:
        return word
    raise click.BadParameter(f"{word!r} is unknown{did_you_mean(word, known)}")


def did_you_mean(word: str, known: Sequence[str]) -> str:
    """``. Did you mean 'x'? Known: ...``."""
    close = difflib.get_close_matches(word, known, 1)
    hint = f". Did you mean {close[0]!r}?" if close else "."
    return f"{hint} Known: {', '.join(known)}"


def _whole(value: Any) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a whole number") from None

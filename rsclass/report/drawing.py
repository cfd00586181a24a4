"""A drawing as SVG: lines, areas and texts at places in CSS pixels, the same bytes for the same.

A drawing has no background and takes its ink from the reader's light or dark page; it holds no
script, no link and no text that is not escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Any
from unicodedata import east_asian_width

__all__ = ["INK", "LARGE", "SMALL", "Drawing", "size", "text_width"]

INK = "currentColor"
"""What axes and texts are drawn in: dark on a light page and light on a dark one."""

LARGE, SMALL = 13.0, 12.0
"""Sizes of texts in CSS pixels."""

_STYLE = (
    "svg{color:#5d6570}@media(prefers-color-scheme:dark){svg{color:#9aa2ad}}"
    "text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif;"
    "fill:currentColor}"
)
# What XML 1.0 may not hold; one such character and no browser shows the drawing.
_FORBIDDEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

Point = tuple[float, float]


class Drawing:
    """An SVG document in the making.

    Parameters
    ----------
    width, height : float
        In CSS pixels.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._parts: list[str] = []

    def line(
        self, points: Iterable[Point], color: str = INK, width: float = 1.2, **more: Any
    ) -> None:
        """A line through ``points``."""
        self._add(
            "polyline",
            points=_path(points),
            fill="none",
            stroke=color,
            stroke_width=width,
            stroke_linejoin="round",
            **more,
        )

    def area(self, points: Iterable[Point], color: str, **more: Any) -> None:
        """What a line through ``points`` encloses."""
        self._add("polygon", points=_path(points), fill=color, **more)

    def box(self, x: float, y: float, width: float, height: float, color: str, **more: Any) -> None:
        """A rectangle from its upper left corner."""
        self._add("rect", x=x, y=y, width=width, height=height, fill=color, **more)

    def dot(self, x: float, y: float, radius: float, color: str, **more: Any) -> None:
        """A disk."""
        self._add("circle", cx=x, cy=y, r=radius, fill=color, **more)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str = "start",
        size: float = SMALL,
        turned: float = 0,
        color: str | None = None,
    ) -> None:
        """A line of text, its middle at the height ``y``.

        Parameters
        ----------
        anchor : {"start", "middle", "end"}
            Which of its points is at ``x``.
        turned : float
            Degrees, clockwise, around that point.
        color : str or None
            None: ink.
        """
        more: dict[str, Any] = {} if color is None else {"style": f"fill:{color}"}
        if turned:
            more["transform"] = f"rotate({_number(turned)} {_number(x)} {_number(y)})"
        # The middle of letters is about a third of their size above the line they stand on.
        self._add(
            "text", text, x=x, y=y, dy=size * 0.35, font_size=size, text_anchor=anchor, **more
        )

    def svg(self) -> bytes:
        """The document."""
        width, height = _number(self.width), _number(self.height)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}"><style>{_STYLE}</style>{"".join(self._parts)}</svg>'
        ).encode()

    def _add(self, name: str, content: str = "", /, **attributes: Any) -> None:
        told = "".join(
            f' {key.replace("_", "-")}="{value if isinstance(value, str) else _number(value)}"'
            for key, value in attributes.items()
        )
        end = f">{_escaped(content)}</{name}>" if content else "/>"
        self._parts.append(f"<{name}{told}{end}")


def size(svg: bytes) -> tuple[float, float]:
    """Width and height in CSS pixels of a drawing."""
    width, height = re.findall(rb' (?:width|height)="([\d.]+)"', svg[:200])
    return float(width), float(height)


def text_width(text: str, size: float = SMALL) -> float:
    """About how wide a text is in CSS pixels; the reader's font decides."""
    wide = sum(east_asian_width(letter) in "WF" for letter in text)
    return size * (0.58 * (len(text) - wide) + wide)


def _escaped(text: str) -> str:
    return escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))


def _path(points: Iterable[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _number(value: float) -> str:
    """With two decimals at most; minus zero is zero."""
    return f"{round(float(value), 2) + 0.0:g}" if abs(value) < 1000 else f"{float(value):.1f}"

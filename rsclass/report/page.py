"""The page of every report: one HTML file that needs nothing but itself.

It has no script and asks no network; every text from outside is escaped by the template engine, and
a content security policy forbids whatever might slip through. A report is a template that extends
``page.html.j2`` and fills its block ``content``.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from rsclass.core.legend import Legend, hex_color
from rsclass.core.types import Float
from rsclass.report import drawing, png
from rsclass.report.texts import columns, heading, hectares_text, percent, plain, three_digits

__all__ = ["Image", "image", "legend_rows", "render_page"]


@dataclass(frozen=True, slots=True)
class Image:
    """A figure as a data URI, and its width in CSS pixels, which shows all texts at one size."""

    uri: Markup
    width: int


def image(figure: bytes | None) -> Image | None:
    """A figure of :mod:`rsclass.report.figures`, ready for a page; None stays None."""
    if figure is None:
        return None
    is_svg = figure.startswith(b"<svg")
    width, _ = drawing.size(figure) if is_svg else png.size(figure)
    kind = "svg+xml" if is_svg else "png"
    # Base64 has no character that means anything in HTML.
    uri = Markup(f"data:image/{kind};base64,{base64.b64encode(figure).decode()}")  # noqa: S704
    return Image(uri, round(width))


def legend_rows(
    legend: Legend, count: NDArray[np.int64], hectares: Float | None
) -> list[dict[str, Any]]:
    """What the macro ``legend`` shows: every class with its pixels, share and area.

    Parameters
    ----------
    count : int64 array (classes,)
        Pixels.
    hectares : float64 array (classes,) or None
        NaN where unknown.
    """
    total = max(int(np.sum(count)), 1)
    largest = max(int(np.max(count)), 1)
    return [
        {
            "value": entry.value,
            "name": entry.name,
            "color": hex_color(entry.color),
            "pixels": int(pixels),
            "share": int(pixels) / total,
            "bar": round(100 * int(pixels) / largest, 1),
            "hectares": None if hectares is None else float(hectares[i]),
        }
        for i, (entry, pixels) in enumerate(zip(legend, count, strict=True))
    ]


def render_page(
    template: str,
    *,
    title: str,
    byline: str,
    summary: str,
    warnings: Sequence[str],
    created: str,
    **content: Any,
) -> bytes:
    """A report as UTF-8 HTML; the same values give the same bytes.

    Parameters
    ----------
    template : str
        Name of a template beside this module.
    title, byline, summary : str
        What stands above everything else; ``summary`` is a sentence or two.
    warnings : sequence of str
    created : str
        When the report was made; empty: not told.
    **content
        What the template's own block uses.
    """
    page = _environment().get_template(template)
    head = {"title": title, "byline": byline, "summary": summary, "created": created}
    text: str = page.render(warnings=warnings, **head, **content)
    return text.encode()


def load() -> None:
    """Compile the templates of a map's report, so that they are at hand when the page is drawn."""
    for template in ("report.html.j2", "page.html.j2", "macros.html.j2"):
        _environment().get_template(template)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        loader=jinja2.PackageLoader("rsclass.report", "."),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "columns": columns,
        "heading": heading,
        "hectares": hectares_text,
        "kind": _kind,
        "percent": percent,
        "plain": plain,
        "three_digits": three_digits,
    }
    return environment


def _kind(value: Any) -> str:
    """How a value of the provenance is shown: as a ``table``, as ``rows``, or as ``text``."""
    if isinstance(value, Mapping) and value:
        return "table"
    if isinstance(value, list | tuple) and value and all(isinstance(v, Mapping) for v in value):
        return "rows"
    return "text"

"""The pictures of a report, as PNG bytes: the same for the same data.

Figures have no background and one middle gray for ink, to be readable on light and dark pages.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.image import imsave
from matplotlib.patheffects import Normal, Stroke
from matplotlib.text import Text
from numpy.typing import NDArray

from rsclass.core.legend import Legend, hex_color
from rsclass.core.stats import ClassStats
from rsclass.core.tree import Tree
from rsclass.core.types import Band, Float
from rsclass.report.texts import columns, course_title, heading, three_digits

DPI = 160
_WIDTH = 9.6  # inches
LONGEST_SIDE = 1000
MOST_LABELLED = 24
MOST_SHADED = 12
MOST_NAMED_BANDS = 20
MOST_NUMBERED = 15
MOST_PANELS = 4

_NO_METADATA: Any = {"Software": None}  # the default names the version of matplotlib
INK = "#7d838c"
_ACCENT = "#3b82c4"
_LIGHT = 0.8
_SHADE = "#3a3f46"
_ON_COLOR = "on color"  # texts that do not stand on the page
_FONT = "DejaVu Sans"  # comes with matplotlib
_LARGE, _SMALL = 10, 9  # points, also on the page


def picture(rgb: NDArray[np.uint8]) -> bytes:
    """PNG of an image (height, width, 3 or 4), thinned to at most 1,000 pixels a side."""
    step = max(1, math.ceil(max(rgb.shape[:2]) / LONGEST_SIDE))
    out = io.BytesIO()
    shown = np.ascontiguousarray(rgb[::step, ::step])
    imsave(out, shown, format="png", origin="upper", metadata=_NO_METADATA)
    return out.getvalue()


def class_picture(class_map: NDArray[Any], legend: Legend) -> bytes:
    """PNG of class values (height, width) in the legend's colors; other values transparent."""
    step = max(1, math.ceil(max(class_map.shape) / LONGEST_SIDE))
    thin = class_map[::step, ::step]
    values = np.array(legend.values)
    place = np.clip(np.searchsorted(values, thin), 0, len(values) - 1)
    rgba = np.zeros((*thin.shape, 4), np.uint8)
    rgba[..., :3] = np.array(legend.colors, np.uint8)[place]
    rgba[..., 3] = np.where(values[place] == thin, 255, 0)
    rgba[rgba[..., 3] == 0] = 0
    return picture(rgba)


def spectra(stats: ClassStats, legend: Legend) -> bytes:
    """Mean spectrum of every class, with one standard deviation around it where few are shown."""
    with _figure(_WIDTH, 4.4) as (figure, finish):
        axes = _style(figure.subplots())
        x, is_wavelength = _band_positions(stats.bands)
        shown = [i for i in range(len(legend)) if np.isfinite(stats.mean[i]).all()]
        colors = [hex_color(color) for color in legend.colors]
        marker = "o" if len(x) <= MOST_NAMED_BANDS else ""
        for i in shown:
            mean, std = stats.mean[i], np.nan_to_num(stats.std[i])
            if len(shown) <= MOST_SHADED:
                axes.fill_between(x, mean - std, mean + std, color=colors[i], alpha=0.15, lw=0)
            around = _outline(legend.colors[i])
            axes.plot(x, mean, color=colors[i], marker=marker, ms=4, lw=1.6, path_effects=around)
        if 0 < len(shown) <= MOST_LABELLED:
            labels = [str(legend.values[i]) for i in shown]
            _label_ends(axes, x[-1], stats.mean[shown, -1], labels)
        axes.set_ylabel("mean (physical units)")
        _name_bands(axes, x, stats.bands, is_wavelength)
        return finish()


def dendrogram(tree: Tree, legend: Legend) -> bytes:
    """Which classes are alike: the tree of their merges, with its leaves in drawing order."""
    n = tree.leaves
    with _figure(_WIDTH, 0.9 + min(0.24 * n, 12)) as (figure, finish):
        axes = _style(figure.subplots())
        order = _leaf_order(tree)
        at = np.empty(2 * n - 1)
        at[order] = np.arange(n)
        # Costs grow with the square of the distance between centers.
        height = np.concatenate([np.zeros(n), np.sqrt(tree.costs)])
        for step, (a, b) in enumerate(tree.merges):
            node = n + step
            at[node] = (at[a] + at[b]) / 2
            axes.plot(
                [height[a], height[node], height[node], height[b]],
                [at[a], at[a], at[b], at[b]],
                color=INK,
                lw=1.2,
            )
        colors = [hex_color(legend.colors[i]) for i in order]
        axes.scatter(
            np.zeros(n), np.arange(n), c=colors, marker="s", s=60, edgecolors=INK, lw=0.6, zorder=3
        )
        names = [_short(f"{legend.values[i]}  {legend.names[i]}") for i in order]
        axes.set_yticks(np.arange(n), names)
        axes.set_ylim(n - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        axes.tick_params(axis="y", length=0, pad=6)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("root of the increase of the within-class sum of squares")
        return finish()


def heat_table(matrix: Float, legend: Legend, name: str, most: float | None = None) -> bytes:
    """A symmetric table between classes (classes, classes) as colors, and as numbers if few.

    Parameters
    ----------
    most : float or None
        The value of the brightest color; None: the largest one.
    """
    n = len(legend)
    with_numbers = n <= MOST_NUMBERED
    side = min(1.6 + (0.42 if with_numbers else 0.24) * n, 7)
    with _figure(side + 0.8, side) as (figure, finish):
        axes = _style(figure.subplots(), grid=False)
        shown = np.where(np.eye(n, dtype=np.bool_), np.nan, matrix)
        image = axes.imshow(
            shown, cmap="viridis", interpolation="nearest", vmin=0 if most else None, vmax=most
        )
        step = math.ceil(n / MOST_LABELLED)
        ticks = np.arange(0, n, step)
        labels = [str(legend.values[i]) for i in ticks]
        axes.set_xticks(ticks, labels)
        axes.set_yticks(ticks, labels)
        axes.set_xlabel("class")
        axes.set_ylabel("class")
        if with_numbers:
            _number_cells(axes, image, shown)
        bar = figure.colorbar(image, ax=axes, shrink=0.8)
        _style(bar.ax, grid=False)
        bar.set_label(_short(name))
        bar.outline.set_visible(False)
        return finish()


def _number_cells(axes: Any, image: Any, shown: Float) -> None:
    """Write every known value into its cell, dark on bright colors and bright on dark ones."""
    for (i, j), value in np.ndenumerate(shown):
        if np.isfinite(value):
            color = image.cmap(image.norm(value))
            axes.text(
                j,
                i,
                three_digits(float(value)),
                ha="center",
                va="center",
                fontsize=_SMALL - 2,
                gid=_ON_COLOR,
                color="black" if _lightness(color) > 0.4 else "white",
            )


def curves(
    rows: Sequence[Mapping[str, Any]],
    along: Sequence[str],
    marked: Mapping[str, Any] | None = None,
) -> bytes | None:
    """Every number that changes over ``rows``, one panel each; None where there is none.

    Parameters
    ----------
    rows : sequence of mappings
        As an engine's history tells them.
    along : sequence of str
        Keys that may count the rows, the best first; without any, the rows are numbered from 1.
    marked : mapping or None
        The row at which a line is drawn.
    """
    axis = next((key for key in along if rows and all(_is_number(r.get(key)) for r in rows)), None)
    x = [float(row[axis]) for row in rows] if axis else [float(i) for i in range(1, len(rows) + 1)]
    keys = curve_keys(rows, along)
    if not keys:
        return None
    with _figure(_WIDTH, 2.4 * math.ceil(len(keys) / 2)) as (figure, finish):
        panels = figure.subplots(math.ceil(len(keys) / 2), min(len(keys), 2), squeeze=False)
        for panel, key in zip(panels.flat, keys, strict=False):
            _style(panel)
            known = [i for i, row in enumerate(rows) if _is_number(row.get(key))]
            y = [float(rows[i][key]) for i in known]
            marker = "o" if len(y) <= 30 else ""
            panel.plot([x[i] for i in known], y, color=_ACCENT, marker=marker, ms=3.5, lw=1.6)
            if axis and marked is not None:
                panel.axvline(float(marked[axis]), color=INK, lw=1.2, ls="--")
            panel.set_title(_short(course_title(key)), loc="left", fontsize=_LARGE)
            panel.set_xlabel(heading(axis) if axis else "")
            panel.xaxis.get_major_locator().set_params(integer=True)
        for panel in panels.flat[len(keys) :]:
            panel.set_visible(False)
        return finish()


def curve_keys(rows: Sequence[Mapping[str, Any]], along: Sequence[str]) -> list[str]:
    """The keys of ``rows`` that :func:`curves` shows, in its order."""
    return [key for key in columns(rows) if key not in along and _changes(rows, key)][:MOST_PANELS]


@contextmanager
def _figure(width: float, height: float) -> Iterator[tuple[Figure, Callable[[], bytes]]]:
    """An empty figure of ``width`` x ``height`` inches, and what makes it a PNG.

    Nothing is set but the figure's own properties: those of matplotlib belong to every thread.
    """
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="none", layout="constrained")

    def finish() -> bytes:
        _ink(figure)
        out = io.BytesIO()
        FigureCanvasAgg(figure).print_png(out, metadata=_NO_METADATA)
        return out.getvalue()

    yield figure, finish


def _style(axes: Any, *, grid: bool = True) -> Any:
    """Quiet axes without a box."""
    axes.set_facecolor("none")
    for side, spine in axes.spines.items():
        spine.set_color(INK)
        spine.set_visible(side in ("left", "bottom"))
    axes.tick_params(colors=INK, labelsize=_SMALL)
    for axis in (axes.xaxis, axes.yaxis):
        axis.label.set_fontsize(_LARGE)
    if grid:
        axes.grid(visible=True, color=INK, alpha=0.2, linewidth=0.6)
    else:
        axes.grid(visible=False)
    return axes


def _ink(figure: Figure) -> None:
    """One color and font for every text; names are no formulas."""
    for axes in figure.axes:
        for part in (axes, *axes.child_axes):
            for axis in (part.xaxis, part.yaxis):
                axis.get_ticklabels()  # made when they are asked for
    for text in figure.findobj(Text):
        text.set(parse_math=False, fontfamily=_FONT)
        if text.get_gid() != _ON_COLOR:
            text.set_color(INK)


def _lightness(color: Sequence[float]) -> float:
    """Of a color whose first three numbers are red, green and blue, in their units."""
    return float(np.dot(color[:3], (0.2126, 0.7152, 0.0722)))


def _outline(color: tuple[int, int, int]) -> list[Any]:
    """What sets a line off from the page: dark around a color that is almost white."""
    light = _lightness(color) / 255 > _LIGHT
    around = (
        Stroke(linewidth=3.4, foreground=_SHADE)
        if light
        else Stroke(linewidth=2.6, foreground=INK, alpha=0.5)
    )
    return [around, Normal()]


def _band_positions(bands: Sequence[Band]) -> tuple[Float, bool]:
    """Wavelengths where all are known and in one part of the spectrum, else 1, 2, ..."""
    known = [band.wavelength for band in bands if band.wavelength]
    if len(known) == len(bands) > 1 and np.all(np.diff(known) > 0) and known[-1] < 6 * known[0]:
        return np.array(known), True
    return np.arange(1.0, len(bands) + 1), False


def _name_bands(axes: Any, x: Float, bands: Sequence[Band], is_wavelength: bool) -> None:
    axes.set_xlabel("wavelength (nm)" if is_wavelength else "band")
    if len(bands) > MOST_NAMED_BANDS:
        return
    names = [_short(band.name, 16) for band in bands]
    if not is_wavelength:
        turned = 30 if max(map(len, names)) > 5 else 0
        axes.set_xticks(x, names, rotation=turned, ha="right" if turned else "center")
        return
    top = axes.secondary_xaxis("top")
    top.set_xticks(x, names, rotation=90)
    top.spines["top"].set_visible(False)
    top.tick_params(length=2, colors=INK, labelsize=_SMALL)


def _label_ends(axes: Any, x: float, ends: Float, labels: Sequence[str]) -> None:
    """Write each line's label at its right end, moved apart where they would overlap."""
    low, high = axes.get_ylim()
    gap = (high - low) / MOST_LABELLED
    order = np.argsort(ends, kind="stable")
    at = np.array(ends, dtype=np.float64)[order]
    for i in range(1, len(at)):
        at[i] = max(at[i], at[i - 1] + gap)
    at -= max(0.0, at[-1] - high)
    for i in range(len(at) - 2, -1, -1):
        at[i] = min(at[i], at[i + 1] - gap)
    for place, i in zip(at, order, strict=True):
        axes.annotate(
            labels[i],
            (x, ends[i]),
            xytext=(1.015, place),
            textcoords=axes.get_yaxis_transform(),
            va="center",
            fontsize=_SMALL,
            arrowprops={"arrowstyle": "-", "color": INK, "lw": 0.5, "shrinkA": 0, "shrinkB": 3},
        )


def _leaf_order(tree: Tree) -> list[int]:
    """Leaves from top to bottom, so that no two branches cross."""
    order: list[int] = []
    stack = [2 * tree.leaves - 2]
    while stack:
        node = stack.pop()
        if node < tree.leaves:
            order.append(int(node))
        else:
            first, second = tree.merges[node - tree.leaves]
            stack += [int(second), int(first)]
    return order


def _changes(rows: Sequence[Mapping[str, Any]], key: str) -> bool:
    return len({row[key] for row in rows if _is_number(row.get(key))}) > 1


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float | np.integer | np.floating)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _short(text: str, length: int = 32) -> str:
    """``text`` cut short, with a box for what the font lacks; the page shows it in full."""
    known = _glyphs()
    shown = "".join(c if ord(c) in known else "\N{WHITE SQUARE}" for c in text[: length + 1])
    return shown if len(shown) <= length else shown[: length - 1] + "…"


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(_FONT)).get_charmap())

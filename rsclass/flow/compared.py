"""What a comparison of two maps gives back, and how it is told."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.cells import write_lines
from rsclass.core.change import ClassChange, CommonClasses, class_changes
from rsclass.core.confusion import Confusion
from rsclass.core.ground import Ground
from rsclass.report.summaries import aligned, cut, file_lines
from rsclass.report.texts import counted, hectares_text, percent

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["Compared"]

_LINES = 12
_CHANGES = ("before", "after", "kept", "gain", "loss", "net", "swap")


@dataclass(frozen=True)
class Compared:
    """What changed from one class map to another, where both have pixels.

    Attributes
    ----------
    first, second : Path
    by : {"name", "value"}
        What makes two classes the same.
    classes : CommonClasses
        Of both maps.
    pixels : int64 array (classes, classes)
        From each class of the first map (rows) to each of the second (columns), of the pixels that
        have a class in both.
    weights : int64 array (classes, classes)
        What these pixels weigh; see ``ground``.
    ground : Ground
    size : tuple of int
        Height and width in pixels of the part that both maps cover.
    only_first, only_second, neither : int
        Pixels of that part that have a class in one map alone, or in none.
    files : dict of str to Path
        What was written: ``change``, its legend and statistics, ``table``, ``report``.
    warnings : list of str
    """

    first: Path
    second: Path
    by: str
    classes: CommonClasses
    pixels: NDArray[np.int64]
    weights: NDArray[np.int64]
    ground: Ground
    size: tuple[int, int]
    only_first: int
    only_second: int
    neither: int
    files: dict[str, Path] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def agreement(self) -> Confusion:
        """The same pixels as a confusion matrix, the first map in the place of the reference."""
        return Confusion(self.pixels, self.classes.names)

    @property
    def changes(self) -> list[ClassChange]:
        """Of each class, in pixels."""
        return class_changes(self.pixels)

    @property
    def compared(self) -> int:
        """Pixels that have a class in both maps."""
        return int(self.pixels.sum())

    @property
    def changed(self) -> int:
        """Pixels whose class differs."""
        return self.compared - int(np.trace(self.pixels))

    @property
    def hectares(self) -> NDArray[np.float64] | None:
        """Areas of the same shape as ``pixels``; None where the ground is not known."""
        return None if self.ground.unit is None else self.ground.of_weights(self.weights)

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values; None is undefined or unknown."""
        hectares, match = self.hectares, self.agreement
        return {
            "first": str(self.first),
            "second": str(self.second),
            "by": self.by,
            "files": {kind: str(path) for kind, path in self.files.items()},
            "rows": self.size[0],
            "columns": self.size[1],
            "pixels": {
                "compared": self.compared,
                "changed": self.changed,
                "only_first": self.only_first,
                "only_second": self.only_second,
                "neither": self.neither,
            },
            "changed_share": _known(self.changed / self.compared if self.compared else math.nan),
            "changed_hectares": self.ground.hectares(
                int(self.weights.sum()) - int(np.trace(self.weights))
            ),
            "agreement": {
                "overall": _known(match.overall),
                "kappa": _known(match.kappa.value),
                "quantity": _known(match.quantity),
                "allocation": _known(match.allocation),
                "exchange": _known(match.exchange),
                "shift": _known(match.shift),
            },
            "matrix": {
                "axes": ["from: first map", "to: second map"],
                "classes": list(self.classes.names),
                "pixels": self.pixels.tolist(),
                "hectares": None if hectares is None else hectares.tolist(),
            },
            "classes": self.rows(),
            "warnings": self.warnings,
        }

    def rows(self) -> list[dict[str, Any]]:
        """How each class changed, in pixels and hectares, and how well it agrees."""
        match, common = self.agreement, self.classes
        weighed = class_changes(self.weights)
        rows = []
        for i, (name, change) in enumerate(zip(common.names, self.changes, strict=True)):
            rows.append(
                {
                    "name": name,
                    "first_values": [v for v, place in common.first.items() if place == i],
                    "second_values": [v for v, place in common.second.items() if place == i],
                    "pixels": {key: getattr(change, key) for key in _CHANGES},
                    "hectares": {
                        key: self.ground.hectares(getattr(weighed[i], key)) for key in _CHANGES
                    },
                    "f1": _known(match.f1[i]),
                    "iou": _known(match.iou[i]),
                    "quantity": _known(match.class_quantity[i]),
                    "allocation": _known(match.class_allocation[i]),
                }
            )
        return rows

    def moves(self) -> list[tuple[str, str, int, float | None]]:
        """From, to, pixels and hectares of each change that occurs, the largest first."""
        names = self.classes.names
        off = self.pixels * ~np.eye(len(names), dtype=np.bool_)
        order = np.argsort(-off.ravel(), kind="stable")[: np.count_nonzero(off)]
        return [
            (
                names[row],
                names[col],
                int(self.pixels[row, col]),
                self.ground.hectares(int(self.weights[row, col])),
            )
            for row, col in (divmod(int(at), len(names)) for at in order)
        ]

    def to_frame(self) -> DataFrame:
        """The pixels from each class (rows) to each class (columns), as a pandas table."""
        from pandas import DataFrame, Index

        names = list(self.classes.names)
        rows, columns = Index(names, name="from"), Index(names, name="to")
        return DataFrame(self.pixels, index=rows, columns=columns)

    def to_csv(self) -> str:
        """One line for each pair of classes that occurs: ``from, to, pixels, hectares``."""
        names = self.classes.names
        return write_lines(
            ["from", "to", "pixels", "hectares"],
            (
                (
                    names[row],
                    names[col],
                    int(self.pixels[row, col]),
                    self.ground.hectares(int(self.weights[row, col])),
                )
                for row, col in np.argwhere(self.pixels > 0)
            ),
        )

    def summary(self) -> str:
        """A few lines for people."""
        if not self.compared:
            return "No pixel has a class in both maps."
        area = self.ground.hectares(int(self.weights.sum()) - int(np.trace(self.weights)))
        told = "" if area is None else f", {hectares_text(area)} ha"
        match = self.agreement
        lines = [
            f"{self.changed:,} of {counted(self.compared, 'pixel', 'pixels')} changed "
            f"({percent(self.changed / self.compared, gap='')}{told}).",
            f"Agreement {match.overall:.4f}, kappa {_number(match.kappa.value)}; disagreement by "
            f"quantity {match.quantity:.4f}, by allocation {match.allocation:.4f}.",
            *aligned(self._class_lines()),
        ]
        moves = self.moves()
        if moves:
            lines.append("Largest changes:")
            lines += aligned(self._move_lines(moves[:_LINES]))
        if len(moves) > _LINES:
            lines.append(f"  and {counted(len(moves) - _LINES, 'other pair', 'other pairs')}")
        lines += self._uncompared()
        return "\n".join(lines + file_lines(self.files))

    def _uncompared(self) -> list[str]:
        alone = ((self.only_first, self.first), (self.only_second, self.second))
        return [
            f"{counted(n, 'pixel has', 'pixels have')} a class in {path.name} alone."
            for n, path in alone
            if n
        ]

    def _class_lines(self) -> list[list[str]]:
        """A heading and a line for each class, in hectares where they are known."""
        changes = self.changes if self.ground.unit is None else class_changes(self.weights)
        unit = "pixels" if self.ground.unit is None else "ha"
        lines = [[f"class ({unit})", "before", "after", "gain", "loss", "net", "swap"]]
        for name, change in zip(self.classes.names, changes, strict=True):
            values = [getattr(change, key) for key in ("before", "after", "gain", "loss", "net")]
            cells = [self._amount(value) for value in (*values, change.swap)]
            cells[4] = f"+{cells[4]}" if change.net > 0 else cells[4]
            lines.append([cut(name), *cells])
        return lines

    def _amount(self, weight: int) -> str:
        area = self.ground.hectares(abs(weight))
        text = f"{abs(weight):,}" if area is None else hectares_text(area)
        return f"-{text}" if weight < 0 else text

    def _move_lines(self, moves: list[tuple[str, str, int, float | None]]) -> list[list[str]]:
        return [
            [
                f"{cut(start)} → {cut(end)}",
                counted(pixels, "pixel", "pixels"),
                *([] if area is None else [f"{hectares_text(area)} ha"]),
            ]
            for start, end, pixels, area in moves
        ]

    def _repr_html_(self) -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
            for line in self._class_lines()
        )
        first = escape(self.summary().splitlines()[0])
        return f"<p>{first}</p><table>{rows}</table>"


def _known(value: Any) -> float | None:
    return None if math.isnan(value) else float(value)


def _number(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.4f}"

"""What probes tell of a model, as a verb gives it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rsclass.core.cells import write_lines
from rsclass.core.clusters import ClusterFit
from rsclass.core.confusion import known
from rsclass.core.legend import Legend
from rsclass.core.probes import Score
from rsclass.report.summaries import aligned, file_lines
from rsclass.report.texts import counted, probe_title

__all__ = ["Probed", "Row"]


@dataclass(frozen=True)
class Row:
    """The probes on one kind of features.

    Parameters
    ----------
    features : str
        ``spectra``, ``5 x 5 means``, or a layer.
    dimensions : int
    reference : bool
        It is no part of the model.
    scores : dict of str to Score
        By the probe.
    """

    features: str
    dimensions: int
    reference: bool
    scores: dict[str, Score]


@dataclass(frozen=True)
class Probed:
    """How much of a reference the features of a model tell.

    Attributes
    ----------
    path : Path
        The model.
    scene, reference, method : str
    names : tuple of str
        Of the classes of the reference.
    pixels : int64 array (names,)
        Of each.
    parts, block_size, reach : int
        How many parts were judged, the side of the squares they are made of, and the distance in
        pixels that they keep.
    rows : list of Row
        Raw spectra and means first, then the layers in order.
    fits : dict of str to ClusterFit
        Of the model's ``classes`` and, of a network, its ``clusters`` with the reference.
    history : list of dict
        Of the training; ``nmi`` is the agreement with the labels of the epoch before.
    legend : Legend
    sizes : int64 array (classes,)
        Pixels of each class of the legend, counted in squares drawn over the scene.
    files : dict of str to Path
        What was written: ``table``, ``report``.
    warnings : list of str
    """

    path: Path
    scene: str
    reference: str
    method: str
    names: tuple[str, ...]
    pixels: NDArray[np.int64]
    parts: int
    block_size: int
    reach: int
    rows: list[Row]
    fits: dict[str, ClusterFit]
    history: list[dict[str, Any]]
    legend: Legend
    sizes: NDArray[np.int64]
    files: dict[str, Path]
    warnings: list[str]

    def score(self, features: str, probe: str) -> Score:
        """That of one probe on one kind of features."""
        return next(row for row in self.rows if row.features == features).scores[probe]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        total = max(int(self.sizes.sum()), 1)
        return {
            "path": str(self.path),
            "scene": self.scene,
            "reference": self.reference,
            "method": self.method,
            "pixels": dict(zip(self.names, self.pixels.tolist(), strict=True)),
            "parts": self.parts,
            "block_size": self.block_size,
            "reach": self.reach,
            "features": [
                {
                    "features": row.features,
                    "dimensions": row.dimensions,
                    "reference": row.reference,
                    "probes": {
                        name: {
                            "accuracy": known(score.accuracy),
                            "recall": known(score.recall),
                            "deviation": known(score.deviation),
                        }
                        for name, score in row.scores.items()
                    },
                }
                for row in self.rows
            ],
            "fit": {
                kind: {"number": fit.table.shape[1]}
                | {name: known(score) for name, score in fit.scores.items()}
                for kind, fit in self.fits.items()
            },
            "history": self.history,
            "sizes": [
                row | {"pixels": int(count), "share": int(count) / total}
                for row, count in zip(self.legend.to_rows(), self.sizes, strict=True)
            ],
            "files": {kind: str(path) for kind, path in self.files.items()},
            "warnings": self.warnings,
        }

    def to_csv(self) -> str:
        """One line for each probe on each kind of features."""
        columns = ["features", "dimensions", "probe", "accuracy", "recall", "deviation"]
        return write_lines(
            columns,
            (
                (row.features, row.dimensions, name, *map(_digits, numbers))
                for row in self.rows
                for name, score in row.scores.items()
                for numbers in [(score.accuracy, score.recall, score.deviation)]
            ),
        )

    def summary(self) -> str:
        """A few lines for people."""
        pixels = counted(int(self.pixels.sum()), "pixel", "pixels")
        classes = counted(len(self.names), "class", "classes")
        lines = [
            f"{self.path}: probes on {pixels} of {classes} of {self.reference}, judged in "
            f"{self.parts} parts more than {self.reach} pixels apart.",
            *aligned(list(self._cells())),
            "Percent right, and the standard deviation over parts and draws.",
        ]
        for kind, fit in self.fits.items():
            scores = fit.scores
            lines.append(
                f"{fit.table.shape[1]} {kind} and the reference: NMI {scores['nmi']:.3f}, ARI "
                f"{scores['ari']:.3f}, purity {scores['purity']:.3f}, paired "
                f"{scores['paired']:.3f}."
            )
        epochs = [row["nmi"] for row in self.history if row.get("nmi") is not None]
        if epochs:
            lines.append(
                f"Labels of the last epoch and of the one before: NMI {epochs[-1]:.3f} "
                f"(first {epochs[0]:.3f}, {counted(len(epochs), 'epoch', 'epochs')})."
            )
        share = self.sizes / max(int(self.sizes.sum()), 1)
        lines.append(
            f"The largest class covers {share.max():.1%} of the scene, the smallest "
            f"{share.min():.1%}."
        )
        return "\n".join(lines + file_lines(self.files))

    def _cells(self) -> Iterator[list[str]]:
        yield ["features", "size", *map(probe_title, self.rows[0].scores)]
        for row in self.rows:
            scores = [_told(score) for score in row.scores.values()]
            yield [row.features, str(row.dimensions), *scores]

    def _repr_html_(self) -> str:
        head, *body = ("".join(f"<td>{escape(cell)}</td>" for cell in row) for row in self._cells())
        rows = "".join(f"<tr>{cells}</tr>" for cells in body)
        head = head.replace("td>", "th>")
        return f"<p>{escape(str(self.path))}</p><table><tr>{head}</tr>{rows}</table>"


def _told(score: Score) -> str:
    if not np.isfinite(score.accuracy):
        return "–"
    return f"{100 * score.accuracy:.1f} ±{100 * score.deviation:.1f}"


def _digits(value: float) -> str:
    return f"{value:.6g}" if np.isfinite(value) else ""

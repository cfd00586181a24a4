"""Training samples listed and judged before anything is learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from rsclass.core.labels import distinct_labels, parse_mergers
from rsclass.core.measures import MEASURES
from rsclass.core.outliers import RARE, Apart, Outliers, find_outliers
from rsclass.core.overlap import Overlap, histogram_overlap
from rsclass.core.separability import separability
from rsclass.core.signatures import class_stats
from rsclass.core.stats import ClassStats
from rsclass.core.types import Float
from rsclass.errors import UsageError
from rsclass.flow.scene import open_scene, open_stream
from rsclass.flow.training import Samples, Training, collect
from rsclass.flow.validate import Validated, Validation, validate
from rsclass.io.source import Reading
from rsclass.io.target import Target
from rsclass.report.texts import counted, percent, three_digits
from rsclass.run.settings import Running

__all__ = ["CheckedTraining", "check_training"]

FEW, ENOUGH = 10, 100
"""Pixels of a class for each band: the least, and what is advised (Swain and Davis 1978)."""

APART = 1.9
"""Jeffries-Matusita distance (0 to 2) from which two classes count as told apart."""

_TOLD = 10
_BANDS_TOLD = 12
_COLUMNS = 8  # classes beside each other


@dataclass(frozen=True)
class CheckedTraining:
    """Training samples, and how far they are fit to learn from.

    Attributes
    ----------
    samples : Samples
    stats : ClassStats
        One row for each class of the samples.
    distance : float64 array (classes, classes)
        Jeffries-Matusita distance, 0 to 2; NaN where unknown.
    overlap : Overlap
        Of the classes' histograms.
    outliers : Outliers
        Pixels and features that are unlike the rest of their class.
    validated : Validated or None
    files : dict of str to Path
        What was written: ``training``.
    warnings : list of str
    """

    samples: Samples
    stats: ClassStats
    distance: Float
    overlap: Overlap
    outliers: Outliers
    validated: Validated | None = None
    files: dict[str, Path] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def size(self, number: int) -> str:
        """``few``, ``some`` or ``enough`` pixels of a class for its bands."""
        each = self.stats.count[number] / len(self.samples.bands)
        return "few" if each < FEW else "some" if each < ENOUGH else "enough"

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Positions of every two classes, the least separable first and the unknown last."""
        n = len(self.stats.count)
        pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
        return sorted(pairs, key=lambda pair: np.nan_to_num(self.distance[pair], nan=9.0))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every class, JSON-able."""
        samples, pixels = self.samples, self.samples.pixels
        bands = [band.name for band in samples.bands]
        owners = pixels.features
        return [
            {
                "value": value,
                "name": name,
                "features": len(np.unique(owners[pixels.classes == number])),
                "pixels": int(self.stats.count[number]),
                "size": self.size(number),
                "odd_pixels": int(self.outliers.pixels[pixels.classes == number].sum()),
                "mean": dict(zip(bands, self.stats.mean[number].tolist(), strict=True)),
                "std": dict(zip(bands, _plain(self.stats.std[number]), strict=True)),
            }
            for number, (value, name) in enumerate(zip(samples.values, pixels.names, strict=True))
        ]

    def to_dict(self) -> dict[str, Any]:
        """As JSON-able values."""
        samples, names = self.samples, self.samples.pixels.names
        features = samples.features
        bands = [band.name for band in samples.bands]
        return {
            "path": str(samples.training.path),
            "files": {kind: str(path) for kind, path in self.files.items()},
            "scene": samples.scene,
            "field": samples.training.field,
            "bands": bands,
            "pixels": len(samples.pixels),
            "invalid": samples.invalid,
            "contested": samples.contested,
            "classes": self.rows,
            "features": [
                {"id": number, "class": label, "pixels": int(hits)}
                for number, label, hits in zip(
                    features.ids, features.labels, samples.hits, strict=True
                )
            ],
            "pairs": [
                {
                    "names": [names[i], names[j]],
                    "jm": _plain(self.distance[i, j]),
                    "overlap": float(self.overlap.share[i, j]),
                    "band": bands[self.overlap.band[i, j]],
                }
                for i, j in self.pairs
            ],
            "outliers": [
                {
                    "feature": features.ids[apart.feature],
                    "class": names[apart.of_class],
                    "like": names[apart.like],
                    "share": apart.share,
                }
                for apart in self.outliers.features
            ],
            "untested": [names[i] for i in self.outliers.untested],
            "validation": None if self.validated is None else self.validated.to_dict(),
            "warnings": self.warnings,
        }

    def summary(self) -> str:
        """The samples as tables for people."""
        samples = self.samples
        head = (
            f"{samples.training.path} on {samples.scene}: "
            f"{counted(len(samples.pixels), 'pixel', 'pixels')} in "
            f"{counted(len(self.stats.count), 'class', 'classes')}, "
            f"{counted(len(samples.bands), 'band', 'bands')}."
        )
        lines = [head, *self._sizes(), *self._spectra(), *self._separable(), *self._odd()]
        if self.validated is not None:
            lines += ["", self.validated.summary()]
        lines += [f"  {kind}  {path}" for kind, path in self.files.items()]
        return "\n".join(lines)

    def _sizes(self) -> list[str]:
        rows = self.rows
        width = max(len("class"), *(len(row["name"]) for row in rows))
        lines = [f"  value  {'class':<{width}}  features    pixels  size    odd pixels"]
        lines += [
            f"  {row['value']:>5}  {row['name']:<{width}}  {row['features']:>8,}  "
            f"{row['pixels']:>8,}  {row['size']:<6}  {row['odd_pixels']:>10,}"
            for row in rows
        ]
        least, good = FEW * len(self.samples.bands), ENOUGH * len(self.samples.bands)
        lines.append(
            f"  few: less than {least:,} pixels, {FEW} for each band; enough: {good:,} or more. "
            f"Of normal classes {RARE:.1%} of the pixels are odd."
        )
        return lines

    def _spectra(self) -> list[str]:
        """Means and standard deviations, a band a line, where they fit a page."""
        names, bands = self.samples.pixels.names, self.samples.bands
        if len(names) > _COLUMNS:
            return []
        cells = [
            [band.name, *(_spread(m, s) for m, s in zip(mean, std, strict=True))]
            for band, mean, std in zip(bands, self.stats.mean.T, self.stats.std.T, strict=True)
        ]
        cells = [["mean ± std", *names], *cells[:_BANDS_TOLD]]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  " + "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
            for row in cells
        ]
        more = len(bands) - _BANDS_TOLD
        return [line.rstrip() for line in lines] + (
            [f"  and {counted(more, 'more band', 'more bands')}"] if more > 0 else []
        )

    def _separable(self) -> list[str]:
        names = self.samples.pixels.names
        close = [pair for pair in self.pairs if not self.distance[pair] >= APART]
        if not close:
            few = any(self.size(number) == "few" for number in range(len(names)))
            doubt = "; classes of few pixels seem more apart than they are" if few else ""
            return [
                f"All classes are told apart ({MEASURES['jm'].title} {APART} or more of 2){doubt}."
            ]
        lines = [f"Hard to tell apart ({MEASURES['jm'].title} below {APART} of 2):"]
        for i, j in close[:_TOLD]:
            band = self.samples.bands[self.overlap.band[i, j]].name
            lines.append(
                f"  {three_digits(float(self.distance[i, j])):>6}  {names[i]} - {names[j]}: even "
                f"in {band} their histograms overlap by {percent(self.overlap.share[i, j], '')}"
            )
        more = len(close) - _TOLD
        return lines + ([f"  and {counted(more, 'more pair', 'more pairs')}"] if more > 0 else [])

    def _odd(self) -> list[str]:
        found = self.outliers.features
        if not found:
            return ["No feature is unlike the rest of its class."]
        lines = ["Features that are unlike the rest of their class:"]
        lines += [f"  {self._told(apart)}" for apart in found[:_TOLD]]
        more = len(found) - _TOLD
        return lines + (
            [f"  and {counted(more, 'more feature', 'more features')}"] if more > 0 else []
        )

    def _told(self, apart: Apart) -> str:
        names, features = self.samples.pixels.names, self.samples.features
        pixels = int((self.samples.pixels.features == apart.feature).sum())
        like = (
            "still likest its own class"
            if apart.like == apart.of_class
            else f"likest {names[apart.like]}"
        )
        return (
            f"{features.ids[apart.feature]} ({names[apart.of_class]}): "
            f"{percent(apart.share, '')} of {counted(pixels, 'pixel', 'pixels')}, {like}"
        )

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{row['value']}</td><td>{escape(row['name'])}</td><td>{row['features']:,}</td>"
            f"<td>{row['pixels']:,}</td><td>{row['size']}</td></tr>"
            for row in self.rows
        )
        return (
            f"<p>{escape(str(self.samples.training.path))}</p><table><tr><th>value</th>"
            f"<th>class</th><th>features</th><th>pixels</th><th>size</th></tr>{rows}</table>"
        )


def check_training(
    scene: Any,
    training: Training,
    *,
    mergers: Sequence[str] = (),
    out: str | Path | None = None,
    validation: Validation | None = None,
    seed: int = 0,
    reading: Reading | None = None,
    running: Running | None = None,
    overwrite: bool = False,
) -> CheckedTraining:
    """List and judge the training samples of a scene.

    Told are the size of each class against its bands, its mean and spread, how well each two
    classes are told apart, and which features are unlike the rest of their class: most of their
    pixels lie where 0.1 % of a normal class would, the class being taken without them.

    Parameters
    ----------
    scene, seed, reading, running
        As for :func:`rsclass.classify`.
    training : Training
        Features of known class.
    mergers : sequence of str
        ``"old1,old2=new"``: classes that are taken as one.
    out : path or None
        GeoPackage to which the features are written with the merged classes.
    validation : Validation or None
        Cross-validate a method, too.
    overwrite : bool
        Whether ``out`` may be replaced.

    Returns
    -------
    CheckedTraining

    Raises
    ------
    UsageError
        A class to merge does not exist, or the output is impossible.
    DataError
        The samples cannot be read.
    OutputError
        The output exists or cannot be written.
    """
    running = running or Running()
    if out is not None and not mergers:
        raise UsageError("--output is for merged classes; say with --merge which are to be one.")
    if validation is not None:
        validation.engine()
    source = open_scene(scene, reading or Reading())
    try:
        with ExitStack() as stack:
            target = None
            if out is not None:
                inputs = [*source.files, *training.files()]
                target = stack.enter_context(_target(out, inputs, overwrite))
            stream = stack.enter_context(open_stream(source, running))
            samples = collect(stream, training, seed, mergers)
            checked = _checked(samples)
            validated = None if validation is None else validate(samples, validation, running)
            source.check_unchanged()
            samples.check_unchanged()
            files = {}
            if target is not None:
                _write_merged(training, mergers, target, source.georef.crs)
                files["training"] = target.path
        warnings = checked.warnings
        if validated is not None:
            warnings = [*warnings, *(w for w in validated.warnings if w not in warnings)]
        return replace(checked, validated=validated, files=files, warnings=warnings)
    finally:
        source.close()


def _checked(samples: Samples) -> CheckedTraining:
    pixels = samples.pixels
    stats = class_stats(pixels.values, pixels.classes, pixels.n_classes, samples.bands)
    apart = separability(stats.mean, stats.covariance, stats.count, pixels.names)
    outliers = find_outliers(pixels)
    untested = ", ".join(pixels.names[i] for i in outliers.untested)
    told = [f"too few pixels to look for odd ones: {untested}."] if untested else []
    return CheckedTraining(
        samples,
        stats,
        apart.tables["jm"],
        histogram_overlap(pixels),
        outliers,
        warnings=[*samples.warnings, *apart.notes, *told],
    )


def _target(out: str | Path, inputs: Sequence[str], overwrite: bool) -> Target:
    if Path(out).suffix.lower() != ".gpkg":
        raise UsageError(
            f"the output {out} is not named as a GeoPackage, the format that training samples are "
            f"written in; name it {Path(out).stem}.gpkg."
        )
    return Target(out, inputs, overwrite=overwrite, belongings=())


def _write_merged(
    training: Training, mergers: Sequence[str], target: Target, scene_crs: str | None
) -> None:
    from rsclass.io.layers import open_layer
    from rsclass.io.relabel import write_relabelled

    layer = open_layer(training.path, training.layer, training.encoding)
    labels = layer.labels(layer.read(training.field), training.field)
    known = distinct_labels(label for label in labels if label is not None)
    write_relabelled(
        layer,
        training.field,
        parse_mergers(mergers, known),
        target,
        crs=training.vector_crs,
        scene_crs=scene_crs,
    )


def _spread(mean: float, std: float) -> str:
    return f"{three_digits(mean)} ± {three_digits(std)}"


def _plain(values: Any) -> Any:
    """Numbers as JSON-able values; None where undefined."""
    if np.ndim(values):
        return [_plain(value) for value in values]
    return float(values) if np.isfinite(values) else None

"""``rsclass assess``."""

from __future__ import annotations

import copy
import re
from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.features import FEATURES
from rsclass.cli.options import MACHINE, OVERWRITE, PAGE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import running_of
from rsclass.core.design import DESIGNS
from rsclass.errors import QualityError

_MAP = click.Argument(["map"], metavar="MAP", type=values.path)
_GATE = re.compile(r"\s*([^=]*[^=\s])\s*=\s*([0-9.eE+-]+)\s*(?:,|\s|$)")


def _gates(value: Any) -> tuple[tuple[str, float], ...]:
    """``overall=0.8``, or several parted by commas or spaces."""
    if isinstance(value, tuple):
        return value
    text = str(value).strip()
    found, end = [], 0
    while end < len(text):
        gate = _GATE.match(text, end)
        if gate is None:
            raise click.BadParameter(f"{text[end:]!r} is not NAME=NUMBER, such as overall=0.8")
        try:
            found.append((gate[1], float(gate[2])))
        except ValueError:
            raise click.BadParameter(f"{gate[2]!r} is no number") from None
        end = gate.end()
    if not found:
        raise click.BadParameter("it is empty; write overall=0.8")
    return tuple(found)


def _of_reference(option: Option) -> Option:
    moved = copy.copy(option)
    moved.group = "Reference"
    return moved


_FLAGS = (
    Option(
        "--reference",
        group="Reference",
        metavar="FILE",
        required=True,
        type=values.path,
        help="What is right: points, polygons or lines of any vector format, a raster of labels "
        "(0 is none), or a CSV table with a column 'map'.",
    ),
    *map(_of_reference, FEATURES),
    Option(
        "--on-unknown",
        group="Reference",
        default="fail",
        type=click.Choice(["fail", "class", "skip"]),
        help="What to do with labels that are no class of the map: refuse them, count them as "
        "classes that the map misses, or leave them out.",
    ),
    Option(
        "--clusters/--classes",
        group="Reference",
        default=None,
        help="Score the map as clusters, whose numbers mean nothing, or as classes. [default: "
        "clusters if rsclass found them and nobody named them]",
    ),
    Option(
        "--assume-design",
        group="Reference",
        type=click.Choice(list(DESIGNS)),
        help="How the reference was drawn, where it does not tell; without a design there are no "
        "intervals.",
    ),
    Option(
        "--strata",
        group="Reference",
        metavar="RASTER|NAME",
        type=values.path,
        help="Strata of the sample: a raster on the map's pixels, or a column of the reference.",
    ),
    Option(
        "--confidence",
        group="Reference",
        metavar="SHARE",
        default=0.95,
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        help="Of the intervals.",
    ),
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="CSV table: confusion matrix and all figures of each class.",
    ),
    PAGE,
    Option(
        "--fail-under",
        group="Output",
        metavar="NAME=NUMBER",
        multiple=True,
        type=_gates,
        help="End with exit code 5 if a figure is less: overall, kappa, f1, iou, nmi, ari, purity, "
        "paired, or of a class, water.users, .producers, .f1, .iou; repeatable, or a list.",
    ),
    OVERWRITE,
)

_EXAMPLES = """\
  rsclass assess landcover.tif --reference landcover_sample.gpkg
  rsclass assess landcover.tif --reference points.shp --field CLASS --assume-design simple
  rsclass assess landcover.tif --reference truth.tif -o accuracy.csv --report accuracy.html
  rsclass assess landcover.tif --reference points.gpkg --fail-under overall=0.8,water.users=0.9
"""


@make_command("assess", _MAP, *_FLAGS, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Tell how right MAP is, and how large its classes really are.

    Rows of the confusion matrix are the reference, columns the map. Intervals and true areas need
    a reference of known design, such as that of 'rsclass sample'.
    """
    gates = [gate for group in flags["fail_under"] for gate in group]
    with session.work() as progress:
        from rsclass.flow.assess import assess

        result = assess(
            flags["map"],
            flags["reference"],
            field=flags["field"],
            layer=flags["layer"],
            vector_crs=flags["vector_crs"],
            encoding=flags["encoding"],
            strata=flags["strata"],
            assume_design=flags["assume_design"],
            confidence=flags["confidence"],
            clusters=flags["clusters"],
            on_unknown=flags["on_unknown"],
            table=flags["output"],
            report=flags["page"],
            figures=[name for name, _ in gates],
            overwrite=flags["overwrite"],
            running=running_of(flags, progress),
            command=session.command,
        )
    session.deliver(result)
    missed = [
        f"{name} is {'undefined' if found != found else format(found, '.4f')}, less than {least:g}"
        for name, least in gates
        if not (found := result.figure(name)) >= least
    ]
    if missed:
        raise QualityError(f"the map does not reach what was asked: {'; '.join(missed)}.")

"""``rsclass suggest``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.features import FEATURES
from rsclass.cli.options import MACHINE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import running_of

_MAP = click.Argument(["map"], metavar="MAP", type=values.path)
_FLAGS = (
    Option(
        "--scene",
        group="Scene",
        metavar="FILE",
        multiple=True,
        type=values.path,
        help="The scene, to judge spectra by. [default: the statistics beside the map, or else "
        "where the scene was]",
    ),
    Option(
        "--reference",
        group="Classes",
        metavar="FILE",
        type=values.path,
        help="Polygons, lines or points with labels (give --field too), or a raster of classes "
        "such as an older land-cover map.",
    ),
    *FEATURES,
    Option(
        "--spectra/--no-spectra",
        group="Classes",
        default=True,
        help="Judge mean spectra where the reference is silent.",
    ),
    Option(
        "--schema",
        group="Classes",
        metavar="FILE|NAME",
        help="Land-cover classes that the names are to mean. [default: every name is a class]",
    ),
    Option(
        "--min-confidence",
        "least",
        group="Classes",
        metavar="SHARE",
        default=0.5,
        type=click.FloatRange(0, 1),
        help="Confidence below which a class stays unknown.",
    ),
    Option(
        "--table",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="Merge table (CSV) for --apply.",
    ),
    Option(
        "--apply",
        group="Output",
        is_flag=True,
        default=False,
        show_default=False,
        help="Write the merge table; in one that exists, fill in what is not decided yet.",
    ),
)

_EXAMPLES = """\
  rsclass suggest map.tif
  rsclass suggest map.tif --reference fields.gpkg --field cover --schema simple8
  rsclass suggest map.tif --reference landcover_2018.tif --table merge.csv --apply
"""


@make_command("suggest", _MAP, *_FLAGS, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Propose names for the classes of MAP, with the evidence and a confidence for each.

    The reference speaks first; where it is silent or not sure enough, indices and typical spectra
    of water, vegetation, bare soil, built-up ground, snow and cloud; else a class stays unknown.
    Nothing is applied without --apply, which writes a table for 'rsclass merge'.
    """
    scenes = list(flags["scene"])
    with session.work() as progress:
        from rsclass.flow.suggest import suggest

        result = suggest(
            flags["map"],
            reference=flags["reference"],
            field=flags["field"],
            layer=flags["layer"],
            vector_crs=flags["vector_crs"],
            encoding=flags["encoding"],
            spectra=flags["spectra"],
            scene=(scenes[0] if len(scenes) == 1 else scenes) if scenes else None,
            schema=flags["schema"],
            min_confidence=flags["least"],
            table=flags["table"],
            apply=flags["apply"],
            running=running_of(flags, progress),
        )
    session.deliver(result)

"""``rsclass compare``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import DERIVING, MACHINE, PAGE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import deriving_of, running_of
from rsclass.core.change import BY

_MAPS = (
    click.Argument(["first"], metavar="A", type=values.path),
    click.Argument(["second"], metavar="B", type=values.path),
)
_FLAGS = (
    Option(
        "--by",
        group="Classes",
        default="name",
        type=click.Choice(BY),
        help="What makes classes of the two legends the same.",
    ),
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="GeoTIFF of the changes, with a class for each that occurs.",
    ),
    Option(
        "--table",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="Table of the changes: .csv, or .json with all else.",
    ),
    PAGE,
    *(option for option in DERIVING if option.name != "output"),
)

_EXAMPLES = """\
  rsclass compare map_2015.tif map_2025.tif
  rsclass compare a.tif b.tif -o changes.tif --table changes.csv --report changes.html
"""


@make_command("compare", *_MAPS, *_FLAGS, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Tell what changed from class map A to class map B, and how far they agree.

    Their pixels must coincide; maps of different extent are compared where they overlap.
    """
    with session.work() as progress:
        from rsclass.flow.compare import compare

        result = compare(
            flags["first"],
            flags["second"],
            flags["output"],
            by=flags["by"],
            table=flags["table"],
            report=flags["page"],
            running=running_of(flags, progress),
            writing=deriving_of(flags),
            command=session.command,
        )
    session.deliver(result)

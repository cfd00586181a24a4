"""``rsclass separate``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import MACHINE, OVERWRITE, PAGE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import running_of
from rsclass.core.measures import DEFAULT, MEASURES

_MAP = click.Argument(["map"], metavar="MAP|MODEL", type=values.path)
_FLAGS = (
    Option(
        "--scene",
        group="Scene",
        metavar="FILE",
        multiple=True,
        type=values.path,
        help="The scene, to work out how its classes are spread. [default: the statistics beside "
        "the map, or else where the scene was]",
    ),
    Option(
        "--measure",
        group="Classes",
        default=DEFAULT,
        type=click.Choice(list(MEASURES)),
        help="By which pairs of classes are ranked; jm goes from 0 to 2, jm-root to 1.414.",
    ),
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="CSV table of every pair of classes with every measure.",
    ),
    PAGE,
    OVERWRITE,
)

_EXAMPLES = """\
  rsclass separate map.tif
  rsclass separate map.tif -o pairs.csv --report separability.html
  rsclass separate scene_kmeans12.safetensors --scene other.tif --measure td
"""


@make_command("separate", _MAP, *_FLAGS, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Tell how well the classes of MAP can be told apart, and which may be one.

    For a model (.safetensors) of a supervised method its training samples are judged, else every
    pixel of a class. Nothing is merged; 'rsclass merge' does that.
    """
    scenes = list(flags["scene"])
    with session.work() as progress:
        from rsclass.flow.separate import separate

        result = separate(
            flags["map"],
            measure=flags["measure"],
            scene=(scenes[0] if len(scenes) == 1 else scenes) if scenes else None,
            table=flags["output"],
            report=flags["page"],
            overwrite=flags["overwrite"],
            running=running_of(flags, progress),
            command=session.command,
        )
    session.deliver(result)

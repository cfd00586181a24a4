"""``rsclass replay``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import MACHINE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import running_of
from rsclass.errors import QualityError

_MAP = click.Argument(["map"], metavar="MAP", type=values.path)
_MOVED = (
    Option(
        "--scene",
        group="Scene",
        metavar="FILE",
        multiple=True,
        type=values.path,
        help="Where the scene lies now, if it was moved.",
    ),
    Option(
        "--model",
        group="Scene",
        metavar="FILE",
        type=values.path,
        help="Where the model of 'rsclass predict' lies now.",
    ),
    Option(
        "--training",
        group="Scene",
        metavar="FILE",
        type=values.path,
        help="Where the training features lie now, if they were moved.",
    ),
)

_EXAMPLES = """\
  rsclass replay map.tif
  rsclass replay map.tif --scene /new/place/scene.tif
"""


@make_command("replay", _MAP, *_MOVED, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Make MAP again from the recipe it carries, and compare every byte.

    The new map is compared and thrown away. The exit code is 5 when a pixel differs.
    """
    scenes = list(flags["scene"])
    with session.work() as progress:
        from rsclass.flow.replay import replay

        result = replay(
            flags["map"],
            scene=(scenes[0] if len(scenes) == 1 else scenes) if scenes else None,
            model=flags["model"],
            training=flags["training"],
            running=running_of(flags, progress),
        )
    session.deliver(result)
    if not (result.identical or result.same_pixels):
        raise QualityError(f"{flags['map']} could not be made again as it is.")

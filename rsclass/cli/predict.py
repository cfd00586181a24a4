"""``rsclass predict``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import MACHINE, READING, SCENES, WRITING, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import reading_of, running_of, scene_of, writing_of
from rsclass.io.digests import begin

_MODEL = click.Argument(["model"], metavar="MODEL", type=values.path)

_ADAPT = Option(
    "--adapt",
    group="Classes",
    is_flag=True,
    default=False,
    show_default=False,
    help="Fit the network of MODEL to the scene's own light: scaling and normalization.",
)

_EXAMPLES = """\
  rsclass predict scene_uic12.safetensors other.tif
  rsclass predict scene_uic12.safetensors other.tif --adapt
  rsclass predict km.safetensors other.tif -o map.tif --layers confidence --min-confidence 0.6
"""


@make_command("predict", _MODEL, SCENES, *READING, _ADAPT, *WRITING, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Label SCENE with the classes of MODEL and write the map.

    MODEL is the .safetensors file of 'rsclass classify' or 'rsclass train'. Bands are matched by
    their names; a scene that lacks one is refused.
    """
    begin(flags["scene"])
    with session.work() as progress:
        from rsclass.flow.predict import predict

        session.resumable = flags["resume"]
        result = predict(
            flags["model"],
            scene_of(flags),
            flags["output"],
            reading=reading_of(flags),
            running=running_of(flags, progress),
            writing=writing_of(flags),
            adapt=flags["adapt"],
            command=session.command,
        )
    session.deliver(result)

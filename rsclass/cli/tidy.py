"""``rsclass tidy``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import DERIVING, MACHINE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import deriving_of, running_of

_MAP = click.Argument(["map"], metavar="MAP", type=values.path)
_FLAGS = (
    Option(
        "--majority",
        group="Classes",
        metavar="N",
        type=click.IntRange(min=3),
        help="Give each pixel the most frequent class among N x N; N is odd.",
    ),
    Option(
        "--circular/--square",
        group="Classes",
        default=False,
        help="Shape of the window of --majority.",
    ),
    Option(
        "--center-weight",
        group="Classes",
        metavar="N",
        default=1,
        type=click.IntRange(min=1),
        help="Votes of the pixel itself in --majority.",
    ),
    Option(
        "--min-majority",
        group="Classes",
        metavar="SHARE",
        default=0.0,
        type=click.FloatRange(0, 1),
        help="Share of the votes (0 to 1) that it takes to change a pixel.",
    ),
    Option(
        "--sieve",
        group="Classes",
        metavar="N",
        type=click.IntRange(min=1),
        help="Give patches of fewer than N pixels to the largest patch beside them.",
    ),
    Option(
        "--min-area",
        also="--mmu",
        group="Classes",
        metavar="AREA",
        type=values.area,
        help="The same with an area on the ground, such as 0.5ha or 900m2.",
    ),
    Option(
        "--connect",
        group="Classes",
        metavar="[4|8]",
        default="4",
        type=click.Choice(["4", "8"]),
        help="Pixels make a patch if they touch at a side, or at a corner too.",
    ),
    Option(
        "--protect",
        group="Classes",
        metavar="LIST",
        multiple=True,
        type=values.names,
        help="Classes, by name or value, whose pixels stay as they are.",
    ),
)

_EXAMPLES = """\
  rsclass tidy map.tif --majority 3 --sieve 10
  rsclass tidy landcover.tif -o tidy.tif --min-area 0.5ha --connect 8 --protect water,urban
"""


@make_command("tidy", _MAP, *_FLAGS, *DERIVING, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Clear MAP of lone pixels and small patches, and tell what moved where.

    The majority filter comes first, then the sieve. Pixels without a class stay so. Without -o the
    new map is MAP_tidy.tif beside MAP.
    """
    names = ("majority", "circular", "center_weight", "min_majority", "sieve", "min_area")
    with session.work() as progress:
        from rsclass.flow.tidy import tidy

        result = tidy(
            flags["map"],
            flags["output"],
            **{name: flags[name] for name in names},
            connect=int(flags["connect"]),
            protect=[label for part in flags["protect"] for label in part],
            running=running_of(flags, progress),
            writing=deriving_of(flags),
        )
    session.deliver(result)

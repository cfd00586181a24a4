"""``rsclass sample``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import MACHINE, OVERWRITE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import running_of
from rsclass.core.design import DESIGNS
from rsclass.core.planning import ALLOCATIONS
from rsclass.errors import UsageError

_MAP = click.Argument(["map"], metavar="MAP", type=values.path)


def _accuracy(value: Any) -> tuple[str, float]:
    """``0.8`` for every class, or ``water=0.95`` for one."""
    if isinstance(value, tuple):
        return str(value[0]), float(value[1])
    name, _, number = str(value).rpartition("=")
    try:
        accuracy = float(number)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not 0.8 or CLASS=0.8") from None
    if not 0 <= accuracy <= 1:
        raise click.BadParameter(f"{number} is not between 0 and 1")
    return name.strip(), accuracy


_FLAGS = (
    Option(
        "--design",
        group="Sample",
        default="stratified",
        type=click.Choice(list(DESIGNS)),
        help="At random over the map, on a grid with a random start, or at random within each map "
        "class.",
    ),
    Option(
        "-n",
        "--points",
        also="--n",
        group="Sample",
        metavar="N",
        type=click.IntRange(min=1),
        help="Points. [default: as many as --standard-error needs]",
    ),
    Option(
        "--standard-error",
        group="Sample",
        metavar="E",
        default=0.02,
        type=click.FloatRange(0, 1, min_open=True, max_open=True),
        help="Wanted for the overall accuracy; sets the number of points.",
    ),
    Option(
        "--expected",
        group="Sample",
        metavar="[CLASS=]U",
        multiple=True,
        type=_accuracy,
        help="User's accuracy to plan with, 0 to 1, of every class or of one; repeatable. "
        "[default: 0.8]",
    ),
    Option(
        "--allocation",
        group="Sample",
        default="proportional",
        type=click.Choice(list(ALLOCATIONS)),
        help="Points of a class by its size, the same for all, or by size and expected spread.",
    ),
    Option(
        "--min-per-class",
        group="Sample",
        metavar="N",
        default=50,
        type=click.IntRange(min=0),
        help="Least number of points of each class.",
    ),
    Option(
        "--min-distance",
        group="Sample",
        metavar="M",
        default=0.0,
        type=click.FloatRange(min=0),
        help="Least distance between points in meters.",
    ),
    Option(
        "--strata",
        group="Sample",
        metavar="RASTER",
        type=values.path,
        help="Strata other than the map classes: a raster of whole numbers on the same pixels.",
    ),
    Option(
        "--seed",
        group="Sample",
        metavar="N",
        default=0,
        type=click.IntRange(min=0),
        help="Of every random choice.",
    ),
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="GeoPackage to write. [default: MAP_sample.gpkg beside the map]",
    ),
    Option(
        "--hide-class",
        group="Output",
        is_flag=True,
        default=False,
        show_default=False,
        help="Leave out of the points what the map says, for whoever labels them.",
    ),
    OVERWRITE,
)

_EXAMPLES = """\
  rsclass sample landcover.tif
  rsclass sample landcover.tif -n 600 --allocation neyman --expected 0.9 --expected wetland=0.6
  rsclass sample landcover.tif --design systematic -n 400 --hide-class -o points.gpkg
"""


@make_command("sample", _MAP, *_FLAGS, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Draw reference points over MAP, to be labelled and given to 'rsclass assess'.

    Writes a GeoPackage of points with an empty column 'reference'; the design is recorded in it.
    """
    expected = dict(flags["expected"])
    if len(expected) < len(flags["expected"]):
        raise UsageError("--expected gives two accuracies for one class; give one of them.")
    with session.work() as progress:
        from rsclass.flow.sample import plan_sample

        result = plan_sample(
            flags["map"],
            flags["output"],
            design=flags["design"],
            allocation=flags["allocation"],
            n=flags["points"],
            standard_error=flags["standard_error"],
            expected=expected,
            least=flags["min_per_class"],
            min_distance=flags["min_distance"],
            strata=flags["strata"],
            hide_class=flags["hide_class"],
            seed=flags["seed"],
            overwrite=flags["overwrite"],
            running=running_of(flags, progress),
        )
    session.deliver(result)

"""``rsclass training``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.features import ALLOW_MISSED, FEATURES, PER_CLASS
from rsclass.cli.options import LEARNING, MACHINE, OVERWRITE, READING, SCENES, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import (
    reading_of,
    refuse_alone,
    running_of,
    scene_of,
    training_features,
)

_FILE = click.Argument(["training"], metavar="FILE", type=values.path)
_SHARED = tuple(option for option in LEARNING if option.name in ("set", "seed"))
_OF_METHOD = ("set", "folds", "by", "block_size")

_VALIDATION = (
    Option(
        "--cross-validate",
        group="Classes",
        metavar="METHOD",
        help="Tell how well a method that learns from samples does on parts that it has not seen.",
    ),
    Option(
        "--folds",
        group="Classes",
        metavar="N",
        default=5,
        type=click.IntRange(min=2),
        help="Parts of a cross-validation.",
    ),
    Option(
        "--by",
        group="Classes",
        default="feature",
        type=click.Choice(["feature", "block"]),
        help="What a part is made of: whole features, or whole squares of the scene.",
    ),
    Option(
        "--block-size",
        group="Classes",
        metavar="M",
        default=50,
        type=click.IntRange(min=1),
        help="Side of such a square in pixels.",
    ),
)

_MERGING = (
    Option(
        "--merge",
        group="Classes",
        metavar="OLD,OLD=NEW",
        multiple=True,
        help="Take classes as one; repeatable. With --output the file is written so.",
    ),
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="GeoPackage for the features with merged classes.",
    ),
    OVERWRITE,
)

_EXAMPLES = """\
  rsclass training scene.tif areas.gpkg --field class
  rsclass training scene.tif areas.gpkg --field class --cross-validate rf --by block
  rsclass training scene.tif areas.gpkg --field class --merge "oak,beech=forest" -o merged.gpkg
"""


@make_command(
    "training",
    SCENES,
    _FILE,
    *READING,
    *FEATURES,
    PER_CLASS,
    ALLOW_MISSED,
    *_VALIDATION,
    *_SHARED,
    *_MERGING,
    *MACHINE,
    examples=_EXAMPLES,
)
def command(session: Session, **flags: Any) -> None:
    """List the training samples of FILE on SCENE, and judge them.

    Told are the sizes, means and spreads of the classes, which of them are hard to tell apart, and
    which features do not look like the rest of their class. Nothing is changed.
    """
    method = flags["cross_validate"]
    if method is None:
        refuse_alone(_OF_METHOD, "a method; name it with --cross-validate")
    with session.work() as progress:
        from rsclass.flow.training_check import check_training
        from rsclass.flow.validate import Validation

        validation = None
        if method is not None:
            validation = Validation(
                method,
                flags["folds"],
                flags["by"],
                flags["block_size"],
                dict(flags["set"]),
                flags["seed"],
            )
        result = check_training(
            scene_of(flags),
            training_features(flags["training"], flags),
            mergers=flags["merge"],
            out=flags["output"],
            validation=validation,
            seed=flags["seed"],
            reading=reading_of(flags),
            running=running_of(flags, progress),
            overwrite=flags["overwrite"],
        )
    session.deliver(result)

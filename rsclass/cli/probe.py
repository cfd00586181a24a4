"""``rsclass probe``."""

from __future__ import annotations

from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.features import FEATURES
from rsclass.cli.options import LEARNING, MACHINE, OVERWRITE, PAGE, READING, SCENES, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import reading_of, running_of, scene_of

_MODEL = click.Argument(["model"], metavar="MODEL", type=values.path)
_FLAGS = (
    Option(
        "--reference",
        group="Classes",
        metavar="FILE",
        required=True,
        type=values.path,
        help="Polygons, lines or points with labels (give --field too), or a raster of classes.",
    ),
    *FEATURES,
    Option(
        "--samples-per-class",
        group="Classes",
        metavar="N",
        default=500,
        type=click.IntRange(min=2),
        help="Most pixels of a class, chosen at random.",
    ),
    Option(
        "--folds",
        group="Classes",
        metavar="N",
        default=5,
        type=click.IntRange(min=2),
        help="Parts, each of which is judged by what the others teach.",
    ),
    Option(
        "--block-size",
        group="Classes",
        metavar="M",
        type=click.IntRange(min=1),
        help="Side in pixels of the squares that parts are made of. [default: an eighth of the "
        "scene, 50 at most]",
    ),
    *(option for option in LEARNING if option.name == "seed"),
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="CSV table of all scores.",
    ),
    PAGE,
    OVERWRITE,
)

_EXAMPLES = """\
  rsclass probe scene_uic12.safetensors scene.tif --reference fields.gpkg --field cover
  rsclass probe uic.safetensors other.tif --reference landcover.tif --report probe.html
"""


@make_command("probe", _MODEL, SCENES, *READING, *_FLAGS, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Judge what MODEL has learned by simple classifiers on its frozen features of SCENE.

    Told are, for raw spectra, means of 5 x 5 pixels and each layer of the network, how often a
    linear classifier, the nearest neighbors and prototypes of 1, 5 and 10 pixels find the class of
    pixels far from those that teach; and how classes and clusters fit the reference.
    """
    with session.work() as progress:
        from rsclass.flow.probe import probe

        result = probe(
            flags["model"],
            scene_of(flags),
            flags["reference"],
            field=flags["field"],
            layer=flags["layer"],
            vector_crs=flags["vector_crs"],
            encoding=flags["encoding"],
            per_class=flags["samples_per_class"],
            folds=flags["folds"],
            block_size=flags["block_size"],
            seed=flags["seed"],
            table=flags["output"],
            report=flags["page"],
            overwrite=flags["overwrite"],
            reading=reading_of(flags),
            running=running_of(flags, progress),
            command=session.command,
        )
    session.deliver(result)

"""The flags that say which features of a vector file are meant."""

from __future__ import annotations

import click

from rsclass.cli import values
from rsclass.cli.options import Option

__all__ = ["ALLOW_MISSED", "FEATURES", "FIELD", "PER_CLASS", "TRAINING"]

FIELD = Option(
    "--field",
    group="Classes",
    metavar="NAME",
    help="Column that holds the classes: texts or whole numbers.",
)

FEATURES = (
    FIELD,
    Option(
        "--layer",
        group="Classes",
        metavar="NAME",
        help="Layer of the vector file, where it has several.",
    ),
    Option(
        "--vector-crs",
        group="Classes",
        metavar="CRS",
        help="CRS of the vector file where it states none or a wrong one: EPSG:4326 and the like, "
        "or scene, where its coordinates are the scene's.",
    ),
    Option(
        "--encoding",
        group="Classes",
        metavar="NAME",
        help="Encoding of the vector file's texts where it states none or a wrong one: cp1252.",
    ),
)

PER_CLASS = Option(
    "--samples-per-class",
    group="Classes",
    metavar="N",
    type=click.IntRange(min=1),
    help="Most training pixels of a class, chosen at random. [default: all]",
)

ALLOW_MISSED = Option(
    "--allow-missed",
    group="Classes",
    is_flag=True,
    default=False,
    show_default=False,
    help="Leave out training features that hit no valid pixel, instead of refusing the file.",
)

TRAINING = (
    Option(
        "--training",
        group="Classes",
        metavar="FILE",
        type=values.path,
        help="Points, lines or polygons of known class to learn from, in any vector format and "
        "CRS; with --field.",
    ),
    *FEATURES,
    PER_CLASS,
    ALLOW_MISSED,
)

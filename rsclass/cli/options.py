"""Every shared flag, once: its spellings, its default, its help."""

from __future__ import annotations

import copy
from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.config import read_config
from rsclass.cli.progress import MODES
from rsclass.cli.session import Session
from rsclass.cli.usage import print_usage

__all__ = ["DERIVING", "GENERAL", "GROUPS", "LEARNING", "MACHINE", "OVERWRITE", "PAGE", "READING"]
__all__ += ["SCENES", "WRITING", "Option"]

GROUPS = ("Scene", "Sample", "Reference", "Classes", "Output", "Machine", "General")
LAYERS = ("confidence", "distance", "entropy", "membership")
GIB = 2**30


class Option(click.Option):
    """A flag that is also a variable ``RSCLASS_<NAME>`` and a key of the TOML file.

    Parameters
    ----------
    flags : str
        Those shown in the help.
    group : str
        Heading in the help.
    also : str
        More spellings, separated by spaces, that are understood.
    """

    def __init__(self, *flags: str, group: str, also: str = "", **settings: Any) -> None:
        settings.setdefault("show_default", settings.get("default") is not None)
        super().__init__([*flags, *also.split()], **settings)
        self.group = group
        self.also = tuple(also.split())
        if "envvar" not in settings:
            self.envvar = f"RSCLASS_{str(self.name).upper()}"

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The help without the further spellings."""
        return super(Option, self._shown()).get_help_record(ctx)

    def get_error_hint(self, ctx: click.Context | None) -> str:
        """The name in errors, without the further spellings."""
        return super(Option, self._shown()).get_error_hint(ctx)

    def _shown(self) -> Option:
        shown = copy.copy(self)
        shown.opts = [name for name in self.opts if name not in self.also]
        return shown


def _kept(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    setattr(ctx.ensure_object(Session), str(param.name), value)


def _config(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        ctx.default_map = read_config(value, ctx.command)


def _usage(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        print_usage(ctx)
        ctx.exit()


def _flag(*flags: str, group: str, help: str, **settings: Any) -> Option:
    settings.setdefault("default", False)
    return Option(*flags, group=group, help=help, is_flag=True, show_default=False, **settings)


def _speech(*flags: str, help: str, **settings: Any) -> Option:
    """A flag that the session keeps."""
    eager: dict[str, Any] = {"is_eager": True, "expose_value": False, "callback": _kept}
    return Option(*flags, group="General", help=help, **(settings | eager))


SCENES = click.Argument(["scene"], metavar="SCENE...", nargs=-1, required=True, type=values.path)

READING = (
    Option(
        "-b",
        "--bands",
        also="--band --bidx",
        group="Scene",
        metavar="LIST",
        multiple=True,
        help="Bands to use: numbers (4,3,2), ranges (1..6), names (B04,B08) or roles (red,nir). "
        "[default: all but alpha]",
    ),
    Option(
        "--src-nodata",
        also="--nodata",
        group="Scene",
        metavar="NUMBER",
        type=float,
        help="Stored value that means no data, instead of what the file declares; nan is one.",
    ),
    Option(
        "--mask",
        also="--geojson-mask",
        group="Scene",
        metavar="FILE",
        type=values.path,
        help="Raster (0: out) or polygons (inside: in) that limit what is classified.",
    ),
    Option(
        "--bounds",
        also="--bbox",
        group="Scene",
        metavar="L,B,R,T",
        type=values.bounds,
        help="Crop to left,bottom,right,top in units of the CRS.",
    ),
    Option(
        "--resolution",
        group="Scene",
        metavar="SIZE",
        type=click.FloatRange(min=0, min_open=True),
        help="Size of a pixel in units of the CRS. [default: that of the finest band]",
    ),
    Option(
        "--scaled/--unscaled",
        group="Scene",
        default=True,
        help="Apply the scale and offset that the file declares.",
    ),
    _flag(
        "--palette-as-values",
        group="Scene",
        help="Take the indices of a color table for measurements.",
    ),
    Option(
        "--on-bad-tile",
        group="Scene",
        default="fail",
        type=click.Choice(["fail", "nodata"]),
        help="What to do where a stored block cannot be decoded.",
    ),
    Option(
        "--max-pixels",
        group="Scene",
        metavar="N",
        default=10**11,
        type=click.IntRange(min=1),
        help="Refuse larger scenes.",
    ),
)

LEARNING = (
    Option(
        "-m",
        "--method",
        group="Classes",
        metavar="NAME",
        default="uic",
        help="How classes are found; see 'rsclass methods'.",
    ),
    Option(
        "-k",
        "--classes",
        also="--n-classes",
        group="Classes",
        metavar="N",
        type=values.classes,
        help="Classes to find: a number, a range to choose from (6..16), or auto. "
        "[default: 12, or those of the training samples]",
    ),
    Option(
        "--set",
        group="Classes",
        metavar="NAME=VALUE",
        multiple=True,
        type=values.pairs,
        help="A parameter of the method, as 'rsclass methods NAME' lists them; repeatable.",
    ),
    Option(
        "--init",
        group="Classes",
        metavar="NAME|FILE",
        help="First weights of a network: random, rotnet, jigsaw, exemplar, simclr, moco, or a "
        "file: a model of rsclass, or a ResNet (with --set trunk=resnet18). Same as --set init=.",
    ),
    Option(
        "--features",
        group="Classes",
        metavar="bands|views",
        type=click.Choice(["bands", "views"]),
        help="What is classified: the bands, or views of them (clipped, logarithms, directions).",
    ),
    Option(
        "--smooth",
        group="Classes",
        metavar="none|bilateral",
        type=click.Choice(["none", "bilateral"]),
        help="Smooth the scene before it is classified, and keep its edges.",
    ),
    Option(
        "--sample",
        group="Classes",
        metavar="N",
        type=values.sample,
        help="Pixels to learn from, or all.",
    ),
    Option(
        "--seed",
        group="Classes",
        metavar="N",
        default=0,
        type=click.IntRange(min=0),
        help="Of every random choice.",
    ),
    Option(
        "--match-to",
        group="Classes",
        metavar="MODEL",
        type=values.path,
        help="Earlier model whose class numbers, names and colors are kept.",
    ),
)

OVERWRITE = _flag(
    "--overwrite", group="Output", help="Replace what stands there, with all that belongs to it."
)

PAGE = Option(
    "page",
    "--report",
    group="Output",
    metavar="FILE",
    type=values.page,
    help="Write a page with tables and figures: one HTML file that needs nothing but itself.",
)

WRITING = (
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="Where to write. [default: beside the scene]",
    ),
    OVERWRITE,
    Option(
        "-f",
        "--format",
        also="--of --driver --output-format",
        group="Output",
        default="GTiff",
        metavar="[GTiff|COG]",
        type=click.Choice(["GTiff", "COG"], case_sensitive=False),
        help="GeoTIFF, or Cloud Optimized GeoTIFF.",
    ),
    Option(
        "--co",
        also="--creation-option",
        group="Output",
        metavar="NAME=VALUE",
        multiple=True,
        type=values.pairs,
        help="Creation option such as COMPRESS=ZSTD; repeatable.",
    ),
    Option(
        "--layers",
        group="Output",
        metavar="LIST",
        multiple=True,
        type=values.words(LAYERS),
        help=f"Rasters beside the map: {', '.join(LAYERS)}.",
    ),
    *(_flag(f"--{name}", group="Output", help=f"Same as --layers {name}.") for name in LAYERS),
    Option(
        "--min-confidence",
        group="Output",
        metavar="SHARE",
        type=click.FloatRange(0, 1),
        help="Leave pixels of less confidence (0 to 1) without a class.",
    ),
    Option(
        "--max-distance",
        group="Output",
        metavar="D",
        type=click.FloatRange(min=0),
        help="Leave pixels farther from their class without a class.",
    ),
    Option(
        "--report/--no-report",
        group="Output",
        default=True,
        help="Write an HTML report; --report FILE.html is short for --report-to FILE.html.",
    ),
    Option(
        "--report-to",
        group="Output",
        metavar="FILE",
        type=values.page,
        help="Where the report is written. [default: beside the map]",
    ),
    _flag("--stac", group="Output", help="Write a STAC item."),
    _flag(
        "--resume",
        group="Output",
        help="Keep the epochs of the training, the trained model and the finished windows of this "
        "run beside the map, and use those that an earlier run with --resume left.",
    ),
)

DERIVING = (
    Option(
        "-o",
        "--output",
        group="Output",
        metavar="FILE",
        type=values.path,
        help="Where to write the new map. [default: beside the map]",
    ),
    *(option for option in WRITING if option.name in ("overwrite", "format", "co", "stac")),
)
"""How a map that is made from another one is written."""

MACHINE = (
    Option(
        "-j",
        "--jobs",
        also="--num-threads --threads",
        group="Machine",
        metavar="N",
        type=values.jobs,
        help="Worker threads; -1 for one on each core. [default: -1]",
    ),
    Option(
        "--max-mem",
        group="Machine",
        metavar="SIZE",
        default="2GiB",
        type=values.size,
        help="Memory that the process may occupy: 4GiB, 350MiB, bytes.",
    ),
    Option(
        "--tile",
        group="Machine",
        metavar="N",
        default=512,
        type=click.IntRange(min=1),
        help="Side of a tile in pixels; never changes the result.",
    ),
    Option(
        "--device",
        group="Machine",
        default="auto",
        type=click.Choice(["auto", "cpu", "cuda"]),
        help="Where networks are computed; cuda: where large scenes are labelled, too.",
    ),
    Option(
        "--scheduler",
        group="Machine",
        metavar="ADDRESS",
        help="Dask scheduler (tcp://host:port) whose workers do the work.",
    ),
)

GENERAL = (
    Option(
        "--config-file",
        group="General",
        metavar="FILE",
        type=values.path,
        is_eager=True,
        expose_value=False,
        callback=_config,
        help="TOML file with the same names, shared or under [command].",
    ),
    _speech(
        "--progress",
        default="auto",
        type=click.Choice(MODES),
        help="Bar or plain lines, JSON lines on stderr, or nothing.",
    ),
    _speech(
        "--json", is_flag=True, default=False, show_default=False, help="Print the result as JSON."
    ),
    _speech(
        "-q",
        "--quiet",
        is_flag=True,
        default=False,
        show_default=False,
        help="Say nothing but warnings and errors.",
    ),
    _speech(
        "-v",
        "--verbose",
        count=True,
        default=0,
        show_default=False,
        help="Show what libraries say, GDAL among them; -vv shows more.",
    ),
    _speech(
        "--traceback",
        is_flag=True,
        default=False,
        show_default=False,
        help="Show where in the code an error arose.",
    ),
    Option(
        "--json-usage",
        group="General",
        is_flag=True,
        default=False,
        show_default=False,
        is_eager=True,
        expose_value=False,
        envvar=None,
        callback=_usage,
        help="Print all of this as JSON.",
    ),
)

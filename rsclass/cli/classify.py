"""``rsclass classify``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.features import TRAINING
from rsclass.cli.options import LEARNING, MACHINE, READING, SCENES, WRITING, Option
from rsclass.cli.precision import PRECISION
from rsclass.cli.session import Session
from rsclass.cli.translate import (
    learning_of,
    reading_of,
    running_of,
    scene_of,
    training_of,
    writing_of,
)
from rsclass.errors import UsageError
from rsclass.io.digests import begin

_FIRST = (
    Option(
        "--dry-run",
        group="Output",
        is_flag=True,
        default=False,
        show_default=False,
        help="Tell tiles, memory, disk and time, and do nothing.",
    ),
    Option(
        "--preview",
        group="Output",
        metavar="[N]",
        type=values.preview,
        help="Classify a decimated scene, N pixels long, into <map>_preview.tif. "
        f"[default of N: {values.PREVIEW}]",
    ),
)

_EXAMPLES = """\
  rsclass classify scene.tif                        # twelve classes by UIC
  rsclass classify scene.tif -m kmeans -k 8 -o map.tif
  rsclass classify scene.tif -k 6..16 -b red,green,blue,nir --src-nodata 0
  rsclass classify scene.tif -m maxlike --training areas.gpkg --field class
  rsclass classify B02.tif B03.tif B04.tif B08.tif -o map.tif
  rsclass classify huge.tif --dry-run --max-mem 4GiB
  rsclass classify scene.tif -m isodata --set max_std=0.6 --json --progress json
"""


@make_command(
    "classify",
    SCENES,
    *READING,
    *LEARNING,
    *TRAINING,
    *WRITING,
    *_FIRST,
    *MACHINE,
    PRECISION,
    examples=_EXAMPLES,
)
def command(session: Session, **flags: Any) -> None:
    """Find spectral classes in SCENE and write their map.

    SCENE is any raster that GDAL reads, a Sentinel-2 or Landsat folder, or a URL; several are
    taken as the bands of one scene. Legend, statistics, model and report are written beside the
    map under its name. Nothing is overwritten without --overwrite.
    """
    if flags["dry_run"] and flags["preview"]:
        raise UsageError("--dry-run and --preview exclude each other; give one of them.")
    if not (flags["dry_run"] or flags["preview"]):
        begin(flags["scene"])
    with session.work() as progress:
        settings: dict[str, Any] = learning_of(flags) | {
            "training": training_of(flags),
            "reading": reading_of(flags),
            "writing": writing_of(flags),
            "running": replace(running_of(flags, progress), precision=flags["precision"]),
        }
        scene, output = scene_of(flags), flags["output"]
        result: Any
        if flags["dry_run"]:
            from rsclass.flow.plan import plan

            del settings["match_to"]  # takes no time and no memory
            result = plan(scene, output, **settings)
        elif flags["preview"]:
            from rsclass.flow.preview import preview

            size = flags["preview"]
            result = preview(scene, output, size=size, command=session.command, **settings)
        else:
            from rsclass.flow.classify import classify

            session.resumable = flags["resume"]
            result = classify(scene, output, command=session.command, **settings)
    session.deliver(result)

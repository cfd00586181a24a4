"""``rsclass edit``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.features import FEATURES
from rsclass.cli.options import DERIVING, MACHINE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import deriving_of, running_of
from rsclass.errors import UsageError

_MAP = click.Argument(["map"], metavar="MAP", type=values.path)
_FLAGS = (
    Option(
        "--polygons",
        also="--features",
        group="Classes",
        metavar="FILE",
        type=values.path,
        help="Polygons, lines or points whose pixels get another class, in any vector format and "
        "CRS.",
    ),
    *FEATURES,
    Option(
        "--to",
        group="Classes",
        metavar="CLASS",
        help="One class for all features, instead of --field.",
    ),
    Option(
        "--only",
        group="Classes",
        metavar="LIST",
        multiple=True,
        type=values.names,
        help="Change pixels of these classes alone, given by name or value.",
    ),
    Option(
        "--only-field",
        group="Classes",
        metavar="NAME",
        help="Column of such classes for each feature, parted by commas.",
    ),
    Option(
        "--add-classes",
        group="Classes",
        is_flag=True,
        default=False,
        show_default=False,
        help="Add classes that the map does not have, instead of refusing them.",
    ),
    Option(
        "--fill",
        group="Classes",
        is_flag=True,
        default=False,
        show_default=False,
        help="Change pixels without a class too.",
    ),
    Option(
        "--undo",
        group="Classes",
        is_flag=True,
        default=False,
        show_default=False,
        help="Take the last edit of MAP back, with the log beside it.",
    ),
    Option(
        "--replay",
        group="Classes",
        metavar="LOG",
        type=values.path,
        help="Repeat the edits of another map of the same place: its log (.edits.jsonl), or the "
        "map itself.",
    ),
)

_MACHINE = tuple(option for option in MACHINE if option.name not in ("scheduler", "device"))
_OF_POLYGONS = ("field", "to", "only", "only_field", "fill", "layer", "vector_crs", "encoding")

_EXAMPLES = """\
  rsclass edit map.tif --polygons fixes.gpkg --field class
  rsclass edit map.tif --polygons harbor.geojson --to water --only urban,rock -o fixed.tif
  rsclass edit map_edited.tif --undo -o back.tif
  rsclass edit other_map.tif --replay map_edited.edits.jsonl
"""


@make_command("edit", _MAP, *_FLAGS, *DERIVING, *_MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Correct MAP by hand: give the pixels inside drawn features another class.

    A log beside the new map (.edits.jsonl) tells what each feature changed and holds the old
    values, so that edits can be taken back (--undo) and repeated on another map (--replay). Without
    -o the new map is MAP_edited.tif or MAP_undone.tif beside MAP.
    """
    _check_one_task(flags)
    with session.work() as progress:
        from rsclass.flow.edit import edit, replay_edits, undo_edit

        shared: dict[str, Any] = {
            "running": running_of({**flags, "scheduler": None, "device": "auto"}, progress),
            "writing": deriving_of(flags),
        }
        if flags["undo"]:
            result = undo_edit(flags["map"], flags["output"], **shared)
        elif flags["replay"]:
            result = replay_edits(
                flags["replay"],
                flags["map"],
                flags["output"],
                add_classes=flags["add_classes"],
                **shared,
            )
        else:
            names = ("polygons", "field", "to", "only_field", "add_classes", "fill")
            result = edit(
                flags["map"],
                flags["output"],
                **{name: flags[name] for name in names},
                only=[label for part in flags["only"] for label in part],
                layer=flags["layer"],
                vector_crs=flags["vector_crs"],
                encoding=flags["encoding"],
                **shared,
            )
    session.deliver(result)


def _check_one_task(flags: Mapping[str, Any]) -> None:
    """``--polygons``, ``--undo`` and ``--replay`` are three different tasks."""
    tasks = [name for name in ("polygons", "undo", "replay") if flags[name]]
    if len(tasks) != 1:
        told = " and ".join(f"--{name}" for name in tasks)
        raise UsageError(
            f"{told} are different tasks; give one of them."
            if tasks
            else "nothing is asked for; give --polygons FILE, --undo or --replay LOG."
        )
    given = [name for name in _OF_POLYGONS if flags[name]]
    if given and tasks != ["polygons"]:
        flag = given[0].replace("_", "-")
        raise UsageError(f"--{flag} speaks of drawn features; give them with --polygons.")

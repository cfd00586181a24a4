"""``rsclass merge``."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Any

import click

from rsclass.cli import values
from rsclass.cli.command import command as make_command
from rsclass.cli.options import DERIVING, MACHINE, Option
from rsclass.cli.session import Session
from rsclass.cli.translate import deriving_of, running_of
from rsclass.errors import UsageError

_MAP = click.Argument(["map"], metavar="MAP", type=values.path)


def _flag(*flags: str, help: str) -> Option:
    return Option(
        *flags, group="Classes", is_flag=True, default=False, show_default=False, help=help
    )


_FLAGS = (
    Option(
        "--schema",
        group="Classes",
        metavar="NAME|FILE",
        type=values.path,
        help="Land-cover classes: simple8, corine1, a .json, .csv, .clr or .qml file, or another "
        "map; see 'rsclass schema'.",
    ),
    Option(
        "--table",
        group="Classes",
        metavar="FILE",
        type=values.path,
        help="CSV that says which class each cluster of MAP becomes: columns cluster and code (0 "
        "for no class), or cluster_name and class for their names, and by and why. Without it, "
        "with --schema, the classes of MAP are those of the schema, by name or else by value.",
    ),
    Option(
        "--level",
        group="Classes",
        metavar="N",
        type=click.IntRange(min=1),
        help="Merge classes of the schema up to those above them on this level.",
    ),
    Option(
        "--to",
        group="Classes",
        metavar="N",
        type=click.IntRange(min=1),
        help="Join the classes that are most alike until N are left; needs no schema and no table.",
    ),
    Option(
        "--scene",
        group="Scene",
        metavar="FILE",
        multiple=True,
        type=values.path,
        help="With --to: the scene of MAP, if its class statistics are not beside it.",
    ),
    Option(
        "--band",
        group="Scene",
        metavar="N",
        type=click.IntRange(min=1),
        help="Band that holds the classes, in a file with several.",
    ),
    _flag("--init", help="Begin TABLE: every class of MAP, none decided yet."),
    Option(
        "choices",
        "--set",
        group="Classes",
        metavar="CLUSTERS=CLASS",
        multiple=True,
        type=values.pairs,
        help="Decide in TABLE what becomes of clusters: 3=water, 4,7-9=2, 5=none; repeatable.",
    ),
    Option(
        "--by",
        group="Classes",
        metavar="spectra|spatial|NAME",
        help="With --to: spectra, or spatial, which joins classes that have the same neighbors in "
        "MAP rather than like spectra alone [default: spectra]. With --init, --set or --undo: who "
        "decides [default: your login].",
    ),
    Option("--why", group="Classes", metavar="TEXT", help="On what evidence."),
    _flag("--undo", help="Take back the last --set, or the one before that, and so on."),
)

_EXAMPLES = """\
  rsclass merge map.tif --table table.csv --init
  rsclass merge map.tif --table table.csv --schema simple8 --set 3=water --set 4,7-9=trees
  rsclass merge map.tif --table table.csv --undo
  rsclass merge map.tif --table table.csv --schema simple8 -o landcover.tif
  rsclass merge landcover.tif --schema corine1 --level 1
  rsclass merge map.tif --to 6 -o six.tif
  rsclass merge map.tif --to 6 --by spatial -o six.tif
"""


@make_command("merge", _MAP, *_FLAGS, *DERIVING, *MACHINE, examples=_EXAMPLES)
def command(session: Session, **flags: Any) -> None:
    """Join and name the classes of MAP by a table, the levels of a schema, or their likeness.

    With --init, --set or --undo the table alone is written, unless -o asks for the map too. MAP
    itself never changes, so a merge is undone by merging it again with another table. Without -o
    the new map is MAP_merged.tif beside MAP.
    """
    _check(flags)
    with session.work() as progress:
        result = _edited(flags) if flags["init"] or flags["choices"] or flags["undo"] else None
        if result is None or flags["output"] is not None:
            if result is not None:
                session.info(result.summary().splitlines()[0])
            result = _merged(flags, progress)
    session.deliver(result)


def _check(flags: dict[str, Any]) -> None:
    actions = _actions(flags)
    if len(actions) > 1:
        raise UsageError(f"{' and '.join(actions)} exclude each other; give one of them.")
    if actions and flags["table"] is None:
        raise UsageError(f"{actions[0]} works on a table; give it with --table.")


def _actions(flags: dict[str, Any]) -> list[str]:
    """The flags given that change a table."""
    names = {"init": "--init", "choices": "--set", "undo": "--undo"}
    return [flag for name, flag in names.items() if flags[name]]


def _edited(flags: dict[str, Any]) -> Any:
    from rsclass.flow.deciding import begin_merge_table, decide, undo_decision

    table, band = flags["table"], flags["band"]
    if flags["init"]:
        return begin_merge_table(flags["map"], table, band=band, overwrite=flags["overwrite"])
    by = flags["by"] or _login()
    if flags["undo"]:
        return undo_decision(table, by=by)
    return decide(
        flags["map"],
        table,
        flags["choices"],
        schema=flags["schema"],
        by=by,
        why=flags["why"] or "",
        band=band,
    )


def _merged(flags: dict[str, Any], progress: Callable[[float, float, str], None]) -> Any:
    from rsclass.flow.merge import merge

    scenes = list(flags["scene"])
    return merge(
        flags["map"],
        flags["output"],
        scene=(scenes[0] if len(scenes) == 1 else scenes) if scenes else None,
        **{name: flags[name] for name in ("schema", "table", "level", "to", "band")},
        by=_likeness(flags),
        running=running_of(flags, progress),
        writing=deriving_of(flags),
    )


def _likeness(flags: dict[str, Any]) -> str:
    """By what classes are joined; ``--by`` may also say who decides."""
    meant = flags["to"] is not None or flags["by"] == "spatial"
    return (flags["by"] or "spectra") if meant else "spectra"


def _login() -> str:
    """The user's name; empty where the system knows none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""

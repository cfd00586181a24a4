"""A command whose help is grouped, with flags that may stand without their value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from logging import getLogger
from typing import Any

import click

from rsclass.cli.logs import direct_records
from rsclass.cli.options import GENERAL, GROUPS
from rsclass.cli.session import Session
from rsclass.cli.values import PREVIEW

__all__ = ["Command", "command"]


class Command(click.Command):
    """A command of rsclass."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse, after telling what ``--preview`` and ``--report`` are followed by."""
        names = {flag for param in self.params for flag in param.opts}
        if "--preview" in names:
            args = _with_size(args)
        if "--report-to" in names:
            args = _with_page(args)
        return super().parse_args(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The flags under their headings."""
        records: dict[str, list[tuple[str, str]]] = {name: [] for name in GROUPS}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None and isinstance(param, click.Option):
                records[getattr(param, "group", GROUPS[-1])].append(record)
        for name, rows in records.items():
            if rows:
                with formatter.section(name):
                    formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command, once the logs know where to go."""
        session = ctx.ensure_object(Session)
        direct_records(session.verbose, session.info)
        getLogger("rsclass").info("%s", session.command)
        return super().invoke(ctx)


def _with_size(args: Sequence[str]) -> list[str]:
    """``--preview scene.tif`` as ``--preview=1000 scene.tif``."""
    filled: list[str] = []
    for at, arg in enumerate(args):
        if arg == "--":
            return [*filled, *args[at:]]
        following = args[at + 1] if at + 1 < len(args) else ""
        bare = arg == "--preview" and not following.isdecimal()
        filled.append(f"--preview={PREVIEW}" if bare else arg)
    return filled


def _with_page(args: Sequence[str]) -> list[str]:
    """``--report page.html`` as ``--report-to page.html``; ``--report scene.tif`` as it is."""
    filled: list[str] = []
    for at, arg in enumerate(args):
        if arg == "--":
            return [*filled, *args[at:]]
        following = args[at + 1] if at + 1 < len(args) else ""
        named = arg == "--report" and following.lower().endswith((".html", ".htm"))
        filled.append("--report-to" if named else arg.replace("--report=", "--report-to=", 1))
    return filled


def command(
    name: str, *params: click.Parameter, examples: str
) -> Callable[[Callable[..., None]], Command]:
    """Make a function ``(session, **flags)`` a command; its docstring is the help.

    Parameters
    ----------
    params : click.Parameter
        Arguments and flags besides the general ones.
    examples : str
        Lines for the end of the help.
    """

    def made(function: Callable[..., None]) -> Command:
        return Command(
            name,
            callback=click.make_pass_decorator(Session, ensure=True)(function),
            params=[*params, *GENERAL],
            help=function.__doc__,
            epilog=f"\b\nExamples:\n{examples}",
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )

    return made

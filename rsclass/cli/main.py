"""``rsclass``: the commands under one name, and the boundary around them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence

import click

from rsclass.cli.boundary import guarded
from rsclass.cli.commands import COMMANDS, load
from rsclass.cli.session import Session
from rsclass.cli.signals import leave, leave_at_once
from rsclass.cli.usage import EXIT_CODES, print_usage
from rsclass.cli.values import did_you_mean

__all__ = ["cli", "main"]


class LazyGroup(click.Group):
    """A group that loads a command when it is called; help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which they are learned."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        return load(cmd_name) if cmd_name in COMMANDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that ``args`` begin with, or a hint at the nearest."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            known = did_you_mean(name, list(COMMANDS))
            raise click.UsageError(f"no command is named {name!r}{known}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One line for each command, from the table."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"rsclass {version('rsclass')}")
        ctx.exit()


def _usage(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        print_usage(ctx)
        ctx.exit()


_CODES = "; ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items())


@click.group(
    cls=LazyGroup,
    name="rsclass",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Every flag is also a variable RSCLASS_<FLAG> and a key of --config-file; the flag "
    f"goes before the variable, the variable before the file. Exit codes: {_CODES}.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version.",
)
@click.option(
    "--json-usage",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_usage,
    help="Print all commands and flags as JSON.",
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Classify multiband imagery into land-cover maps.

    \b
    rsclass classify scene.tif -k 12        a map, its legend, statistics and report
    rsclass demo                            the same on a simulated scene
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help(), err=True)
        ctx.exit(2)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    args : sequence of str, optional
        Without the program's name; None: those of this process, which ends with the work.

    Returns
    -------
    int
        The exit code.
    """
    if "_RSCLASS_COMPLETE" in os.environ:
        cli.main(prog_name="rsclass")
    given = list(sys.argv[1:] if args is None else args)
    # numpy's matrix library starts a spinning thread for every core; none of our work is its.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # A thread that comes back from decoding need not wait long for one that runs Python.
    sys.setswitchinterval(5e-4)
    if "PROJ_DATA" in os.environ or "PROJ_LIB" in os.environ:
        from rsclass.io.proj_data import forget_foreign

        forget_foreign()
    _speak_utf8()
    session = Session(command=shlex.join(["rsclass", *given]))
    session.listen(given)

    def action() -> None:
        with cli.make_context("rsclass", list(given), obj=session) as ctx:
            cli.invoke(ctx)

    code = guarded(session, action)
    if args is None:
        (leave_at_once if session.stop.requested else leave)(code)
    return code


def _speak_utf8() -> None:
    """Programs that read along expect UTF-8; a terminal keeps its own encoding."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
            if not stream.isatty():
                reconfigure(encoding="utf-8")

"""One of several processes that torchrun started: one of them speaks, for all."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from rsclass.cli.boundary import ending_of
from rsclass.cli.session import Session
from rsclass.cli.signals import leave_at_once
from rsclass.core.ranks import Ranks

__all__ = ["together"]


@contextmanager
def together(session: Session) -> Iterator[bool]:
    """Work with the other processes of torchrun, if there are any; tells whether this one leads.

    Where something fails, the process in which it failed first says so, and the others end with the
    same exit code in silence.
    """
    ranks = Ranks.here()
    if ranks.size == 1:
        yield True
        return
    from rsclass.deep.team import team

    own = team()
    if not ranks.leads:
        session.quiet, session.progress = True, "none"
        warnings.simplefilter("ignore")
    try:
        yield ranks.leads
    except BaseException as error:
        if own.first_to_fail():
            raise
        # Whoever was stopped because of another would say so, too; all inside is cleaned up.
        leave_at_once(ending_of(error).code)
    own.close()

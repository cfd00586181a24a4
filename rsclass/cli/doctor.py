"""``rsclass doctor``."""

from __future__ import annotations

from typing import Any

from rsclass.cli.command import command as make_command
from rsclass.cli.health import CHECKS, Check
from rsclass.cli.session import Session
from rsclass.errors import QualityError

_EXAMPLES = """\
  rsclass doctor
  rsclass doctor --json
"""


@make_command("doctor", examples=_EXAMPLES)
def command(session: Session) -> None:
    """Check whether this computer has what rsclass needs.

    Python, libraries, GDAL, compiler cache, torch, memory and disk are looked at, and a small
    scene is classified. The exit code is 0, or 5 when a check fails; warnings do not count.
    """
    found: list[Check] = []
    with session.work() as progress:
        for done, check in enumerate(CHECKS):
            progress(done, len(CHECKS), "checking")
            found += check()
    failed = [check for check in found if check.status == "fail"]
    data: dict[str, Any] = {
        "healthy": not failed,
        "checks": [vars(check) for check in found],
    }
    width = max(len(check.name) for check in found)
    session.put(data, "\n".join(f"{c.status:<5} {c.name:<{width}}  {c.detail}" for c in found))
    if failed:
        names = ", ".join(check.name for check in failed)
        raise QualityError(f"rsclass will not work well here; look at: {names}.")

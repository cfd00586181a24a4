"""One writer per output, ever."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from filelock import FileLock, Timeout

from rsclass.errors import OutputError, OutputLockedError

__all__ = ["OutputLock"]


class OutputLock:
    """A lock on ``<output>.lock``, held by one process and named after it.

    The operating system drops the lock with the process, so a killed run blocks nobody.

    Parameters
    ----------
    output : Path
        The file that will be written.

    Raises
    ------
    OutputLockedError
        Another run holds the lock.
    OutputError
        The lock cannot be made in the folder.
    """

    def __init__(self, output: Path) -> None:
        self.path = output.with_name(output.name + ".lock")
        self._lock = FileLock(str(self.path), timeout=0, thread_local=False)
        try:
            self._lock.acquire()
        except Timeout:
            holder = self._holder()
            raise OutputLockedError(
                f"{output} is in use by {f'pid {holder}' if holder else 'another run'}; "
                "wait for it or choose another output.",
                output=str(output),
                pid=holder,
            ) from None
        except OSError as error:
            raise OutputError(
                f"{output} cannot be written: {error.strerror or error}; "
                "choose a folder that you may write to.",
                output=str(output),
            ) from error
        # Windows locks the bytes too; there the file keeps its name as the only message.
        with contextlib.suppress(PermissionError):
            self.path.write_text(f"{os.getpid()}\n")

    def _holder(self) -> int | None:
        try:
            return int(self.path.read_text())
        except (OSError, ValueError):
            return None

    @property
    def held(self) -> bool:
        """Whether this object still holds the lock."""
        return bool(self._lock.is_locked)

    def release(self) -> None:
        """Give the output free and remove the lock file; may be called twice."""
        if not self.held:
            return
        if os.name == "nt":  # an open file cannot be removed there
            self._lock.release()
            with contextlib.suppress(PermissionError):
                self.path.unlink(missing_ok=True)
        else:
            # Removed while held: whoever opened it meanwhile finds it unlinked and starts over.
            self.path.unlink(missing_ok=True)
            self._lock.release()

"""Every deliberate error of rsclass: one root, a built-in parent where one fits, and an exit code.

The command line prints the message as one sentence and ends with ``exit_code``; anything that is
not an :class:`RsclassError` is a bug and shows its traceback.
"""

from __future__ import annotations

from typing import Any

__all__ = [
    "BandMismatchError",
    "BrokenModelError",
    "ChangedInputError",
    "DataError",
    "DiskFullError",
    "IncompleteOutputError",
    "MemoryLimitError",
    "NoValidPixelsError",
    "OutputError",
    "OutputExistsError",
    "OutputLockedError",
    "QualityError",
    "ResourceError",
    "RsclassError",
    "RsclassWarning",
    "SingularClassError",
    "StoppedError",
    "UnreadableRasterError",
    "UsageError",
]


class RsclassError(Exception):
    """Root of all deliberate errors.

    Parameters
    ----------
    message : str
        One sentence: what was asked, what was found, what to do.
    **data
        The facts behind the sentence, kept in ``data`` for programs.
    """

    exit_code = 1

    def __init__(self, message: str, **data: Any) -> None:
        super().__init__(message)
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors cross process borders; the default pickling would lose ``data``.
        return _rebuild, (type(self), str(self), self.data)

    def __str__(self) -> str:
        # KeyError and OSError parents would print the message in their own way.
        return str(self.args[0]) if self.args else ""


def _rebuild(kind: type[RsclassError], message: str, data: dict[str, Any]) -> RsclassError:
    return kind(message, **data)


class UsageError(RsclassError, ValueError):
    """The request itself is wrong: an unknown method, an impossible option."""

    exit_code = 2


class DataError(RsclassError, ValueError):
    """The input data cannot serve the request."""

    exit_code = 3


class UnreadableRasterError(DataError):
    """A raster cannot be opened, or a part of it cannot be decoded."""


class ChangedInputError(DataError):
    """A raster was rewritten while it was being read."""


class NoValidPixelsError(DataError):
    """Every pixel is nodata, masked or not finite in a used band."""


class BandMismatchError(DataError):
    """The scene's bands are not those that the model was trained on."""


class BrokenModelError(DataError):
    """A model file is damaged, too new, or not a model of rsclass."""


class SingularClassError(DataError):
    """The samples of a class do not tell how its pixels spread."""


class OutputError(RsclassError, OSError):
    """The output cannot be written where it was asked for."""

    exit_code = 4


class OutputExistsError(OutputError, FileExistsError):
    """The output exists and may not be replaced without being asked."""


class OutputLockedError(OutputError):
    """Another run is writing the same output."""


class IncompleteOutputError(OutputError):
    """What was read back from the written file is not what was sent to it."""


class QualityError(RsclassError):
    """A quality gate was not passed."""

    exit_code = 5


class ResourceError(RsclassError):
    """Memory or disk is used up."""

    exit_code = 6


class MemoryLimitError(ResourceError, MemoryError):
    """The work does not fit into the memory it may use."""


class DiskFullError(ResourceError, OSError):
    """The disk has no room for the output."""


class StoppedError(RsclassError):
    """The user, or the program that started rsclass, stopped the run."""

    exit_code = 130


class RsclassWarning(UserWarning):
    """Something the user should know about a result that is nevertheless complete."""

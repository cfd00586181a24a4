"""Where log records and warnings of libraries go: nowhere, to stderr with -v, into a file."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from typing import TextIO

from rsclass.errors import OutputError, RsclassWarning, UsageError

__all__ = ["FILE_VARIABLE", "LEVEL_VARIABLE", "direct_records", "direct_warnings"]

FILE_VARIABLE = "RSCLASS_LOG_FILE"
LEVEL_VARIABLE = "RSCLASS_LOG_LEVEL"

# GDAL's errors arrive as INFO records of rasterio, some of them nowhere else.
_SOURCES = ("rsclass", "rasterio", "py.warnings")


class _Teller(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        if not getattr(record, "said", False):
            name = "" if record.name == "rsclass" else f"{record.name}: "
            self._tell(f"{name}{record.getMessage()}")


def direct_records(verbosity: int, tell: Callable[[str], None]) -> None:
    """Send log records to ``tell`` if ``verbosity`` is not 0, and to ``RSCLASS_LOG_FILE``.

    Raises
    ------
    UsageError
        ``RSCLASS_LOG_LEVEL`` is no level.
    OutputError
        The log file cannot be written.
    """
    handlers = _file_handler()
    if verbosity:
        handlers.append(_Teller(tell))
    level = logging.DEBUG if verbosity > 1 else _level()
    for name in _SOURCES:
        logger = logging.getLogger(name)
        logger.handlers = handlers or [logging.NullHandler()]
        logger.propagate = False  # what calls us, such as rio, shows what it gets
        if handlers:
            logger.setLevel(level)


def _file_handler() -> list[logging.Handler]:
    path = os.environ.get(FILE_VARIABLE)
    if not path:
        return []
    try:
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise OutputError(
            f"the log file {path} of {FILE_VARIABLE} cannot be written: {error.strerror}."
        ) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    return [handler]


def _level() -> int:
    name = os.environ.get(LEVEL_VARIABLE, "INFO").upper()
    levels = logging.getLevelNamesMapping()
    if name not in levels:
        raise UsageError(f"{LEVEL_VARIABLE} is {name!r}; choose one of {', '.join(levels)}.")
    return levels[name]


def direct_warnings(warn: Callable[[str], None]) -> None:
    """Show what rsclass warns of, and keep what libraries warn of to the log."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, RsclassWarning):
            warn(str(message))
        else:
            logging.getLogger("py.warnings").info(
                "%s: %s (%s:%d)", category.__name__, message, filename, lineno
            )

    if not logging.getLogger().handlers:  # else Python shows records that nobody handles
        logging.getLogger().addHandler(logging.NullHandler())
    warnings.showwarning = show
    warnings.simplefilter("always", RsclassWarning)

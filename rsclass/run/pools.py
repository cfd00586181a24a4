"""Executors: threads of this process, or the workers of a Dask cluster."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from rsclass.errors import MemoryLimitError, UsageError
from rsclass.run.settings import Running

CONNECT_SECONDS = 10.0


@contextmanager
def open_pool(running: Running) -> Iterator[Executor | None]:
    """The executor that ``running`` asks for; None when one worker does all in this thread."""
    if running.scheduler is not None:
        with _dask_pool(running.scheduler) as executor:
            yield executor
        return
    if running.workers == 1:
        yield None
        return
    executor = ThreadPoolExecutor(running.workers, thread_name_prefix="rsclass")
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _dask_pool(address: str) -> Iterator[Executor]:
    try:
        from distributed import Client, KilledWorker
    except ImportError as error:
        raise UsageError(
            "--scheduler needs Dask; install it with: pip install 'rsclass[dask]'."
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}: {error}.") from error
    try:
        yield client.get_executor(pure=False)
    except KilledWorker as error:
        raise MemoryLimitError(
            "a Dask worker died again and again on the same tile, probably out of memory; "
            "give the workers more or ask for a smaller --tile."
        ) from error
    finally:
        client.close()

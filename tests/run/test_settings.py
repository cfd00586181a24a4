"""How a run may use the machine."""

from __future__ import annotations

import os

import numpy as np
import pytest

from rsclass.errors import UsageError
from rsclass.run.settings import Running


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jobs", -2),
        ("jobs", 0),
        ("jobs", 1.5),
        ("jobs", "3"),
        ("jobs", True),
        ("max_mem", 0),
        ("max_mem", "4GiB"),
        ("tile", 0),
        ("tile", 2.5),
        ("device", "gpu"),
    ],
)
def test_impossible_settings_are_refused(name, value):
    with pytest.raises(UsageError, match=f"^{name} is {value!r};"):
        Running(**{name: value})


@pytest.mark.parametrize(
    ("jobs", "workers"),
    [(None, len(os.sched_getaffinity(0))), (-1, len(os.sched_getaffinity(0))), (np.int64(3), 3)],
)
def test_workers_are_those_asked_for_or_one_for_each_core(jobs, workers):
    assert Running(jobs=jobs).workers == workers

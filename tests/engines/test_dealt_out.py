"""Every method with a network comes to the same weights when it is stopped, or dealt out."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

from rsclass.core.ranks import Ranks
from rsclass.deep import shards
from rsclass.deep.keeping import keeping
from rsclass.deep.team import Team
from rsclass.engines.catalogue import engine_class

COMMON = {"width": 8, "receptive_field": 5, "batch": 4, "random_state": 0}
SCAN = {"epochs": 2, "tiles": 8, "samples": 200, "patches": 64, "self_epochs": 1}
DEEPCLUSTER = {"epochs": 2, "tiles": 8, "samples": 300}
IIC = {"epochs": 2, "tiles": 8}
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "deepcluster": ("deepcluster", DEEPCLUSTER),
    "selflabel": ("selflabel", DEEPCLUSTER | {"updates": 4, "heads": 2}),
    "self-classifier": ("self-classifier", {"epochs": 2, "tiles": 8}),
    "uic": ("uic", {"epochs": 3, "tiles": 8, "warmup": 1, "inputs": "bands"}),
    "uic as published": ("uic", {"mode": "paper", "epochs": 3, "samples": 300}),
    "scan after simclr": ("scan", SCAN | {"init": "simclr", "init_epochs": 1}),
    "moco": ("iic", IIC | {"init": "moco", "init_epochs": 1}),
    "cleaned": ("deepcluster", DEEPCLUSTER | {"clean": "ruc", "clean_epochs": 1}),
}


class StoppedError(Exception):
    """The run was stopped."""


class Memory:
    """Keeps states in memory, and stops the run after some epochs."""

    def __init__(self, known=(), most=10**6) -> None:
        self.known, self.most = list(known), most
        self.stages: list[Any] = []
        self.kept = 0

    def begin(self):
        number = len(self.stages)
        state = self.known[number] if number < len(self.known) else None
        self.stages.append(state)
        return state

    def keep(self, state) -> None:
        self.stages[-1] = state
        self.kept += 1
        if self.kept == self.most:
            raise StoppedError


class Table:
    """Where the members of a team in one process lay down what they have worked out."""

    def __init__(self, size: int) -> None:
        self.parts: list[Any] = [None] * size
        self.all_here = threading.Barrier(size, timeout=60)


class Member(Team):
    """A member of a team that is a thread instead of a process."""

    def __init__(self, rank: int, table: Table) -> None:
        super().__init__(Ranks())
        self.rank, self.size, self.table = rank, len(table.parts), table

    def gathered(self, own, n):
        self.table.parts[self.rank] = own
        self.table.all_here.wait()
        parts = list(self.table.parts)
        self.table.all_here.wait()
        return [parts[piece % self.size][piece // self.size] for piece in range(n)]


@pytest.fixture(scope="module")
def scene():
    """Quadrants of noise around four far spectra: float32 (3, 40, 40)."""
    rng = np.random.default_rng(0)
    half = np.repeat([0, 1], 20)
    means = np.array([[1, 1, 1], [3, 1, 2], [1, 4, 3], [3, 4, 1]])
    values = means[2 * half[:, None] + half[None]].transpose(2, 0, 1)
    return (values + rng.normal(0, 0.2, values.shape)).astype(np.float32)


def fitted(name, scene):
    method, options = RUNS[name]
    engine = engine_class(method)(4, **COMMON | options)
    engine.use_machine(1, "cpu")
    engine.fit(scene)
    return engine.state()[1]


@pytest.fixture(scope="module")
def whole(scene):
    """What each method learns alone and undisturbed, worked out when it is first asked for."""
    made: dict[str, Any] = {}

    def of(name):
        if name not in made:
            made[name] = fitted(name, scene)
        return made[name]

    return of


def assert_same(found, expected) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value, err_msg=key)


@pytest.mark.parametrize("name", RUNS)
def test_a_method_that_is_stopped_after_any_epoch_goes_on_to_the_same_weights(
    scene, whole, name
) -> None:
    expected, counted = whole(name), Memory()
    with keeping(counted):
        assert_same(fitted(name, scene), expected)
    stop = counted.kept // 2 + 1  # in the later of two trainings, where there are two
    stopped = Memory(most=stop)
    with keeping(stopped), pytest.raises(StoppedError):
        fitted(name, scene)
    resumed = Memory(stopped.stages)
    with keeping(resumed):
        assert_same(fitted(name, scene), expected)
    assert resumed.kept == counted.kept - stop


@pytest.mark.parametrize("name", RUNS)
def test_a_team_of_three_learns_what_one_learns(scene, whole, name, monkeypatch) -> None:
    here, table = threading.local(), Table(3)
    monkeypatch.setattr(shards, "team", lambda: here.member)
    found: dict[int, Any] = {}

    def work(rank: int) -> None:
        here.member = Member(rank, table)
        try:
            found[rank] = fitted(name, scene)
        except BaseException:
            table.all_here.abort()
            raise

    members = [threading.Thread(target=work, args=(rank,)) for rank in range(3)]
    here.member = Team(Ranks())
    expected = whole(name)
    for member in members:
        member.start()
    for member in members:
        member.join()
    assert sorted(found) == [0, 1, 2]
    for rank in range(3):
        assert_same(found[rank], expected)

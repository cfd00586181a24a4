"""Several processes train one network as one process does, bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from rsclass.core.ranks import Ranks
from rsclass.datasets import simulate
from rsclass.deep.team import Team, packed, unpacked

SMALL = ["epochs=3", "warmup=1", "tiles=8", "width=8", "overcluster=2", "inputs=bands"]


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("team")
    return Path(simulate("sentinel2", height=90, width=110, seed=2).write(folder, "s")["scene"])


def started(processes: int, *flags: object) -> subprocess.CompletedProcess[str]:
    """``rsclass`` in so many processes of torchrun, or in one of its own."""
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    return subprocess.run(
        [sys.executable, *(launch if processes > 1 else []), "-m", "rsclass", *map(str, flags)],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def training(scene: Path, out: Path) -> list[object]:
    settings = [flag for value in SMALL for flag in ("--set", value)]
    return ["train", scene, "-k", 4, "-o", out, "-j", 1, "--progress", "none", *settings]


def test_two_processes_learn_the_model_of_one_and_one_of_them_speaks(scene, tmp_path) -> None:
    alone, together = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    ended = started(2, *training(scene, together))
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("4 classes by") == 1
    assert started(1, *training(scene, alone)).returncode == 0
    assert together.read_bytes() == alone.read_bytes()


def test_what_fails_in_all_processes_is_told_once(tmp_path) -> None:
    ended = started(2, *training(tmp_path / "missing.tif", tmp_path / "net.safetensors"))
    assert ended.returncode != 0
    assert ended.stderr.count("missing.tif does not exist") <= 1
    assert sum("missing.tif" in line for line in ended.stderr.splitlines()) == 1


def test_shards_are_dealt_out_evenly() -> None:
    ranks = [Ranks(rank, 3, rank) for rank in range(3)]
    dealt = [range(rank.rank, 8, rank.size) for rank in ranks]
    assert sorted(piece for own in dealt for piece in own) == list(range(8))
    assert Ranks.here({}) == Ranks(0, 1, 0)
    told = {"TORCHELASTIC_RUN_ID": "a", "RANK": "3", "WORLD_SIZE": "8", "LOCAL_RANK": "1"}
    assert Ranks.here(told) == Ranks(3, 8, 1)
    assert not Ranks.here(told).leads


def test_one_alone_gathers_what_it_has() -> None:
    alone = Team(Ranks())
    assert list(alone.mine(4)) == [0, 1, 2, 3]
    assert alone.gathered(["a", "b"], 2) == ["a", "b"]
    assert alone.first_to_fail()
    alone.require_same([np.ones(3)])


def test_tensors_that_travel_keep_every_bit() -> None:
    rng = np.random.default_rng(0)
    tensors = [
        torch.from_numpy(rng.normal(size=s).astype(np.float32)) for s in [(2, 3), (4,), (1, 2, 2)]
    ]
    tensors[0] = tensors[0].t()
    for sent, got in zip(tensors, unpacked(packed(tensors), tensors), strict=True):
        assert torch.equal(sent, got)
    assert unpacked(packed([]), []) == ()

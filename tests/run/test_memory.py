"""Cutting the work so that it fits the memory limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rsclass.errors import MemoryLimitError
from rsclass.run.memory import MIB, plan_work, resident
from rsclass.run.settings import Running


def limit(free: int) -> int:
    """A limit that leaves ``free`` bytes for units."""
    return resident() + free


@given(
    st.integers(1, 20_000),
    st.integers(1, 20_000),
    st.sampled_from([128, 256, 512]),
    st.integers(1, 4096),
    st.integers(1, 64),
    st.integers(100, 2000),
    st.booleans(),
)
def test_units_fit_and_are_multiples_of_the_block(height, width, side, tile, jobs, free, striped):
    running = Running(jobs=jobs, tile=tile, max_mem=limit(free * MIB))
    plan = plan_work(
        running, height=height, width=width, side=side, bytes_per_pixel=50, striped=striped
    )
    assert plan.tile_height % side == 0
    assert plan.tile_width % side == 0 or plan.tile_width == width
    # The process grows a little between the two measurements.
    assert plan.ahead * plan.unit_bytes <= (free + 16) * MIB
    assert 1 <= plan.ahead <= 2 * jobs


def test_striped_files_are_read_in_full_rows():
    running = Running(jobs=2, max_mem=limit(4000 * MIB))
    plan = plan_work(running, height=9000, width=7001, side=512, bytes_per_pixel=20, striped=True)
    assert (plan.tile_height, plan.tile_width) == (512, 7001)


def test_what_cannot_fit_is_refused_with_the_least_that_would_do():
    running = Running(jobs=1, max_mem=limit(1 * MIB))
    with pytest.raises(MemoryLimitError, match=r"at least \d+ MiB") as caught:
        plan_work(running, height=5000, width=5000, side=512, bytes_per_pixel=100)
    again = Running(jobs=1, max_mem=caught.value.data["needed"] + 16 * MIB)
    assert plan_work(again, height=5000, width=5000, side=512, bytes_per_pixel=100).ahead == 1


def test_a_network_that_cannot_train_within_the_limit_is_refused_before_it_starts(tmp_path):
    from rsclass.datasets import simulate
    from rsclass.flow.classify import classify

    scene = simulate("sentinel2", height=600, width=600, seed=1).write(tmp_path, "s")["scene"]
    seen: list[str] = []
    running = Running(max_mem=limit(40 * MIB), progress=lambda d, t, told: seen.append(told))
    with pytest.raises(MemoryLimitError, match="fewer pixels with --sample"):
        classify(scene, tmp_path / "m.tif", method="uic", classes=4, running=running)
    assert not [told for told in seen if "epoch" in told]


@pytest.mark.parametrize("low", [False, True])
def test_units_are_no_smaller_than_the_blocks_of_the_file_where_memory_allows(low):
    def tile(stored, max_mem=2**34):
        plan = plan_work(
            Running(jobs=2, tile=512, max_mem=max_mem),
            height=9000,
            width=9000,
            side=512,
            bytes_per_pixel=10.0,
            stored=stored,
            low=low,
        )
        return plan.tile_height, plan.tile_width

    assert tile((256, 256)) == (512, 512)
    assert tile((1024, 1024)) == (1024, 1024)
    assert tile((600, 1500)) == (1024, 1536)
    # A file of one block is decoded whole in any case, and its parts are shared among threads.
    assert tile((9000, 9000)) == (512, 512)
    assert tile((2048, 2048), limit(30 * MIB)) == (1024, 1024)

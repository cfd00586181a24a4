"""The ordered map: order, back-pressure, cancelling."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rsclass.run.ordered import ordered_map
from rsclass.run.pools import open_pool
from rsclass.run.settings import Running


def test_results_come_in_the_order_of_the_items_whoever_is_first():
    def slow_first(i: int) -> int:
        time.sleep(0.02 * (5 - i))
        return i

    with ThreadPoolExecutor(5) as pool:
        assert list(ordered_map(pool, slow_first, range(5), ahead=5)) == list(range(5))


@pytest.mark.parametrize("ahead", [1, 3])
def test_no_more_than_the_given_number_is_under_way(ahead: int):
    begun: list[int] = []
    with ThreadPoolExecutor(8) as pool:
        for done, _ in enumerate(ordered_map(pool, begun.append, range(20), ahead)):
            assert len(begun) <= done + ahead


def test_an_error_cancels_what_has_not_begun():
    begun = []
    hold = threading.Event()

    def work(i: int) -> None:
        begun.append(i)
        if i == 0:
            raise ValueError("first")
        hold.wait(1)

    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(ValueError, match="first"),
    ):
        for _ in ordered_map(pool, work, range(100), ahead=50):
            pass
    assert len(begun) < 50


def test_leaving_early_cancels_the_rest():
    begun: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        results = ordered_map(pool, begun.append, range(100), ahead=10)
        next(results)
        results.close()
    assert len(begun) <= 11


def test_one_worker_needs_no_pool():
    with open_pool(Running(jobs=1)) as pool:
        assert pool is None
        assert list(ordered_map(pool, str, [1, 2], ahead=1)) == ["1", "2"]

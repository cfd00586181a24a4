from __future__ import annotations

import threading

import pytest
import torch

from rsclass.deep.threads import choose_device, one_thread


def test_what_one_thread_gives_back_changes_nothing_for_another():
    """The first is at work while the second, which had three, begins and ends."""
    working, over = threading.Event(), threading.Event()
    counts = []

    def first():
        with one_thread():
            working.set()
            assert over.wait(10)
            counts.append(torch.get_num_threads())

    def second():
        assert working.wait(10)
        torch.get_num_threads()
        torch.set_num_threads(3)
        with one_thread():
            counts.append(torch.get_num_threads())
        counts.append(torch.get_num_threads())
        over.set()

    before = torch.get_num_threads()
    threads = [threading.Thread(target=task) for task in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1, 3, 1]
    assert torch.get_num_threads() == before
    torch.set_num_threads(before)  # what threads to come begin with


@pytest.mark.parametrize(
    ("name", "has_one", "expected"),
    [
        ("auto", False, "cpu"),
        ("auto", True, "cuda"),
        ("cuda", False, "cpu"),
        ("cuda", True, "cuda"),
        ("cpu", True, "cpu"),
    ],
)
def test_an_accelerator_is_used_where_there_is_one_and_none_forbade_it(
    monkeypatch, name, has_one, expected
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_one)
    assert choose_device(name).type == expected

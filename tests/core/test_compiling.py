"""Loops become machine code once, wherever it can be kept, and later load without the compiler."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rsclass.core.compiling import compiled

LOOPS = """
import json, sys
import numpy as np
from rsclass.core.compiling import compiled

@compiled
def half(x):
    return x / 2

@compiled
def halves(values, out):
    for i in range(len(values)):
        out[i] = half(values[i])
    return len(values)

before = "numba" in sys.modules
out = np.empty(3)
n = halves(np.array([1, 2, 3], np.uint16), out)
compiler = sorted({"numba", "numba.np.linalg"} & sys.modules.keys())
print(json.dumps([n, out.tolist(), before, compiler, halves.folder]))
"""


@pytest.fixture
def script(tmp_path) -> Path:
    path = tmp_path / "package" / "loops.py"
    path.parent.mkdir()
    path.write_text(LOOPS)
    return path


def run(script, **environment):
    done = subprocess.run(
        [sys.executable, str(script)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@compiled
def _quotient(a, b):
    """One number by another."""
    return a / b


@compiled
def _quotients(a, b, out):
    for i in range(len(a)):
        out[i] = _quotient(a[i], b[i])


def test_a_loop_divides_as_numpy_does_and_keeps_its_name():
    out = np.empty(3)
    _quotients(np.array([1.0, -1.0, 0.0]), np.zeros(3), out)
    np.testing.assert_array_equal(out, [np.inf, -np.inf, np.nan])
    assert _quotient.__name__ == "_quotient"
    assert _quotient.__doc__ == "One number by another."


def test_sums_are_added_in_their_order():
    @compiled
    def total(values):
        found = 0.0
        for i in range(len(values)):
            found += values[i]
        return found

    values = np.tile([1e16, 1.0, -1e16, 1.0], 64)
    expected = 0.0
    for value in values:
        expected += value
    assert total(values) == expected != 128.0


def test_threads_may_call_a_loop_at_once_for_the_first_time():
    @compiled
    def count(values):
        return len(values)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(count, [np.empty(n) for n in range(8)])) == list(range(8))


@compiled
def _weighted(values, weights, scale, flip, first):
    total = np.float32(scale)
    for b in range(values.shape[0]):
        for i in range(values.shape[1]):
            if weights[i] != flip:
                total += np.float32(values[b, i])
    return int(total) + np.int64(first)


def test_arrays_of_every_order_and_numbers_of_every_type_reach_the_loop():
    values = np.arange(24, dtype=np.int16).reshape(2, 12)
    weights = np.arange(12) % 3 == 0
    expected = 1 + int(values[:, weights].sum()) + 7
    apart = np.zeros((4, 24), np.int16)
    apart[::2, ::2] = values
    fixed = values.copy()
    fixed.flags.writeable = False
    odd = np.zeros(values.nbytes + 1, np.uint8)[1:].view(np.int16).reshape(values.shape)
    odd[:] = values
    assert not odd.flags.aligned
    for given in (values, np.asfortranarray(values), apart[::2, ::2], fixed, odd):
        assert _weighted(given, weights, np.float32(1), False, np.uint64(7)) == expected
        assert _weighted(given, weights, 1.5, np.False_, 7) == expected
    assert _weighted(values[:, :0], weights[:0], 1, True, 2) == 3


def test_the_second_process_loads_what_the_first_has_compiled_and_no_compiler(script, tmp_path):
    kept = str(tmp_path / "kept")
    n, halves, early, compiler, folder = run(script, NUMBA_CACHE_DIR=kept)
    assert (n, halves, early) == (3, [0.5, 1.0, 1.5], False)
    assert "numba.np.linalg" in compiler
    assert Path(folder).is_relative_to(kept)
    assert run(script, NUMBA_CACHE_DIR=kept) == [3, [0.5, 1.0, 1.5], False, [], folder]
    # A changed loop is compiled anew.
    script.write_text(LOOPS.replace("half(values[i])", "half(values[i]) + 1"))
    os.utime(script, (1, 1))
    assert run(script, NUMBA_CACHE_DIR=kept)[1] == [1.5, 2.0, 2.5]


def test_machine_code_that_was_damaged_is_compiled_anew(script, tmp_path):
    kept = tmp_path / "kept"
    run(script, NUMBA_CACHE_DIR=str(kept))
    (code,) = kept.glob("*.halves-*.code")
    whole = code.read_bytes()
    for damaged in (b"", whole[:-1], whole[:200] + bytes([whole[200] ^ 1]) + whole[201:]):
        code.write_bytes(damaged)
        n, halves, _, compiler, _ = run(script, NUMBA_CACHE_DIR=str(kept))
        assert (n, halves) == (3, [0.5, 1.0, 1.5])
        assert "numba" in compiler
        assert code.read_bytes() == whole


def test_processes_that_compile_at_once_do_not_disturb_each_other(script, tmp_path):
    kept = str(tmp_path / "kept")
    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(lambda _: run(script, NUMBA_CACHE_DIR=kept)[:2], range(3)))
    assert told == [[3, [0.5, 1.0, 1.5]]] * 3
    assert run(script, NUMBA_CACHE_DIR=kept)[3] == []


def test_where_no_folder_can_be_written_every_process_compiles(script):
    # Files in the places of folders stop the superuser too.
    (script.parent / "__pycache__").write_text("")
    (script.parent / "home").write_text("")
    home = str(script.parent / "home")
    places = {"HOME": home, "XDG_CACHE_HOME": home, "LOCALAPPDATA": home, "NUMBA_CACHE_DIR": ""}
    n, halves, _, compiler, folder = run(script, **places)
    assert (n, halves, folder) == (3, [0.5, 1.0, 1.5], None)
    assert "numba.np.linalg" in compiler

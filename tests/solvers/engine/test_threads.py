"""The loop over threads that stands in for numba.prange."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from solvers.engine.compiled import compiled
from solvers.engine.threads_jit import parallel_for


@compiled(cache=False)
def _add(k, out, amount):
    out[k] += amount * k


@numba.njit
def add(first, last, out, amount):
    parallel_for(first, last, _add, (out, amount))


@compiled(cache=False)
def _take(k, numbers, out):
    out[k] = np.ones(numbers).sum()


@numba.njit
def take(numbers, out):
    parallel_for(0, out.size, _take, (numbers, out))


@pytest.mark.parametrize(("first", "last"), [(0, 1000), (3, 4), (5, 5), (7, 3)])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_body_sees_every_number_once(first: int, last: int, threads: int) -> None:
    numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
    out = np.zeros(1000)
    add(first, last, out, 2.0)
    expected = np.zeros(1000)
    expected[first : max(first, last)] = 2.0 * np.arange(first, max(first, last))
    np.testing.assert_array_equal(out, expected)


def test_memory_that_runs_out_in_a_thread_is_said() -> None:
    out = np.zeros(4)
    take(3, out)
    assert out.tolist() == [3.0] * 4
    with pytest.raises(MemoryError, match="in a compiled loop"):
        take(1 << 58, out)


LOOP = """
from solvers.engine.compiled import compiled
from solvers.engine.threads_jit import parallel_for

@compiled()
def body(k, out):
    out[k] = k

@compiled()
def loop(out):
    parallel_for(0, out.size, body, (out,))
"""
PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, sys.argv[1])
import loop_jit
out = np.zeros(5)
loop_jit.loop(out)
print(out.sum(), sum(loop_jit.loop.stats.cache_hits.values()))
"""


def test_a_loop_from_the_cache_starts_the_threads(tmp_path: Path) -> None:
    (tmp_path / "loop_jit.py").write_text(LOOP)
    place = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for hits in ("0", "1"):
        command = [sys.executable, "-B", "-c", PROGRAM, str(tmp_path)]
        done = subprocess.run(command, env=place, capture_output=True, text=True, timeout=120, check=False)
        assert done.stdout.split() == ["10.0", hits], done.stderr

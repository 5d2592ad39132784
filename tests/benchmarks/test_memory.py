"""Bytes an edge at the peak of a solve in a process of its own, instance included, imports and compiled loops not.

pytest tests/benchmarks/test_memory.py --benchmark-columns=min
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from instances import parse_spec, stored

SPEC = "dualip:sources=1000000,destinations=400,degree=10,seed=42"
#: What each solver promises, in settings dtype float32.
MOST = {"dualip": 24.0, "dualip-restarted": 34.0, "blockpdhg": 40.0}
CHILD = """
import gc, pathlib, sys
import numpy as np
import psutil
from harness import memory
from instances import MatchingLP, generate, parse_spec, stored
from solvers import Settings, get_solver

solver, settings = get_solver(sys.argv[1]), Settings(dtype="float32", threads=2, iteration_limit=20)
solver.run(solver.prepare(generate(parse_spec("dualip:sources=2000,destinations=400,degree=10,seed=1")), settings))
cache = pathlib.Path(sys.argv[3])
stored(parse_spec("dualip:sources=2000,destinations=400,degree=10,seed=1"), cache)
gc.collect()
before = psutil.Process().memory_info().rss
kept = stored(parse_spec(sys.argv[2]), cache)
arrays = {name: np.array(getattr(kept, name)) for name in ("offsets", "destination", "a", "c", "b")}
lp = MatchingLP(**arrays, polytope=kept.polytope)  # in memory: pages of a map can be released and would not count
del kept
gc.collect()
memory.reset_peak()
solver.run(solver.prepare(lp, settings))
print((memory.peak()["host"] - before) / lp.edges)
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where the instance is stored, so that making it leaves nothing in the process that solves it."""
    folder = tmp_path_factory.mktemp("cache")
    stored(parse_spec(SPEC), folder)
    return folder


@pytest.mark.parametrize("solver", MOST)
def test_bytes_per_edge(benchmark: Any, capsys: pytest.CaptureFixture[str], solver: str, cache: Path) -> None:
    command = [sys.executable, "-c", CHILD, solver, SPEC, str(cache)]
    done = benchmark.pedantic(
        subprocess.run, (command,), {"check": True, "stdout": subprocess.PIPE, "text": True}, rounds=1
    )
    peak = float(done.stdout)
    benchmark.extra_info.update(bytes_per_edge=peak)
    with capsys.disabled():
        sys.stdout.write(f"\n{solver}: {peak:.1f} bytes an edge at the peak\n")
    assert peak <= MOST[solver]

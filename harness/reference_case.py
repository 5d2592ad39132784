"""The reference case, in a process of its own: `python -m harness.reference_case` prints its seconds as JSON.

Both kernels are fixed: what is measured is the machine. A run of either takes 0.05 to 0.2 s on one core of an EPYC of
2024, so that a moment costs about 3 s with imports.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from harness.cores import take_cores
from instances import generate, parse_spec
from solvers import Settings
from solvers.registry import registry

#: Of each kernel: the least of five is steady within a few per cent where the machine is left alone.
RUNS = 5
GLOP_SPEC = "unit:sources=2000,destinations=50,degree=6,seed=1"
_EDGES = 1_000_000
_DESTINATIONS = 1_000
_DEGREE = 10


def glop() -> Callable[[], Any]:
    """OR-Tools Glop on GLOP_SPEC: branches and small memory."""
    solver = registry()["ortools-glop"]
    state = solver.prepare(generate(parse_spec(GLOP_SPEC)), Settings())
    return lambda: solver.run(state)


def numpy_kernel() -> Callable[[], Any]:
    """Reduced costs, their minimum by source and loads by destination, of random edges: memory, gathers and a sort."""
    rng = np.random.default_rng(1)
    destination = rng.integers(0, _DESTINATIONS, _EDGES)
    c = rng.random(_EDGES)
    a = rng.random(_EDGES)
    prices = rng.random(_DESTINATIONS)
    first = np.arange(0, _EDGES, _DEGREE)

    def run() -> float:
        reduced = c + a * prices[destination]
        least = np.minimum.reduceat(reduced, first)
        loads = np.bincount(destination, a * (reduced < 0.5), _DESTINATIONS)
        return float(np.sort(least)[0] + loads.sum())

    return run


def seconds_of(kernel: Callable[[], Any]) -> list[float]:
    """Of RUNS runs, after one that is not counted."""
    kernel()
    seconds = []
    for _ in range(RUNS):
        began = time.perf_counter()
        kernel()
        seconds.append(time.perf_counter() - began)
    return seconds


def main() -> None:
    """One kernel that cannot run leaves the other."""
    take_cores(1)
    measured = {"numpy": seconds_of(numpy_kernel())}
    if registry()["ortools-glop"].available().ok:
        measured["glop"] = seconds_of(glop())
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main()

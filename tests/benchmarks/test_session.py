"""What the tenth of ten solves in one process takes, with and without a session, against a work space that is kept.

Median seconds of `run`, and page faults (fresh memory) of it, over the solves from the tenth on.

pytest -s tests/benchmarks/test_session.py --benchmark-columns=median
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.kept_memory import kept_memory
from harness.solve import execute
from harness.steps import Step
from instances import MatchingLP, generate, parse_spec
from solvers import Settings, get_solver

SETTINGS = Settings(tolerance=1e-4, threads=2)
BEFORE, COUNTED = 9, 9
#: Seconds and page faults.
Cost = tuple[float, int]


@pytest.mark.parametrize("name", ["dualip-100k", "dualip-1m"])
def test_tenth_solve(benchmark: Any, capsys: pytest.CaptureFixture[str], name: str) -> None:
    lp = generate(parse_spec(name))
    solver = get_solver("blockpdhg")
    state = solver.prepare(lp.tightened, SETTINGS)
    kept = later(lambda: _cost(lambda: solver.run(state)))
    loop = later(lambda: one_of_a_loop(lp))
    with kept_memory():
        session = later(lambda: one_of_a_loop(lp))
        benchmark.pedantic(lambda: one_of_a_loop(lp), rounds=1)
    shown = {"kept work space": kept, "loop of solve": loop, "session": session}
    ratios = {what: cost[0] / kept[0] for what, cost in shown.items()}
    benchmark.extra_info.update(spec=name, **ratios)
    with capsys.disabled():
        for what, (seconds, faults) in shown.items():
            sys.stdout.write(f"\n{name} {what}: {seconds:.4f} s, {ratios[what]:.2f} of kept, {faults:,.0f} page faults")


def later(once: Callable[[], Cost]) -> Cost:
    """Medians over COUNTED calls, after BEFORE others."""
    costs = [once() for _ in range(BEFORE + COUNTED)][BEFORE:]
    return statistics.median(cost[0] for cost in costs), round(statistics.median(cost[1] for cost in costs))


def one_of_a_loop(lp: MatchingLP) -> Cost:
    """Of `run`, within a whole solve with its referee."""
    marks: dict[Step, Cost] = {}
    execute(lp, get_solver("blockpdhg"), SETTINGS, lambda step: marks.update({step: _now()}))
    return _between(marks[Step.RUN], marks[Step.DELIVER])


def _cost(call: Callable[[], Any]) -> Cost:
    before = _now()
    call()
    return _between(before, _now())


def _now() -> Cost:
    return time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def _between(before: Cost, after: Cost) -> Cost:
    return after[0] - before[0], after[1] - before[1]

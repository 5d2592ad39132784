"""What the tenth solve of a session takes beside its first and beside a run whose work space is kept.

Loops are compiled before. Every solve of the session is cold and has costs in a new array, the same numbers, so that
all make the same passes. Medians over ROUNDS solves from the tenth on, each followed by a run on the kept state, so
that both meet the same machine; the first are medians over as many sessions. CPU seconds and page faults (fresh memory)
of a whole solve beside wall seconds.

pytest -s tests/benchmarks/test_session.py --benchmark-columns=median [-k dualip-100k]
"""

from __future__ import annotations

import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness import Session
from instances import MatchingLP, generate, parse_spec
from solvers import Settings, get_solver

SETTINGS: dict[str, Any] = {"tolerance": 1e-4, "threads": 2}
BEFORE, ROUNDS = 9, 9
#: Seconds of prepare, run and referee, of all, CPU seconds of all, and page faults.
Cost = dict[str, float]


@pytest.mark.parametrize("name", ["dualip-20k", "dualip-100k", "dualip-1m"])
@pytest.mark.parametrize("solver", ["blockpdhg", "dualip-restarted"])
def test_tenth_solve(benchmark: Any, capsys: pytest.CaptureFixture[str], name: str, solver: str) -> None:
    lp = generate(parse_spec(name))
    engine = get_solver(solver)
    asked = Settings(**SETTINGS)
    kept_state = engine.prepare(lp.tightened, asked)
    engine.run(kept_state)  # compiles

    first = medians([first_of_a_session(lp, solver) for _ in range(ROUNDS)])
    tenths, kept = [], []
    with Session(lp, solver, **SETTINGS) as session:
        for number in range(BEFORE + ROUNDS):
            tenths.append(one_of_a_loop(session))
            kept.append(wall(lambda: engine.run(kept_state)))
            if number == BEFORE:
                benchmark.pedantic(lambda: one_of_a_loop(session), rounds=1)
    tenth = medians(tenths[BEFORE:])
    ratios = {what: tenth[what] / first[what] for what in ("prepare and run", "whole", "CPU")}
    ratios["run, of a kept work space"] = tenth["run"] / statistics.median(kept[BEFORE:])
    benchmark.extra_info.update(spec=name, solver=solver, first=first, tenth=tenth, ratios=ratios)
    with capsys.disabled():
        for what, costs in (("first", first), ("tenth", tenth)):
            shown = ", ".join(f"{part} {cost:.4g}" for part, cost in costs.items())
            sys.stdout.write(f"\n{name} {solver} {what}: {shown}")
        sys.stdout.write(f"\n{name} {solver} ratios: " + ", ".join(f"{what} {r:.2f}" for what, r in ratios.items()))


def first_of_a_session(lp: MatchingLP, solver: str) -> Cost:
    with Session(lp, solver, **SETTINGS) as session:
        return one_of_a_loop(session)


def one_of_a_loop(session: Session) -> Cost:
    """A cold solve of the same numbers in a new array."""
    session.update(c=session.lp.c.copy())
    faults, cpu, began = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, time.process_time(), time.perf_counter()
    result = session.solve(warm=False, quiet=True)
    whole, cpu = time.perf_counter() - began, time.process_time() - cpu
    seconds = result.seconds
    assert seconds.prepare is not None
    assert seconds.run is not None
    return {
        "prepare": seconds.prepare,
        "run": seconds.run,
        "prepare and run": seconds.prepare + seconds.run,
        "referee": seconds.referee or 0.0,
        "whole": whole,
        "CPU": cpu,
        "page faults": resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults,
    }


def medians(costs: list[Cost]) -> Cost:
    return {part: statistics.median(cost[part] for cost in costs) for part in costs[0]}


def wall(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began

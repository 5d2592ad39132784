"""The solvers on the engine on odd LPs, in a process of its own: `python -m tests.solvers.odd_runs FIRST LAST DTYPE`.

Every third LP has budgets without a limit, every third sources without one. Prints what is wrong with an answer, and
ends as the solvers end it: with NUMBA_BOUNDSCHECK=1 a write or a read beyond an array is an IndexError.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from instances import Kind, MatchingLP, PerSource
from solvers import Settings, get_solver
from solvers.base import Answer, Status
from tests.odd_lps import odd_lp

SOLVERS = ("blockpdhg", "dualip-restarted", "dualip")
SECONDS = 0.15
#: CPU seconds that a pass over so few edges, and the proof, may take beyond: what other processes take does not count.
_LATE = 2.0


def without_limits(lp: MatchingLP, seed: int) -> MatchingLP:
    """`lp` with numbers that mean "no limit" for some of its rows or sources, all of it in float64.

    Loops for instances in float32 differ in nothing but that type, and would take as long to compile again.
    """
    lp = replace(lp, a=lp.a.astype(np.float64), c=lp.c.astype(np.float64))
    rng = np.random.default_rng([20_21, seed])
    if seed % 3 == 1:
        return replace(lp, b=np.where(rng.random(lp.destinations) < 0.3, np.inf, lp.b))
    if seed % 3 == 2:
        kind, radius = lp.per_source.kind, lp.per_source.radius
        some = (kind != Kind.SIMPLEX_EQUALITY) & (rng.random(lp.sources) < 0.5)
        free = 10.0 ** rng.integers(3, 300, lp.sources)
        return replace(lp, polytope=PerSource(kind=kind, radius=np.where(some, free, radius)))
    return lp


def faults(lp: MatchingLP, solver_id: str, settings: Settings) -> Iterator[str]:
    solver = get_solver(solver_id)
    state = solver.prepare(lp, settings)
    began = time.process_time()
    answer = solver.run(state)
    seconds = time.process_time() - began
    if seconds > SECONDS + _LATE:
        yield f"took {seconds:.2f} CPU seconds with a limit of {SECONDS} s"
    yield from _faults_of(answer)


def _faults_of(answer: Answer) -> Iterator[str]:
    for name, values in (("x", answer.x), ("dual", answer.dual)):
        if values is not None and not np.isfinite(values).all():
            yield f"{name} is not finite"
        if values is None and answer.status not in (Status.INFEASIBLE, Status.ERROR):
            yield f"{answer.status} without {name}"


def main(first: int, last: int, dtype: str) -> None:
    warnings.simplefilter("error")
    for seed in range(first, last):
        odd, rng = odd_lp(seed), np.random.default_rng([20_22, seed])
        lp = without_limits(odd.lp, seed)
        for solver_id in SOLVERS:
            tolerance = float(rng.choice([1e-2, 1e-4, 1e-6, 1e-14, 1e-300], p=[0.3, 0.4, 0.1, 0.1, 0.1]))
            settings = Settings(tolerance=tolerance, time_limit=SECONDS, dtype=dtype)
            for fault in faults(lp, solver_id, settings):
                sys.stdout.write(f"{solver_id} at {tolerance:g}: {fault}; {odd.traits}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])

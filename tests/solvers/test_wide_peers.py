"""General solvers on the whole class: families, ragged rows, floors, '=' rows, signs and soft rows.

HiGHS and OR-Tools cannot be loaded beside each other, so those of highspy run in a process of their own.
"""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from instances import MatchingLP, RowKind, activities
from solvers import EXPLICIT_ROWS, Answer, Settings, Status, registry
from tests.support.wide import bound, contradicting_lp, ray_value, wide_lp

SEEDS = 25
HIGHS = ("highs-pdlp", "highs-hipdlp", "highs-ipx")
IN_PROCESS = ("scipy-highs-ds", "scipy-highs-ipm", "clarabel", "scs", "ortools-glop", "ortools-pdlp")
#: Those that hand over a ray with the word infeasible.
WITH_RAY = ("clarabel", "scs", "ortools-pdlp", "highs-ipx")


def answer_of(solver: str, lp: MatchingLP) -> Answer:
    adapter = registry()[solver]
    assert adapter.unsuited(lp) == ""
    return adapter.run(adapter.prepare(lp, Settings(tolerance=1e-6, time_limit=5.0)))


def optimum(lp: MatchingLP) -> float | None:
    """By HiGHS on rows with two sides, a path that no adapter takes; None where no x is feasible."""
    explicit = lp.to_explicit()
    rows = LinearConstraint(explicit.matrix, explicit.row_lower, explicit.row_upper)
    found = milp(explicit.c, constraints=rows, bounds=Bounds(0, explicit.upper))
    return float(found.fun) if found.status == 0 else None


def value(lp: MatchingLP, x: np.ndarray) -> tuple[float, float]:
    """c'x with what soft sides cost, and the largest violation of a hard one."""
    cost, violation = float(lp.c @ x), 0.0
    parts = lp.split(activities(lp, x))
    for family in lp.rows:
        activity = parts[family.name]
        violation = max(violation, float(family.sides.violation(activity).max(initial=0.0)))
        for outside, price in (
            (activity - family.upper, family.penalty_above),
            (family.lower - activity, family.penalty_below),
        ):
            paid = np.isfinite(price) & (outside > 0)
            cost += float(outside[paid] @ price[paid])
    return cost, violation


def check_optimal(solver: str) -> None:
    for seed in range(SEEDS):
        lp = wide_lp(seed)
        best = optimum(lp)
        assert best is not None, seed
        answer = answer_of(solver, lp)
        assert answer.status is Status.SOLVED, (seed, answer.raw_status)
        cost, violation = value(lp, answer.x)
        assert bound(lp, answer.dual) == pytest.approx(best, abs=1e-4), seed
        assert bound(lp, answer.dual) <= best + 1e-9, seed
        assert cost == pytest.approx(best, abs=1e-4), seed
        assert violation <= 1e-5, seed


def check_infeasible(solver: str) -> None:
    for seed in range(SEEDS // 3):
        lp = contradicting_lp(seed)
        assert optimum(lp) is None, seed
        answer = answer_of(solver, lp)
        assert answer.status is Status.INFEASIBLE, (seed, answer.raw_status)
        if solver in WITH_RAY:
            assert ray_value(lp, answer.ray) > 0, seed


@pytest.mark.parametrize("solver", IN_PROCESS)
def test_bound_and_value_are_those_of_the_optimum(solver: str) -> None:
    if not registry()[solver].available().ok:
        pytest.skip("not available in this process")
    check_optimal(solver)
    check_infeasible(solver)


def test_the_solvers_of_highspy_do_the_same() -> None:
    program = f"""
import json
from solvers import registry
from tests.solvers.test_wide_peers import check_infeasible, check_optimal
found = [name for name in {HIGHS!r} if registry()[name].available().ok]
for name in found:
    check_optimal(name)
check_infeasible("highs-ipx") if found else None
print(json.dumps(found))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    if not json.loads(done.stdout):
        pytest.skip("highspy is not installed")


def test_the_random_lps_have_every_kind_of_row() -> None:
    assert frozenset().union(*(wide_lp(seed).row_kinds for seed in range(SEEDS))) == EXPLICIT_ROWS == set(RowKind)


def test_a_solver_refuses_the_kinds_that_it_does_not_name() -> None:
    lp = wide_lp(0)
    solver = registry()["dualip-upstream"]
    refused = solver.unsuited(lp)
    assert refused.startswith("dualip-upstream does not take ")
    assert all(kind in refused for kind in lp.row_kinds)

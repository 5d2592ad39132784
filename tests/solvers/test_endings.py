"""A run without limits ends: with its tolerance, or where nothing gets better; slow progress is no such end."""

from __future__ import annotations

import pytest

from harness import certify
from instances import MatchingLP, generate, parse_spec
from solvers import Settings, get_solver
from solvers.base import Answer, Status

SMALL = "uniform:sources=200,destinations=10,degree=5,seed=1"


def run(solver_id: str, lp: MatchingLP, tolerance: float, dtype: str = "float64", **options: object) -> Answer:
    solver = get_solver(solver_id)
    return solver.run(solver.prepare(lp, Settings(tolerance=tolerance, dtype=dtype, options=options)))


@pytest.mark.parametrize(
    ("solver_id", "options"),
    [("blockpdhg", {"finish": "none"}), ("dualip", {}), ("dualip-restarted", {})],
    ids=["pdhg", "dualip", "dualip-restarted"],
)
def test_a_tolerance_below_rounding_ends_by_itself(solver_id: str, options: dict[str, object]) -> None:
    lp = generate(parse_spec(SMALL))
    answer = run(solver_id, lp, 1e-300, **options)
    assert answer.status is Status.ITERATION_LIMIT
    assert answer.raw_status.startswith("no more progress at a certified gap")
    assert certify(lp, answer.x, answer.dual).certified_gap <= 1e-6


@pytest.mark.parametrize("solver_id", ["blockpdhg", "dualip-restarted"])
def test_a_point_that_is_optimal_to_the_last_digit_is_proved_at_once(solver_id: str) -> None:
    """Rounding puts its objective below the bound."""
    lp = generate(parse_spec("unit:sources=60,destinations=5,degree=3,seed=1"))
    answer = run(solver_id, lp, 1e-4, "float32")
    assert answer.status is Status.SOLVED
    assert answer.iterations <= 100


def test_slow_progress_goes_on() -> None:
    lp = generate(parse_spec("unit:sources=200,destinations=10,degree=4,seed=1,polytope=simplex-eq"))
    answer = run("blockpdhg", lp, 1e-6, "float32", finish="none")
    assert answer.status is Status.SOLVED

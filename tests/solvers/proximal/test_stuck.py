"""Newton's method where its trust radius is no use."""

from pathlib import Path

import pytest

from harness import solve
from instances import generate, parse_spec
from instances.tables import Problem
from solvers.base import Status
from solvers.proximal.full import FullProblem
from tests.support.campaigns import write_problem


@pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-6])
def test_margins_of_edges_that_tie_but_for_rounding_make_no_trust_radius(tmp_path: Path, tolerance: float) -> None:
    # 60 users, two items each, each item once; budgets, a limit for all, floors at a price.
    lp = Problem.read(write_problem(tmp_path)).build().lp
    result = solve(lp, "blockpdhg", tolerance=tolerance, iteration_limit=500, threads=1)
    assert result.status is Status.SOLVED, result.reason


def test_where_newton_gets_nowhere_pdhg_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FullProblem, "margin_quantile", lambda _self, _quantile: 1e-30)
    lp = generate(parse_spec("unit:sources=200,destinations=10,degree=4,seed=1"))
    result = solve(lp, "blockpdhg", tolerance=1e-4, iteration_limit=1000, threads=1)
    assert result.status is Status.SOLVED, result.reason
    assert result.answer is not None
    assert "finished by" not in result.answer.raw_status

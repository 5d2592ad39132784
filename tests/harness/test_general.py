"""The referee beyond the short form, on small random LPs of the whole class, against HiGHS."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from harness.referee import certify
from harness.repair import repaired_point
from harness.verdict import verdict
from instances import MatchingLP, generate, parse_spec
from instances.polytopes.simplex import Simplex
from instances.rows import Rows
from solvers import Answer, Status, get_solver
from tests import exact_rows
from tests.support.feasible_rows import general_lp
from tests.support.highs import HighsApart
from tests.support.wide import contradicting_lp, wide_lp

#: What HiGHS itself may be off by, relative.
OFF = 1e-7


@pytest.mark.parametrize("seed", range(150))
def test_bound_and_points_enclose_the_optimum_whatever_the_answer(highs: HighsApart, seed: int) -> None:
    lp = general_lp(seed, sources=12)
    best = highs.solved(lp)
    rng = np.random.default_rng(seed)
    slack = OFF * (1 + abs(best.objective))
    for x, dual in (
        (best.x, best.dual),
        (rng.random(lp.edges), rng.normal(size=lp.row_count)),
        (np.zeros(lp.edges), np.zeros(lp.row_count)),
        (best.x * (1 + 1e-3 * rng.normal(size=lp.edges)), 1e300 * rng.normal(size=lp.row_count)),
    ):
        found = certify(lp, x, dual)
        if found.dual_bound is not None:
            assert found.dual_bound <= best.objective + slack
        if found.feasible_objective is not None:
            assert found.feasible_objective >= best.objective - slack
        for figure in (found.certified_gap, found.priced_gap, found.row_violation):
            assert figure is None or figure >= 0

    optimal = certify(lp, best.x, best.dual)
    assert optimal.accuracy is not None
    assert optimal.accuracy <= 1e-6


def test_a_point_near_floors_is_solved_within_tolerance_and_said_not_to_be_feasible() -> None:
    """No point is feasible: the source has a millionth less than both floors ask for."""
    lp = MatchingLP(
        offsets=[0, 2],
        c=np.array([1.0, 2.0]),
        polytope=Simplex(z=0.5 - 1e-6),
        rows=[Rows("floor", row=[0, 1], lower=[0.25, 0.25])],
    )
    near = np.array([0.25 - 1e-6, 0.25])
    certificate = certify(lp, near, np.array([-1.0, -2.0]))
    assert certificate.certified_gap is None
    assert certificate.row_violation == pytest.approx(1e-6 / 1.25)
    claim = Answer(x=near, dual=np.array([-1.0, -2.0]), status=Status.SOLVED)
    assert verdict(claim, certificate, 1e-4, lp) == (Status.SOLVED, "within tolerance, not feasible")
    assert verdict(claim, certificate, 1e-8, lp)[0] is Status.INACCURATE


def test_floors_that_no_x_reaches_are_proved_infeasible_whatever_ray_is_claimed() -> None:
    lp = MatchingLP(offsets=[0, 1], c=np.zeros(1), polytope=Simplex(), rows=[Rows("floor", lower=[2.0])])
    for ray in (np.array([-1.0]), np.array([1.0]), None):
        claim = Answer(x=None, dual=None, status=Status.INFEASIBLE, ray=ray)
        assert verdict(claim, certify(lp), 1e-4, lp)[0] is Status.INFEASIBLE


@pytest.mark.parametrize("seed", range(12))
def test_the_referee_finds_a_ray_of_its_own_where_there_is_one(seed: int) -> None:
    claim = Answer(x=None, dual=None, status=Status.INFEASIBLE)
    infeasible = contradicting_lp(seed)
    assert verdict(claim, certify(infeasible), 1e-4, infeasible)[0] is Status.INFEASIBLE
    feasible = wide_lp(seed)
    assert verdict(claim, certify(feasible), 1e-4, feasible)[0] is Status.INACCURATE


def test_solvers_that_know_one_family_alone_refuse_others_in_one_line() -> None:
    lp = general_lp(0)
    refused = get_solver("ortools-mincostflow").unsuited(lp)
    assert refused
    assert "\n" not in refused


@pytest.mark.parametrize("family", ["exposure", "volume", "coupons", "transport", "reviewers"])
@pytest.mark.parametrize("noise", [1e-6, 1e-3])
def test_floors_and_equal_rows_that_an_answer_leaves_are_mended(highs: HighsApart, family: str, noise: float) -> None:
    lp = generate(parse_spec(f"{family}:sources=200,destinations=10,degree=5,seed=3"))
    best = highs.solved(lp)
    x = best.x * (1 + noise * np.random.default_rng(0).normal(size=lp.edges))
    found = certify(lp, x, best.dual)
    assert found.certified_gap is not None
    assert 0 <= found.certified_gap <= 20 * noise

    point = repaired_point(lp, x)
    assert point is not None
    assert exact_rows.violation(lp, point) <= Fraction(1, 10**12)
    assert found.feasible_objective is not None
    assert Fraction(found.feasible_objective) >= exact_rows.cost(lp, point)


def test_a_mended_answer_is_moved_into_its_rows_and_not_made_better(highs: HighsApart) -> None:
    lp = generate(parse_spec("volume:sources=2000,destinations=20,degree=5,seed=3"))
    best = highs.solved(lp)
    floor = lp.split(best.dual)["engagement"]
    assert floor[0] < 0
    x = 0.99 * best.x  # every source could send more, for less: only the floor is a reason to
    point = repaired_point(lp, x)
    assert point is not None
    assert exact_rows.violation(lp, point) == 0
    sessions = lp.rows[3]
    lacking = float(sessions.lower[0] - sessions.coefficient @ x)
    assert 0 < sessions.coefficient @ (point - x) <= 1.001 * lacking
    assert np.abs(point - x).sum() <= 3 * lacking / sessions.coefficient[point > x].min()

"""`Result.x` is the point that the certificate speaks of: what it says is computed again on fractions."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from harness import solve
from harness.answers import Plain
from harness.certificate import Certificate
from harness.result import Result
from harness.solve import judge
from instances import BoxCut, MatchingLP, Rows, Simplex
from solvers import Answer, Settings, Status
from tests import exact, exact_rows
from tests.odd_lps import odd_lp
from tests.odd_rows import odd_rows

#: What the sums of sources and rows may round.
ROUNDING = Fraction(1, 10**12)


def rows_fit(lp: MatchingLP, x: Any, certificate: Certificate) -> bool:
    """Whether x leaves the hard rows by what the certificate says, and by no more."""
    left = exact_rows.violation(lp, x)
    if certificate.feasible_objective is not None:
        return left <= Fraction(certificate.feasible_violation or 0.0) + Fraction(1, 10**9)
    assert certificate.row_violation is not None
    return left <= Fraction(certificate.row_violation) <= left * (1 + Fraction(1, 10**6)) + ROUNDING


def sources_fit(lp: MatchingLP, x: Any) -> bool:
    """Whether every x_i is in C_i but for rounding."""
    values = exact.fractions(x)
    if min(values, default=Fraction(0)) < 0:
        return False
    for row, side, equality in exact.polytope_rows(lp):
        total = sum((a * value for a, value in zip(row, values, strict=True)), Fraction(0))
        if total - side > ROUNDING * side or (equality and side - total > ROUNDING * side):
            return False
    return True


def stands(result: Result) -> bool:
    """Whether x is there where the certificate speaks of a point, and is that point."""
    certificate = result.certificate
    assert certificate is not None
    assert result.lp is not None
    feasible = certificate.feasible_objective
    said = certificate.priced_objective if feasible is None else feasible
    if said is None:
        return result.x is None
    assert result.x is not None
    cost = exact_rows.cost(result.lp, result.x)
    fits = rows_fit(result.lp, result.x, certificate) and sources_fit(result.lp, result.x)
    return fits and cost <= Fraction(said) + ROUNDING * max(1, abs(cost))


def judged(lp: MatchingLP, x: Any) -> Result:
    """An answer with this x and without prices of its own, as any solver may give it."""
    answer = Answer(x=np.asarray(x, np.float64), dual=np.zeros(lp.row_count), status=Status.SOLVED)
    return judge(lp.tightened, Plain(answer=answer), Settings())


@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-2, 3.0])
@pytest.mark.parametrize("form", [odd_lp, odd_rows])
def test_of_any_answer_to_any_class(form: Any, noise: float) -> None:
    for seed in range(40):
        odd = form(seed)
        rng = np.random.default_rng(seed)
        x = odd.witness * (1 + noise * rng.normal(size=odd.lp.edges))
        assert stands(judged(odd.lp, x)), odd.traits


def campaigns() -> MatchingLP:
    """At most two items a user and each once, under budgets, a total and floors of creators, one of them at a price."""
    rng = np.random.default_rng(7)
    users, degree = 40, 5
    edges = users * degree
    return MatchingLP(
        offsets=np.arange(users + 1) * degree,
        c=-rng.uniform(0.1, 1.0, edges),
        polytope=BoxCut(upper=1.0, at_most=2.0),
        rows=[
            Rows(
                "campaign",
                row=rng.integers(0, 4, edges),
                coefficient=rng.uniform(0.5, 1.5, edges),
                upper=9.0 * np.ones(4),
            ),
            Rows("total", coefficient=0.5, upper=14.0),
            Rows("creator", row=rng.integers(0, 3, edges), lower=[6.0, 6.0, 40.0], penalty=[np.inf, np.inf, 0.2]),
        ],
    )


@pytest.mark.parametrize("solver", ["ortools-pdlp", "scipy-highs-ds", "scipy-highs-ipm"])
def test_of_an_answer_of_a_real_solver(solver: str) -> None:
    for lp in (odd_lp(3).lp, campaigns()):
        result = solve(lp, solver, tolerance=1e-3, time_limit=20.0)
        assert result.x is not None
        assert stands(result)


def test_without_a_repair_it_is_the_point_whose_violation_is_stated() -> None:
    two_persons_want_one_job = MatchingLP(
        offsets=[0, 1, 2],
        destination=[0, 0],
        a=np.ones(2),
        c=np.ones(2),
        b=np.ones(1),
        polytope=Simplex(equality=True),
    )
    result = judged(two_persons_want_one_job, [0.4, 0.4])
    assert result.certificate is not None
    assert result.certificate.feasible_objective is None
    assert result.certificate.row_violation == pytest.approx(0.5)
    assert result.x is not None
    assert result.x.tolist() == [1.0, 1.0]


def test_there_is_none_where_a_source_wants_more_than_its_edges_take() -> None:
    lp = MatchingLP(
        offsets=[0, 1],
        c=np.ones(1),
        polytope=BoxCut(upper=1.0, at_most=2.0, equality=True),
        rows=[Rows("all", upper=5.0)],
    )
    assert judged(lp, [1.0]).x is None


@pytest.mark.parametrize("form", [odd_lp, odd_rows])
def test_judged_as_an_answer_it_is_as_good_as_was_said(form: Any) -> None:
    """What is written for a user is judged again: a repair must not undo what another one made."""
    for seed in range(60):
        odd = form(seed)
        rng = np.random.default_rng(seed)
        first = judged(odd.lp, odd.witness * (1 + 1e-3 * rng.normal(size=odd.lp.edges)))
        if first.x is None or first.certificate is None or first.certificate.feasible_objective is None:
            continue
        again = judged(odd.lp, first.x).certificate
        assert again is not None
        said = first.certificate.feasible_objective
        assert again.feasible_objective == pytest.approx(said, rel=1e-9, abs=1e-9), odd.traits

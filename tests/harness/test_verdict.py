"""What a claim is worth: infeasibility needs a proof, and a contradiction is an error."""

from __future__ import annotations

import numpy as np

from harness import Certificate, certify
from harness.verdict import verdict
from instances import MatchingLP, Simplex
from solvers import Answer, Status
from tests.odd_lps import assignment_lp, infeasible_lp, odd_lp


def claim(lp: MatchingLP, **more: object) -> tuple[Status, str]:
    answer = Answer(**{"x": None, "dual": None, "status": Status.INFEASIBLE, **more})  # type: ignore[arg-type]
    return verdict(answer, certify(lp, answer.x, answer.dual), 1e-4, lp)


def one_row(b: float, *, equality: bool) -> MatchingLP:
    """Two sources of one edge each on one row."""
    return MatchingLP(
        offsets=np.array([0, 1, 2]),
        destination=np.zeros(2, np.int32),
        a=np.ones(2),
        c=np.array([0.1, 0.1]),
        b=np.array([b]),
        polytope=Simplex(equality=equality),
    )


def test_without_equality_sources_zero_refutes_the_claim() -> None:
    assert claim(one_row(0.0, equality=False)) == (
        Status.INACCURATE,
        "claimed infeasible, x = 0 is feasible, as no '=' source wants mass",
    )


def test_a_feasible_answer_refutes_its_own_claim() -> None:
    status, reason = claim(one_row(2.0, equality=True), x=np.ones(2))
    assert (status, reason) == (Status.INACCURATE, "claimed infeasible, the answer itself leads to a feasible point")


def test_a_ray_proves_the_claim_and_so_does_a_dual_that_is_one() -> None:
    lp = one_row(1.5, equality=True)
    assert claim(lp, ray=np.ones(1)) == (Status.INFEASIBLE, "")
    assert claim(lp, dual=np.ones(1), raw_status="no x") == (Status.INFEASIBLE, "no x")


def test_the_referee_decides_small_claims_by_itself() -> None:
    for seed in range(20):
        assert claim(infeasible_lp(seed))[0] is Status.INFEASIBLE
        assert claim(odd_lp(seed).lp)[0] is Status.INACCURATE, odd_lp(seed).traits
    assert claim(assignment_lp(0, 50, 4).lp)[1] == "claimed infeasible, the referee found a feasible point"


def test_a_claim_that_no_instance_is_given_for_is_not_proved() -> None:
    answer = Answer(x=None, dual=None, status=Status.INFEASIBLE, raw_status="said so")
    assert verdict(answer, Certificate(), 1e-4) == (
        Status.INACCURATE,
        "claimed infeasible (said so), nothing proves it",
    )


def test_a_bound_above_a_feasible_cost_is_an_error_whatever_was_claimed() -> None:
    certificate = Certificate(certified_gap=-1e-9, dual_bound=1.0 + 1e-9, feasible_objective=1.0)
    for status in (Status.SOLVED, Status.TIME_LIMIT):
        found, reason = verdict(Answer(x=None, dual=None, status=status), certificate, 1e-4)
        assert found is Status.ERROR
        assert reason.startswith("a contradiction in the referee: the bound 1.000000001 is above the cost 1.0")

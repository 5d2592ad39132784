"""What a certificate is worth against a tolerance."""

from __future__ import annotations

from harness.certificate import Certificate
from harness.verdict import verdict
from solvers import Answer, Status


def test_a_claim_stands_by_the_feasible_point_or_by_the_answer_near_the_rows() -> None:
    claim = Answer(x=None, dual=None, status=Status.SOLVED)
    near = Certificate(certified_gap=1.1e-4, priced_gap=9e-5, row_violation=1e-6)
    assert near.accuracy == 1.1e-4
    assert verdict(claim, near, 1e-4) == (Status.SOLVED, "within tolerance, not feasible")
    assert verdict(claim, near, 1e-3) == (Status.SOLVED, "")
    assert verdict(claim, near, 5e-5)[0] is Status.INACCURATE
    left = Certificate(certified_gap=1.1e-4, priced_gap=9e-5, row_violation=2e-4)
    assert verdict(claim, left, 1e-4)[0] is Status.INACCURATE

"""What every adapter promises, and what this one adds."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import solve
from harness.trust.conformance import Verdict, check_names, run_check
from instances import generate, parse_spec
from solvers import get_solver

SOLVER = str(Path(__file__).with_name("subgradient.py"))


@pytest.mark.parametrize("check", check_names())
def test_conforms(check: str) -> None:
    found = run_check(get_solver(SOLVER), check)
    assert found.verdict is not Verdict.FAILED, found.detail


def test_certifies_a_small_gap() -> None:
    lp = generate(parse_spec("unit:sources=200,destinations=10,degree=4,seed=1"))
    certificate = solve(lp, SOLVER).certificate
    assert certificate is not None
    assert certificate.certified_gap is not None
    assert 0 <= certificate.certified_gap < 0.2

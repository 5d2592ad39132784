"""Our solvers on families of rows of every kind, judged by the referee."""

from __future__ import annotations

import pytest

from harness import solve
from solvers import Status
from tests.support.feasible_rows import ROW_KINDS, general_lp
from tests.support.highs import HighsApart


@pytest.mark.parametrize("kind", ROW_KINDS)
def test_blockpdhg_solves_every_kind_of_rows(highs: HighsApart, kind: str) -> None:
    lp = general_lp(1, kind, sources=20)
    best = highs.solved(lp).objective
    result = solve(lp, "blockpdhg", tolerance=1e-5, time_limit=20.0)
    assert result.status is Status.SOLVED, result.raw_status
    assert result.certificate is not None
    assert result.certificate.dual_bound == pytest.approx(best, rel=1e-4, abs=1e-4)


def test_the_reference_kernel_takes_them_too() -> None:
    result = solve(general_lp(1, sources=20), "blockpdhg", tolerance=1e-3, options={"kernel": "reference"})
    assert result.status is Status.SOLVED, result.raw_status

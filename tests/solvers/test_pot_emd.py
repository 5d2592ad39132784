"""Network simplex of POT: exact on transport, balanced or with slack, and prices of rows in our sign."""

from __future__ import annotations

import numpy as np
import pytest

from harness import solve
from harness.trust.probes import infeasible
from instances import Kind, MatchingLP, PerSource, Rows, Simplex, generate, parse_spec
from solvers import Status, get_solver, registry
from tests.support.optimum import optimum

SOLVER = "pot-emd"
pytestmark = pytest.mark.skipif(not registry()[SOLVER].available().ok, reason="POT is not installed")


def transport_lp(seed: int) -> MatchingLP:
    """Both kinds of sources and of rows, one coefficient a row; pairs that occur twice, z = 0, a = 0 and needs of 0."""
    rng = np.random.default_rng([20, seed])
    degrees = rng.integers(1, 6, int(rng.integers(4, 10)))
    z = rng.integers(0, 8, degrees.size) / rng.choice([1.0, 7.3])
    kind = rng.choice((Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY), degrees.size).astype(np.uint8)
    rows = int(rng.integers(1, 6))
    row = rng.integers(0, rows, degrees.sum())
    a = rng.choice([0.5, 1.0, 3.0], rows)[row] * (rng.random(row.size) < 0.9)
    offsets = np.concatenate(([0], np.cumsum(degrees)))

    first = offsets[:-1]  # every source may take its first edge, and what is exact gets just that
    activity = np.bincount(row[first], a[first] * z, rows)
    exact = rng.random(rows) < 0.5
    return MatchingLP(
        offsets=offsets,
        c=rng.normal(-0.5, 1.0, row.size),
        polytope=PerSource(kind=kind, radius=z),
        rows=[Rows("need", row=row, coefficient=a, lower=np.where(exact, activity, -np.inf), upper=activity)],
    )


def test_optimum_and_prices_are_certified_with_and_without_slack() -> None:
    for seed in range(40):
        lp = transport_lp(seed)
        result = solve(lp, SOLVER, tolerance=1e-7)
        assert result.status is Status.SOLVED, (seed, result.reason)
        assert result.certificate is not None
        assert result.certificate.dual_bound == pytest.approx(optimum(lp), rel=1e-9, abs=1e-9), seed


@pytest.mark.parametrize(
    "spec", ["dotmark:pair=1001-1002,size=8,cost=squared", "transport", "unit", "movielens:capacity=1"]
)
def test_complete_and_sparse_problems_are_solved(spec: str) -> None:
    lp = generate(parse_spec(spec if ":" in spec else f"{spec}:sources=500,destinations=20,degree=6,seed=3"))
    result = solve(lp, SOLVER, tolerance=1e-8)
    assert result.status is Status.SOLVED, result.reason


def test_the_price_of_a_row_that_must_be_filled_at_a_loss_is_below_that_of_others() -> None:
    """One unit goes to row 0 at a cost of 1 rather than to row 1 for nothing."""
    family = Rows("need", row=[0, 1], coefficient=2.0, lower=[2.0, -np.inf], upper=[2.0, 9.0])
    result = solve(MatchingLP(offsets=[0, 2], c=[1.0, 0.0], polytope=Simplex(equality=True), rows=[family]), SOLVER)
    assert result.answer is not None
    assert result.answer.x.tolist() == [1.0, 0.0]
    assert result.answer.dual[0] <= result.answer.dual[1] - 0.5


def test_what_cannot_be_sent_is_infeasible() -> None:
    assert solve(infeasible(), SOLVER).status is Status.INFEASIBLE
    more = Rows("need", row=[0], lower=[2.0], upper=[2.0])
    assert solve(MatchingLP(offsets=[0, 1], c=[1.0], rows=[more]), SOLVER).status is Status.INFEASIBLE


def test_nothing_to_send_and_nowhere_to_send_it() -> None:
    """POT itself ends the process where it is given no pair."""
    idle, closed = Rows("need", row=[0], upper=[1.0]), Rows("need", row=[0], upper=[0.0])
    ends = [
        solve(MatchingLP(offsets=[0, 1], c=[-1.0], polytope=polytope, rows=[family]), SOLVER).status
        for polytope, family in (
            (Simplex(z=0.0), idle),
            (Simplex(), closed),
            (Simplex(equality=True), closed),
        )
    ]
    assert ends == [Status.SOLVED, Status.SOLVED, Status.INFEASIBLE]


def test_what_is_no_transport_is_said_in_one_line() -> None:
    solver = get_solver(SOLVER)
    floor = Rows("need", row=[0, 0], lower=[1.0])
    mixed = Rows("need", row=[0, 0], coefficient=[1.0, 2.0], lower=[1.0], upper=[1.0])
    told = [solver.unsuited(MatchingLP(offsets=[0, 2], c=[1.0, 1.0], rows=[family])) for family in (floor, mixed)]
    assert told == [
        "pot-emd does not take '>=' rows, which the instance has",
        "a flow needs one coefficient a row: a runs from 1 to 2 in row 0",
    ]

"""Greedy fills what rows leave: feasible on every LP that it takes, and its prices prove a bound."""

from __future__ import annotations

import numpy as np
import pytest

from harness import solve
from instances import BoxCut, MatchingLP, RaggedRows, Rows, activities, generate, parse_spec
from solvers import Status, registry
from tests.support.optimum import optimum
from tests.support.wide import bound, wide_lp


def packing_lp(seed: int) -> MatchingLP:
    """An aligned family, one row for all edges and a ragged family, all '<='."""
    rng = np.random.default_rng([10, seed])
    degrees = rng.integers(1, 6, 12)
    edges = int(degrees.sum())
    entries = np.concatenate(([0], np.cumsum(rng.integers(0, 3, edges))))
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        c=rng.normal(-1.0, 1.0, edges),
        polytope=BoxCut(upper=rng.uniform(0.3, 1.0, 12), at_most=rng.uniform(0.5, 2.0, 12)),
        rows=[
            Rows(
                "item", row=rng.integers(0, 4, edges), coefficient=rng.uniform(0.0, 2.0, edges), upper=np.full(4, 2.0)
            ),
            Rows("total", coefficient=rng.uniform(0.5, 1.0, edges), upper=6.0),
            RaggedRows("link", entry_offsets=entries, row=rng.integers(0, 3, entries[-1]), upper=np.full(3, 2.5)),
        ],
    )


def test_x_is_feasible_and_the_optimum_lies_between_bound_and_value() -> None:
    greedy = registry()["greedy"]
    for seed in range(30):
        lp = packing_lp(seed)
        assert greedy.unsuited(lp) == ""
        result = solve(lp, "greedy")
        assert result.status is Status.ITERATION_LIMIT
        answer = result.answer
        assert answer is not None
        limits = lp.per_source.limits()
        assert (answer.x >= 0).all()
        assert (answer.x <= limits.upper[lp.source_of_edge()]).all()
        assert (np.add.reduceat(answer.x, lp.offsets[:-1]) <= limits.at_most * (1 + 1e-12)).all()
        upper = np.concatenate([family.upper for family in lp.rows])
        assert (activities(lp, answer.x) <= upper * (1 + 1e-12)).all()
        assert bound(lp, answer.dual) <= optimum(lp) + 1e-9 <= float(lp.c @ answer.x) + 2e-9


def test_it_is_within_a_tenth_where_budgets_are_of_one_unit_each() -> None:
    result = solve(generate(parse_spec("unit:sources=2000,destinations=40,degree=6,seed=3")), "greedy")
    assert result.certificate is not None
    assert result.certificate.certified_gap == pytest.approx(0.05, abs=0.05)


def test_rows_that_filling_cannot_keep_are_refused() -> None:
    told = [registry()["greedy"].unsuited(wide_lp(seed)) for seed in range(20)]
    assert all(line.startswith("greedy does not take ") for line in told)
    assert any("'>=' rows" in line for line in told)

"""'=' sources all of whose rows are full, served by moves within other sources."""

from __future__ import annotations

import numpy as np
import pytest

from instances import BoxCut, MatchingLP, Simplex, generate, parse_spec
from solvers.engine.relief import relieve
from solvers.engine.repair import repair
from solvers.engine.vertex import Search
from tests import exact

#: Source 0 has rows 0 and 1, source 1 rows 0 and 2; rows 0 and 1 are full, and source 0 lacks a quarter.
X = np.array([0.5, 0.25, 0.5, 0.5])
SERVED = np.array([0.75, 0.25, 0.25, 0.75])


def crowded_lp(*, detour: float = 1.0) -> MatchingLP:
    """detour: what row 2 costs source 1 more than row 0."""
    return MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 2]),
        a=np.ones(4),
        c=np.array([1.0, 2.0, 1.0, 1.0 + detour]),
        b=np.array([1.0, 0.25, 2.0]),
        polytope=Simplex(equality=True),
    )


def test_another_source_makes_room_in_a_full_row() -> None:
    lp, x = crowded_lp(), X.copy()
    assert relieve(lp, x, np.zeros(3), allowed=0.3)
    assert x == pytest.approx(SERVED, abs=1e-11)
    assert exact.violation(lp, x) <= 1e-14


def test_nothing_moves_where_that_costs_more_than_allowed() -> None:
    x = X.copy()
    assert not relieve(crowded_lp(), x, np.zeros(3), allowed=0.2)
    assert not relieve(crowded_lp(), x, np.zeros(3), allowed=0.0)
    assert (x == X).all()


def test_moves_cost_what_the_prices_say() -> None:
    """A price of 1 on row 0 pays for the detour of 1."""
    x = X.copy()
    assert relieve(crowded_lp(), x, np.array([1.0, 0.0, 0.0]), allowed=1e-3)
    assert x == pytest.approx(SERVED, abs=1e-11)


def test_an_edge_takes_no_more_than_its_limit_and_its_row() -> None:
    """Source 1 may put a half on row 2 at most, which it does already."""
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 2]),
        a=np.ones(4),
        c=np.array([1.0, 2.0, 1.0, 2.0]),
        b=np.array([1.0, 0.25, 2.0]),
        polytope=BoxCut(upper=np.array([1.0, 0.5]), at_most=1.0, equality=True),
    )
    x = X.copy()
    assert not relieve(lp, x, np.zeros(3), allowed=10.0)
    assert (x == X).all()


@pytest.mark.parametrize("seed", range(3))
def test_rough_points_of_large_instances_are_repaired_within_the_budgets(seed: int) -> None:
    """All sources are served and all rows within their budgets, but for what rounding leaves."""
    lp = generate(parse_spec(f"reviewers:sources=10000,destinations=100,degree=8,seed={seed}"))
    rng = np.random.default_rng(seed)
    x = np.repeat(3.0 / lp.degrees(), lp.degrees()) * rng.uniform(0.97, 1.03, lp.edges)
    certificate = repair(lp, x, np.zeros(lp.destinations), search=Search(seconds=1.0, enough=10.0))
    assert np.isfinite(certificate.objective)
    assert exact.violation(lp, x) <= 1e-12

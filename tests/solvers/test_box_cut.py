"""Our own solvers on box-cut sources: "at most z items, each at most u", alone, beside other kinds, and infeasible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness import solve
from instances import BoxCut, MatchingLP, Simplex, generate, parse_spec
from solvers import Status
from tests.odd_lps import odd_lp, with_box_cuts
from tests.support.optimum import optimum

OURS = ("blockpdhg", "dualip-restarted")
SPEC = "{}:sources=2000,destinations=40,degree=5,seed=7,polytope={},radius=2,upper=0.75"


@pytest.mark.parametrize("solver", OURS)
@pytest.mark.parametrize("polytope", ["box-cut", "box-cut-eq"])
@pytest.mark.parametrize("family", ["unit", "independent"])
def test_they_reach_the_tolerance_that_highs_confirms(solver: str, polytope: str, family: str) -> None:
    lp = generate(parse_spec(SPEC.format(family, polytope)))
    result = solve(lp, solver, tolerance=1e-3, time_limit=20.0, threads=2)
    assert result.status is Status.SOLVED, result.reason
    assert result.certificate is not None
    assert result.certificate.feasible_objective == pytest.approx(optimum(lp), rel=2e-3)


def test_a_cut_that_never_binds_is_the_simplex() -> None:
    spec = "unit:sources=2000,destinations=40,degree=5,seed=7"
    simplex, cut = generate(parse_spec(spec)), generate(parse_spec(f"{spec},polytope=box-cut,radius=1,upper=1"))
    objectives = [solve(lp, "blockpdhg", tolerance=1e-6, threads=2).certificate for lp in (simplex, cut)]
    assert all(found is not None and found.certified_gap is not None for found in objectives)
    assert objectives[0].feasible_objective == pytest.approx(objectives[1].feasible_objective, rel=1e-5)  # type: ignore[union-attr]


@pytest.mark.parametrize("solver", OURS)
def test_a_source_that_wants_more_than_its_edges_take_is_infeasible_at_once(solver: str) -> None:
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 0, 1]),
        a=np.ones(4),
        c=-np.ones(4),
        b=np.full(2, 9.0),
        polytope=BoxCut(upper=0.5, at_most=np.array([1.0, 1.5]), equality=True),
    )
    result = solve(lp, solver)
    assert result.status is Status.INFEASIBLE, result.reason


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_odd_sources_are_solved_or_say_why_not(seed: int) -> None:
    odd = with_box_cuts(odd_lp(seed, largest_power=3), seed)
    result = solve(odd.lp, "blockpdhg", tolerance=1e-3, time_limit=1.0)
    assert result.status in (Status.SOLVED, Status.ITERATION_LIMIT, Status.TIME_LIMIT), (odd.traits, result.reason)


def test_the_simplex_of_the_same_sum_allows_what_the_cut_forbids() -> None:
    lp = generate(parse_spec(SPEC.format("unit", "box-cut")))
    relaxed = replace(lp, polytope=Simplex(z=2.0))
    bounds = [solve(one, "blockpdhg", tolerance=1e-4, threads=2).certificate for one in (relaxed, lp)]
    assert bounds[0] is not None
    assert bounds[1] is not None
    assert bounds[0].feasible_objective < bounds[1].feasible_objective  # type: ignore[operator]

"""Min-cost flow: exact on LPs that are flow problems, silent on none, and a dual that certifies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness import solve
from harness.trust.probes import infeasible, known_optimum
from instances import Box, Kind, MatchingLP, PerSource, Simplex, generate, parse_spec
from solvers import Settings, Status, get_solver, registry
from solvers.flow import to_flow, to_x
from tests.odd_lps import infeasible_lp, odd_lp

SOLVER = "ortools-mincostflow"
pytestmark = pytest.mark.skipif(not registry()[SOLVER].available().ok, reason="OR-Tools is not installed")


def random_flow(seed: int) -> MatchingLP:
    """Few sources of all kinds, one coefficient a row, and what is rare elsewhere: ties, a = 0, b = 0, equal pairs."""
    rng = np.random.default_rng(seed)
    sources, destinations = int(rng.integers(1, 12)), int(rng.integers(1, 6))
    degrees = rng.integers(1, 6, sources)
    offsets = np.concatenate(([0], np.cumsum(degrees)))
    destination = rng.integers(0, destinations, offsets[-1])
    grid = rng.choice([1.0, 4.0, 10.0, 7.3])  # quantities are whole, dyadic, decimal or none of these
    kind = rng.integers(0, 3, sources).astype(np.uint8)
    radius = rng.integers(1, 8, sources) / grid
    a = rng.choice([0.5, 1.0, 3.0], destinations)[destination] * (rng.random(offsets[-1]) < 0.9)

    first = offsets[:-1]  # the '=' sources fit when all of them take their first edge
    needed = np.where(kind == Kind.SIMPLEX_EQUALITY, a[first] * radius, 0.0)
    spare = rng.integers(0, 3, destinations) / grid
    return MatchingLP(
        offsets=offsets,
        destination=destination,
        a=a,
        c=rng.integers(-9, 4, offsets[-1]) * rng.choice([1.0, 1e-3, 0.37]),
        b=np.bincount(destination[first], needed, destinations) + spare,
        polytope=PerSource(kind=kind, radius=radius),
    )


@pytest.mark.parametrize("spec", ["unit", "uniform", "unit=", "uniformbox"])
def test_it_agrees_with_a_simplex_method(spec: str) -> None:
    family, polytope = spec.removesuffix("=").removesuffix("box"), {"=": "simplex-eq", "x": "box"}.get(spec[-1])
    text = f"{family}:sources=2000,destinations=40,degree=6,seed=3"
    lp = generate(parse_spec(f"{text},polytope={polytope}" if polytope else text))
    flow, simplex = (solve(lp, solver, tolerance=1e-6).certificate for solver in (SOLVER, "ortools-glop"))
    assert flow is not None
    assert simplex is not None
    assert flow.certified_gap is not None
    assert flow.certified_gap <= 1e-9
    assert flow.feasible_objective == pytest.approx(simplex.feasible_objective, rel=1e-9)


def test_it_solves_movielens() -> None:
    result = solve(generate(parse_spec("movielens:capacity=1")), SOLVER, tolerance=1e-8)
    assert result.status is Status.SOLVED, result.reason
    assert result.certificate is not None
    assert result.certificate.feasible_objective == pytest.approx(-3023.5)


def test_it_solves_flows_of_every_kind_and_certifies_them() -> None:
    for seed in range(150):
        result = solve(random_flow(seed), SOLVER, tolerance=1e-7)
        assert result.status is Status.SOLVED, (seed, result.reason)


def test_the_answer_is_whole_where_the_budgets_are() -> None:
    result = solve(generate(parse_spec("unit:sources=500,destinations=20,degree=4,seed=1")), SOLVER)
    assert result.answer is not None
    assert result.answer.x is not None
    assert set(np.unique(result.answer.x)) <= {0.0, 1.0}


def test_it_says_what_it_cannot_take() -> None:
    solver = get_solver(SOLVER)
    lp = known_optimum(Kind.SIMPLEX).lp
    mixed = replace(lp, a=np.array([2.0, 1.0, 2.0, 1.0, 0.5, 1.0]))
    assert solver.unsuited(lp) == ""
    assert solver.unsuited(mixed) == "a flow needs one coefficient a row: a runs from 0.5 to 2 in row 0"
    tiny = replace(lp, polytope=Simplex(z=np.array([1.0, 1.0, 1e-12]), equality=True))
    assert "less than 2^-30 of all units" in solver.unsuited(tiny)
    assert solve(mixed, SOLVER).status is Status.SKIPPED


def test_large_costs_that_never_matter_do_not_make_the_rest_coarse() -> None:
    """Forbidden edges of '<=' sources, and a common offset in '=' ones."""
    lp = known_optimum(Kind.SIMPLEX).lp
    c = lp.c.copy()
    c[3] = 1e20
    assert solve(replace(lp, c=c), SOLVER, tolerance=1e-8).status is Status.SOLVED
    assert solve(replace(lp, c=np.full(6, 3.0)), SOLVER, tolerance=1e-8).status is Status.SOLVED  # nothing is used
    equal = known_optimum(Kind.SIMPLEX_EQUALITY).lp
    shifted = solve(replace(equal, c=equal.c + 1e9), SOLVER, tolerance=1e-9)
    assert shifted.status is Status.SOLVED
    assert shifted.certificate is not None
    assert shifted.certificate.feasible_objective == pytest.approx(3e9 - 6.25, rel=1e-12)


def test_it_claims_nothing_that_rounded_costs_do_not_prove() -> None:
    lp = generate(parse_spec("uniform:sources=500,destinations=20,degree=4,seed=1"))
    result = solve(lp, SOLVER, tolerance=1e-6, options={"cost_steps": 100.0})
    assert result.status is Status.ERROR
    assert "costs rounded by up to 5.0e-03" in result.reason
    assert result.certificate is not None
    assert result.certificate.certified_gap is not None


def test_infeasible_comes_with_a_proof() -> None:
    """y >= 0 under which the '=' sources, z = 1 each, pay more than the budgets are worth."""
    lp = infeasible()
    answer = get_solver(SOLVER).run(get_solver(SOLVER).prepare(lp, Settings()))
    assert answer.status is Status.INFEASIBLE
    assert answer.ray is not None
    assert (answer.ray >= 0).all()
    paid = np.minimum.reduceat(lp.a * answer.ray[lp.destination], lp.offsets[:-1])
    assert paid.sum() > lp.b @ answer.ray


def test_infeasible_is_said_only_with_a_proof() -> None:
    """Thirds are rounded down: three of them on a full row of 1 are no proof, and on a row of 0.9 they are."""
    thirds = replace(infeasible(), a=np.ones(6), polytope=Simplex(z=1 / 3, equality=True))
    assert solve(replace(thirds, b=np.array([1.0, 0.0])), SOLVER).status in (Status.SOLVED, Status.ERROR)
    assert solve(replace(thirds, b=np.array([0.9, 0.0])), SOLVER).status is Status.INFEASIBLE


def test_odd_lps_are_solved_or_left_with_one_line_and_never_claimed_wrongly() -> None:
    found: dict[str, int] = {}
    for seed in range(200):
        result = solve(odd_lp(seed).lp, SOLVER, tolerance=1e-6)
        found[result.status] = found.get(result.status, 0) + 1
        told = result.reason.startswith(("OPTIMAL, costs rounded", "a flow", "infeasible"))
        assert result.status is Status.SOLVED or told, (seed, result.reason)
    assert set(found) <= {Status.SOLVED, Status.SKIPPED, Status.ERROR}
    assert found[Status.SOLVED] >= 80
    for seed in range(40):
        assert solve(infeasible_lp(seed), SOLVER).status in (Status.INFEASIBLE, Status.SKIPPED), seed


def test_quantities_are_whole_under_the_smallest_scale_that_makes_them_so() -> None:
    lp = replace(known_optimum(Kind.BOX).lp, polytope=Box(0.6), b=np.array([3.0, 0.7]))
    problem = to_flow(lp, 1e9)
    assert (problem.scale, problem.exact) == (10.0, True)
    assert problem.supply.tolist() == [12, 12, 12, 0, 0]
    assert problem.capacity[-2:].tolist() == [15, 7]
    thirds = to_flow(replace(lp, polytope=Simplex(z=1 / 3, equality=True)), 1e9)
    assert not thirds.exact
    x = to_x(lp=replace(lp, polytope=Simplex(z=1 / 3, equality=True)), problem=thirds, sent=thirds.capacity)
    assert x[:6] == pytest.approx(1 / 3, rel=1e-15)


def test_costs_that_are_whole_multiples_of_something_stay_small_and_exact() -> None:
    """Ratings of 0.5 to 5: no step of a billionth makes the algorithm work harder than they do."""
    problem = to_flow(generate(parse_spec("movielens:capacity=1")), 1e9)
    assert set(np.unique(problem.cost)) == set(range(-10, 1))
    assert problem.step == pytest.approx(0.5, rel=1e-15)
    assert problem.rounding == pytest.approx(2.5e-9)


def test_limits_stop_the_search_for_prices() -> None:
    lp = generate(parse_spec("unit:sources=2000,destinations=40,degree=6,seed=3"))
    result = solve(lp, SOLVER, iteration_limit=2)
    assert result.status is Status.ITERATION_LIMIT
    assert result.answer is not None
    assert result.answer.iterations == 2

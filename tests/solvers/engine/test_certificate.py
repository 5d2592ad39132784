"""The engine's own proof: bound <= optimum <= objective, for any dual >= 0 and any x."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import Box, BoxCut, Kind, MatchingLP, PerSource, Polytope, Simplex
from solvers.engine.certificate import relative_gap
from solvers.engine.exchange import worth_of_exchange
from solvers.engine.nearest import nearest_feasible
from solvers.engine.points import nearest_point, ridge_point
from solvers.engine.rays import is_ray, objective_upper_bound
from solvers.engine.repair import repair
from solvers.engine.rows import Rows
from solvers.engine.vertex import Search, move_to_vertex
from tests import exact
from tests.odd_lps import assignment_lp, infeasible_lp, odd_lp, transport_lp, with_box_cuts
from tests.support.optimum import optimal_dual, optimal_point, optimum

POLYTOPES = (
    Simplex(z=1.5),
    Simplex(equality=True),
    Box(0.8),
    BoxCut(upper=0.6, at_most=1.5),
    BoxCut(upper=1.1, at_most=1.0, equality=True),
    BoxCut(upper=0.25, at_most=0.25, equality=True),
)


def random_lp(seed: int, polytope: Polytope) -> MatchingLP:
    rng = np.random.default_rng(seed)
    sources, destinations = int(rng.integers(2, 15)), int(rng.integers(2, 6))
    degree = rng.integers(1, 6, sources)
    offsets = np.concatenate(([0], np.cumsum(degree)))
    return MatchingLP(
        offsets=offsets,
        destination=rng.integers(0, destinations, offsets[-1]).astype(np.int32),
        a=rng.choice([0.0, 0.5, 1.0, 2.0], offsets[-1]),
        c=rng.normal(-0.5, 1, offsets[-1]),
        b=rng.uniform(0, 1, destinations) * sources,
        polytope=polytope,
    )


@pytest.mark.parametrize("polytope", POLYTOPES, ids=str)
@settings(deadline=None, max_examples=40, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_the_optimum_lies_between_bound_and_objective(polytope: Polytope, seed: int) -> None:
    lp, rng = random_lp(seed, polytope), np.random.default_rng(seed)
    x, dual = rng.normal(0.3, 1, lp.edges), rng.choice([0.0, 0.3, 1.0, 3.0], lp.destinations)
    best = optimum(lp)
    certificate = repair(lp, x, dual)
    assert certificate.bound <= best + 1e-9
    assert certificate.objective >= best - 1e-9
    if math.isfinite(certificate.objective):
        assert certificate.objective == pytest.approx(lp.c @ x, abs=1e-10)
        assert (np.bincount(lp.destination, weights=lp.a * x, minlength=lp.destinations) <= lp.b + 1e-9).all()
        assert (x >= 0).all()


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_some_optimal_dual_lies_below_the_largest(seed: int) -> None:
    lp = random_lp(seed, Simplex())
    dual = np.minimum(optimal_dual(lp), Rows(lp).dual_upper_bound)
    assert repair(lp, optimal_point(lp), dual).bound == pytest.approx(optimum(lp), abs=1e-8)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 10**6), polytope=st.sampled_from(POLYTOPES))
def test_no_feasible_objective_is_above_the_largest(seed: int, polytope: Polytope) -> None:
    lp = random_lp(seed, polytope)
    best = optimum(lp)
    assert math.isinf(best) or best <= objective_upper_bound(lp) + 1e-9


@pytest.mark.parametrize("polytope", POLYTOPES, ids=str)
def test_the_ridge_point_minimises_its_quadratic(polytope: Polytope) -> None:
    lp, step = random_lp(3, polytope), 0.7
    price = np.random.default_rng(3).uniform(0, 2, lp.destinations)
    x = ridge_point(lp, price, step, "float64")
    gradient = lp.c + lp.a * price[lp.destination] + x / step
    rng = np.random.default_rng(4)
    for _ in range(50):
        other = ridge_point(lp, rng.normal(0, 3, lp.destinations), rng.uniform(0.01, 5), "float64")
        assert gradient @ (other - x) >= -1e-9


def test_no_point_is_recovered_where_equalities_cannot_be_served() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 1, 2]),
        destination=np.zeros(2, dtype=np.int32),
        a=np.ones(2),
        c=-np.ones(2),
        b=np.ones(1),
        polytope=Simplex(equality=True),
    )
    assert repair(lp, np.ones(2), np.zeros(1)).gap == math.inf


def test_sources_on_full_rows_are_balanced_through_others() -> None:
    """Source 0 sees only the overfull row 0 and the full row 1; room is on row 2, which only source 1 reaches."""
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 1, 2], dtype=np.int32),
        a=np.ones(4),
        c=np.array([-3.0, -2.0, -2.0, -1.0]),
        b=np.array([0.4, 1.0, 5.0]),
        polytope=Simplex(equality=True),
    )
    x = np.array([0.401, 0.599, 0.401, 0.599])
    certificate = repair(lp, x, np.array([2.0, 1.0, 0.0]))
    assert certificate.bound == pytest.approx(-3.8)
    assert -3.8 <= certificate.objective == pytest.approx(-3.8, abs=0.01)
    assert x.reshape(2, 2).sum(axis=1) == pytest.approx([1.0, 1.0])
    assert (np.bincount(lp.destination, weights=x) <= lp.b).all()


def two_rows(c: list[float], b: list[float], a: list[float], kinds: list[Kind], radius: list[float]) -> MatchingLP:
    """Sources of two edges each, to rows 0 and 1."""
    return MatchingLP(
        offsets=2 * np.arange(len(kinds) + 1),
        destination=np.tile(np.arange(2, dtype=np.int32), len(kinds)),
        a=np.array(a),
        c=np.array(c),
        b=np.array(b),
        polytope=PerSource(kind=np.array(kinds, np.uint8), radius=np.array(radius)),
    )


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    seed=st.integers(0, 10**6),
    power=st.integers(-300, 300),
    shift=st.integers(-60, 60),
    shifted=st.booleans(),
    cut=st.booleans(),
)
def test_no_rounding_lifts_a_bound_above_the_exact_one(
    seed: int, power: int, shift: int, *, shifted: bool, cut: bool
) -> None:
    odd, rng = odd_lp(seed), np.random.default_rng(seed)
    lp = with_box_cuts(odd, seed).lp if cut else odd.lp
    dual = rng.uniform(0, 1, lp.destinations) * 2.0**shift + 2.0**47 * shifted if power % 2 else (
        rng.choice([0.0, 1.0], lp.destinations) * 10.0**power
    )  # fmt: skip
    bound, truth = repair(lp, np.zeros(lp.edges), dual).bound, exact.bound(lp, dual)
    assert truth is None or bound == -math.inf or bound <= truth


@settings(deadline=None, max_examples=80, derandomize=True)
@given(seed=st.integers(0, 10**6), dtype=st.sampled_from(["float32", "float64"]), cut=st.booleans())
def test_an_objective_is_above_that_of_the_point_it_speaks_of(seed: int, dtype: str, *, cut: bool) -> None:
    odd = odd_lp(seed, largest_power=3)
    odd = with_box_cuts(odd, seed) if cut else odd
    x = (odd.witness * np.random.default_rng(seed).uniform(0.9, 1.1, odd.lp.edges)).astype(dtype)
    certificate = repair(odd.lp, x, np.zeros(odd.lp.destinations), search=Search(seconds=1.0))
    if certificate.objective < math.inf:
        assert exact.violation(odd.lp, x) <= (2.0**-20 if dtype == "float32" else 2e-13)
        if dtype == "float64":
            assert certificate.objective >= exact.objective(odd.lp, x)
    else:
        assert odd.lp.per_source.limits().equality.any()


def test_prices_that_swallow_the_costs_prove_nothing() -> None:
    lp = two_rows([-1, 0, 0, 0], [1, 1], [1] * 4, [Kind.SIMPLEX_EQUALITY] * 2, [1, 1])
    certificate = repair(lp, np.array([0.0, 1.0, 1.0, 0.0]), np.full(2, 2.0**60))
    assert certificate.bound <= -1
    assert certificate.gap >= 1


def test_a_bound_above_the_objective_is_no_proof() -> None:
    assert relative_gap(objective=1.0, bound=2.0) == math.inf
    assert relative_gap(objective=math.nan, bound=0.0) == math.inf


def test_the_mass_of_a_tiny_equality_source_counts() -> None:
    """Its two edges cost 0 and 1e14; the first row holds nothing: the optimum is 5."""
    lp = two_rows([0, 1e14], [0, 1], [1, 1], [Kind.SIMPLEX_EQUALITY], [5e-14])
    x = np.array([5e-14, 0.0])
    certificate = repair(lp, x, np.array([1e14, 0.0]))
    assert x.tolist() == [0.0, 5e-14]
    assert certificate.bound == pytest.approx(5)
    assert certificate.objective == pytest.approx(5)


def test_an_edge_without_load_is_not_scaled_on_a_full_row() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 1, 2]),
        destination=np.zeros(2, dtype=np.int32),
        a=np.array([0.0, 1.0]),
        c=np.array([-1.0, -1.0]),
        b=np.zeros(1),
        polytope=Simplex(),
    )
    x = np.array([1.0, 1e-12])
    certificate = repair(lp, x, np.ones(1))
    assert x.tolist() == [1.0, 0.0]
    assert certificate.gap <= 1e-13


@pytest.mark.parametrize("price", [1e3, 1e12, 4e20])
def test_a_projection_keeps_its_sum_at_any_price(price: float) -> None:
    lp = two_rows([0, 0], [1, 1], [1, 1], [Kind.SIMPLEX_EQUALITY], [3])
    assert nearest_point(lp, np.array([1.0, 2.0]), np.array([price, price])).tolist() == [1.0, 2.0] or price > 1e15
    assert nearest_point(lp, np.array([1.0, 2.0]), np.array([price, price])).sum() == pytest.approx(3)
    assert ridge_point(lp, np.array([price, 0.0]), 1.0, "float64").tolist() == [0.0, 3.0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_recovered_for_sums_that_budgets_do_not_allow(seed: int, dtype: str) -> None:
    lp = infeasible_lp(seed)
    x = np.random.default_rng(seed).uniform(0, 1, lp.edges).astype(dtype)
    assert repair(lp, x, np.zeros(lp.destinations), search=Search(seconds=1.0)).gap == math.inf


@pytest.mark.parametrize("noise", [0.0, 1e-12, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize(
    "odd",
    [
        assignment_lp(3, 40, 3),
        assignment_lp(4, 100, 20),
        transport_lp(5, 20, 6, whole=False),
        with_box_cuts(transport_lp(5, 20, 6, whole=False), 1),
        with_box_cuts(assignment_lp(4, 100, 20), 2),
    ],
    ids=lambda odd: odd.traits,
)
def test_a_vertex_is_found_near_the_optimum_of_full_rows(odd, noise: float) -> None:
    lp, dual = odd.lp, optimal_dual(odd.lp)
    x = optimal_point(lp) * (1 + noise * np.random.default_rng(0).normal(size=lp.edges))
    prices = move_to_vertex(lp, x, dual, seconds=10.0)
    assert prices is not None
    assert exact.violation(lp, x) <= 1e-14
    assert repair(lp, x, dual).gap <= 1e-9
    assert repair(lp, x, prices).gap <= 1e-9


def test_no_vertex_is_made_up_where_there_is_none() -> None:
    lp = infeasible_lp(2)
    x = np.ones(lp.edges)
    assert move_to_vertex(lp, x, np.zeros(lp.destinations), seconds=1.0) is None
    assert (x == 1).all()
    assert not nearest_feasible(lp, x)


def test_a_ray_proves_only_what_is_infeasible_beyond_rounding() -> None:
    short = two_rows([0, 0], [1, 1], [1, 1], [Kind.SIMPLEX_EQUALITY], [2.001])
    assert is_ray(short, np.ones(2))
    assert is_ray(short, np.full(2, 1e300))
    assert not is_ray(short, np.array([1.0, 0.0]))
    assert not is_ray(short, np.array([1.0, np.nan]))
    assert not is_ray(short, -np.ones(2))
    for radius in (2.0, np.nextafter(2.0, 3.0)):
        assert not is_ray(two_rows([0, 0], [1, 1], [1, 1], [Kind.SIMPLEX_EQUALITY], [radius]), np.ones(2))


def test_a_ray_counts_how_much_each_edge_may_take() -> None:
    """Two edges of at most 0.6 have to make 1 between them, and the cheap row 0 takes 0.3 alone."""
    lp = dataclasses.replace(
        two_rows([0, 0], [0.3, 1], [1, 1], [Kind.SIMPLEX_EQUALITY], [1.0]),
        polytope=BoxCut(upper=0.6, at_most=1.0, equality=True),
    )
    assert is_ray(lp, np.array([1.0, 0.0]))
    assert not is_ray(dataclasses.replace(lp, b=np.array([0.41, 1.0])), np.array([1.0, 0.0]))
    assert not is_ray(dataclasses.replace(lp, polytope=Simplex(equality=True)), np.array([1.0, 0.0]))


def test_what_equality_sources_lack_goes_to_edges_below_their_limit() -> None:
    """The cheap edge is at its limit, so the rest goes to the dear one."""
    lp = dataclasses.replace(
        two_rows([-2, -1], [5, 5], [1, 1], [Kind.SIMPLEX_EQUALITY], [1.0]),
        polytope=BoxCut(upper=0.75, at_most=1.0, equality=True),
    )
    x = np.array([0.75, 0.0])
    certificate = repair(lp, x, np.zeros(2))
    assert x.tolist() == [0.75, 0.25]
    assert certificate.objective == pytest.approx(-1.75, abs=1e-12)
    assert certificate.bound == pytest.approx(-1.75, abs=1e-12)


@pytest.mark.parametrize(
    ("room", "worth"), [(1.0, 3 * 2.0**-50), (0.0, 1e13 * 2.0**-50)], ids=["by two sources", "by a forbidden edge"]
)
def test_an_excess_of_a_full_row_costs_the_cheapest_changes_that_remove_it(room: float, worth: float) -> None:
    """Row 0 is over, row 1 full, row 2 has room or is closed; row 3 has room for forbidden edges."""
    lp = MatchingLP(
        offsets=np.array([0, 3, 6]),
        destination=np.array([0, 1, 3, 1, 2, 3]),
        a=np.ones(6),
        c=np.array([0.0, 1.0, 1e13, 0.0, 2.0, 1e13]),
        b=np.array([1.0 - 2.0**-50, 1.0, room, 1.0]),
        polytope=Simplex(equality=True),
    )
    x = np.array([1.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    assert worth_of_exchange(lp, x, np.zeros(4), 1e-12) == pytest.approx(worth, rel=0.02)


def test_an_excess_that_no_changes_remove_counts_at_the_dual() -> None:
    lp = two_rows([1.0, 2.0, 1e9, 4.0], [1.0, 1.0 - 2.0**-50], [1.0] * 4, [Kind.SIMPLEX_EQUALITY] * 2, [1.0, 1.0])
    found = worth_of_exchange(lp, np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.0, 3.0]), 1e-12)
    assert found == pytest.approx(3 * 2.0**-50, rel=0.5)

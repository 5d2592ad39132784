"""The engine's own proof: bound <= optimum <= objective, for any dual >= 0 and any x."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from instances import Box, MatchingLP, Polytope, Simplex
from solvers.engine.certificate import largest_dual, largest_objective, repair, ridge_point


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


def optimum(lp: MatchingLP) -> float:
    """inf where no x is feasible."""
    explicit = lp.to_explicit()
    equal = explicit.row_lower == explicit.row_upper
    rows = explicit.matrix.tocsr()
    equality = {"A_eq": rows[equal], "b_eq": explicit.row_upper[equal]} if equal.any() else {}
    bounds = np.column_stack((np.zeros(lp.edges), explicit.upper))
    result = linprog(explicit.c, A_ub=rows[~equal], b_ub=explicit.row_upper[~equal], bounds=bounds, **equality)
    return float(result.fun) if result.status == 0 else math.inf


@pytest.mark.parametrize("polytope", [Simplex(z=1.5), Simplex(equality=True), Box(0.8)], ids=str)
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
        assert certificate.objective == pytest.approx(lp.c @ x, abs=1e-12)
        assert (np.bincount(lp.destination, weights=lp.a * x, minlength=lp.destinations) <= lp.b + 1e-9).all()
        assert (x >= 0).all()


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_some_optimal_dual_lies_below_the_largest(seed: int) -> None:
    lp = random_lp(seed, Simplex())
    explicit = lp.to_explicit()
    result = linprog(explicit.c, A_ub=explicit.matrix.tocsr(), b_ub=explicit.row_upper, bounds=(0, None))
    dual = np.minimum(-result.ineqlin.marginals[: lp.destinations], largest_dual(lp))
    assert repair(lp, result.x.copy(), dual).bound == pytest.approx(result.fun, abs=1e-8)


@settings(deadline=None, max_examples=30, derandomize=True)
@given(seed=st.integers(0, 10**6))
def test_no_feasible_objective_is_above_the_largest(seed: int) -> None:
    lp = random_lp(seed, Simplex(equality=True))
    best = optimum(lp)
    assert math.isinf(best) or best <= largest_objective(lp) + 1e-9


@pytest.mark.parametrize("polytope", [Simplex(z=1.5), Simplex(equality=True), Box(0.8)], ids=str)
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

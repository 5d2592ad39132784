"""The certificate: a bound that never exceeds the optimum, a point that is never below it, whatever it is given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.sources
from harness import certify
from instances import Box, InputError, Kind, MatchingLP, PerSource, Simplex
from tests.support.optimum import optimal_point, optimum


def random_lp(seed: int, kinds: str = "mixed", sources: int = 12, destinations: int = 4) -> MatchingLP:
    """A small instance with empty sources, rows without edges, zero budgets and zero radii; feasible at all times."""
    rng = np.random.default_rng(seed)
    degrees = rng.integers(0, 4, sources)
    edges = int(degrees.sum())
    kind = {
        "mixed": rng.choice([Kind.SIMPLEX, Kind.BOX], sources),
        "equality": np.full(sources, Kind.SIMPLEX_EQUALITY),
    }[kinds]
    radius = rng.choice([0.0, 0.5, 1.0, 2.0], sources)
    b = rng.uniform(0, 2, destinations) * rng.integers(0, 2, destinations)
    if kinds == "equality":
        degrees += 1
        edges, b = int(degrees.sum()), np.full(destinations, radius.sum())
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        destination=rng.integers(0, destinations, edges),
        a=rng.choice([0.0, 0.5, 1.0, 1.5], edges),
        c=rng.normal(size=edges),
        b=b,
        polytope=PerSource(kind=kind.astype(np.uint8), radius=radius),
    )


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**6), kinds=st.sampled_from(["mixed", "equality"]))
def test_any_dual_bounds_the_optimum_below_and_any_repaired_point_above(seed: int, kinds: str) -> None:
    lp = random_lp(seed, kinds)
    rng = np.random.default_rng(seed + 1)
    best = optimum(lp) if lp.edges else 0.0
    certificate = certify(lp, rng.normal(size=lp.edges), rng.exponential(size=lp.destinations) * rng.integers(0, 2))
    assert certificate.dual_bound is not None
    assert certificate.dual_bound <= best + 1e-9
    if certificate.feasible_objective is not None:
        assert certificate.feasible_objective >= best - 1e-9
        assert certificate.certified_gap is not None
        assert certificate.certified_gap >= -1e-12


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_chunks_and_threads_change_no_figure(seed: int) -> None:
    lp = random_lp(seed, sources=40)
    rng = np.random.default_rng(seed)
    x, dual = rng.normal(size=lp.edges), rng.normal(size=lp.destinations)
    whole = certify(lp, x, dual)
    before = harness.sources.CHUNK_EDGES
    harness.sources.CHUNK_EDGES = 7
    try:
        pieces, threaded = certify(lp, x, dual), certify(lp, x, dual, threads=3)
    finally:
        harness.sources.CHUNK_EDGES = before
    assert pieces == threaded
    for name in ("dual_bound", "feasible_objective", "objective", "primal_residual", "polytope_violation"):
        assert getattr(pieces, name) == pytest.approx(getattr(whole, name), rel=1e-12, abs=1e-12)


def tight_lp(seed: int, room: float) -> MatchingLP:
    """'=' sources beside others, budgets that some point fills up to `room`: a bad repair would beat the optimum."""
    rng = np.random.default_rng(seed)
    sources, destinations = int(rng.integers(3, 12)), int(rng.integers(2, 5))
    degrees = rng.integers(1, 4, sources)
    source, edges = np.repeat(np.arange(sources), degrees), int(degrees.sum())
    kind = np.where(
        rng.uniform(size=sources) < 0.7, Kind.SIMPLEX_EQUALITY, rng.choice([Kind.SIMPLEX, Kind.BOX], sources)
    )
    radius = rng.uniform(0.5, 2, sources)
    destination, a = rng.integers(0, destinations, edges), rng.choice([0.5, 1.0, 1.5], edges)
    share = rng.exponential(size=edges)
    point = share / np.bincount(source, share)[source] * radius[source]
    load = np.bincount(destination, a * point, destinations)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degrees))),
        destination=destination,
        a=a,
        c=rng.normal(-1, 1, edges),
        b=load * rng.choice([room, 1.5], destinations),
        polytope=PerSource(kind=kind.astype(np.uint8), radius=radius),
    )


@settings(max_examples=150, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), room=st.sampled_from([1.0, 1.02]), noise=st.sampled_from([0.0, 1e-6, 1e-3]))
def test_no_repaired_point_beats_the_optimum_of_tight_budgets(seed: int, room: float, noise: float) -> None:
    lp, rng = tight_lp(seed, room), np.random.default_rng(seed)
    x, best = optimal_point(lp), optimum(lp)
    found = certify(lp, x * (1 + noise * rng.normal(size=lp.edges)), np.zeros(lp.destinations)).feasible_objective
    assert found is not None or room == 1.0  # then the feasible points may be too few
    if found is not None:
        assert best - 1e-11 * (1 + abs(best)) <= found <= best + 100 * noise + 1e-9


def one_source(polytope: object, b: list[float], c: list[float]) -> MatchingLP:
    return MatchingLP(
        offsets=np.array([0, len(c)]),
        destination=np.arange(len(c)),
        a=np.ones(len(c)),
        c=np.array(c),
        b=np.array(b),
        polytope=polytope,  # type: ignore[arg-type]  # any of the three
    )


def test_figures_of_an_infeasible_answer_by_hand() -> None:
    lp = one_source(Simplex(z=1.0), b=[0.5, 1.0], c=[-3.0, -1.0])
    certificate = certify(lp, np.array([1.5, 0.5]), np.array([2.0, -1.0]))
    assert certificate.objective == -5.0
    assert certificate.budget_violation == pytest.approx(1.0 / 1.5)
    assert certificate.polytope_violation == pytest.approx(1.0)
    assert certificate.primal_residual == pytest.approx(np.sqrt(2) / (1 + np.sqrt(0.25 + 1 + 1)))
    # q = (-1, -1) at the price (2, 0): g0 = -0.5 * 2 - 1; x scales to (0.75, 0.25), then row 0 to 0.5.
    assert certificate.dual_bound == pytest.approx(-2.0)
    assert certificate.feasible_objective == pytest.approx(-1.75)
    assert certificate.certified_gap == pytest.approx(0.125)
    assert certificate.dual_residual == pytest.approx(1.0 / (1 + np.sqrt(10.0)))
    assert certificate.relative_gap == pytest.approx(3.0 / 8.0)


def test_an_equality_source_moves_what_a_tight_budget_refuses() -> None:
    lp = one_source(Simplex(z=1.0, equality=True), b=[0.25, 5.0], c=[-3.0, -1.0])
    certificate = certify(lp, np.array([1.0, 0.0]), np.array([2.0, 0.0]))
    assert certificate.feasible_objective == pytest.approx(0.25 * -3 + 0.75 * -1)
    assert certificate.certified_gap == pytest.approx(0.0, abs=1e-12)


def test_equality_sources_on_full_rows_are_rebalanced_through_others() -> None:
    # Source 0 sees only the overfull row 0; room is on row 2, which only source 1 reaches, through row 1.
    lp = MatchingLP(
        offsets=np.array([0, 2, 4]),
        destination=np.array([0, 1, 1, 2]),
        a=np.ones(4),
        c=np.array([-3.0, -2.0, -2.0, -1.0]),
        b=np.array([0.4, 1.0, 5.0]),
        polytope=Simplex(z=1.0, equality=True),
    )
    certificate = certify(lp, np.array([0.401, 0.599, 0.401, 0.599]), np.array([2.0, 1.0, 0.0]))
    assert certificate.dual_bound == pytest.approx(-3.8)
    assert certificate.feasible_objective == pytest.approx(-3.8, abs=0.02)
    assert certificate.feasible_objective is not None
    assert certificate.feasible_objective >= -3.8


def test_an_equality_source_that_no_budget_serves_certifies_nothing() -> None:
    lp = one_source(Simplex(z=1.0, equality=True), b=[0.25, 0.25], c=[-3.0, -1.0])
    certificate = certify(lp, np.array([1.0, 0.0]), np.zeros(2))
    assert certificate.certified_gap is None
    assert "no feasible point" in certificate.reason


def test_an_equality_source_without_edges_has_no_bound() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 0]),
        destination=np.array([], dtype=np.int32),
        a=np.array([]),
        c=np.array([]),
        b=np.array([1.0]),
        polytope=Simplex(z=1.0, equality=True),
    )
    certificate = certify(lp, np.array([]), np.array([0.0]))
    assert (certificate.dual_bound, certificate.certified_gap) == (None, None)


def test_a_source_without_edges_that_wants_nothing_costs_nothing() -> None:
    lp = MatchingLP(
        offsets=np.array([0, 0, 1]),
        destination=np.array([0]),
        a=np.ones(1),
        c=-np.ones(1),
        b=np.ones(1),
        polytope=Simplex(z=np.array([0.0, 1.0]), equality=True),
    )
    certificate = certify(lp, np.ones(1), np.zeros(1))
    assert (certificate.dual_bound, certificate.certified_gap) == (-1.0, 0.0)


def test_the_violations_of_each_kind_by_hand() -> None:
    """A '<=' source with room, an '=' source that lacks 0.5, a box at -0.25; the radii of rows are 2 and 1."""
    lp = MatchingLP(
        offsets=np.arange(4),
        destination=np.arange(3),
        a=np.ones(3),
        c=np.ones(3),
        b=np.full(3, 9.0),
        polytope=PerSource(kind=np.array([0, 1, 2], np.uint8), radius=np.array([2.0, 1.0, 5.0])),
    )
    certificate = certify(lp, np.array([0.5, 0.5, -0.25]), np.zeros(3))
    assert certificate.polytope_violation == 0.5
    assert certificate.polytope_residual == pytest.approx(np.hypot(0.5, 0.25) / (1 + np.sqrt(5.0)))
    assert certificate.budget_residual == 0.0


def test_prices_are_judged_in_float64() -> None:
    lp = one_source(Simplex(z=0.5), b=[0.5], c=[-1.0])
    assert certify(lp, None, np.array([1 / 3])).dual_bound == -0.5 / 3 - 0.5 * (1 - 1 / 3)


def test_box_uses_every_edge_with_a_negative_reduced_cost() -> None:
    lp = one_source(Box(2.0), b=[9.0, 9.0], c=[-3.0, -1.0])
    certificate = certify(lp, np.array([2.5, 2.0]), np.zeros(2))
    assert (certificate.dual_bound, certificate.feasible_objective) == (-8.0, -8.0)
    assert certificate.polytope_violation == 0.5


@pytest.mark.parametrize("equality", [False, True])
@pytest.mark.parametrize("size", [1e308, -1e308, 1e-320, 0.0])
@pytest.mark.parametrize("price", [0.0, 1e308, -1e308])
def test_answers_of_any_size_get_a_finite_gap_or_none(equality: bool, size: float, price: float) -> None:
    lp = one_source(Simplex(equality=equality), b=[0.75, 0.75], c=[-3.0, -1.0])
    certificate = certify(lp, np.full(2, size), np.full(2, price))
    for bound, sign in ((certificate.dual_bound, 1), (certificate.feasible_objective, -1)):
        assert bound is None or (np.isfinite(bound) and sign * bound <= sign * -2.5)
    assert certificate.certified_gap is None or np.isfinite(certificate.certified_gap)
    assert certificate.feasible_objective is not None


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_answers_that_are_not_finite_certify_nothing_and_say_so(bad: float) -> None:
    lp = random_lp(3)
    x, dual = np.zeros(lp.edges), np.zeros(lp.destinations)
    x[-1] = bad
    assert "x has entries that are not finite" in certify(lp, x, dual).reason
    assert certify(lp, x, dual).dual_bound is not None
    assert "dual has entries that are not finite" in certify(lp, np.zeros(lp.edges), dual + bad).reason


def test_an_answer_of_the_wrong_shape_is_refused_with_both_shapes() -> None:
    lp = random_lp(3)
    with pytest.raises(InputError, match=rf"x is float64\[1\]: expected {lp.edges} numbers"):
        certify(lp, np.zeros(1), np.zeros(lp.destinations))

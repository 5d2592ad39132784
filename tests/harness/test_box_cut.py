"""The referee on box-cut sources: supports, points and claims of infeasibility against exact fractions and HiGHS."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness import certify, solve
from harness.infeasible import refutation
from harness.polytopes.points import brought_in, unserved_source
from harness.repair import repaired_point
from harness.sources import Chunk
from instances import BoxCut, MatchingLP, generate, parse_spec
from solvers import Answer, Status
from tests import exact
from tests.support.exact_bounds import check_supports
from tests.support.optimum import optimal_point, optimum

LIMITS = st.sampled_from([0.0, 1e-300, 0.1, 0.3, 1 / 3, 1.0, 2.5, 3.0, 1e12])


def sources_of(costs: list[list[float]], z: list[float], u: list[float], *, equality: bool) -> MatchingLP:
    """One source for each list of costs, all edges on one row without a limit."""
    edges = sum(map(len, costs))
    return MatchingLP(
        offsets=np.cumsum([0, *map(len, costs)]),
        destination=np.zeros(edges, dtype=int),
        a=np.ones(edges),
        c=np.array([cost for mine in costs for cost in mine]),
        b=np.array([1e300]),
        polytope=BoxCut(upper=np.array(u), at_most=np.array(z), equality=equality),
    )


@st.composite
def box_cuts(draw: st.DrawFn) -> MatchingLP:
    numbers = st.one_of(st.floats(-5, 5), st.sampled_from([0.0, -1.0, 1.0, 1e-310, -1e16]))
    costs = draw(st.lists(st.lists(numbers, max_size=5), min_size=1, max_size=4))
    z, u = (draw(st.lists(LIMITS, min_size=len(costs), max_size=len(costs))) for _ in range(2))
    equality = draw(st.booleans())
    if equality:  # what no x satisfies has a test of its own
        z = [min(limit, upper * len(mine)) for limit, upper, mine in zip(z, u, costs, strict=True)]
    return sources_of(costs, z, u, equality=equality)


@settings(max_examples=200, deadline=None)
@given(lp=box_cuts())
@example(lp=sources_of([[-2.2e-308]], [1.0], [1e-300], equality=False))
def test_supports_are_never_above_the_exact_ones_and_close_to_them(lp: MatchingLP) -> None:
    costs = [exact.fractions(lp.c[lp.offsets[i] : lp.offsets[i + 1]]) for i in range(lp.sources)]
    supports = [exact.support(lp, i, mine) for i, mine in enumerate(costs)]
    if None in supports:  # z is a rounding above the sum of u
        return
    true = sum((value for value in supports if value is not None), Fraction(0))
    check_supports(lp, true)


@settings(max_examples=200, deadline=None)
@given(lp=box_cuts(), seed=st.integers(0, 10**6), size=st.sampled_from([0.0, 1e-3, 1.0, 1e9, 1e307]))
def test_any_x_is_brought_into_its_polytopes(lp: MatchingLP, seed: int, size: float) -> None:
    x = np.random.default_rng(seed).normal(size=lp.edges) * size
    limits = lp.per_source.limits()
    with np.errstate(all="ignore"):
        point = brought_in(Chunk(lp, 0, lp.sources), x)
    upper = limits.upper[lp.source_of_edge()]
    assert ((point >= 0) & (point <= upper)).all()
    for i in range(lp.sources):
        total = sum(exact.fractions(point[lp.offsets[i] : lp.offsets[i + 1]]), Fraction(0))
        z, tiny = Fraction(float(limits.at_most[i])), Fraction(1, 10**320)
        assert total <= z * (1 + Fraction(1, 10**14)) + tiny
        assert not limits.equality[i] or total >= z * (1 - Fraction(1, 10**14)) - tiny


def test_a_point_that_is_in_stays_as_it_is() -> None:
    lp = sources_of([[0.0] * 3, [0.0] * 2], [2.0, 1.0], [1.0, 0.5], equality=True)
    x = np.array([1.0, 0.75, 0.25, 0.5, 0.5])
    assert np.array_equal(brought_in(Chunk(lp, 0, 2), x), x)


def test_what_is_used_grows_before_other_edges_take_the_rest() -> None:
    lp = sources_of([[0.0] * 3], [2.0], [1.0], equality=True)
    assert brought_in(Chunk(lp, 0, 1), np.array([0.9, 0.6, 0.0])).tolist() == pytest.approx([1.0, 1.0, 0.0])
    assert brought_in(Chunk(lp, 0, 1), np.array([5.0, 0.0, 0.0])).tolist() == pytest.approx([1.0, 0.5, 0.5])


SMALL = "{}:sources=60,destinations=6,degree=4,seed={},polytope={},radius=2,upper=0.75"


@pytest.mark.parametrize("family", ["unit", "independent"])
@pytest.mark.parametrize("polytope", ["box-cut", "box-cut-eq"])
def test_an_optimum_is_certified_and_a_disturbed_one_up_to_its_noise(family: str, polytope: str) -> None:
    for seed in range(3):
        lp = generate(parse_spec(SMALL.format(family, seed, polytope)))
        best = solve(lp, "scipy-highs-ds", tolerance=1e-6)
        assert best.status is Status.SOLVED
        assert best.answer is not None
        assert best.answer.x is not None
        assert best.certificate is not None
        assert best.certificate.feasible_objective == pytest.approx(optimum(lp), rel=1e-9)
        noise = 1e-3 * np.random.default_rng(seed).normal(size=lp.edges)
        found = certify(lp, best.answer.x + noise, best.answer.dual)
        assert found.certified_gap is not None, found.reason
        assert -1e-12 <= found.certified_gap <= 0.1


def test_a_repaired_point_keeps_every_limit() -> None:
    lp = generate(parse_spec(SMALL.format("unit", 1, "box-cut-eq")))
    for x in (np.zeros(lp.edges), np.ones(lp.edges), optimal_point(lp) * 1.01):
        point = repaired_point(lp, x)
        assert point is not None
        assert exact.violation(lp, point) <= Fraction(1, 10**12)


def test_a_source_that_wants_more_than_its_edges_take_is_infeasible_by_itself() -> None:
    lp = sources_of([[1.0, 1.0], [1.0, 1.0]], [1.0, 1.5], [0.5, 0.5], equality=True)
    assert unserved_source(lp) == 1
    found = certify(lp, np.full(4, 0.5), np.zeros(1))
    assert (found.dual_bound, found.feasible_objective) == (None, None)
    assert found.reason == "no x is feasible: the '=' source 1 wants 1.5, its 2 edges take 0.5 each at most"
    answer = Answer(x=None, dual=None, status=Status.INFEASIBLE)
    assert refutation(lp, answer, found) == ""
    assert unserved_source(sources_of([[1.0] * 3], [1.0], [1 / 3], equality=True)) is None  # but for a rounding


def test_claims_of_infeasibility_are_proved_by_a_ray_or_refuted() -> None:
    """Three '=' sources on two rows: z = 1 and u = 0.6 need 0.4 of row 0 each."""
    lp = MatchingLP(
        offsets=np.array([0, 2, 4, 6]),
        destination=np.array([0, 1] * 3),
        a=np.ones(6),
        c=np.zeros(6),
        b=np.array([1.1, 9.0]),
        polytope=BoxCut(upper=0.6, at_most=1.0, equality=True),
    )
    claim = Answer(x=None, dual=None, status=Status.INFEASIBLE)
    nothing = certify(lp, None, None)
    assert refutation(lp, claim, nothing) == ""  # the referee finds the ray (1, 0) itself
    wide = MatchingLP(
        **{name: getattr(lp, name) for name in ("offsets", "destination", "a", "c", "polytope")}, b=lp.b + 1
    )
    assert refutation(wide, claim, nothing) == "the referee found a feasible point"


def test_violations_of_both_limits_by_hand() -> None:
    lp = sources_of([[1.0, 1.0, 1.0]], [2.0], [1.0], equality=True)
    found = certify(lp, np.array([1.25, 1.0, 0.5]), None)
    assert found.polytope_violation == 0.75
    assert found.polytope_residual == pytest.approx(np.hypot(0.75, 0.25) / (1 + 2.0))

"""The referee on upper bounds that differ from edge to edge: proofs against exact fractions, points and words."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness.bound
import harness.general.bound
import harness.sources
from harness import certify, whole_decisions
from harness.describe import description
from harness.infeasible import refutation
from harness.polytopes.points import brought_in, unserved_source
from harness.repair import repaired_point
from harness.sources import Chunk
from instances import BoxCut, MatchingLP, RaggedRows
from solvers import Answer, Status
from tests import exact, exact_rows
from tests.odd_lps import OddLP, odd_lp, with_box_cuts, with_upper_of_edges
from tests.odd_rows import odd_rows
from tests.support.exact_bounds import check_bound, check_supports

NUMBERS = st.one_of(st.floats(-5, 5), st.sampled_from([0.0, -1.0, 1.0, 1e-310, -1e16]))
LIMITS = st.sampled_from([0.0, 1e-300, 0.25, 0.5, 1.0, 2.5, 3.0, 1e12])


def drawn(seed: int, *, largest_power: int = 6, most_sources: int = 8) -> OddLP:
    """Odd LPs with budgets, or with rows of any form, and one upper bound an edge."""
    if seed % 3 == 0:
        return with_upper_of_edges(odd_rows(seed, largest_power=largest_power, most_sources=most_sources), seed)
    odd = odd_lp(seed, largest_power=largest_power, most_sources=most_sources)
    return with_upper_of_edges(with_box_cuts(odd, seed) if seed % 3 == 1 else odd, seed)


def exact_bound(lp: MatchingLP, dual: np.ndarray) -> Fraction | None:
    return exact.bound(lp.tightened, dual) if lp.is_short_form else exact_rows.bound(lp, dual)


def cut(costs: list[float], upper: list[float], z: float, *, equality: bool) -> MatchingLP:
    """One source, all edges on one row without a limit."""
    return MatchingLP(
        offsets=np.array([0, len(costs), len(costs)]),
        destination=np.zeros(len(costs), dtype=int),
        a=np.ones(len(costs)),
        c=np.array(costs),
        b=np.array([1e300]),
        polytope=BoxCut(upper=np.array(upper), at_most=np.array([z, 0.0]), equality=equality),
    )


@st.composite
def cuts(draw: st.DrawFn) -> MatchingLP:
    edges = draw(st.integers(3, 6))
    costs, upper = (draw(st.lists(of, min_size=edges, max_size=edges)) for of in (NUMBERS, LIMITS))
    equality = draw(st.booleans())
    z = draw(LIMITS)
    return cut(costs, upper, min(z, 0.5 * sum(upper)) if equality else z, equality=equality)


@settings(max_examples=100, deadline=None)
@given(lp=cuts())
def test_supports_are_never_above_the_exact_ones_and_close_to_them(lp: MatchingLP) -> None:
    true = exact.support(lp, 0, exact.fractions(lp.c))
    assert true is not None
    check_supports(lp, true)


@pytest.mark.parametrize("exact_edges", [4096, -1], ids=["small", "as large ones"])
@settings(max_examples=70, deadline=None)
@given(seed=st.integers(0, 10**6), scale=st.sampled_from([0.0, 1.0, 1e-12, 1e9]))
def test_no_bound_is_above_the_exact_one(exact_edges: int, seed: int, scale: float) -> None:
    odd = drawn(seed)
    dual = scale * np.random.default_rng(seed).normal(size=odd.lp.row_count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(harness.bound, "EXACT_EDGES", exact_edges)
        patch.setattr(harness.general.bound, "EXACT_EDGES", exact_edges)
        patch.setattr(harness.sources, "CHUNK_EDGES", max(exact_edges, 5))
        found = certify(odd.lp, None, dual)
    true = exact_bound(odd.lp, dual)
    assert true is not None
    check_bound(found, true, odd.traits, may_be_too_large=False)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_certificate_encloses_the_exact_optimum(seed: int) -> None:
    odd = drawn(seed, largest_power=2, most_sources=3)
    if odd.lp.edges > 8:
        return  # the simplex method on fractions is slow
    best = exact.optimum(odd.lp) if odd.lp.is_short_form else exact_rows.optimum(odd.lp)
    assert best is not None, odd.traits
    rng = np.random.default_rng(seed)
    x = odd.witness if rng.random() < 0.5 else rng.normal(size=odd.lp.edges)
    found = certify(odd.lp, x, rng.normal(size=odd.lp.row_count))
    assert found.dual_bound is not None, odd.traits
    assert Fraction(found.dual_bound) <= best, odd.traits
    for figure in (found.certified_gap, found.priced_gap, found.row_violation, found.feasible_violation):
        assert figure is None or figure >= 0, odd.traits
    if found.feasible_objective is not None and found.feasible_violation == 0:
        assert Fraction(found.feasible_objective) >= best, odd.traits


@settings(max_examples=70, deadline=None)
@given(seed=st.integers(0, 10**6), power=st.sampled_from([-9, 0, 9]))
def test_any_x_is_brought_within_the_bounds(seed: int, power: int) -> None:
    lp = drawn(seed).lp
    x = np.random.default_rng(seed).normal(size=lp.edges) * 10.0**power
    with np.errstate(all="ignore"):
        point = brought_in(Chunk(lp, 0, lp.sources), x)
    assert ((point >= 0) & (point <= lp.upper_of_edges())).all()
    limits = lp.per_source.limits()
    for i in range(lp.sources):
        total = sum(exact.fractions(point[lp.offsets[i] : lp.offsets[i + 1]]), Fraction(0))
        if np.isfinite(limits.at_most[i]):
            z, tiny = Fraction(float(limits.at_most[i])), Fraction(1, 10**320)
            assert total <= z * (1 + Fraction(1, 10**13)) + tiny
            assert not limits.equality[i] or total >= z * (1 - Fraction(1, 10**13)) - tiny


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_feasible_witness_is_certified_and_a_repaired_point_keeps_every_limit(seed: int) -> None:
    odd = drawn(3 * seed + 1)
    found = certify(odd.lp, odd.witness, None)
    assert found.feasible_objective is not None, odd.traits
    for x in (odd.witness, np.random.default_rng(seed).normal(size=odd.lp.edges)):
        point = repaired_point(odd.lp, x)
        judged = certify(odd.lp, x, None)
        if point is not None and judged.feasible_violation is not None:
            allowed = Fraction(judged.feasible_violation) + Fraction(1, 10**13)
            assert exact.violation(odd.lp, point) <= allowed, odd.traits


def test_what_a_source_lacks_goes_to_edges_with_room() -> None:
    lp = cut([0.0] * 3, [1.0, 0.25, 2.0], 2.0, equality=True)
    brought = brought_in(Chunk(lp, 0, 2), np.array([9.0, 1.0, 0.0]))
    assert brought.tolist() == pytest.approx([1.0, 0.25, 0.75])


def test_a_source_that_wants_more_than_its_edges_take_together_is_infeasible_by_itself() -> None:
    lp = cut([1.0] * 3, [1.0, 0.25, 0.5], 2.0, equality=True)
    assert unserved_source(lp) == 0
    found = certify(lp, np.ones(3), np.zeros(1))
    assert found.reason == "no x is feasible: the '=' source 0 wants 2, its 3 edges take 1.75 at most"
    assert refutation(lp, Answer(x=None, dual=None, status=Status.INFEASIBLE), found) == ""
    assert unserved_source(cut([1.0] * 3, [0.1, 0.2, 0.3], 0.1 + 0.2 + 0.3, equality=True)) is None


def test_violations_by_hand() -> None:
    lp = cut([1.0] * 3, [1.0, 0.5, 2.0], 3.0, equality=False)
    found = certify(lp, np.array([1.0, 0.75, 2.5]), None)
    assert found.polytope_violation == 1.25  # of the sum; 0.25 and 0.5 of the edges
    assert certify(lp, np.array([1.0, 0.75, 1.0]), None).polytope_violation == 0.25


def test_the_words_for_an_instance_say_how_far_the_bounds_spread() -> None:
    lp = cut([-1.0, -2.0, -3.0], [1.0, 0.25, 0.5], 1.0, equality=False)
    told = dict(description(lp))
    assert "each edge at most u, from 0.25 to 1" in told["polytope"]


def test_whole_decisions_keep_the_bound_of_each_edge() -> None:
    lp = cut([-4.0, -3.0, -2.0, -1.0], [1.5, 2.0, 0.5, 3.0], 6.0, equality=False)
    ragged = RaggedRows("links", entry_offsets=[0, 1, 1, 2, 2], row=[0, 0], upper=9.0)
    for one in (lp, MatchingLP(offsets=lp.offsets, c=lp.c, polytope=lp.polytope, rows=[*lp.rows, ragged])):
        decided = whole_decisions(one, np.zeros(4), np.zeros(one.row_count))
        assert decided.x.tolist() == [1.0, 2.0, 0.0, 3.0]
        assert decided.figures.kept

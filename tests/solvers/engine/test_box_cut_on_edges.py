"""The polytope with a limit of the sum and of each edge, in the order of the edges: against exact fractions."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import MatchingLP
from solvers.engine.arrays import edge_arrays
from solvers.engine.certificate import rounding
from solvers.engine.polytopes import box_cut_edges_jit, edges_jit
from solvers.engine.polytopes.edge_limits_jit import Limits
from tests.support.compiled import from_python

entry_of_rank = from_python(box_cut_edges_jit.entry_of_rank)
support_of_both = from_python(box_cut_edges_jit.support_of_both)
project_onto_both = from_python(box_cut_edges_jit.project_onto_both)
way_in = from_python(edges_jit.way_in)
brought_in = from_python(edges_jit.brought_in)

COSTS = st.floats(-1e3, 1e3).map(lambda q: round(q, 3))
#: Few different numbers, so that ties and edges of equal cost are common.
TIES = st.sampled_from([-2.0, -1.0, 0.0, 0.5, 3.0])
ROWS = st.lists(COSTS | TIES, min_size=1, max_size=12)
LIMIT = st.sampled_from([0.0, 1e-3, 0.3, 1.0, 2.5, 1e6])


def exact_support(q: list[float], z: float, u: float, *, equality: bool) -> Fraction | None:
    """min q'x by filling the cheapest edges; None where '=' has no point."""
    left, total = Fraction(z), Fraction(0)
    for cost in sorted(map(Fraction, q)):
        if not equality and cost >= 0:
            break
        taken = min(left, Fraction(u))
        total += cost * taken
        left -= taken
    return None if equality and left > 0 else total


def exact_projection(v: list[float], z: float, u: float, *, equality: bool) -> list[Fraction]:
    """clip(v - tau, 0, u) with the sum z, tau between two neighbouring breakpoints of that sum."""
    exact, upper, limit = [Fraction(value) for value in v], Fraction(u), Fraction(z)

    def clipped(tau: Fraction) -> list[Fraction]:
        return [min(max(value - tau, Fraction(0)), upper) for value in exact]

    if not equality and sum(clipped(Fraction(0))) <= limit:
        return clipped(Fraction(0))
    breakpoints = sorted({*exact, *(value - upper for value in exact)})
    for first, last in itertools.pairwise(breakpoints):
        above, below = sum(clipped(first)), sum(clipped(last))
        if above >= limit >= below:
            share = (above - limit) / (above - below) if above > below else Fraction(0)
            return clipped(first + share * (last - first))
    return clipped(breakpoints[0])


def one_source(q: list[float]) -> MatchingLP:
    edges = len(q)
    return MatchingLP(
        offsets=np.array([0, edges]),
        destination=np.arange(edges, dtype=np.int32),
        a=np.ones(edges),
        c=np.array(q),
        b=np.ones(edges),
    )


@given(values=ROWS, data=st.data())
def test_the_entry_of_a_rank_is_that_of_the_sorted_values(values: list[float], data: st.DataObject) -> None:
    rank = data.draw(st.integers(0, len(values) - 1))
    assert entry_of_rank(np.array(values), rank) == sorted(values)[rank]


@settings(deadline=None)
@given(q=ROWS, z=LIMIT, u=LIMIT, equality=st.booleans())
def test_support_is_below_the_exact_minimum_by_no_more_than_rounding(
    q: list[float], z: float, u: float, equality: bool
) -> None:
    found = support_of_both(np.array(q), Limits(z, u, equality))
    exact = exact_support(q, z, u, equality=equality)
    if exact is None:
        # one product in float64 tells: sums that miss z by its rounding count as z
        assert found.least == math.inf or u * len(q) >= z
        return
    slip = rounding(len(q)) * found.size + 1e-300
    assert Fraction(found.least - slip) <= exact
    assert found.least + 2 * slip >= exact


@settings(deadline=None)
@given(q=ROWS, z=LIMIT, u=LIMIT, equality=st.booleans(), step=st.sampled_from([1e-3, 1.0, 50.0]))
def test_the_projection_is_the_nearest_point(q: list[float], z: float, u: float, equality: bool, step: float) -> None:
    if equality and u * len(q) < z:
        return
    lp, x = one_source(q), np.empty(len(q))
    project_onto_both(edge_arrays(lp), 0, np.zeros(len(q)), step, Limits(z, u, equality), x)
    exact = exact_projection([-step * cost for cost in q], z, u, equality=equality)
    assert ((x >= 0) & (x <= u)).all()
    assert x.sum() <= z * (1 + 1e-13)
    largest = max(1.0, min(z, u), *(abs(step * cost) for cost in q))
    assert x == pytest.approx([float(value) for value in exact], abs=1e-13 * largest * len(q))


@settings(deadline=None)
@given(start=st.lists(st.floats(-2, 5), min_size=1, max_size=12), z=LIMIT, u=LIMIT, equality=st.booleans())
def test_every_x_is_brought_into_the_polytope(start: list[float], z: float, u: float, equality: bool) -> None:
    if equality and u * len(start) < z:
        return
    x, limits = np.array(start), Limits(z, u, equality)
    way = way_in(edge_arrays(one_source(start)), 0, limits, x)
    point = np.array([brought_in(limits, way, value) for value in x])
    assert ((point >= 0) & (point <= u)).all()
    assert point.sum() <= z * (1 + 1e-14)
    if equality:
        assert point.sum() == pytest.approx(z, rel=1e-13)
    inside = np.clip(x, 0, u)
    if inside.sum() <= z and not equality:
        assert (point == inside).all()

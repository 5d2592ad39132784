"""Box-cuts in the Newton phase: the projection, and how far prices may move before a free edge becomes another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.engine.constants import PAD_COST
from solvers.engine.polytopes import lanes_jit
from solvers.engine.polytopes.kinds import BOX_CUT, BOX_CUT_EQUALITY
from solvers.engine.polytopes.lanes_jit import CURVED_TIGHT, FLAT, LaneEdges, Lanes
from solvers.engine.vector_jit import VECTOR_WIDTH
from tests.support.compiled import from_python

curvature = from_python(lanes_jit.curvature)
margins = from_python(lanes_jit.margins)
mark_near = from_python(lanes_jit.mark_near)
project = from_python(lanes_jit.project)

KINDS = (BOX_CUT, BOX_CUT_EQUALITY)


def projected(v: np.ndarray, z: np.ndarray, u: np.ndarray, kind: int) -> tuple[np.ndarray, Lanes]:
    """x[W, L] and the lanes; v[W, L] has NaN where a cell is padding."""
    width, count = v.shape
    extra = np.full(VECTOR_WIDTH, -PAD_COST)
    cells = np.concatenate((np.where(np.isnan(v), -PAD_COST, v).ravel(), extra))
    x = np.concatenate((np.where(np.isnan(v), PAD_COST, 0.0).ravel(), -extra))
    lanes = Lanes(z.copy(), u.copy(), *(np.zeros(count) for _ in range(4)))
    project(cells, x, width * count, lanes, kind)
    return x[: width * count].reshape(width, count), lanes


def exact_x(v: np.ndarray, z: float, u: float, kind: int) -> np.ndarray:
    """One source by bisection."""
    low, high = v.min() - u, v.max()
    if kind == BOX_CUT:
        if np.clip(v, 0, u).sum() <= z:
            return np.clip(v, 0, u)
        low = 0.0
    for _ in range(200):
        tau = 0.5 * (low + high)
        low, high = (tau, high) if np.clip(v - tau, 0, u).sum() >= z else (low, tau)
    return np.clip(v - low, 0, u)


@pytest.mark.parametrize("count", [1, 16])
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS), ties=st.booleans())
def test_projections_are_those_of_a_bisection(count: int, seed: int, kind: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    width = int(rng.integers(1, 9))
    v = rng.normal(size=(width, count))
    v = np.round(v) if ties else v
    degree = rng.integers(1, width + 1, count)
    padded = np.where(np.arange(width)[:, None] < (degree if count > 1 else width), v, np.nan)
    u = rng.choice([0.25, 0.5, 1.0], count)
    z = np.minimum(rng.choice([0.25, 0.5, 0.7, 2.0, 10.0], count), u * (~np.isnan(padded)).sum(axis=0))
    x, lanes = projected(padded, z, u, kind)
    for lane in range(count):
        mine = ~np.isnan(padded[:, lane])
        expected = exact_x(v[mine, lane], z[lane], u[lane], kind)
        assert x[mine, lane] == pytest.approx(expected, abs=1e-12)
        assert lanes.free[lane] == ((x[mine, lane] > 0) & (x[mine, lane] < u[lane])).sum()
        assert (x[~mine, lane] == 0).all()


def source(seed: int) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    width = int(rng.integers(2, 7))
    v, a = rng.normal(size=(width, 1)), rng.choice([0.0, 0.5, 2.0], (width, 1))
    u = rng.choice([0.5, 1.0], 1)
    z = np.minimum(rng.choice([0.5, 1.0, 1.3], 1), u * width)
    return rng, v, a, z, u


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS))
def test_no_edge_becomes_free_within_the_margin(seed: int, kind: int) -> None:
    rng, v, a, z, u = source(seed)
    x, lanes = projected(v, z, u, kind)
    margin = np.zeros(1)
    margins(v, np.ascontiguousarray(x), a, lanes, kind, 1.0, margin)
    flat = curvature(kind, lanes.tau[0], lanes.free[0]) == FLAT
    assert flat or margin[0] == 0
    for _ in range(10 if margin[0] > 0 else 0):
        moved = v + a * rng.uniform(-1, 1, a.shape) * min(margin[0], 10.0) * (1 - 1e-9)
        after, _ = projected(moved, z, u, kind)
        assert after == pytest.approx(x, abs=1e-9)


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(KINDS), away=st.sampled_from([0.0, 0.1, 1.0]))
def test_edges_that_are_not_near_keep_their_x_and_what_they_hold(seed: int, kind: int, away: float) -> None:
    rng, v, a, z, u = source(seed)
    x, lanes = projected(v, z, u, kind)
    width = v.shape[0]
    lane = LaneEdges(v[:, 0].copy(), x[:, 0].copy(), a[:, 0].copy(), np.arange(width), np.zeros(width, np.bool_))
    held = mark_near(lane, width, kind, u[0], lanes.tau[0], away)
    assert held == pytest.approx(x[~lane.near, 0].sum())
    for _ in range(10):
        moved = v + a * rng.uniform(-1, 1, a.shape) * away
        after, _ = projected(moved, z, u, kind)
        assert after[~lane.near] == pytest.approx(x[~lane.near], abs=1e-9)
        if lane.near.any():
            near, _ = projected(np.ascontiguousarray(moved[lane.near]), z - held, u, kind)
            assert near == pytest.approx(after[lane.near], abs=1e-9)


def test_a_source_is_tight_where_its_sum_is_fixed() -> None:
    assert curvature(BOX_CUT_EQUALITY, 0.0, 2.0) == CURVED_TIGHT
    assert curvature(BOX_CUT, 0.5, 2.0) == CURVED_TIGHT
    assert curvature(BOX_CUT, 0.0, 2.0) not in (CURVED_TIGHT, FLAT)
    assert curvature(BOX_CUT, 0.5, 1.0) == curvature(BOX_CUT, 0.0, 0.0) == FLAT


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 10**6), edges_at_upper=st.integers(1, 3))
def test_where_every_edge_is_at_a_limit_tau_is_as_far_as_can_be_from_both(
    kind: int, seed: int, edges_at_upper: int
) -> None:
    """Then the margin is half of what the edges at u are ahead: prices that close the gap by less change nothing."""
    rng = np.random.default_rng(seed)
    width, count, u = edges_at_upper + 2, 16, 0.5
    v = rng.normal(scale=3.0, size=(width, count)) + 4.0
    x, lanes = projected(v, np.full(count, edges_at_upper * u), np.full(count, u), kind)
    margin = np.zeros(count)
    margins(v, np.ascontiguousarray(x), np.ones((width, count)), lanes, kind, 1.0, margin)
    down = -np.sort(-v, axis=0)
    last, further = down[edges_at_upper - 1] - u, down[edges_at_upper]
    if kind == BOX_CUT:
        further = np.maximum(further, 0.0)
    ahead = last > further + 1e-9
    assert margin[ahead] == pytest.approx((last - further)[ahead] / 2, rel=1e-9)
    assert (x[:, ahead].sum(axis=0) == edges_at_upper * u).all()
    if kind == BOX_CUT_EQUALITY:
        assert (margin[last < further - 1e-9] == 0).all()

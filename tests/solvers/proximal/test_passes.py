"""Full passes, margins, and the subproblem cut out by them."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import MatchingSpec, generate
from solvers.engine.evaluate import loads_of

SEEDS = st.integers(0, 2**32 - 1)


def point(view, seed, step=2.0):
    """Centre, prices and the result of a pass at random ones."""
    rng, lp = np.random.default_rng(seed), view.lp
    centre = rng.uniform(0, 0.5, lp.edges)
    price = np.maximum(0, rng.normal(0.5, 1, lp.destinations))
    return centre, price, view.evaluate(centre, step, price), rng


@given(seed=SEEDS)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_x_is_the_nearest_point_of_the_polytope(mixed, in_edges, seed):
    """z - x is normal to C_i at x: no vertex of C_i lies beyond."""
    lp = mixed(seed)
    view = in_edges(lp)
    centre, price, result, _ = point(view, seed)
    x = view.x
    z = centre - 2.0 * (lp.c + lp.a * price[lp.destination])
    kind, radius = lp.per_source.kind, lp.per_source.radius
    for i in range(lp.sources):
        own = slice(lp.offsets[i], lp.offsets[i + 1])
        normal = z[own] - x[own]
        corners = radius[i] * np.eye(normal.size)
        best = radius[i] * np.maximum(normal, 0).sum() if kind[i] == 2 else (corners @ normal).max()
        best = max(best, 0.0) if kind[i] == 0 else best
        assert normal @ x[own] == pytest.approx(best, abs=1e-10)
        assert x[own].sum() <= radius[i] * (1 + 1e-12) or kind[i] == 2
    np.testing.assert_allclose(result.loads.numpy(), loads_of(lp, x), atol=1e-10)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=50, derandomize=True)
def test_within_its_margin_no_edge_of_a_source_becomes_free_or_stops(mixed, in_edges, seed):
    lp = mixed(seed)
    view = in_edges(lp)
    centre, price, _, rng = point(view, seed)
    x, margin, source = view.x, view.margin, lp.source_of_edge()
    radii = [view.full.margin_quantile(share) for share in (0.2, 0.5, 0.9)]
    for radius in radii:
        view.evaluate(centre, 2.0, price + rng.uniform(-radius, radius, price.size))
        kept = (margin > radius)[source]
        np.testing.assert_allclose(view.x[kept], x[kept], atol=1e-12)
    assert (margin >= 0).all()


def test_beyond_its_margin_a_source_does_change(mixed, in_edges):
    """The margin is not just small: moving every price against it by a little more changes some source."""
    changed = 0
    for seed in range(20):
        lp = mixed(seed)
        view = in_edges(lp)
        centre, price, _, _ = point(view, seed)
        x, margin, source = view.x, view.margin, lp.source_of_edge()
        near = np.isfinite(margin) & (margin > 0)
        for sign in (-1, 1):
            view.evaluate(centre, 2.0, price + sign * 1.5 * np.median(margin[near]))
            changed += int(np.abs(view.x - x)[(near & (margin < np.median(margin[near])))[source]].max() > 1e-9)
    assert changed > 20


@given(seed=SEEDS, share=st.sampled_from([0.1, 0.4, 0.8]))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_the_subproblem_is_the_whole_problem_within_its_reach(mixed, in_edges, seed, share):
    lp = mixed(seed)
    view = in_edges(lp)
    centre, price, _, rng = point(view, seed)
    radius = view.full.margin_quantile(share)
    newton = view.newton(centre, 2.0, price, radius)
    for _ in range(3):
        moved = price + rng.uniform(-radius, radius, price.size)
        there = view.evaluate(centre, 2.0, moved)
        np.testing.assert_allclose(newton.evaluate(moved).gradient, there.loads.numpy() - lp.b, atol=1e-10)


def test_phi_rises_by_as_much_as_the_slope_says(mixed, in_edges):
    """The gradient is that of phi, by central differences."""
    for seed in range(10):
        lp = mixed(seed)
        view = in_edges(lp)
        centre, price, _, rng = point(view, seed)
        newton, d = view.newton(centre, 2.0, price, np.inf), rng.normal(size=price.size)
        slope = newton.evaluate(price).gradient @ d
        rise = newton.evaluate(price + 1e-5 * d).phi - newton.evaluate(price - 1e-5 * d).phi
        assert rise / 2e-5 == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_a_pass_gives_the_same_bytes_on_one_and_two_threads(in_edges):
    lp = generate(MatchingSpec(family="unit", sources=30_000, destinations=20))
    found = []
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS), 1):
        view = in_edges(lp, "float32", threads)
        centre, price, result, _ = point(view, 1)
        newton = view.newton(centre, 2.0, price, view.full.margin_quantile(0.5))
        numbers = (view.x, view.margin, result.loads.numpy(), result.sums.numpy(), newton.evaluate(price).gradient)
        found.append([values.tobytes() for values in numbers])
    assert found[0] == found[1] == found[2]

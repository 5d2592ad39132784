"""Full passes, margins, and the subproblem cut out by them."""

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import MatchingSpec, generate
from solvers.engine.certificate import loads_of
from solvers.proximal.constants import Constants
from solvers.proximal.full import Whole
from solvers.proximal.rows import Rows
from solvers.proximal.subproblem import NewtonSolve, Work

SEEDS = st.integers(0, 2**32 - 1)


def point(lp, seed, step=2.0):
    """Whole, centre, x and prices after a pass at random ones."""
    rng = np.random.default_rng(seed)
    whole, centre, x = Whole(lp), rng.uniform(0, 0.5, lp.edges), np.empty(lp.edges)
    price = np.maximum(0, rng.normal(0.5, 1, lp.destinations))
    result = whole.evaluate(centre, step, price, x)
    return whole, centre, x, price, result, rng


@given(seed=SEEDS)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_x_is_the_nearest_point_of_the_polytope(mixed, seed):
    """z - x is normal to C_i at x: no vertex of C_i lies beyond."""
    lp = mixed(seed)
    _, centre, x, price, result, _ = point(lp, seed)
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
def test_within_its_margin_no_edge_of_a_source_becomes_free_or_stops(mixed, seed):
    lp = mixed(seed)
    whole, centre, x, price, _, rng = point(lp, seed)
    margin, source = whole.margin.copy(), lp.source_of_edge()
    for share in (0.2, 0.5, 0.9):
        reach = whole.reach(share)
        moved, there = price + rng.uniform(-reach, reach, price.size), np.empty_like(x)
        whole.evaluate(centre, 2.0, moved, there)
        kept = (margin > reach)[source]
        np.testing.assert_allclose(there[kept], x[kept], atol=1e-12)
    assert (margin >= 0).all()


def test_beyond_its_margin_a_source_does_change(mixed):
    """The margin is not just small: moving every price against it by a little more changes some source."""
    changed = 0
    for seed in range(20):
        lp = mixed(seed)
        whole, centre, x, price, _, _ = point(lp, seed)
        margin, source = whole.margin.copy(), lp.source_of_edge()
        near = np.isfinite(margin) & (margin > 0)
        for sign in (-1, 1):
            there = np.empty_like(x)
            whole.evaluate(centre, 2.0, price + sign * 1.5 * np.median(margin[near]), there)
            changed += int(np.abs(there - x)[(near & (margin < np.median(margin[near])))[source]].max() > 1e-9)
    assert changed > 20


@given(seed=SEEDS, share=st.sampled_from([0.1, 0.4, 0.8]))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_the_subproblem_is_the_whole_problem_within_its_reach(mixed, seed, share):
    lp = mixed(seed)
    whole, centre, x, price, result, rng = point(lp, seed)
    reach = whole.reach(share)
    sub = whole.subproblem(centre, 2.0, price, x, result.loads.numpy(), reach)
    newton = NewtonSolve(sub, Rows(lp), Constants(), Work())
    for _ in range(3):
        moved = price + rng.uniform(-reach, reach, price.size)
        there = whole.evaluate(centre, 2.0, moved, np.empty_like(x))
        np.testing.assert_allclose(newton.evaluate(moved).gradient, there.loads.numpy() - lp.b, atol=1e-10)


def test_phi_rises_by_as_much_as_the_slope_says(mixed):
    """The gradient is that of phi, by central differences."""
    for seed in range(10):
        lp = mixed(seed)
        whole, centre, x, price, result, rng = point(lp, seed)
        sub = whole.subproblem(centre, 2.0, price, x, result.loads.numpy(), np.inf)
        newton, d = NewtonSolve(sub, Rows(lp), Constants(), Work()), rng.normal(size=price.size)
        slope = newton.evaluate(price).gradient @ d
        rise = newton.evaluate(price + 1e-5 * d).phi - newton.evaluate(price - 1e-5 * d).phi
        assert rise / 2e-5 == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_a_pass_gives_the_same_bytes_on_one_and_two_threads():
    lp = generate(MatchingSpec(family="unit", sources=3000, destinations=20))
    before, found = numba.get_num_threads(), []
    for threads in (1, min(2, before), 1):
        numba.set_num_threads(threads)
        whole, _, x, _, result, _ = point(lp, 1)
        found.append(
            (x.tobytes(), whole.margin.tobytes(), result.loads.numpy().tobytes(), result.sums.numpy().tobytes())
        )
    numba.set_num_threads(before)
    assert found[0] == found[1] == found[2]

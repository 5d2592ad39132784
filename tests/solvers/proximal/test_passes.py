"""Full passes, margins, and the subproblem cut out by them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instances import MatchingSpec, generate
from solvers.base import Vector
from solvers.engine.constants import PAD_COST
from solvers.engine.evaluate import loads_of
from solvers.engine.kernel import Pass
from solvers.engine.prices import Prices
from tests.support.proximal import InEdges, mixed_lp

STEP = 2.0
SEEDS = st.integers(0, 2**32 - 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class At:
    """A full pass at random prices."""

    view: InEdges
    centre: Vector
    price: Prices
    result: Pass
    rng: np.random.Generator


def pass_of(view: InEdges, seed: int) -> At:
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 0.5, view.lp.edges)
    price = np.maximum(0, rng.normal(0.5, 1, view.lp.destinations))
    return At(view=view, centre=centre, price=price, result=view.evaluate(centre, STEP, price), rng=rng)


def largest_product(normal: Vector, at_most: float, upper: float, *, equality: bool) -> float:
    """max of normal'y over 0 <= y <= upper, 1'y <= at_most or = at_most: the largest entries are filled first."""
    left = at_most
    total = 0.0
    for value in sorted(normal.tolist(), reverse=True):
        taken = min(upper, left)
        if value < 0 and not equality:
            break
        total += value * taken
        left -= taken
    return total


@given(seed=SEEDS)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_x_is_the_nearest_point_of_the_polytope(seed: int) -> None:
    """z - x is normal to C_i at x: no point of C_i lies beyond."""
    lp = mixed_lp(seed)
    at = pass_of(InEdges(lp), seed)
    x = at.view.x
    z = at.centre - STEP * (lp.c + lp.a * at.price[lp.destination])
    limits = lp.per_source.limits()
    for i in range(lp.sources):
        own = slice(lp.offsets[i], lp.offsets[i + 1])
        normal = z[own] - x[own]
        best = largest_product(normal, limits.at_most[i], limits.upper[i], equality=bool(limits.equality[i]))
        assert normal @ x[own] == pytest.approx(best, abs=1e-10)
        assert x[own].sum() <= limits.at_most[i] * (1 + 1e-12)
        assert (x[own] >= 0).all()
        assert (x[own] <= limits.upper[i]).all()
    np.testing.assert_allclose(at.result.loads.numpy(), loads_of(lp, x), atol=1e-10)


@given(seed=SEEDS)
@settings(deadline=None, max_examples=50, derandomize=True)
def test_within_its_margin_no_edge_of_a_source_becomes_free_or_stops(seed: int) -> None:
    lp = mixed_lp(seed)
    view = InEdges(lp)
    at = pass_of(view, seed)
    x, margin, source = view.x, view.margin, lp.source_of_edge()
    radii = [view.full.margin_quantile(quantile) for quantile in (0.2, 0.5, 0.9)]
    for radius in radii:
        view.evaluate(at.centre, STEP, at.price + at.rng.uniform(-radius, radius, at.price.size))
        kept = (margin > radius)[source]
        np.testing.assert_allclose(view.x[kept], x[kept], atol=1e-12)
    assert (margin >= 0).all()


def test_beyond_its_margin_a_source_does_change() -> None:
    """The margin is not just small: moving every price against it by a little more changes some source."""
    changed = 0
    for seed in range(20):
        lp = mixed_lp(seed)
        view = InEdges(lp)
        at = pass_of(view, seed)
        x, margin, source = view.x, view.margin, lp.source_of_edge()
        near = np.isfinite(margin) & (margin > 0)
        for sign in (-1, 1):
            view.evaluate(at.centre, STEP, at.price + sign * 1.5 * np.median(margin[near]))
            changed += int(np.abs(view.x - x)[(near & (margin < np.median(margin[near])))[source]].max() > 1e-9)
    assert changed > 20


@given(seed=SEEDS, quantile=st.sampled_from([0.1, 0.4, 0.8]))
@settings(deadline=None, max_examples=50, derandomize=True)
def test_the_subproblem_is_the_whole_problem_within_its_radius(seed: int, quantile: float) -> None:
    lp = mixed_lp(seed)
    view = InEdges(lp)
    at = pass_of(view, seed)
    radius = view.full.margin_quantile(quantile)
    newton = view.newton(at.centre, STEP, at.price, radius)
    for _ in range(3):
        moved = at.price + at.rng.uniform(-radius, radius, at.price.size)
        there = view.evaluate(at.centre, STEP, moved)
        np.testing.assert_allclose(newton.evaluate(moved).gradient, there.loads.numpy() - lp.b, atol=1e-10)


def test_phi_rises_by_as_much_as_the_slope_says() -> None:
    """The gradient is that of phi, by central differences."""
    for seed in range(10):
        view = InEdges(mixed_lp(seed))
        at = pass_of(view, seed)
        newton = view.newton(at.centre, STEP, at.price, np.inf)
        d = at.rng.normal(size=at.price.size)
        slope = newton.evaluate(at.price).gradient @ d
        rise = newton.evaluate(at.price + 1e-5 * d).phi - newton.evaluate(at.price - 1e-5 * d).phi
        assert rise / 2e-5 == pytest.approx(slope, rel=1e-3, abs=1e-3)


def test_an_edge_that_costs_as_much_as_padding_stays_out_of_the_subproblem() -> None:
    """What is left of it, an x of 0 at any price, is not missed: the gradients still agree."""
    lp = mixed_lp(3)
    c = lp.c.copy()
    first = lp.offsets[:-1][np.diff(lp.offsets) > 1]
    c[first] = PAD_COST
    lp = dataclasses.replace(lp, c=c)
    view = InEdges(lp)
    at = pass_of(view, 3)
    sub = view.subproblem(at.centre, STEP, at.price, np.inf)
    assert np.count_nonzero(sub.cells.a) <= np.count_nonzero(np.delete(lp.a, first))
    gradient = view.newton(at.centre, STEP, at.price, np.inf).evaluate(at.price).gradient
    np.testing.assert_allclose(gradient, at.result.loads.numpy() - lp.b, atol=1e-10)


def test_a_pass_gives_the_same_bytes_on_one_and_two_threads() -> None:
    lp = generate(MatchingSpec(family="unit", sources=30_000, destinations=20))
    seen = set()
    for threads in (1, min(2, numba.config.NUMBA_NUM_THREADS), 1):
        view = InEdges(lp, "float32", threads)
        at = pass_of(view, 1)
        newton = view.newton(at.centre, STEP, at.price, view.full.margin_quantile(0.5))
        gradient = newton.evaluate(at.price).gradient
        numbers = (view.x, view.margin, at.result.loads.numpy(), at.result.sums.numpy(), gradient)
        seen.add(b"".join(values.tobytes() for values in numbers))
    assert len(seen) == 1

"""The phase on rows of every form: several families, both signs, both sides, prices of violation, ragged entries."""

from __future__ import annotations

import numpy as np
import pytest

from instances import MatchingLP
from solvers.base import Vector
from solvers.engine.pieces import Pieces
from solvers.engine.prices import Prices
from solvers.engine.row_bounds import row_bounds
from solvers.proximal.constants import Constants
from tests.support.feasible_rows import ROW_KINDS, general_lp
from tests.support.optimum import optimum
from tests.support.proximal import WAYS, InEdges, activity, dense_hessian, start_phase

STEP = 0.5


def somewhere(lp: MatchingLP, seed: int) -> tuple[Vector, Prices]:
    """A centre, and prices within their intervals, some of them at a kink."""
    rng = np.random.default_rng(seed)
    price = rng.normal(0, 0.5, lp.row_count) * (rng.uniform(size=lp.row_count) < 0.8)
    return rng.uniform(0, 0.5, lp.edges), row_bounds(lp).clip(price)


@pytest.mark.parametrize("seed", range(4))
def test_a_pass_sums_all_entries_and_a_subproblem_is_exact_within_its_radius(seed: int) -> None:
    lp = general_lp(seed)
    view = InEdges(lp)
    centre, price = somewhere(lp, seed)
    result = view.evaluate(centre, STEP, price)
    np.testing.assert_allclose(result.loads.numpy(), activity(lp, view.x), atol=1e-10)

    radius = view.full.margin_quantile(0.4)
    newton = view.newton(centre, STEP, price, radius)
    outside = activity(lp, view.x) - newton.evaluate(price).activity
    rng = np.random.default_rng(seed)
    for _ in range(3):
        moved = price + rng.uniform(-radius, radius, price.size) * view.full.unit
        there = view.evaluate(centre, STEP, moved).loads.numpy()
        np.testing.assert_allclose(newton.evaluate(moved).activity + outside, there, atol=1e-10)


@pytest.mark.parametrize("seed", range(6))
def test_phi_rises_by_as_much_as_its_gradient_says(seed: int) -> None:
    """Along directions that stay on one side of each kink."""
    lp = general_lp(seed)
    view = InEdges(lp)
    centre, price = somewhere(lp, seed)
    view.evaluate(centre, STEP, price)
    newton = view.newton(centre, STEP, price, np.inf)
    d = np.random.default_rng(seed).normal(size=price.size) * (price != 0)
    slope = newton.evaluate(price).gradient @ d
    rise = newton.evaluate(price + 1e-5 * d).phi - newton.evaluate(price - 1e-5 * d).phi
    assert rise / 2e-5 == pytest.approx(slope, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("way", WAYS, ids=["conjugate gradients", "dense", "sparse"])
@pytest.mark.parametrize("seed", range(6))
def test_the_direction_solves_the_dense_newton_system(seed: int, way: dict[str, int]) -> None:
    lp = general_lp(seed)
    view = InEdges(lp)
    centre, price = somewhere(lp, seed)
    view.evaluate(centre, STEP, price)
    constants = Constants(cg_tolerance=1e-12, first_ridge=1e-3, **way)
    newton = view.newton(centre, STEP, price, np.inf, constants)
    point = newton.evaluate(price)
    movable = np.arange(lp.row_count) % 4 != 0
    d = newton.direction(point, movable)
    system = STEP * dense_hessian(lp, view.x) + 1e-3 * STEP * np.diag(view.rows.norm**2)
    wanted = np.zeros(lp.row_count)
    wanted[movable] = np.linalg.solve(system[np.ix_(movable, movable)], point.gradient[movable])
    np.testing.assert_allclose(d, wanted, rtol=1e-6, atol=1e-8 * np.abs(wanted).max())


def test_a_price_stays_at_the_kink_while_its_row_is_between_its_sides() -> None:
    pieces = Pieces(np.array([0.0, 0.0, 0.0, 1.0]), np.array([2.0, 2.0, 2.0, 1.0]))
    free = np.full(4, np.inf)
    piece = pieces.piece(np.zeros(4), np.array([1.0, 3.0, -1.0, 0.0]), -free, free)
    assert piece.side.tolist() == [1.0, 2.0, 0.0, 1.0]
    assert piece.low.tolist() == [0.0, 0.0, -np.inf, -np.inf]
    assert piece.high.tolist() == [0.0, np.inf, 0.0, np.inf]


@pytest.mark.parametrize("kind", ROW_KINDS)
def test_its_bound_and_its_point_are_the_optimum_of_highs(kind: str) -> None:
    lp = general_lp(1, kind)
    loop, _, method = start_phase(lp, tolerance=1e-9)
    gap = np.inf
    for iteration in range(1, 300):
        gap = method.step(iteration, last=False).gap
        if gap <= 1e-8:
            break
        method.advance(iteration)
    best = optimum(lp)
    assert gap <= 1e-8
    assert loop.progress.best_bound == pytest.approx(best, abs=1e-7 * max(1, abs(best)))

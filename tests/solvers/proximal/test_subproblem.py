"""Newton on a subproblem, against dense linear algebra."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from instances import MatchingLP
from solvers.engine.prices import Prices
from solvers.engine.rows import Rows
from solvers.proximal import system_jit
from solvers.proximal.arrays import CgState
from solvers.proximal.constants import Constants
from solvers.proximal.subproblem import NewtonSolve
from tests.support.proximal import WAYS, InEdges, dense_hessian, mixed_lp

STEP = 0.5
#: A solve whose steps are never bounded.
UNBOUNDED = Constants(easy_systems=-1, bounded_steps=0)


def newton_on(view: InEdges, seed: int, constants: Constants | None = None) -> tuple[NewtonSolve, Prices]:
    """A solve of all edges that can change at all, and the prices that it starts from."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 0.5, view.lp.edges)
    price = np.maximum(0, rng.normal(0.5, 1, view.lp.destinations))
    view.evaluate(centre, STEP, price)
    return view.newton(centre, STEP, price, np.inf, constants), price


@pytest.mark.parametrize("way", WAYS, ids=["conjugate gradients", "dense", "sparse"])
@pytest.mark.parametrize("seed", range(12))
def test_the_direction_solves_the_newton_system(seed: int, way: dict[str, int]) -> None:
    lp = mixed_lp(seed)
    view = InEdges(lp)
    constants = Constants(cg_tolerance=1e-12, first_ridge=1e-3, **way)
    newton, price = newton_on(view, seed, constants)
    x = view.x
    point = newton.evaluate(price)
    movable = np.arange(lp.destinations) % 4 != 0
    d = newton.direction(point, movable)
    square = np.bincount(lp.destination, lp.a**2, lp.destinations)
    system = STEP * dense_hessian(lp, x) + 1e-3 * STEP * np.diag(square)
    wanted = np.zeros(lp.destinations)
    wanted[movable] = np.linalg.solve(system[np.ix_(movable, movable)], point.gradient[movable])
    np.testing.assert_allclose(d, wanted, rtol=1e-7, atol=1e-9 * np.abs(wanted).max())


@pytest.mark.parametrize("constants", [Constants(), UNBOUNDED], ids=["trust bounds", "none"])
@pytest.mark.parametrize("seed", range(12))
def test_it_ends_where_phi_is_stationary_and_higher(seed: int, constants: Constants) -> None:
    lp = mixed_lp(seed)
    newton, price = newton_on(InEdges(lp), seed, constants)
    low, high = np.zeros(lp.destinations), np.full(lp.destinations, 10.0)
    best, rise = newton.maximise(price, low, high, 1e-9, lambda: False)
    assert Rows(lp).residual(newton.evaluate(best).gradient, best, low, high) <= 1e-9
    assert rise >= 0
    assert (best >= low).all()
    assert (best <= high).all()


def test_steps_without_bounds_bring_a_row_without_free_edges_to_its_next_edge() -> None:
    """One source has all of row 0 and leaves it for row 1 once the price is 0.5; until then phi rises in a line."""
    lp = MatchingLP(offsets=[0, 2], c=[-1.0, -0.5], destination=[0, 1], a=[1.0, 1.0], b=[0.4, 1.0])
    centre, price, step = np.array([1.0, 0.0]), np.zeros(2), 1e9

    def prices(constants: Constants) -> Prices:
        view = InEdges(lp)
        view.evaluate(centre, step, price)
        low, high = np.zeros(2), np.full(2, 10.0)
        newton = view.newton(centre, step, price, np.inf, constants)
        found: Prices = newton.maximise(price, low, high, 1e-9, lambda: False)[0]
        return found

    assert prices(Constants(newton_steps=6))[0] < 0.1
    assert prices(dataclasses.replace(UNBOUNDED, newton_steps=6))[0] > 0.49


def test_prices_stay_in_their_box_and_an_expired_run_stops_at_once() -> None:
    newton, price = newton_on(InEdges(mixed_lp(3)), 3)
    best, _ = newton.maximise(price, np.maximum(0, price - 0.01), price + 0.01, 1e-12, lambda: False)
    assert np.abs(best - price).max() <= 0.01 + 1e-15
    unmoved, rise = newton.maximise(price, price - 1, price + 1, 1e-12, lambda: True)
    assert (unmoved == price).all()
    assert rise == 0


@pytest.mark.parametrize("radius", [1.0, np.nan, np.inf])
def test_margins_that_are_no_numbers_count_as_far(radius: float) -> None:
    view = InEdges(mixed_lp(3))
    centre, price = np.zeros(view.lp.edges), np.zeros(view.lp.destinations)
    view.evaluate(centre, STEP, price)
    view.full.margin[:] = np.nan
    assert view.newton(centre, STEP, price, radius).evaluate(price).price is price
    assert view.subproblem(centre, STEP, price, radius).cells.index.size == 0


def test_conjugate_gradients_survive_a_system_without_curvature() -> None:
    ones, state = np.ones(3), CgState(solution=np.zeros(3), residual=np.ones(3), direction=np.ones(3))
    product, square = system_jit.cg_step(np.zeros(3), 1.0, np.zeros(3), ones, 3.0, state)
    assert not np.isfinite([product, square]).any()


def test_a_newton_system_is_that_of_the_point_evaluated_last() -> None:
    newton, price = newton_on(InEdges(mixed_lp(3)), 3)
    point = newton.evaluate(price)
    newton.evaluate(price + 0.1)
    with pytest.raises(AssertionError, match="at its point"):
        newton.direction(point, np.ones(price.size, dtype=bool))

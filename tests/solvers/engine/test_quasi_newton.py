"""The quasi-Newton ascent on a function whose maximum is known."""

from collections.abc import Callable

import numpy as np
import pytest

from solvers.engine.pieces import Pieces
from solvers.engine.quasi_newton import QuasiNewtonAscent

CURVATURE = np.geomspace(1.0, 1e4, 12)
CENTRE = np.linspace(-1.0, 3.0, 12)
LOW = np.zeros(12)
HIGH = np.full(12, 2.0)
SIDE = 0.4 * CURVATURE


def gradient(point: np.ndarray) -> np.ndarray:
    return CURVATURE * (CENTRE - point)


def ascent() -> QuasiNewtonAscent:
    return QuasiNewtonAscent(np.zeros(12), low=LOW, high=HIGH, safe_step=1 / CURVATURE.max())


def test_it_finds_the_maximum_between_the_bounds() -> None:
    found = ascent()
    for _ in range(60):
        found.ascend(gradient(found.point))
        assert (found.point >= 0).all()
        assert (found.point <= HIGH).all()
    assert np.abs(found.point - np.clip(CENTRE, 0, HIGH)).max() < 1e-6


def ascent_with_kinks() -> QuasiNewtonAscent:
    """Of the function whose gradient is `gradient` - SIDE above 0 and `gradient` + SIDE below."""
    pieces = Pieces(-SIDE, SIDE)
    return QuasiNewtonAscent(np.zeros(12), low=-HIGH, high=HIGH, pieces=pieces, safe_step=1 / CURVATURE.max())


def test_it_finds_the_maximum_on_either_side_of_kinks_and_at_them() -> None:
    shrunk = CENTRE - np.clip(CENTRE, -SIDE / CURVATURE, SIDE / CURVATURE)
    assert {-1.0, 0.0, 1.0} == set(np.sign(shrunk))
    found = ascent_with_kinks()
    for _ in range(80):
        found.ascend(gradient(found.point))
    assert np.abs(found.point - np.clip(shrunk, -HIGH, HIGH)).max() < 1e-6
    assert (found.point[shrunk == 0] == 0).all()


def test_no_step_leads_across_a_kink() -> None:
    found = ascent_with_kinks()
    before = found.point
    for _ in range(40):
        found.ascend(gradient(found.point))
        assert (found.point * before >= 0).all()
        before = found.point


@pytest.mark.parametrize("ascent", [ascent, ascent_with_kinks])
def test_it_goes_on_from_its_state_bit_for_bit(ascent: Callable[[], QuasiNewtonAscent]) -> None:
    straight, again = ascent(), ascent()
    for step in range(20):
        if step == 9:
            straight.shrink(0.5)
        if step == 10:
            again.restore(straight.state())
        straight.ascend(gradient(straight.point))
        if step >= 10:
            again.ascend(gradient(again.point))
            assert (again.point == straight.point).all()


def test_a_start_at_the_maximum_stays() -> None:
    found = QuasiNewtonAscent(np.clip(CENTRE, 0, HIGH), low=LOW, high=HIGH, safe_step=1e-4)
    for _ in range(3):
        found.ascend(gradient(found.point))
        assert (found.point == np.clip(CENTRE, 0, HIGH)).all()


def test_what_it_knows_of_the_curvature_grows_with_it() -> None:
    """Under a quarter of the ridge the old pairs still lead to another maximum, in 12 steps; unscaled in 20."""
    found, other = ascent(), CENTRE[::-1]
    for _ in range(60):
        found.ascend(gradient(found.point))
    found.shrink(0.25)
    for _ in range(15):
        found.ascend(CURVATURE / 0.25 * (other - found.point))
    assert np.abs(found.point - np.clip(other, 0, HIGH)).max() < 1e-6


def test_the_first_step_under_a_smaller_ridge_is_as_much_shorter() -> None:
    found = QuasiNewtonAscent(np.ones(12), low=LOW, high=np.full(12, np.inf), safe_step=1e-4)
    found.shrink(0.25)
    slope = np.linspace(-1.0, 3.0, 12)
    found.ascend(slope)
    assert np.allclose(found.point, 1 + 0.25e-4 * slope, rtol=1e-12)

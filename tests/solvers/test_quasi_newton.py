"""The quasi-Newton ascent on a function whose maximum is known."""

import numpy as np

from solvers.quasi_newton import QuasiNewtonAscent

CURVATURE = np.geomspace(1.0, 1e4, 12)
CENTRE = np.linspace(-1.0, 3.0, 12)
TOP = np.full(12, 2.0)


def gradient(point: np.ndarray) -> np.ndarray:
    return CURVATURE * (CENTRE - point)


def ascent() -> QuasiNewtonAscent:
    return QuasiNewtonAscent(np.zeros(12), top=TOP, safe_step=1 / CURVATURE.max())


def test_it_finds_the_maximum_between_the_bounds() -> None:
    found = ascent()
    for _ in range(60):
        found.ascend(gradient(found.point))
        assert (found.point >= 0).all()
        assert (found.point <= TOP).all()
    assert np.abs(found.point - np.clip(CENTRE, 0, TOP)).max() < 1e-6


def test_it_goes_on_from_its_state_bit_for_bit() -> None:
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
    found = QuasiNewtonAscent(np.clip(CENTRE, 0, TOP), top=TOP, safe_step=1e-4)
    for _ in range(3):
        found.ascend(gradient(found.point))
        assert (found.point == np.clip(CENTRE, 0, TOP)).all()

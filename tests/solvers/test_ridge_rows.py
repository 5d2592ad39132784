"""The ascents of the ridge dual on LPs beyond the short form: every kind of row, over sources of every kind."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import Bounds, LinearConstraint, milp

from instances import MatchingLP, Rows
from solvers.base import Status
from solvers.dualip import DualIP
from solvers.dualip_restarted import RestartedDualIP
from solvers.engine.rays import is_ray
from solvers.engine.row_bounds import row_bounds
from solvers.settings import Settings
from solvers.watching import current
from tests.support.feasible_rows import ROW_KINDS, general_lp


def optimum(lp: MatchingLP) -> float:
    """By HiGHS, penalties included; inf where no x is feasible."""
    explicit = lp.to_explicit()
    rows = LinearConstraint(explicit.matrix, explicit.row_lower, explicit.row_upper)
    found = milp(explicit.c, constraints=rows, bounds=Bounds(0, explicit.upper))
    return float(found.fun) if found.status == 0 else np.inf


def worth(lp: MatchingLP, x: np.ndarray) -> tuple[float, float]:
    """c'x with the penalties of soft rows, and the largest violation of a hard side relative to 1 + |side|."""
    activity = np.concatenate([family.activity(x) for family in lp.rows])
    bounds = row_bounds(lp)
    return float(lp.c @ x + bounds.penalty(activity)), float(bounds.violation(activity))


@pytest.mark.parametrize("kind", ROW_KINDS)
@pytest.mark.parametrize(("solver", "tolerance"), [(RestartedDualIP(), 1e-5), (DualIP(), 3e-2)])
def test_each_kind_of_row_is_solved(solver: DualIP, tolerance: float, kind: str) -> None:
    lp = general_lp(3, kind)
    answer = solver.run(solver.prepare(lp, Settings(tolerance=tolerance, iteration_limit=5000, dtype="float64")))
    assert answer.status is Status.SOLVED
    assert answer.x is not None
    assert answer.dual is not None
    objective, violation = worth(lp, answer.x)
    best = optimum(lp)
    priced = np.abs(answer.dual).sum() * violation * (1 + max(np.abs(row_bounds(lp).sizes)))
    assert violation <= tolerance
    assert objective <= best + 1.01 * tolerance * max(1, abs(best))
    assert objective >= best - priced - 1e-9
    assert (answer.dual == row_bounds(lp).clip(answer.dual)).all()


@pytest.mark.parametrize("solver", [RestartedDualIP(), DualIP()])
def test_rows_that_contradict_each_other_end_with_a_ray(solver: DualIP) -> None:
    lp = general_lp(4, "at most")
    place = lp.rows[1]
    assert isinstance(place, Rows)
    beyond = Rows("place", row=place.row, coefficient=place.coefficient, lower=np.full(place.rows, 1e3))
    contradicting = MatchingLP(
        offsets=lp.offsets, c=lp.c, polytope=lp.polytope, rows=[lp.rows[0], beyond, *lp.rows[2:]]
    )  # fmt: skip
    answer = solver.run(solver.prepare(contradicting, Settings(iteration_limit=5000, dtype="float64")))
    assert answer.status is Status.INFEASIBLE
    assert answer.ray is not None
    assert is_ray(contradicting, answer.ray)


@pytest.mark.parametrize("options", [{"kernel": "reference"}, {"memory": "disk"}])
def test_the_dual_is_the_same_on_another_kernel_and_from_the_disk(options: dict[str, str]) -> None:
    lp, solver = general_lp(5), RestartedDualIP()
    settings = [Settings(iteration_limit=5, dtype="float64", options=chosen) for chosen in ({}, options)]
    usual, other = (solver.run(solver.prepare(lp, each)).dual for each in settings)
    np.testing.assert_allclose(other, usual, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("solver", [RestartedDualIP(), DualIP()])
def test_nothing_is_compiled_while_a_wide_lp_is_solved(solver: DualIP) -> None:
    state = solver.prepare(general_lp(5), Settings(tolerance=1e-2, iteration_limit=200, dtype="float64"))
    before = current().compiling
    solver.run(state)
    assert current().compiling == before


def test_a_proximal_step_stops_at_kinks_and_bounds() -> None:
    """One row for each case: above its upper side, below its lower side, between both, at the end of its interval."""
    row = np.arange(4)
    lp = MatchingLP(
        offsets=np.arange(5),
        c=np.zeros(4),
        rows=[Rows("one", row=row, lower=np.ones(4), upper=np.full(4, 2.0), penalty=[np.inf, np.inf, np.inf, 0.25])],
    )
    bounds = row_bounds(lp)
    activity = np.array([3.0, 0.0, 1.5, 9.0])
    start = np.array([0.0, 0.0, 0.25, 0.0])
    expected = np.array([0.5, -0.5, 0.0, 0.25])
    assert (bounds.proximal_step(start, activity, 0.5) == expected).all()

    on_device = bounds.measured_from(bounds.origin).on("cpu")
    step = on_device.proximal_step(torch.tensor(start), torch.tensor(activity - bounds.origin), torch.tensor(0.5))
    assert (step.numpy() == expected).all()

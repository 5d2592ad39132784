"""Rows within others: how they are found, and Newton systems in the prices of which an edge has one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from instances import MatchingLP, RaggedRows, Rows, Simplex
from solvers.engine.collectives import LOCAL
from solvers.engine.layout_builder import build_layout
from solvers.proximal.constants import Constants
from solvers.proximal.find_nested import find_nesting
from solvers.proximal.nested import NONE, Nesting
from tests.support.optimum import optimum
from tests.support.proximal import WAYS, InEdges, dense_hessian, run_phase

STEP, RIDGE = 0.5, 1e-3
CAMPAIGNS, HOURS = 4, 3


def nested_lp(seed: int, *, rows_of_hours: Any = 1.0, noise: float = 0.0, **total: Any) -> MatchingLP:
    """Campaigns with a budget, and one of each hour, whose coefficients are those of the campaign over `rows_of_hours`
    but for the noise; `total` adds a row around all campaigns.
    """
    rng = np.random.default_rng(seed)
    degree = rng.integers(1, CAMPAIGNS + 1, 40)
    campaign = np.concatenate([rng.choice(CAMPAIGNS, n, replace=False) for n in degree]).astype(np.int32)
    hour = campaign * HOURS + np.repeat(rng.integers(0, HOURS, degree.size), degree).astype(np.int32)
    cost = rng.uniform(0.5, 2, campaign.size)
    of_hour = cost / rows_of_hours + noise * rng.uniform(size=cost.size)
    families = [
        Rows("campaign", row=campaign, coefficient=cost, upper=0.2 * np.bincount(campaign, cost)),
        Rows("hour", row=hour, coefficient=of_hour, upper=0.25 * np.bincount(hour, of_hour, CAMPAIGNS * HOURS)),
    ]
    if total:
        families.append(Rows("total", coefficient=cost, **total))
    offsets = np.concatenate(([0], np.cumsum(degree)))
    return MatchingLP(offsets=offsets, c=-rng.uniform(1, 2, cost.size), polytope=Simplex(), rows=families)


def nesting_of(lp: MatchingLP) -> Nesting | None:
    return find_nesting(build_layout(lp, "float64").all_cells, lp.row_count, LOCAL)


def parents(lp: MatchingLP) -> list[int]:
    nesting = nesting_of(lp)
    assert nesting is not None
    return nesting.parent.tolist()


OF_HOURS = [row // HOURS for row in range(CAMPAIGNS * HOURS)]


def test_an_hour_lies_within_its_campaign() -> None:
    assert parents(nested_lp(1)) == [NONE] * CAMPAIGNS + OF_HOURS


def test_the_ratio_is_that_of_the_coefficients() -> None:
    nesting = nesting_of(nested_lp(1, rows_of_hours=4.0))
    assert nesting is not None
    assert nesting.ratio.tolist() == [1.0] * CAMPAIGNS + [4.0] * len(OF_HOURS)


def test_the_parent_is_the_smallest_row_around() -> None:
    total = CAMPAIGNS + len(OF_HOURS)
    assert parents(nested_lp(1, upper=10.0)) == [total] * CAMPAIGNS + OF_HOURS + [NONE]


def test_of_two_rows_with_the_same_edges_one_is_the_parent() -> None:
    lp = nested_lp(1)
    twice = [lp.rows[0], Rows("again", row=lp.rows[0].row, coefficient=lp.rows[0].coefficient, upper=lp.rows[0].upper)]
    found = parents(MatchingLP(offsets=lp.offsets, c=lp.c, polytope=lp.polytope, rows=twice))
    assert found == [NONE] * CAMPAIGNS + list(range(CAMPAIGNS))


@pytest.mark.parametrize("noise", [1e-3, 1.0])
def test_rows_with_coefficients_of_their_own_lie_within_none(noise: float) -> None:
    assert nesting_of(nested_lp(1, noise=noise)) is None


def test_ragged_families_are_left_out() -> None:
    lp = nested_lp(1)
    hours = lp.rows[1]
    ragged = RaggedRows(
        "hour",
        entry_offsets=np.arange(lp.edges + 1),
        row=hours.row,
        coefficient=hours.coefficient,
        upper=hours.upper,
    )
    assert nesting_of(MatchingLP(offsets=lp.offsets, c=lp.c, polytope=lp.polytope, rows=[lp.rows[0], ragged])) is None


def some_movable(lp: MatchingLP, seed: int) -> npt.NDArray[np.bool_]:
    return np.random.default_rng(seed).uniform(size=lp.row_count) < 0.7


def change_of_basis(lp: MatchingLP, movable: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """T with y = T z, from the definition."""
    nesting = nesting_of(lp)
    assert nesting is not None
    inverse = np.eye(lp.row_count)
    for row in np.flatnonzero(movable):
        above, ratio = nesting.parent[row], nesting.ratio[row]
        while above != NONE:
            if movable[above]:
                inverse[row, above] = ratio
            ratio *= nesting.ratio[above]
            above = nesting.parent[above]
    return np.linalg.inv(inverse)


@pytest.mark.parametrize("seed", range(4))
def test_steps_and_gradients_change_with_the_basis(seed: int) -> None:
    lp = nested_lp(seed, rows_of_hours=4.0, upper=10.0)
    movable = some_movable(lp, seed)
    nesting = nesting_of(lp)
    assert nesting is not None
    basis, change = nesting.among(movable), change_of_basis(lp, movable)
    v = np.random.default_rng(seed).normal(size=lp.row_count)
    np.testing.assert_allclose(basis.step(v), change @ v)
    np.testing.assert_allclose(basis.gradient(v), change.T @ v)
    np.testing.assert_allclose(basis.move(basis.step(v)), v)


@pytest.mark.parametrize("way", WAYS, ids=["conjugate gradients", "dense", "sparse"])
@pytest.mark.parametrize("seed", range(3))
def test_the_direction_solves_the_newton_system_in_these_prices(seed: int, way: dict[str, int]) -> None:
    lp = nested_lp(seed, rows_of_hours=4.0, upper=10.0)
    view = InEdges(lp)
    rng = np.random.default_rng(seed)
    centre, price = rng.uniform(0, 0.5, lp.edges), rng.uniform(0, 0.5, lp.row_count)
    view.evaluate(centre, STEP, price)
    newton = view.newton(centre, STEP, price, np.inf, Constants(cg_tolerance=1e-12, first_ridge=RIDGE, **way))
    point = newton.evaluate(price)
    movable = some_movable(lp, seed)
    d = newton.direction(point, movable)

    change = change_of_basis(lp, movable)[np.ix_(movable, movable)]
    hessian = STEP * dense_hessian(lp, view.x)[np.ix_(movable, movable)]
    ridge = RIDGE * STEP * np.diag(view.rows.norm[movable] ** 2)
    wanted = change @ np.linalg.solve(change.T @ hessian @ change + ridge, change.T @ point.gradient[movable])
    np.testing.assert_allclose(d[movable], wanted, rtol=1e-6, atol=1e-8 * np.abs(wanted).max())
    assert (d[~movable] == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_nested_rows_are_solved_to_the_optimum_of_highs(seed: int) -> None:
    lp = nested_lp(seed, rows_of_hours=4.0, upper=10.0)
    ended = run_phase(lp, tolerance=1e-9)
    best = optimum(lp)
    assert ended.gap <= 1e-9
    assert ended.progress.best_bound == pytest.approx(best, abs=1e-8 * abs(best))

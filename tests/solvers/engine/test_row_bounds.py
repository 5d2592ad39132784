"""What the sides of rows ask of duals, against definitions; and the bound of ||A|| against its singular value."""

from __future__ import annotations

import numpy as np
import pytest

from instances import MatchingLP, Rows
from solvers.engine.operator_norm import norm_bound
from solvers.engine.row_bounds import RowBounds, row_bounds
from tests.support.feasible_rows import general_lp

#: Of every form: a ceiling, a floor, an equation, both sides, and each of them at a price.
LOWER = np.array([-np.inf, -1.0, 0.5, -1.0, -np.inf, 0.2, -0.5])
UPPER = np.array([0.5, np.inf, 0.5, 1.0, 0.3, np.inf, 0.5])
PENALTY = np.array([np.inf, np.inf, np.inf, np.inf, 0.7, 0.6, 0.4])


def bounds() -> RowBounds:
    row = np.arange(LOWER.size)
    family = Rows("any", row=row, lower=LOWER, upper=UPPER, penalty=PENALTY)
    return row_bounds(MatchingLP(offsets=[0, row.size], c=np.zeros(row.size), rows=[family]))


@pytest.mark.parametrize("seed", range(20))
def test_the_proximal_step_is_the_best_dual_of_a_fine_grid(seed: int) -> None:
    rows = bounds()
    rng = np.random.default_rng(seed)
    dual, activity = rows.clip(rng.normal(size=LOWER.size)), rng.normal(size=LOWER.size)
    sigma = float(rng.uniform(0.2, 2.0))
    grid = np.linspace(-6.0, 6.0, 120_001)
    with np.errstate(invalid="ignore"):
        for row, step in enumerate(rows.proximal_step(dual, activity, sigma)):
            cost = np.where(grid > 0, UPPER[row] * grid, 0.0) + np.where(grid < 0, LOWER[row] * grid, 0.0)
            value = cost - grid * activity[row] + (grid - dual[row]) ** 2 / (2 * sigma)
            value[(grid < rows.least_dual[row]) | (grid > rows.largest_dual[row])] = np.inf
            assert step == pytest.approx(grid[np.argmin(value)], abs=2e-4)


@pytest.mark.parametrize("seed", range(4))
def test_the_bound_of_the_norm_is_above_it_and_not_far(seed: int) -> None:
    lp = general_lp(seed, ragged=seed % 2 == 0)
    matrix = lp.to_explicit().matrix.toarray()[: lp.row_count, : lp.edges]
    scale = 1 / np.linalg.norm(matrix, axis=1)
    norm = np.linalg.norm(scale[:, None] * matrix, 2)
    without_signs = np.linalg.norm(scale[:, None] * np.abs(matrix), 2)
    bound = norm_bound(lp, scale)
    assert norm <= bound <= 1.1 * without_signs + 1e-9
    assert bound >= without_signs * (1 - 1e-9)

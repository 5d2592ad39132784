"""The CPU kernel on ragged families in slices of many cells, with few and with many entries a cell."""

from __future__ import annotations

import numpy as np
import pytest

from instances import RaggedRows
from solvers.engine.ragged_jit import TILE
from tests.solvers.engine.test_kernels_on_families import expected, matrix
from tests.support.feasible_rows import general_lp
from tests.support.kernels import layout_and_kernel, on


@pytest.mark.parametrize("most_entries", [0, 3, 30])
def test_a_pass_prices_and_loads_the_entries_of_every_cell(most_entries: int) -> None:
    """3 entries a cell stay below the limit of one loop for a tile, some 15 are above it."""
    lp = general_lp(1, sources=2000, most_entries=most_entries)
    rng = np.random.default_rng(3)
    price = rng.normal(0, 1, lp.row_count)

    layout, kernel = layout_and_kernel(lp, "cpu")
    result = kernel.project(on(kernel, price), 0.3, values=False)

    assert layout.cells > 2 * TILE
    assert isinstance(lp.rows[-1], RaggedRows)
    p, bound = expected(lp, price, 0.3, np.zeros(lp.edges))
    np.testing.assert_allclose(result.loads.numpy(), matrix(lp) @ p, atol=1e-8)
    np.testing.assert_allclose(float(result.sums[0]), bound, rtol=1e-10)

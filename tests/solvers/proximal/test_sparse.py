"""Newton systems whose rows are coupled with few others, against dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.proximal import dense_jit
from solvers.proximal.arrays import FreeEdges
from solvers.proximal.sparse_core_jit import Core
from solvers.proximal.sparse_jit import eliminate

STEP, RIDGE = 2.5, 1e-3


def free_edges(seed: int, *, sources: int, rows: int) -> FreeEdges:
    """Sources with one or two free edges of one to three entries each, some of them twice in a row."""
    rng = np.random.default_rng(seed)
    edges = rng.integers(1, 3, sources)
    entries = rng.integers(1, 4, edges.sum())
    tight = rng.uniform(size=sources) < 0.8
    return FreeEdges(
        offsets=np.append(0, np.cumsum(edges)),
        start=np.append(0, np.cumsum(entries)),
        row=rng.integers(0, rows, entries.sum()).astype(np.int32),
        a=rng.lognormal(size=entries.sum()),
        inv_free=np.where(tight, 1.0 / (edges + rng.integers(0, 2, sources)), 0.0),
    )


@pytest.mark.parametrize("degree", [0, 4, 1_000], ids=["nothing", "rows of few", "everything"])
@pytest.mark.parametrize("dense_rows", [0, 1_000], ids=["conjugate gradients", "dense core"])
@pytest.mark.parametrize(("sources", "rows"), [(5, 3), (40, 60), (150, 100)])
def test_eliminating_rows_solves_the_system(degree: int, dense_rows: int, sources: int, rows: int) -> None:
    for seed in range(5):
        free = free_edges(seed, sources=sources, rows=rows)
        gradient = np.random.default_rng(seed).normal(size=rows)
        matrix = np.empty((rows, rows))
        dense_jit.dense_hessian(free, matrix)
        matrix = STEP * matrix + RIDGE * np.eye(rows)

        d = gradient.copy()
        core = Core(degree, dense_rows, 1e-13, 10_000)
        left, _ = eliminate(free, STEP, np.full(rows, RIDGE), d, core)
        wanted = np.linalg.solve(matrix, gradient)
        np.testing.assert_allclose(d, wanted, rtol=1e-6, atol=1e-8 * np.abs(wanted).max())
        assert degree < rows or left == 0

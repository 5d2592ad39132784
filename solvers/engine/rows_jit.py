"""What is known of the budget rows before any pass, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.edge_limits_jit import limits_of


@compiled()
def row_facts(first: int, last: int, edges: EdgeArrays, square: Any, count: Any, highest: Any) -> None:
    """Add ||A_j||^2 and the number of edges of the sources first..last - 1 to square[J] and count[J], and raise
    highest[J] to max_e -c_e / a_e, to inf on rows of '=' sources.
    """
    for i in range(first, last):
        equality = limits_of(edges, i).equality
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            j = edges.destination[e]
            square[j] += np.float64(edges.a[e]) * np.float64(edges.a[e])
            count[j] += 1.0
            if equality:
                highest[j] = np.inf
            elif edges.a[e] > 0:
                highest[j] = max(highest[j], -np.float64(edges.c[e]) / np.float64(edges.a[e]))

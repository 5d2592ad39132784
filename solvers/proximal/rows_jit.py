"""What is known of the budget rows before any pass, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays_jit import of_source
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.kinds import EQUALITY


@compiled()
def row_facts(offsets: Any, destination: Any, a: Any, c: Any, kind: Any, destinations: int) -> tuple[Any, Any, Any]:
    """||A_j||^2, the number of edges, and max(0, max_e -c_e/a_e), inf on rows of '=' sources; all float64[J]."""
    square, count, most = np.zeros(destinations), np.zeros(destinations), np.zeros(destinations)
    for i in range(offsets.size - 1):
        equality = of_source(kind, i) == EQUALITY
        for e in range(offsets[i], offsets[i + 1]):
            j = destination[e]
            square[j] += np.float64(a[e]) * np.float64(a[e])
            count[j] += 1.0
            if equality:
                most[j] = np.inf
            elif a[e] > 0:
                most[j] = max(most[j], -np.float64(c[e]) / np.float64(a[e]))
    return square, count, most

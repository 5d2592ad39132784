"""What is known of the coupling rows before any pass, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.families_jit import fold
from solvers.engine.polytopes.edge_limits_jit import limits_of


@compiled(cache=False, forceinline=True)
def _count_entry(row: Any, a: float, sums: Any, value: int) -> int:
    square, count = sums
    square[row] += np.float64(a) * np.float64(a)
    count[row] += 1.0
    return value


@compiled()
def row_facts(first: int, last: int, edges: EdgeArrays, square: Any, count: Any, highest: Any) -> None:
    """Add ||A_r||^2 and the number of entries of the sources first..last - 1 to square[R] and count[R], and raise
    highest[R] to max_e -c_e / a_e, to inf on rows of '=' sources: by the first family alone.
    """
    sums = (square, count)
    for i in range(first, last):
        equality = limits_of(edges, i).equality
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            j = np.int64(edges.destination[e])
            _count_entry(j, edges.a[e], sums, 0)
            fold(edges.more, e, _count_entry, sums, 0)
            if equality:
                highest[j] = np.inf
            elif edges.a[e] > 0:
                highest[j] = max(highest[j], -np.float64(edges.c[e]) / np.float64(edges.a[e]))

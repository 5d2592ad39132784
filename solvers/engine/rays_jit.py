"""The loops of rays.py over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.polytopes import edges_jit
from solvers.engine.polytopes.edges_jit import limits_of
from solvers.engine.threads_jit import parallel_for


@compiled(cache=False)
def _ray_piece(piece: int, band: Any, edges: EdgeArrays, ray: Any, sums: Any) -> None:
    total = 0.0
    for i in range(band[piece], band[piece + 1]):
        limits = limits_of(edges, i)
        if limits.equality and limits.at_most > 0:
            lowest = np.inf
            for e in range(edges.offsets[i], edges.offsets[i + 1]):
                lowest = min(lowest, np.float64(edges.a[e]) * ray[edges.destination[e]])
            total += limits.at_most * lowest
    sums[piece] = total


@compiled(nogil=True)
def support_of_ray(band: Any, edges: EdgeArrays, ray: Any, sums: Any) -> None:
    """sums[p]: of min over C_i of (A'ray)_i'x, ray >= 0, for the sources band[p]..band[p + 1] - 1: 0 but for '='."""
    parallel_for(0, band.size - 1, _ray_piece, (band, edges, ray, sums))


@compiled()
def largest_objective(first: int, last: int, edges: EdgeArrays) -> float:
    """sum_i max over C_i of c_i'x of the sources first..last - 1."""
    total = 0.0
    for i in range(first, last):
        total += edges_jit.largest_objective(edges, i)
    return total

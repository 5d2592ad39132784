"""The loops of rays.py over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.families_jit import fold
from solvers.engine.polytopes import edges_jit
from solvers.engine.polytopes.edge_limits_jit import limits_of
from solvers.engine.threads_jit import parallel_for


@compiled(cache=False)
def _ray_piece(piece: int, band: Any, edges: EdgeArrays, ray: Any, sums: Any) -> None:
    least, size = 0.0, 0.0
    for i in range(band[piece], band[piece + 1]):
        lowest = edges_jit.support_of_ray(edges, i, ray)
        least += lowest.least
        size += lowest.size
    sums[piece, 0] = least
    sums[piece, 1] = size


@compiled(nogil=True)
def support_of_ray(band: Any, edges: EdgeArrays, ray: Any, sums: Any) -> None:
    """sums[p] = sum of min over C_i of (A'ray)_i'x and of the sizes of its terms, for the sources
    band[p]..band[p + 1] - 1.
    """
    parallel_for(0, band.size - 1, _ray_piece, (band, edges, ray, sums))


@compiled()
def largest_objective(first: int, last: int, edges: EdgeArrays) -> float:
    """sum_i max over C_i of c_i'x of the sources first..last - 1."""
    total = 0.0
    for i in range(first, last):
        total += edges_jit.largest_objective(edges, i)
    return total


@compiled()
def widest_loads(first: int, last: int, edges: EdgeArrays, lowest: Any, highest: Any) -> None:
    """lowest[R] and highest[R] grow by the least and the largest load that the edges of the sources first..last - 1
    can have, each by itself.
    """
    for i in range(first, last):
        limits = limits_of(edges, i)
        most = min(limits.at_most, limits.upper)
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            state = (lowest, highest, most)
            own = _widen(np.int64(edges.destination[e]), edges.a[e], state, 0)
            fold(edges.more, e, _widen, state, own)


@compiled(cache=False, forceinline=True)
def _widen(row: Any, a: float, state: Any, value: int) -> int:
    lowest, highest, most = state
    load = np.float64(a) * most
    lowest[row] += min(0.0, load)
    highest[row] += max(0.0, load)
    return value

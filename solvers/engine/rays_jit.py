"""The loops of rays.py over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.polytopes import edges_jit
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
    """sums[p] = sum of min over C_i of (A'ray)_i'x, ray >= 0, and of the sizes of its terms, for the sources
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

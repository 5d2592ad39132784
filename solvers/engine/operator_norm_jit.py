"""The loop of operator_norm.py over the edges in the order of the instance, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.families_jit import fold
from solvers.engine.threads_jit import parallel_for


@compiled(nogil=True)
def absolute_product(band: Any, edges: EdgeArrays, weight: Any, sums: Any) -> None:
    """sums[p, R] = |A| |A|' weight of the sources band[p]..band[p + 1] - 1."""
    parallel_for(0, band.size - 1, _absolute_piece, (band, edges, weight, sums))


@compiled(cache=False)
def _absolute_piece(piece: int, band: Any, edges: EdgeArrays, weight: Any, sums: Any) -> None:
    out = sums[piece]
    destination, a = edges.destination, edges.a
    for e in range(edges.offsets[band[piece]], edges.offsets[band[piece + 1]]):
        own = abs(np.float64(a[e]))
        total = fold(edges.more, e, _add_weight, weight, own * weight[destination[e]])
        out[destination[e]] += own * total
        fold(edges.more, e, _add_product, (out, total), 0.0)


@compiled(cache=False, forceinline=True)
def _add_weight(row: int, a: Any, weight: Any, value: float) -> float:
    total: float = value + abs(np.float64(a)) * weight[row]
    return total


@compiled(cache=False, forceinline=True)
def _add_product(row: int, a: Any, state: Any, value: float) -> float:
    state[0][row] += abs(np.float64(a)) * state[1]
    return value

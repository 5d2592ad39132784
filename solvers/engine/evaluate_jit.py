"""The loop of evaluate.py over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import overload

from solvers.engine.arrays import EdgeArrays, Sums
from solvers.engine.compiled import CHOSEN_BY_TYPE, compiled
from solvers.engine.families_jit import fold
from solvers.engine.polytopes.box_cut_edges_jit import support_within_both
from solvers.engine.polytopes.edge_limits_jit import limits_both, limits_of
from solvers.engine.polytopes.edges_jit import brought_in, support, way_in
from solvers.engine.threads_jit import parallel_for

#: Columns of sums.scalars: the support functions and their sizes, |c_e p_e|, c_e p_e of the edges that sums.values
#: leaves out, and the number of '=' sources whose sum misses z.
LEAST, LEAST_SIZE, SIZE, FREE, UNSERVED = range(5)


@compiled(cache=False)
def _evaluate_piece(piece: int, band: Any, edges: EdgeArrays, x: Any, dual: Any, astray: float, sums: Sums) -> None:
    loads = sums.loads[piece]
    values = sums.values[piece]
    scalars = sums.scalars[piece]
    least, least_size, size, free, unserved = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(band[piece], band[piece + 1]):
        limits = limits_of(edges, i)
        if not limits_both(limits):
            lowest = support(edges, i, dual)
            least += lowest
            least_size += abs(lowest)

        way = way_in(edges, i, limits, x)
        if limits.equality and not abs(way.total - limits.at_most) <= astray * limits.at_most:
            unserved += 1.0
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            feasible = brought_in(limits, way, np.float64(x[e]))
            value = np.float64(edges.c[e]) * feasible
            size += abs(value)
            free += count_by_row(edges, e, feasible, value, loads, values)
    scalars[LEAST] = least
    scalars[LEAST_SIZE] = least_size
    scalars[SIZE] = size
    scalars[FREE] = free
    scalars[UNSERVED] = unserved


def count_by_row(edges: EdgeArrays, e: Any, p: Any, value: Any, loads: Any, values: Any) -> Any:
    """Add what p on edge e makes by row to loads and values; returns what of value = c_e p counts in no row.

    One family: values[R] take c_e p at the row of an edge with load. Several: values[R] take each a p < 0 at its row.
    """
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(count_by_row, strict=False, jit_options=CHOSEN_BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _count_by_row(edges: Any, e: Any, p: Any, value: Any, loads: Any, values: Any) -> Any:  # noqa: ARG001 - Numba's
    def one_family(edges: Any, e: Any, p: Any, value: Any, loads: Any, values: Any) -> Any:
        if edges.a[e] > 0:
            loads[edges.destination[e]] += np.float64(edges.a[e]) * p
            values[edges.destination[e]] += value
            return 0.0
        return value

    def several(edges: Any, e: Any, p: Any, value: Any, loads: Any, values: Any) -> Any:
        if p != 0.0:
            own = _count_entry(np.int64(edges.destination[e]), edges.a[e], (loads, values, p), 0)
            fold(edges.more, e, _count_entry, (loads, values, p), own)
        return value

    return one_family if edges.types[edges.fields.index("more")] == types.none else several


@compiled(cache=False, forceinline=True)
def _count_entry(row: Any, a: float, state: Any, count: int) -> int:
    loads, negative, p = state
    load = np.float64(a) * p
    loads[row] += load
    negative[row] += min(0.0, load)
    return count + 1


@compiled(cache=False)
def _support_piece_of_both(piece: int, band: Any, edges: EdgeArrays, dual: Any, scalars: Any) -> None:
    most = 0
    for i in range(band[piece], band[piece + 1]):
        most = max(most, edges.offsets[i + 1] - edges.offsets[i])
    scratch = np.empty(most)  # of each source by itself it would take as long as the support
    for i in range(band[piece], band[piece + 1]):
        if limits_both(limits_of(edges, i)):
            lowest = support_within_both(edges, i, dual, scratch)
            scalars[piece, LEAST] += lowest.least
            scalars[piece, LEAST_SIZE] += lowest.size


@compiled(nogil=True)
def evaluate(band: Any, edges: EdgeArrays, x: Any, dual: Any, astray: float, sums: Sums) -> None:
    """Row p of `sums` for the sources band[p]..band[p + 1] - 1: of x brought into C and of the reduced costs at `dual`.

    A '=' source is unserved where its sum misses z by more than the share `astray` of z.
    """
    parallel_for(0, band.size - 1, _evaluate_piece, (band, edges, x, dual, astray, sums))


@compiled(nogil=True)
def add_supports_of_both(band: Any, edges: EdgeArrays, dual: Any, scalars: Any) -> None:
    """The supports that `evaluate` leaves out: of sources whose sum and edges are both limited."""
    parallel_for(0, band.size - 1, _support_piece_of_both, (band, edges, dual, scalars))

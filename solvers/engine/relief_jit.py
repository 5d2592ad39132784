"""The loop of relief.py over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.edge_limits_jit import INLINE, limits_of, reduced


class Relief(NamedTuple):
    """What the moves are chosen by, and change."""

    edges: EdgeArrays
    dual: Any
    """float64[J]: the prices of the rows."""
    excess: Any
    """float64[J]: what rows hold beyond their budgets, negative where they have slack."""
    x: Any
    """[E]"""


@compiled()
def relieve(first: int, last: int, relief: Relief, dearest: float) -> None:
    """Move x within the '=' sources first..last - 1 from edges whose rows have an excess to their cheapest edges whose
    rows have slack, where that costs at most `dearest` a unit of load in c + A'dual.
    """
    edges, dual, excess, x = relief
    for i in range(first, last):
        limits = limits_of(edges, i)
        if not limits.equality:
            continue
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            # each move ends with an edge or a row that can give or take no more
            for _ in range(edges.offsets[i + 1] - edges.offsets[i]):
                if not (excess[edges.destination[e]] > 0.0 and x[e] > 0.0 and edges.a[e] > 0):
                    break
                most = reduced(edges, e, dual) + dearest * np.float64(edges.a[e])
                to = _cheapest_with_slack(i, relief, limits.upper, most)
                if to < 0:
                    break
                _move(e, to, relief, limits.upper)


@compiled(**INLINE)
def _cheapest_with_slack(source: int, relief: Relief, upper: float, most: float) -> Any:
    """The edge of the source with the least c + A'dual that can take more, -1 where none does at less than `most`."""
    edges, dual, excess, x = relief
    best = -1
    for e in range(edges.offsets[source], edges.offsets[source + 1]):
        if x[e] < upper and (excess[edges.destination[e]] < 0.0 or edges.a[e] == 0):
            q = reduced(edges, e, dual)
            if q < most:
                best = e
                most = q
    return best


@compiled(**INLINE)
def _move(e: int, to: int, relief: Relief, upper: float) -> None:
    """Move as much as both edges and both rows allow; what ends the move has nothing left, whatever rounding says."""
    edges, _, excess, x = relief
    row, row_to = edges.destination[e], edges.destination[to]
    a, a_to = np.float64(edges.a[e]), np.float64(edges.a[to])
    by_row = excess[row] / a
    by_slack = -excess[row_to] / a_to if a_to > 0.0 else np.inf
    by_edge = upper - x[to]
    moved = min(x[e], by_row, by_slack, by_edge)

    x[e] = 0.0 if moved == x[e] else x[e] - moved
    x[to] = upper if moved == by_edge else x[to] + moved
    excess[row] = 0.0 if moved == by_row else excess[row] - moved * a
    if a_to > 0.0:
        excess[row_to] = 0.0 if moved == by_slack else excess[row_to] + moved * a_to

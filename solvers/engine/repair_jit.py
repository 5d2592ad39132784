"""The loops of repair.py over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.arrays_jit import PIECES, piece_of
from solvers.engine.compiled import compiled
from solvers.engine.families_jit import fold
from solvers.engine.polytopes.edge_limits_jit import INLINE, limits_of, reduced
from solvers.engine.polytopes.edges_jit import brought_in, way_in
from solvers.engine.threads_jit import parallel_for


@compiled(cache=False)
def _scale_down_piece(piece: int, first: int, last: int, edges: EdgeArrays, factor: Any, x: Any) -> None:
    for i in range(piece_of(first, last, piece), piece_of(first, last, piece + 1)):
        limits = limits_of(edges, i)
        way = way_in(edges, i, limits, x)
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            feasible = brought_in(limits, way, np.float64(x[e]))
            share = _least_share(np.int64(edges.destination[e]), edges.a[e], factor, 1.0)
            x[e] = feasible * fold(edges.more, e, _least_share, factor, share)


@compiled(**INLINE)
def _least_share(row: Any, a: float, factor: Any, share: float) -> Any:
    return min(share, factor[row]) if a > 0 else share


@compiled(nogil=True)
def scale_down(first: int, last: int, edges: EdgeArrays, factor: Any, x: Any) -> None:
    """x <- x brought into C, each edge times the least factor[R] <= 1 of the rows where it has load: within the limits
    for factor = min(1, upper / load); for the sources first..last - 1.
    """
    parallel_for(0, PIECES, _scale_down_piece, (first, last, edges, factor, x))


@compiled()
def fill_up(
    first: int, last: int, edges: EdgeArrays, dual: Any, slack: Any, enough: float, x: Any
) -> tuple[int, float, float]:
    """Give every '=' source what it lacks, on its cheapest edges (c + A'dual) whose rows have slack. The number of
    those that lack more than the share `enough` of z even so, the mass that was added, and what that cost beyond the
    least cost of its sources.
    """
    lacking = 0
    mass = 0.0
    beyond = 0.0
    for i in range(first, last):
        limits = limits_of(edges, i)
        if not limits.equality:
            continue
        missing = limits.at_most
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            missing -= x[e]
        # each round fills one edge: it takes all that is missing, is at u, or a row has no slack any more
        for _ in range(edges.offsets[i + 1] - edges.offsets[i]):
            if missing <= 0.0:
                break
            best, cost, least = -1, np.inf, np.inf
            for e in range(edges.offsets[i], edges.offsets[i + 1]):
                q = reduced(edges, e, dual)
                least = min(least, np.float64(edges.c[e]))
                if q < cost and x[e] < limits.upper and _room(edges, e, slack) > 0.0:
                    best, cost = e, q
            if best < 0:
                break
            by_edge = limits.upper - x[best]
            added = min(missing, _room(edges, best, slack), by_edge)
            x[best] = limits.upper if added == by_edge else x[best] + added
            _use(edges, best, slack, added)
            missing -= added
            mass += added
            beyond += added * (edges.c[best] - least)
        lacking += missing > enough * limits.at_most
    return lacking, mass, beyond


@compiled(**INLINE)
def _room(edges: EdgeArrays, e: int, slack: Any) -> Any:
    """How much more of an edge the slack of its rows allows."""
    room = _least_room(np.int64(edges.destination[e]), edges.a[e], slack, np.inf)
    return fold(edges.more, e, _least_room, slack, room)


@compiled(**INLINE)
def _least_room(row: Any, a: float, slack: Any, room: float) -> Any:
    return min(room, slack[row] / np.float64(a)) if a > 0 else room


@compiled(**INLINE)
def _use(edges: EdgeArrays, e: int, slack: Any, added: float) -> None:
    """Take what is added to an edge off the slack of its rows."""
    state = (slack, added)
    value = _use_of_row(np.int64(edges.destination[e]), edges.a[e], state, 0)
    fold(edges.more, e, _use_of_row, state, value)


@compiled(**INLINE)
def _use_of_row(row: Any, a: float, state: Any, value: int) -> int:
    slack, added = state
    if a > 0:  # the row that ends the addition has nothing left, whatever rounding says
        slack[row] = 0.0 if added >= slack[row] / np.float64(a) else slack[row] - added * np.float64(a)
    return value


@compiled()
def lower_to_moves(
    first: int, last: int, edges: EdgeArrays, x: Any, excess: Any, slack: Any, total: float, cheapest: Any
) -> None:
    """cheapest[J] becomes min(cheapest, what moving a unit of load from an edge in use, which carries twice the excess
    of its row, to another edge of its source costs); where the source need not be served the load may vanish.

    An edge takes the load only where the slack of its row and its distance to u allow the excess of all rows together.
    """
    destination, a, c = edges.destination, edges.a, edges.c
    for i in range(first, last):
        least_a = np.inf
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            over = excess[destination[e]]
            if over > 0 and np.float64(a[e]) * x[e] >= 2 * over:
                least_a = min(least_a, np.float64(a[e]))
        if least_a == np.inf:
            continue

        limits = limits_of(edges, i)
        goal = np.inf if limits.equality else 0.0
        if limits.at_most < np.inf:
            for e in range(edges.offsets[i], edges.offsets[i + 1]):
                below_upper = (limits.upper - x[e]) * least_a >= total
                if below_upper and (a[e] == 0 or a[e] * total <= slack[destination[e]] * least_a):
                    goal = min(goal, np.float64(c[e]))

        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            j = destination[e]
            if excess[j] > 0 and np.float64(a[e]) * x[e] >= 2 * excess[j]:
                cheapest[j] = min(cheapest[j], max(0.0, goal - np.float64(c[e])) / np.float64(a[e]))


@compiled()
def raise_to_moves(first: int, last: int, edges: EdgeArrays, x: Any, worth: Any) -> None:
    """worth[J] becomes max(worth, what taking a unit of load off an edge in use costs): x goes to the dearest edge of
    its source, or away where the source need not be served.
    """
    for i in range(first, last):
        limits = limits_of(edges, i)
        dearest = -np.inf if limits.equality else 0.0
        if limits.at_most < np.inf:
            for e in range(edges.offsets[i], edges.offsets[i + 1]):
                dearest = max(dearest, np.float64(edges.c[e]))
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            if x[e] > 0 and edges.a[e] > 0:
                saved = (dearest - np.float64(edges.c[e])) / np.float64(edges.a[e])
                worth[edges.destination[e]] = max(worth[edges.destination[e]], saved)

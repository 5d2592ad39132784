"""The polytopes of the Newton phase, in float64 and over the lanes of a slice, compiled by Numba (import late).

L lanes, W width: a slice has W L cells, see engine/layout.py. A lane is a source with the polytope C_i; for a centre, a
step s and prices it has

    z = centre - s (c + A'price),    x = Proj_C(z)

    simplex     x = max(z - tau, 0)            with sum x = z_i; '<=' has tau >= 0, and sum x < z_i only if tau = 0
    box         x = min(max(z, 0), u)          tau = 0
    box-cut     x = min(max(z - tau, 0), u)    with sum x = z_i, see box_cut_lanes_jit.py

An edge is free if x moves with z (strictly between its bounds). A source is tight if the sum of its x is fixed. Where a
source has f free edges, the derivative of x by z is the projection I on them, minus 11'/f if the source is tight.

A new kind of polytope is added to the functions of this file; no other loop of the Newton phase looks at a kind.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.polytopes import box_cut_lanes_jit as box_cut
from solvers.engine.polytopes.kinds import BOX, BOX_CUT, BOX_CUT_EQUALITY, EQUALITY, SIMPLEX
from solvers.engine.polytopes.slices_jit import by_lane
from solvers.engine.vector_jit import (
    VECTOR_WIDTH,
    any_gt,
    largest,
    load,
    maximum,
    minimum,
    select_gt,
    splat,
    store,
    total,
)

#: "reassoc" stays out, so that results do not depend on the vector length; "nnan" and "ninf" too, so that NaN shows.
FAST = {"contract", "nsz", "arcp"}
#: For functions that a loop takes into itself.
INLINE: dict[str, Any] = {"cache": False, "fastmath": FAST, "error_model": "numpy", "forceinline": True}

_SIMPLICES = (SIMPLEX, EQUALITY)
_BOX_CUTS = (BOX_CUT, BOX_CUT_EQUALITY)
_INEQUALITIES = (SIMPLEX, BOX_CUT)
_EQUALITIES = (EQUALITY, BOX_CUT_EQUALITY)

#: The values of `curvature`: no edge of the source can move, free edges that move alone, free edges with a fixed sum.
FLAT = -1
CURVED_SLACK = 0
CURVED_TIGHT = 1

#: Michelot's rounds end by themselves, after at most one per edge; NaN would not let them.
_MOST_ROUNDS = 200


class Lanes(NamedTuple):
    """The lanes of one slice: what is given, what `project` found, and scratch. All float64[L]."""

    radius: Any
    """z of a sum, u of a box, 0 in an empty lane."""
    upper: Any
    """u of a box-cut; None where the instance has none."""
    tau: Any
    free: Any
    """The number of free edges."""
    largest_reach: Any
    """Scratch of `margins`."""
    distance: Any
    """Scratch of `margins`."""


class LaneEdges(NamedTuple):
    """The edges of one lane side by side, padding left out; all [W]."""

    z: Any
    x: Any
    reach: Any
    """See `margins`."""
    cell: Any
    """The cell of each edge."""
    near: Any
    """Whether the edge can be free, see `mark_near`."""


@compiled(**INLINE)
def _root(z: Any, at: range, lanes: int, radius: Any, kind: int) -> tuple[Any, Any]:
    """(max(z), tau - max(z)) of the simplices of VECTOR_WIDTH lanes, or of a lone one.

    Michelot 1986, from max(z) - radius <= tau and relative to max(z), so that a lone active edge gets exactly radius.
    Each round of a lane drops edges or is its last, so it ends on ties as well.
    """
    zero = splat(0.0)
    one = splat(1.0)
    top = splat(-np.inf)
    for k in at:
        top = maximum(load(z, k), top)
    top = splat(largest(top)) if lanes == 1 else top
    below = maximum(zero - radius, zero - top) if kind == SIMPLEX else zero - radius

    before = splat(np.inf)
    for _ in range(_MOST_ROUNDS):
        excess = zero
        active = zero
        for k in at:
            above = load(z, k) - top - below
            excess = excess + maximum(above, zero)
            active = active + select_gt(above, zero, one, zero)
        if lanes == 1:
            excess = splat(total(excess))
            active = splat(total(active))

        excess = select_gt(before, active, excess - radius, zero)
        if not any_gt(excess, zero):
            break
        below = select_gt(excess, zero, below + excess / active, below)
        before = select_gt(excess, zero, active, before)
    return top, below


@compiled(**INLINE)
def project(z: Any, x: Any, cells: int, lanes: Lanes, kind: int) -> None:
    """The cells x[W, L] of a slice = projection of z[W, L], with tau and the number of free edges of each lane.

    Both arrays have VECTOR_WIDTH cells more where the slice has one lane.
    """
    if kind in _BOX_CUTS:
        box_cut.project(z, x, cells, lanes.radius, lanes.upper, lanes.tau, lanes.free, kind)
        return
    zero = splat(0.0)
    one = splat(1.0)
    count = lanes.radius.size
    for first in range(0, count, VECTOR_WIDTH):
        at = range(first, cells, max(count, VECTOR_WIDTH))
        upper = by_lane(lanes.radius, first)
        top, below = (zero, zero) if kind == BOX else _root(z, at, count, upper, kind)

        free = zero
        for k in at:
            p = maximum(load(z, k) - top - below, zero)
            inside = select_gt(p, zero, one, zero)
            if kind == BOX:
                p = minimum(p, upper)
                inside = select_gt(upper, p, inside, zero)
            store(x, k, p)
            free = free + inside

        if count == 1:
            lanes.tau[0] = largest(top + below)
            lanes.free[0] = total(free)
        else:
            store(lanes.tau, first, top + below)
            store(lanes.free, first, free)


@compiled(**INLINE)
def most_of_edge(kind: int, radius: float, upper: float) -> float:
    """The most that an edge can be: u, or z where it has no limit of its own; upper: see `number_of`."""
    return upper if kind in _BOX_CUTS else radius


@compiled(**INLINE)
def number_of(numbers: Any, lane: int) -> float:
    """The number of a lane; 0 of None."""
    if numbers is None:
        return 0.0
    return np.float64(numbers[lane])


@compiled(**INLINE)
def value_of(z: float, tau: float, most: float) -> float:
    """x of one edge of any kind, from the tau that `project` found; see `most_of_edge`."""
    return min(max(z - tau, 0.0), most)


@compiled(**INLINE)
def is_free(x: float, most: float, kind: int) -> bool:
    """Whether an edge is strictly between its bounds; a simplex has no upper one."""
    return x > 0.0 and (kind in _SIMPLICES or x < most)


@compiled(**INLINE)
def curvature(kind: int, tau: float, free: float) -> int:
    """FLAT, CURVED_SLACK or CURVED_TIGHT; one free edge of a tight source cannot move."""
    tight = kind in _EQUALITIES or (kind in _INEQUALITIES and tau > 0.0)
    if free == 0.0 or (tight and free == 1.0):
        return FLAT
    return CURVED_TIGHT if tight else CURVED_SLACK


@compiled(**INLINE)
def is_slack(total_x: float, radius: float, kind: int) -> bool:
    """Whether x at tau = 0, used at all, leaves a part of the limit of its source unused."""
    return kind in _INEQUALITIES and 0.0 < total_x <= radius


@compiled(**INLINE)
def margins(z: Any, x: Any, reach: Any, lanes: Lanes, kind: int, step: float, margin: Any) -> None:
    """margin[L]: the smallest delta such that some change of the prices by at most delta can change which edges of the
    source are free; 0 where some are free now, infinite in an empty lane. z, x and reach are [W, L].

    reach: the most that the reduced cost of an edge changes while the prices change by 1; a where an edge lies in one
    row. z_e moves by at most step delta reach_e, and tau by at most step delta times the largest reach of a free edge.
    """
    for lane in range(margin.size):
        lanes.distance[lane] = np.inf
    if kind == BOX:
        _to_bounds(z, x, reach, lanes)
    elif kind in _BOX_CUTS:
        box_cut.to_limits(z, x, reach, lanes, lanes.upper, kind)
    else:
        _to_tau(z, x, reach, lanes, kind)

    for lane in range(margin.size):
        flat = curvature(kind, lanes.tau[lane], lanes.free[lane]) == FLAT
        reached = max(lanes.distance[lane], 0.0) / step if flat else 0.0
        margin[lane] = np.inf if lanes.radius[lane] <= 0.0 else reached


@compiled(**INLINE)
def _to_bounds(z: Any, x: Any, reach: Any, lanes: Lanes) -> None:
    """distance[L]: step times the change of the prices that brings some edge of a box to a bound or off it."""
    width, count = z.shape
    for w in range(width):
        for lane in range(count):
            away = -z[w, lane] if x[w, lane] <= 0.0 else z[w, lane] - lanes.radius[lane]
            reached = away / reach[w, lane] if reach[w, lane] > 0.0 else np.inf
            lanes.distance[lane] = min(lanes.distance[lane], reached)


@compiled(**INLINE)
def _to_tau(z: Any, x: Any, reach: Any, lanes: Lanes, kind: int) -> None:
    """The same on a simplex, for its edges at 0, and for tau itself where the simplex need not be tight."""
    width, count = z.shape
    top = lanes.largest_reach
    for lane in range(count):
        top[lane] = 0.0
    for w in range(width):
        for lane in range(count):
            top[lane] = max(top[lane], np.float64(reach[w, lane]) if x[w, lane] > 0.0 else 0.0)

    for lane in range(count):
        if kind == SIMPLEX and lanes.tau[lane] > 0.0 and top[lane] > 0.0:
            lanes.distance[lane] = lanes.tau[lane] / top[lane]
    for w in range(width):
        for lane in range(count):
            both = reach[w, lane] + top[lane]
            away = (lanes.tau[lane] - z[w, lane]) / both if x[w, lane] <= 0.0 and both > 0.0 else np.inf
            lanes.distance[lane] = min(lanes.distance[lane], away)


@compiled(**INLINE)
def mark_near(lane: LaneEdges, edges: int, kind: int, most: float, tau: float, away: float) -> float:
    """near[W]: which edges of one lane are free, or can become so while no price moves by more than away / step.

    The others keep their x. Returns what they hold of the sum of their source: on a simplex nothing. most: see
    `most_of_edge`.
    """
    if kind == BOX:
        for t in range(edges):
            to_bound = min(abs(lane.z[t]), abs(lane.z[t] - most))
            lane.near[t] = to_bound <= away * lane.reach[t] or 0.0 < lane.x[t] < most
        return 0.0
    if kind in _BOX_CUTS:
        return box_cut.mark_near(lane, edges, most, tau, away)

    # tau moves by at most `away` times the largest reach that is ever active, so that one is found by repetition
    top = 0.0
    for t in range(edges):
        if lane.x[t] > 0.0:
            top = max(top, lane.reach[t])
    before = -1.0
    while top > before:
        before = top
        for t in range(edges):
            if tau - lane.z[t] <= away * (lane.reach[t] + before):
                top = max(top, lane.reach[t])
    for t in range(edges):
        lane.near[t] = lane.x[t] > 0.0 or tau - lane.z[t] <= away * (lane.reach[t] + top)
    return 0.0

"""Box-cuts {0 <= x <= u, 1'x <= z}, or = z, in the Newton phase, compiled by Numba (import late); see lanes_jit.py.

    x = min(max(v - tau, 0), u)    for the v that is called z in lanes_jit.py, with tau as in box_cut_jit.py

An edge at u is as little free as one at 0: it comes off where v - tau falls to u. While prices move by delta, tau moves
by at most step delta times the largest reach of the source: tau follows the mean of v over the free edges, and where
none is free every tau between two edges gives the same x. `upper` is None where an instance has no box-cuts: then
nothing of this file is compiled.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.polytopes.box_cut_root_jit import root
from solvers.engine.polytopes.kinds import BOX_CUT
from solvers.engine.vector_jit import VECTOR_WIDTH, largest, load, maximum, minimum, select_gt, splat, store, total

#: For functions that a loop takes into itself; without "reassoc", "nnan" and "ninf", as in lanes_jit.py.
_INLINE: dict[str, Any] = {
    "cache": False, "fastmath": {"contract", "nsz", "arcp"}, "error_model": "numpy", "forceinline": True,
}  # fmt: skip
#: The relative distance of neighbouring float64 numbers.
_RESOLUTION = 2.0**-52


@compiled(**_INLINE)
def project(v: Any, x: Any, cells: int, radius: Any, upper: Any, tau: Any, free: Any, kind: int) -> None:
    """x[W, L] = projection of v[W, L], with tau[L] and the number of free edges free[L]; x holds c + A'price before,
    which tells padding.
    """
    if upper is None:
        return
    zero = splat(0.0)
    one = splat(1.0)
    count = radius.size
    for first in range(0, count, VECTOR_WIDTH):
        at = range(first, cells, max(count, VECTOR_WIDTH))
        u = by_lane(upper, first)
        t = root(v, x, at, count, kind, by_lane(radius, first), u, _RESOLUTION)
        inside = zero
        for k in at:
            above = load(v, k) - t
            store(x, k, minimum(maximum(above, zero), u))
            inside = inside + select_gt(above, zero, select_gt(u, above, one, zero), zero)
        if count == 1:
            tau[0] = largest(t)
            free[0] = total(inside)
        else:
            store(tau, first, t)
            store(free, first, inside)


@compiled(**_INLINE)
def by_lane(numbers: Any, first: int) -> Any:
    """The numbers of VECTOR_WIDTH lanes from `first` on, or that of a lone lane."""
    return splat(numbers[0]) if numbers.size == 1 else load(numbers, first)


@compiled(**_INLINE)
def to_limits(v: Any, x: Any, reach: Any, lanes: Any, upper: Any, kind: int) -> None:
    """distance[L]: step times the change of the prices that can bring an edge to a limit or off it; v, x and
    reach are [W, L].
    """
    if upper is None:
        return
    width, count = v.shape
    top = lanes.largest_reach
    for lane in range(count):
        top[lane] = 0.0
    for w in range(width):
        for lane in range(count):
            inside = 0.0 < x[w, lane] < upper[lane]
            top[lane] = max(top[lane], np.float64(reach[w, lane]) if inside else 0.0)

    for lane in range(count):
        if kind == BOX_CUT and lanes.tau[lane] > 0.0 and top[lane] > 0.0:
            lanes.distance[lane] = lanes.tau[lane] / top[lane]
    for w in range(width):
        for lane in range(count):
            above = v[w, lane] - lanes.tau[lane]
            away = -above if x[w, lane] <= 0.0 else above - upper[lane]
            moving = reach[w, lane] + top[lane]
            fixed = x[w, lane] <= 0.0 or x[w, lane] >= upper[lane]
            reached = away / moving if fixed and moving > 0.0 and upper[lane] > 0.0 else np.inf
            lanes.distance[lane] = min(lanes.distance[lane], reached)


@compiled(**_INLINE)
def mark_near(lane: Any, edges: int, upper: float, tau: float, away: float) -> float:
    """near[W]: which edges of one lane are free, or can become so while no price moves by more than away / step. The
    others keep their x, at 0 or at u; the sum of these.
    """
    top = 0.0
    for t in range(edges):
        top = max(top, lane.reach[t])
    held = 0.0
    for t in range(edges):
        above = lane.z[t] - tau
        to_limit = min(abs(above), abs(above - upper))
        lane.near[t] = to_limit <= away * (lane.reach[t] + top) or 0.0 < lane.x[t] < upper
        if not lane.near[t]:
            held += lane.x[t]
    return held

"""The polytope of one source for loops over edges in the order of the instance, in float64, by Numba (import late).

Support, bringing in and projection by the limits of the source (edge_limits_jit.py); no function here knows kinds.
Where both limits are finite, support and projection are those of box_cut_edges_jit.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.box_cut_edges_jit import support_of_both
from solvers.engine.polytopes.edge_limits_jit import (
    INLINE,
    Limits,
    Support,
    limits_both,
    limits_of,
    raised_below,
    reduced,
    reduced_below,
)


class WayIn(NamedTuple):
    """How x_i is brought into C_i: see `brought_in`."""

    total: float
    """The sum of its edges, each clipped to 0..u."""
    factor: float
    """Every edge is scaled by this, so that the sum is at most z, or z."""
    fill: float
    """Then every edge gets this share of its distance to u: where '=' and u leave no factor that does."""


@compiled(**INLINE)
def support(edges: EdgeArrays, source: int, price: Any) -> float:
    """At most min over C_i of q_i'x, within rounding of it; inf where C_i is empty. One limit only."""
    limits = limits_of(edges, source)
    first, last = edges.offsets[source], edges.offsets[source + 1]
    lowest = np.inf
    negative = 0.0
    for e in range(first, last):
        q_e = reduced_below(edges, e, price)
        lowest = min(lowest, q_e)
        negative += min(0.0, q_e)
    if limits.at_most == np.inf:
        return limits.upper * negative
    if not limits.equality:
        return limits.at_most * min(0.0, lowest)
    if first == last:
        return np.inf if limits.at_most > 0 else 0.0
    return limits.at_most * lowest


@compiled(cache=False)
def support_of_ray(edges: EdgeArrays, source: int, ray: Any) -> Support:
    """At most min over C_i of (A'ray)_i'x, within rounding of it; inf where C_i is empty."""
    limits = limits_of(edges, source)
    first, last = edges.offsets[source], edges.offsets[source + 1]
    if limits_both(limits):
        rise = np.empty(last - first)
        for e in range(first, last):
            rise[e - first] = raised_below(edges, e, 0.0, ray)
        return support_of_both(rise, limits)

    lowest = np.inf
    negative = 0.0
    for e in range(first, last):
        rise_e = raised_below(edges, e, 0.0, ray)
        lowest = min(lowest, rise_e)
        negative += min(0.0, rise_e)
    if limits.at_most == np.inf:
        return Support(limits.upper * negative, -limits.upper * negative)
    if limits.at_most == 0:
        return Support(0.0, 0.0)
    least = limits.at_most * (lowest if limits.equality else min(0.0, lowest))
    return Support(least, abs(least))


@compiled(cache=False)
def largest_objective(edges: EdgeArrays, source: int) -> float:
    """At least max over C_i of c_i'x, equal unless both the sum and each edge are limited; 0 without edges."""
    limits = limits_of(edges, source)
    highest = -np.inf
    positive = 0.0
    for e in range(edges.offsets[source], edges.offsets[source + 1]):
        highest = max(highest, np.float64(edges.c[e]))
        positive += max(0.0, np.float64(edges.c[e]))

    if limits.at_most == np.inf:
        return limits.upper * positive
    if edges.offsets[source + 1] == edges.offsets[source]:
        return 0.0
    of_sum = limits.at_most * (highest if limits.equality else max(0.0, highest))
    return of_sum if limits.upper == np.inf else min(of_sum, limits.upper * positive)


@compiled(**INLINE)
def way_in(edges: EdgeArrays, source: int, limits: Limits, x: Any) -> WayIn:
    """How `brought_in` brings x_i into C_i: its edges are clipped to 0..u, then the sum is made z or at most z."""
    z, u = limits.at_most, limits.upper
    total = 0.0
    for e in range(edges.offsets[source], edges.offsets[source + 1]):
        total += min(max(0.0, np.float64(x[e])), limits.upper)

    if z == np.inf:
        return WayIn(total, 1.0, 0.0)
    if limits.equality and total < z and u < np.inf:
        missing = u * (edges.offsets[source + 1] - edges.offsets[source]) - total
        return WayIn(total, 1.0, min(1.0, (z - total) / missing) if missing > 0 else 0.0)
    if limits.equality:
        return WayIn(total, z / total if total > 0 else 0.0, 0.0)
    return WayIn(total, z / total if total > z else 1.0, 0.0)


@compiled(**INLINE)
def brought_in(limits: Limits, way: WayIn, value: float) -> float:
    """The entry of a point of C_i for an entry of x_i, given as float64."""
    clipped = min(max(0.0, value), limits.upper) * way.factor
    if way.fill > 0:
        return min(limits.upper, clipped + (limits.upper - clipped) * way.fill)
    return clipped


@compiled(**INLINE)
def project_ridge(edges: EdgeArrays, source: int, price: Any, step: float, x: Any) -> None:
    """x_i = Proj_{C_i}(-step q_i), stored as the type of x. One limit only; see project_onto_both."""
    limits = limits_of(edges, source)
    first, last = edges.offsets[source], edges.offsets[source + 1]
    if limits.at_most == np.inf:
        for e in range(first, last):
            x[e] = min(max(0.0, -step * reduced(edges, e, price)), limits.upper)
        return
    lowest = np.inf
    for e in range(first, last):
        lowest = min(lowest, reduced(edges, e, price))
    # v_e = -step q_e is counted from the largest, -step lowest: z would be lost in a large v
    tau = -limits.at_most
    if not limits.equality:
        tau = max(tau, step * lowest)
    # Michelot 1986: tau rises to the root while edges drop out, and each round drops some or is the last
    active, before = 1, 0
    while active != before:
        before = active
        active = 0
        excess = -limits.at_most
        for e in range(first, last):
            above = -step * (reduced(edges, e, price) - lowest) - tau
            if above > 0:
                excess += above
                active += 1
        tau += max(0.0, excess / max(active, 1))
    for e in range(first, last):
        x[e] = max(0.0, -step * (reduced(edges, e, price) - lowest) - tau)

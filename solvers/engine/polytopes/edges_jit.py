"""The polytope of one source for loops over edges in the order of the instance, in float64, by Numba (import late).

C_i = {0 <= x_e <= u, 1'x <= z}, or 1'x = z: every kind says its z and u in `limits_of`, inf where it has no such limit.
Below that no function knows kinds, so a kind that limits the sum, each edge, or both is added there alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.arrays_jit import of_source
from solvers.engine.compiled import compiled
from solvers.engine.constants import SLIP, TINY
from solvers.engine.polytopes.kinds import BOX, EQUALITY


class Limits(NamedTuple):
    """What one source may do."""

    at_most: float
    """z: the limit of the sum of its edges, inf where there is none."""
    upper: float
    """u: the limit of each edge, inf where there is none."""
    equality: bool
    """The sum is z."""


class WayIn(NamedTuple):
    """How x_i is brought into C_i: see `brought_in`."""

    total: float
    """The sum of its edges, each clipped to 0..u."""
    factor: float


@compiled()
def limits_of(edges: EdgeArrays, source: int) -> Limits:
    kind = of_source(edges.kind, source)
    if kind == BOX:
        return Limits(np.inf, of_source(edges.radius, source), False)  # noqa: FBT003 - Numba knows no keywords here
    return Limits(of_source(edges.radius, source), np.inf, kind == EQUALITY)


@compiled()
def reduced(edges: EdgeArrays, e: int, price: Any) -> Any:
    """q_e = c_e + a_e price_j."""
    return np.float64(edges.c[e]) + np.float64(edges.a[e]) * price[edges.destination[e]]


@compiled()
def reduced_below(edges: EdgeArrays, e: int, price: Any) -> float:
    """At most q_e for price >= 0: below the sum in float64 by more than its rounding."""
    c = np.float64(edges.c[e])
    rise = np.float64(edges.a[e]) * price[edges.destination[e]]
    return c if rise == 0 else c + rise - (SLIP * (abs(c) + rise) + TINY)


@compiled()
def support(edges: EdgeArrays, source: int, price: Any) -> float:
    """At most min over C_i of q_i'x, within rounding of it; inf where C_i is empty."""
    limits = limits_of(edges, source)
    lowest = np.inf
    negative = 0.0
    for e in range(edges.offsets[source], edges.offsets[source + 1]):
        q = reduced_below(edges, e, price)
        lowest = min(lowest, q)
        negative += min(0.0, q)

    if limits.at_most == np.inf:
        return limits.upper * negative
    if not limits.equality:
        return limits.at_most * min(0.0, lowest)
    if edges.offsets[source + 1] == edges.offsets[source]:
        return np.inf if limits.at_most > 0 else 0.0
    return limits.at_most * lowest


@compiled()
def largest_objective(edges: EdgeArrays, source: int) -> float:
    """max over C_i of c_i'x; 0 where there are no edges."""
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
    return limits.at_most * (highest if limits.equality else max(0.0, highest))


@compiled()
def way_in(edges: EdgeArrays, source: int, limits: Limits, x: Any) -> WayIn:
    """How `brought_in` brings x_i into C_i: its edges are clipped to 0..u, then scaled to the sum z."""
    total = 0.0
    for e in range(edges.offsets[source], edges.offsets[source + 1]):
        total += min(max(0.0, np.float64(x[e])), limits.upper)

    if limits.at_most == np.inf:
        return WayIn(total, 1.0)
    if limits.equality:
        return WayIn(total, limits.at_most / total if total > 0 else 0.0)
    return WayIn(total, limits.at_most / total if total > limits.at_most else 1.0)


@compiled()
def brought_in(limits: Limits, way: WayIn, value: float) -> float:
    """The entry of a point of C_i for an entry of x_i, given as float64."""
    return min(max(0.0, value), limits.upper) * way.factor


@compiled()
def project_ridge(edges: EdgeArrays, source: int, price: Any, step: float, x: Any) -> None:
    """x_i = Proj_{C_i}(-step q_i), stored as the type of x."""
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

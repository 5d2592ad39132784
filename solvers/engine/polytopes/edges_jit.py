"""The polytope of one source for loops over edges in the order of the instance, in float64, by Numba (import late).

C_i = {0 <= x_e <= u, 1'x <= z}, or 1'x = z: every kind says its z and u in `limits_of`, inf where it has no such limit.
Below that no function knows kinds, so a kind that limits the sum, each edge, or both is added there alone. Where both
limits are finite, support and projection are functions of their own.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.arrays_jit import of_source
from solvers.engine.compiled import compiled
from solvers.engine.constants import SLIP, TINY
from solvers.engine.polytopes.kinds import BOX, BOX_CUT, BOX_CUT_EQUALITY, EQUALITY

#: LLVM has to inline what is called for each edge or source: a call would copy all fields of the records.
_INLINE: dict[str, Any] = {"cache": False, "forceinline": True}
#: A bracket of float64 numbers is used up after fewer halvings; Newton's steps need a few.
_MOST_ROUNDS = 200


class Limits(NamedTuple):
    """What one source may do."""

    at_most: float
    """z: the limit of the sum of its edges, inf where there is none."""
    upper: float
    """u: the limit of each edge, inf where there is none."""
    equality: bool
    """The sum is z."""


class Support(NamedTuple):
    """A sum of numbers, and the sum of their sizes, by which the rounding of the sum is bounded."""

    least: float
    size: float


class WayIn(NamedTuple):
    """How x_i is brought into C_i: see `brought_in`."""

    total: float
    """The sum of its edges, each clipped to 0..u."""
    factor: float
    """Every edge is scaled by this, so that the sum is at most z, or z."""
    fill: float
    """Then every edge gets this share of its distance to u: where '=' and u leave no factor that does."""


@compiled(**_INLINE)
def limits_of(edges: EdgeArrays, source: int) -> Limits:
    """z and u of a source, and whether the sum is z."""
    kind = of_source(edges.kind, source)
    if kind in (BOX_CUT, BOX_CUT_EQUALITY):
        return Limits(of_source(edges.radius, source), of_source(edges.upper, source), kind == BOX_CUT_EQUALITY)
    if kind == BOX:
        return Limits(np.inf, of_source(edges.radius, source), False)  # noqa: FBT003 - Numba knows no keywords here
    return Limits(of_source(edges.radius, source), np.inf, kind == EQUALITY)


@compiled(**_INLINE)
def reduced(edges: EdgeArrays, e: int, price: Any) -> Any:
    """q_e = c_e + a_e price_j."""
    j = np.uint32(edges.destination[e])  # unsigned, because Numba would look for a negative index
    return np.float64(edges.c[e]) + np.float64(edges.a[e]) * price[j]


@compiled(**_INLINE)
def reduced_below(edges: EdgeArrays, e: int, price: Any) -> float:
    """At most q_e for price >= 0: below the sum in float64 by more than its rounding."""
    c = np.float64(edges.c[e])
    rise = np.float64(edges.a[e]) * price[edges.destination[e]]
    return c if rise == 0 else c + rise - (SLIP * (abs(c) + rise) + TINY)


@compiled(**_INLINE)
def limits_both(limits: Limits) -> bool:
    """Whether the sum and each edge are limited. Loops over edges treat these sources apart: their arithmetic, inlined
    beside that of the others, would slow those down by a third.
    """
    return limits.at_most < np.inf and limits.upper < np.inf


@compiled(**_INLINE)
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


@compiled()
def support_within_both(edges: EdgeArrays, source: int, price: Any) -> Support:
    """The same where the sum and each edge are limited."""
    first, last = edges.offsets[source], edges.offsets[source + 1]
    q = np.empty(last - first)
    for e in range(first, last):
        q[e - first] = reduced_below(edges, e, price)
    return support_of_both(q, limits_of(edges, source))


@compiled()
def support_of_ray(edges: EdgeArrays, source: int, ray: Any) -> Support:
    """min over C_i of (A'ray)_i'x within rounding, ray >= 0: 0 unless the sum has to be z > 0."""
    limits = limits_of(edges, source)
    first, last = edges.offsets[source], edges.offsets[source + 1]
    if not limits.equality or limits.at_most == 0:
        return Support(0.0, 0.0)
    if limits.upper < np.inf:
        rise = np.empty(last - first)
        for e in range(first, last):
            rise[e - first] = np.float64(edges.a[e]) * ray[edges.destination[e]]
        return support_of_both(rise, limits)

    lowest = np.inf
    for e in range(first, last):
        lowest = min(lowest, np.float64(edges.a[e]) * ray[edges.destination[e]])
    return Support(limits.at_most * lowest, limits.at_most * lowest)


@compiled()
def support_of_both(q: Any, limits: Limits) -> Support:
    """min of q'x over 0 <= x_e <= u, 1'x <= z or = z: the cheapest edges are filled to u until z is used. Reorders q.

    With t = -(q of the edge that is filled last), for '<=' at least 0, that is u sum_e min(0, q_e + t) - z t, and for
    any other t no more: a lower bound whatever rounding does to t.
    """
    z, u = limits.at_most, limits.upper
    if limits.equality and u * q.size < z:  # a proof in float64: the product is not rounded below z
        return Support(np.inf, np.inf)
    if q.size == 0 or u <= 0:
        return Support(0.0, 0.0)

    rank = z / u
    marginal = entry_of_rank(q, int(min(rank, q.size - 1)))
    if not limits.equality:
        marginal = min(0.0, marginal) if rank < q.size else 0.0
    below = 0.0
    for k in range(q.size):
        below += min(0.0, q[k] - marginal)
    return Support(u * below + z * marginal, abs(u * below) + abs(z * marginal))


@compiled()
def entry_of_rank(values: Any, rank: int) -> Any:
    """The entry that is number `rank` from 0 in rising order; reorders the values (Hoare 1961)."""
    low, high = 0, values.size - 1
    while low < high:
        pivot = values[(low + high) // 2]
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if rank <= j:
            high = j
        elif rank >= i:
            low = i
        else:
            break
    return values[rank]


@compiled()
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


@compiled(**_INLINE)
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


@compiled(**_INLINE)
def brought_in(limits: Limits, way: WayIn, value: float) -> float:
    """The entry of a point of C_i for an entry of x_i, given as float64."""
    clipped = min(max(0.0, value), limits.upper) * way.factor
    if way.fill > 0:
        return min(limits.upper, clipped + (limits.upper - clipped) * way.fill)
    return clipped


@compiled(**_INLINE)
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


@compiled()
def project_onto_both(edges: EdgeArrays, source: int, price: Any, step: float, limits: Limits, x: Any) -> None:
    """`project_ridge` where the sum and each edge are limited: x_e = clip(v_e - tau, 0, u) with the sum z."""
    z, u = limits.at_most, limits.upper
    first, last = edges.offsets[source], edges.offsets[source + 1]
    lowest, highest, total = np.inf, -np.inf, 0.0
    for e in range(first, last):
        q = reduced(edges, e, price)
        lowest = min(lowest, q)
        highest = max(highest, q)
        total += min(max(0.0, -step * q), u)
    if not limits.equality and total <= z:
        for e in range(first, last):
            x[e] = min(max(0.0, -step * reduced(edges, e, price)), u)
        return

    # v_e is counted from the largest, as in project_ridge: tau lies between u below the smallest v_e and 0
    low = -step * (highest - lowest) - u
    if not limits.equality:
        low = max(low, step * lowest)
    tau = _tau_of_sum(edges, source, price, step, limits, lowest, low)

    # what rounding of tau leaves of the sum goes to the free edges
    total, free = _clipped_sum(edges, source, price, step, lowest, tau, u)
    rest = (z - total) / free if free > 0 else 0.0
    for e in range(first, last):
        p = -step * (reduced(edges, e, price) - lowest) - tau
        x[e] = min(max(0.0, p + rest), u) if 0 < p < u else min(max(0.0, p), u)


@compiled()
def _tau_of_sum(
    edges: EdgeArrays, source: int, price: Any, step: float, limits: Limits, lowest: float, low: float
) -> float:
    """The root tau in low..0 of sum_e clip(v_e - tau, 0, u) = z: Newton's steps, kept in a bracket that they shrink."""
    high = 0.0
    tau = min(high, max(low, -limits.at_most))
    for _ in range(_MOST_ROUNDS):
        total, free = _clipped_sum(edges, source, price, step, lowest, tau, limits.upper)
        excess = total - limits.at_most
        if excess > 0:
            low = tau
        else:
            high = tau
        following = tau + excess / max(free, 1)
        if excess == 0 or (free > 0 and following == tau):
            break
        if free == 0 or not low < following < high:
            following = 0.5 * (low + high)
            if not low < following < high:
                break
        tau = following
    return tau


@compiled()
def _clipped_sum(
    edges: EdgeArrays, source: int, price: Any, step: float, lowest: float, tau: float, upper: float
) -> tuple[float, int]:
    """The sum of clip(v_e - tau, 0, u), v_e counted from the largest, and how many edges lie between 0 and u."""
    total, free = 0.0, 0
    for e in range(edges.offsets[source], edges.offsets[source + 1]):
        p = -step * (reduced(edges, e, price) - lowest) - tau
        total += min(max(0.0, p), upper)
        free += 1 if 0 < p < upper else 0
    return total, free

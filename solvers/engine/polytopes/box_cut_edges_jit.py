"""Sources whose sum and edges are both limited, in the order of the instance, in float64, by Numba (import late).

The same as box_cut_jit.py for loops over edges: exact enough for proofs, one source at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import EdgeArrays
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.edge_limits_jit import Limits, Support, limits_of, reduced, reduced_below

#: A bracket of float64 numbers is used up after fewer halvings; Newton's steps need a few.
_MOST_ROUNDS = 200
#: So many of the least entries are found in one sweep.
_FEW = 4


@compiled(cache=False)
def support_within_both(edges: EdgeArrays, source: int, price: Any, scratch: Any) -> Support:
    """`edges_jit.support` where the sum and each edge are limited; scratch: as many numbers as the source has edges, or
    more.
    """
    first, last = edges.offsets[source], edges.offsets[source + 1]
    q = scratch[: last - first]
    for e in range(first, last):
        q[e - first] = reduced_below(edges, e, price)
    return support_of_both(q, limits_of(edges, source))


@compiled(cache=False)
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
    place = int(min(rank, q.size - 1))
    marginal = _one_of_the_least(q, place) if place < _FEW else entry_of_rank(q, place)
    if not limits.equality:
        marginal = min(0.0, marginal) if rank < q.size else 0.0
    below = 0.0
    for k in range(q.size):
        below += min(0.0, q[k] - marginal)
    return Support(u * below + z * marginal, abs(u * below) + abs(z * marginal))


@compiled(cache=False)
def _one_of_the_least(values: Any, rank: int) -> float:
    """`entry_of_rank` for ranks below _FEW: that many are kept in order in one sweep, without a branch."""
    first, second, third, fourth = np.inf, np.inf, np.inf, np.inf
    for k in range(values.size):
        value = values[k]
        fourth = min(max(third, value), fourth)
        third = min(max(second, value), third)
        second = min(max(first, value), second)
        first = min(first, value)
    return first if rank == 0 else second if rank == 1 else third if rank == 2 else fourth


@compiled(cache=False)
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


@compiled(cache=False)
def project_onto_both(edges: EdgeArrays, source: int, price: Any, step: float, limits: Limits, x: Any) -> None:
    """`edges_jit.project_ridge` where the sum and each edge are limited: x_e = clip(v_e - tau, 0, u) with the sum z."""
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


@compiled(cache=False)
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


@compiled(cache=False)
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

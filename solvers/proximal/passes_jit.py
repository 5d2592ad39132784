"""Loops over all edges and over the edges of a subproblem, in float64, compiled by Numba (import late).

I sources, J destinations, E edges in the order of the instance; edges of source i are offsets[i] : offsets[i + 1]; kind
and radius have one entry a source or one for all. For a centre, a step s and prices lambda,

    z = centre - s (c + A'lambda),    x = Proj_C(z) = max(z - tau, 0) on a simplex, tau >= 0 for '<='

The margin of a source is the smallest delta such that some change of the prices by at most delta each can change which
of its edges are active: z_e moves by at most s delta a_e and tau by at most s delta times the largest active a.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from solvers.engine.compiled import compiled

SIMPLEX, EQUALITY, BOX = 0, 1, 2
# reassoc stays out: the same bits whatever the vector length; nnan and ninf too: NaN has to come through
_FAST = {"contract", "nsz", "arcp"}


@compiled(cache=False, fastmath=_FAST, error_model="numpy", forceinline=True)
def _of(values: Any, source: int) -> Any:
    return values[np.int64(source) if values.size > 1 else np.int64(0)]


@compiled(cache=False, fastmath=_FAST, error_model="numpy", forceinline=True)
def _project(z: Any, x: Any, n: int, kind: int, radius: float) -> tuple[float, int]:
    """x[:n] = projection of z[:n]; (tau, number of free edges).

    Michelot 1986, from max(z) - radius <= tau and relative to max(z): a lone active edge gets exactly radius.
    Each step drops edges or is the last, so it ends on ties as well.
    """
    free = 0
    if kind == BOX:
        for t in range(n):
            x[t] = min(max(z[t], 0.0), radius)
            free += 0.0 < x[t] < radius
        return 0.0, free
    top = -np.inf
    for t in range(n):
        top = max(top, z[t])
    below = max(-radius, -top) if kind == SIMPLEX else -radius
    before = n + 1
    while n > 0:
        excess, active = -radius, 0
        for t in range(n):
            above = z[t] - top - below
            if above > 0.0:
                excess += above
                active += 1
        if active == 0 or active >= before or excess <= 0.0:
            break
        below += excess / active
        before = active
    for t in range(n):
        x[t] = max(z[t] - top - below, 0.0)
        free += x[t] > 0.0
    return (top + below if n > 0 else 0.0), free


@compiled(cache=False, fastmath=_FAST, error_model="numpy", forceinline=True)
def _bends(kind: int, tau: float, free: int) -> int:
    """Whether phi bends at this source: 1 on a tight simplex, 0 on a slack one or a box, -1 where nothing can move."""
    tight = kind == EQUALITY or (kind == SIMPLEX and tau > 0.0)
    if free == 0 or (tight and free == 1):
        return -1
    return 1 if tight else 0


@compiled(cache=False, fastmath=_FAST, error_model="numpy", forceinline=True)
def _margin(z: Any, x: Any, first: int, n: int, a: Any, kind: int, radius: float, tau: float, step: float) -> float:
    """The margin of a source without free edges."""
    least, top = np.inf, 0.0
    if kind == BOX:
        for t in range(n):
            if a[first + t] > 0.0:
                least = min(least, (-z[t] if x[t] <= 0.0 else z[t] - radius) / a[first + t])
        return max(least, 0.0) / step
    for t in range(n):
        if x[t] > 0.0:
            top = max(top, np.float64(a[first + t]))
    if kind == SIMPLEX and tau > 0.0 and top > 0.0:
        least = tau / top
    for t in range(n):
        if x[t] <= 0.0 and a[first + t] + top > 0.0:
            least = min(least, (tau - z[t]) / (a[first + t] + top))
    return max(least, 0.0) / step


@compiled(cache=False, fastmath=_FAST, error_model="numpy", forceinline=True)
def _move(
    first: int, last: int, destination: Any, a: Any, c: Any, centre: Any, step: float, price: Any,
    kind: int, radius: float, z: Any,
) -> float:  # fmt: skip
    """z[: last - first] of one source; min over C_i of (c + A'lambda)_i'x."""
    low, negative = np.inf, 0.0
    for e in range(first, last):
        q = c[e] + a[e] * price[destination[e]]
        low = min(low, q)
        negative += min(q, 0.0)
        z[e - first] = centre[e] - step * q
    if kind == BOX or last == first:
        return radius * negative
    return radius * (min(low, 0.0) if kind == SIMPLEX else low)


@compiled(cache=False, forceinline=True)
def _widest(offsets: Any, first: int, last: int) -> int:
    width = 1
    for i in range(first, last):
        width = max(width, offsets[i + 1] - offsets[i])
    return width


@compiled(parallel=True, fastmath=_FAST, error_model="numpy")
def full_pass(
    offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, centre: Any, step: float, price: Any,
    cuts: Any, x: Any, margin: Any, loads: Any, values: Any, sums: Any,
) -> None:  # fmt: skip
    """x[E] and margin[I]; by chunk of sources (cuts[P + 1]) loads A x [P, J], values c'x by destination [P, J] and
    sums [P, 3] = (sum_i min over C_i of q_i'x, ||x - centre||^2, c'x).
    """
    for k in numba.prange(cuts.size - 1):
        width = _widest(offsets, cuts[k], cuts[k + 1])
        z, p = np.empty(width), np.empty(width)
        low, moved, cost = 0.0, 0.0, 0.0
        loads[k, :] = 0.0
        values[k, :] = 0.0
        for i in range(cuts[k], cuts[k + 1]):
            first, n = offsets[i], offsets[i + 1] - offsets[i]
            own, size = _of(kind, i), _of(radius, i)
            low += _move(first, first + n, destination, a, c, centre, step, price, own, size, z)
            tau, free = _project(z, p, n, own, size)
            margin[i] = 0.0 if _bends(own, tau, free) >= 0 else _margin(z, p, first, n, a, own, size, tau, step)
            for t in range(n):
                e = first + t
                moved += (p[t] - centre[e]) ** 2
                x[e] = p[t]
                if p[t] > 0.0:
                    loads[k, destination[e]] += a[e] * p[t]
                    values[k, destination[e]] += c[e] * p[t]
                    cost += c[e] * p[t]
        sums[k, 0], sums[k, 1], sums[k, 2] = low, moved, cost


@compiled(fastmath=_FAST, error_model="numpy")
def slack_share(
    offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, centre: Any, step: float, price: Any,
    stride: int,
) -> float:  # fmt: skip
    """Share of every `stride`-th source that x = Proj_C(z) uses, but not up to its radius ('<=' simplices)."""
    slack, seen = 0, 0
    width = _widest(offsets, 0, offsets.size - 1)
    z, p = np.empty(width), np.empty(width)
    for i in range(0, offsets.size - 1, stride):
        first, last = offsets[i], offsets[i + 1]
        own, size = _of(kind, i), _of(radius, i)
        _move(first, last, destination, a, c, centre, step, price, own, size, z)
        tau, free = _project(z, p, last - first, own, size)
        slack += own == SIMPLEX and tau <= 0.0 and free > 0
        seen += 1
    return slack / max(1, seen)


@compiled(fastmath=_FAST, error_model="numpy", forceinline=True, cache=False)
def _keep_box(z: Any, x: Any, first: int, n: int, a: Any, radius: float, away: float, edges: Any, k: int) -> int:
    """Append to edges[:k] those that are free or can become so while no price moves by more than away / s; new k."""
    for t in range(n):
        if min(abs(z[t]), abs(z[t] - radius)) <= away * a[first + t] or 0.0 < x[t] < radius:
            edges[k] = first + t
            k += 1
    return k


@compiled(fastmath=_FAST, error_model="numpy", forceinline=True, cache=False)
def _keep(z: Any, x: Any, first: int, n: int, a: Any, tau: float, away: float, edges: Any, k: int) -> int:
    """The same on a simplex: active edges and those that can become so.

    tau moves by at most `away` times the largest a that is ever active, so that a is found by repetition.
    """
    top, before = 0.0, -1.0
    for t in range(n):
        if x[t] > 0.0:
            top = max(top, np.float64(a[first + t]))
    while top > before:
        before = top
        for t in range(n):
            if tau - z[t] <= away * (a[first + t] + before):
                top = max(top, np.float64(a[first + t]))
    for t in range(n):
        if x[t] > 0.0 or tau - z[t] <= away * (a[first + t] + top):
            edges[k] = first + t
            k += 1
    return k


@compiled(fastmath=_FAST, error_model="numpy")
def near_edges(
    offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, centre: Any, step: float, price: Any,
    margin: Any, reach: float,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """Sources with a margin within `reach` and their edges that can be active there: (sources, offsets, edges)."""
    count, most = 0, 0
    for i in range(margin.size):
        if margin[i] <= reach:
            count += 1
            most += offsets[i + 1] - offsets[i]
    sources, sub_offsets, edges = np.empty(count, np.int64), np.zeros(count + 1, np.int64), np.empty(most, np.int64)
    width = _widest(offsets, 0, offsets.size - 1)
    z, x = np.empty(width), np.empty(width)
    k, r = 0, 0
    for i in range(margin.size):
        if margin[i] > reach:
            continue
        first, n = offsets[i], offsets[i + 1] - offsets[i]
        own, size = _of(kind, i), _of(radius, i)
        _move(first, first + n, destination, a, c, centre, step, price, own, size, z)
        tau, _ = _project(z, x, n, own, size)
        if own == BOX:
            k = _keep_box(z, x, first, n, a, size, step * reach, edges, k)
        else:
            k = _keep(z, x, first, n, a, tau, step * reach, edges, k)
        sources[r] = i
        r += 1
        sub_offsets[r] = k
    return sources, sub_offsets, edges[:k].copy()


@compiled(fastmath=_FAST, error_model="numpy")
def sub_pass(
    offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, centre: Any, step: float, price: Any,
    x: Any, bends: Any, loads: Any,
) -> tuple[float, float]:  # fmt: skip
    """x, bends (see _bends) and loads[J] of a subproblem; (c'x, ||x - centre||^2)."""
    width = _widest(offsets, 0, offsets.size - 1)
    z, p = np.empty(width), np.empty(width)
    cost, moved = 0.0, 0.0
    loads[:] = 0.0
    for i in range(offsets.size - 1):
        first, n = offsets[i], offsets[i + 1] - offsets[i]
        _move(first, first + n, destination, a, c, centre, step, price, kind[i], radius[i], z)
        tau, free = _project(z, p, n, kind[i], radius[i])
        bends[i] = _bends(kind[i], tau, free)
        for t in range(n):
            e = first + t
            x[e] = p[t]
            moved += (p[t] - centre[e]) ** 2
            if p[t] > 0.0:
                loads[destination[e]] += a[e] * p[t]
                cost += c[e] * p[t]
    return cost, moved


@compiled()
def row_facts(offsets: Any, destination: Any, a: Any, c: Any, kind: Any, destinations: int) -> tuple[Any, Any, Any]:
    """||A_j||^2, the number of edges, and max(0, max_e -c_e/a_e), inf on rows of '=' sources; all float64[J]."""
    square, count, most = np.zeros(destinations), np.zeros(destinations), np.zeros(destinations)
    for i in range(offsets.size - 1):
        equality = _of(kind, i) == EQUALITY
        for e in range(offsets[i], offsets[i + 1]):
            j = destination[e]
            square[j] += np.float64(a[e]) * np.float64(a[e])
            count[j] += 1.0
            if equality:
                most[j] = np.inf
            elif a[e] > 0:
                most[j] = max(most[j], -np.float64(c[e]) / np.float64(a[e]))
    return square, count, most

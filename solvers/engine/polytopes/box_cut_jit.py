"""A box-cut {0 <= x <= u, 1'x <= z}, or = z, in vector code, compiled by Numba (import late); see slices_jit.py.

Support: the cheapest edges are taken up to u each until z is used up, '<=' none that costs. With q_m the reduced cost
of the last one taken, the marginal edge, that is z q_m + u sum_e min(q_e - q_m, 0); any other q_m gives a lower bound.

Projection: x_e = clip(v_e - t, 0, u), with t the root of sum_e x_e = z (box_cut_root_jit.py), for '<=' not below 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import IN_ORDER, compiled
from solvers.engine.polytopes.box_cut_root_jit import FEW, MOST_ROUNDS, PADDING, root
from solvers.engine.polytopes.kinds import BOX_CUT, BOX_CUT_EQUALITY
from solvers.engine.vector_jit import (
    any_gt,
    largest,
    load,
    maximum,
    minimum,
    select_gt,
    smallest,
    splat,
    store,
    to_float64,
    total,
)


@compiled(**IN_ORDER)
def support(q: Any, at: range, lanes: int, kind: int, z: Any, u: Any) -> Any:
    """min over C_i of q_i'x, in float64 whatever the types of q and of the limits."""
    zero = splat(0.0)
    z = to_float64(z)
    u = to_float64(u)
    marginal = _marginal(q, at, lanes, kind, z, u)
    below = zero
    for k in at:
        below = below + minimum(_cost(q, k, kind) - marginal, zero)
    if lanes == 1:
        below = splat(total(below))
    return z * marginal + u * below


@compiled(**IN_ORDER)
def project(v: Any, q: Any, at: range, lanes: int, kind: int, z: Any, u: Any, resolution: Any) -> None:
    """v becomes its projection; q tells which cells are padding."""
    zero = splat(v.dtype.type(0))
    t = root(v, q, at, lanes, kind, z, u, resolution)
    for k in at:
        store(v, k, minimum(maximum(load(v, k) - t, zero), u))


@compiled(**IN_ORDER)
def bring_in(p: Any, c: Any, at: range, lanes: int, kind: int, z: Any, u: Any) -> None:
    """p >= 0 in float64 is clipped to u and scaled down to z; '=' is also filled up to z, every edge by the same share
    of what it has left.
    """
    one = splat(1.0)
    used = splat(0.0)
    for k in at:
        clipped = minimum(load(p, k), u)
        store(p, k, clipped)
        used = used + clipped
    if lanes == 1:
        used = splat(total(used))
    scale = select_gt(used, z, z / used, one)
    for k in at:
        store(p, k, load(p, k) * scale)
    if kind == BOX_CUT_EQUALITY:
        _fill_up(p, c, at, lanes, z, u, used)


@compiled(**IN_ORDER)
def _fill_up(p: Any, c: Any, at: range, lanes: int, z: Any, u: Any, used: Any) -> None:
    """p <- p + (u - p) share, with sum p = z afterwards where it was `used` < z."""
    zero = splat(0.0)
    one = splat(1.0)
    if lanes == 1:  # its cells are edges, all of them
        room = u * splat(np.float64(c.size)) - used
        share = minimum(select_gt(z, used, (z - used) / room, zero), one)
        for k in range(c.size):
            p[k] += (largest(u) - p[k]) * largest(share)
        return
    edges = zero
    for k in at:
        edges = edges + select_gt(splat(PADDING), to_float64(load(c, k)), one, zero)
    share = minimum(select_gt(z, used, (z - used) / (u * edges - used), zero), one)
    for k in at:
        gain = (u - load(p, k)) * share
        store(p, k, load(p, k) + select_gt(splat(PADDING), to_float64(load(c, k)), gain, zero))


@compiled(**IN_ORDER)
def _cost(q: Any, k: int, kind: int) -> Any:
    """The reduced costs that compete for z: '<=' leaves the rest to an edge that costs nothing and has no limit."""
    cost = to_float64(load(q, k))
    return minimum(cost, splat(0.0)) if kind == BOX_CUT else cost


@compiled(**IN_ORDER)
def _marginal(q: Any, at: range, lanes: int, kind: int, z: Any, u: Any) -> Any:
    """The reduced cost of the edge that takes the last of z: the same number by either search."""
    few = u * splat(np.float64(FEW))
    if lanes > 1 and not any_gt(z, few):
        marginal = _one_of_the_cheapest(q, at, kind, z, u)
        if not any_gt(marginal, splat(PADDING)):  # '=' without an edge: padding is no answer
            return marginal
    return _by_halving(q, at, lanes, kind, z, u)


@compiled(**IN_ORDER)
def _one_of_the_cheapest(q: Any, at: range, kind: int, z: Any, u: Any) -> Any:
    """`_marginal` where FEW edges take all of z in each lane: the cheapest edges are kept in order in one sweep."""
    number = q.dtype.type
    most = splat(number(0) if kind == BOX_CUT else number(np.inf))
    first = most
    second = most
    third = most
    fourth = most
    for k in at:
        cost = load(q, k)
        fourth = minimum(maximum(third, cost), fourth)
        third = minimum(maximum(second, cost), third)
        second = minimum(maximum(first, cost), second)
        first = minimum(cost, first)
    marginal = to_float64(first)
    marginal = select_gt(z, u, to_float64(second), marginal)
    marginal = select_gt(z, u * splat(2.0), to_float64(third), marginal)
    return select_gt(z, u * splat(3.0), to_float64(fourth), marginal)


@compiled(**IN_ORDER)
def _by_halving(q: Any, at: range, lanes: int, kind: int, z: Any, u: Any) -> Any:
    """The reduced cost of the edge that takes the last of z: the interval [low, high] is halved, its ends being costs.

    All edges up to `high` take z or more together, those below `low` do not.
    """
    zero = splat(0.0)
    one = splat(1.0)
    half = splat(0.5)
    infinite = splat(np.inf)
    nothing = zero if kind == BOX_CUT else infinite

    low = infinite
    high = zero if kind == BOX_CUT else zero - infinite
    for k in at:
        cost = _cost(q, k, kind)
        low = minimum(cost, low)
        high = maximum(select_gt(splat(PADDING), cost, cost, zero - infinite), high)
    if lanes == 1:
        low = splat(smallest(low))
        high = splat(largest(high))
    high = maximum(high, select_gt(low, splat(PADDING), low, high))  # an empty lane has nothing but padding

    for _ in range(MOST_ROUNDS):
        if not any_gt(high, low):
            break
        middle = low * half + high * half
        middle = select_gt(high, middle, middle, low)  # rounded to an end, it would not halve
        middle = maximum(middle, low)
        count = zero
        below = zero - infinite
        above = nothing
        for k in at:
            cost = _cost(q, k, kind)
            count = count + select_gt(cost, middle, zero, one)
            below = maximum(select_gt(cost, middle, zero - infinite, cost), below)
            above = minimum(select_gt(cost, middle, cost, infinite), above)
        if lanes == 1:
            count = splat(total(count))
            below = splat(largest(below))
            above = splat(smallest(above))
        short = u * count
        open_lane = select_gt(high, low, one, zero)
        low = select_gt(open_lane, zero, select_gt(z, short, above, low), low)
        high = select_gt(open_lane, zero, select_gt(z, short, high, below), high)
    return high

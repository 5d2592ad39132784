"""The root in t of sum_e clip(v_e - t, 0, u) = z, in vector code, compiled by Numba (import late); see box_cut_jit.py.

The sum falls in t and is piecewise linear: Newton's iteration within a bracket of the root, halved where a step leaves
it or no edge is free. Where few edges take all of z the largest v give a bracket of length u, in which one step or two
are enough; from the range of all v it takes many halvings, the more the further the v lie apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import IN_ORDER, compiled
from solvers.engine.constants import PAD_COST
from solvers.engine.polytopes.kinds import BOX_CUT
from solvers.engine.vector_jit import any_gt, largest, load, maximum, minimum, select_gt, smallest, splat, total

#: A halving ends after as many rounds as a number has bits; Newton's steps end most after 2 to 4.
MOST_ROUNDS = 200
#: So many of the cheapest edges, or of the largest v, are found in one sweep.
FEW = 4
#: Reduced costs from here on are those of padding.
PADDING = PAD_COST / 2


@compiled(**IN_ORDER)
def root(v: Any, q: Any, at: range, lanes: int, kind: int, z: Any, u: Any, resolution: Any) -> Any:
    """t with sum_e clip(v_e - t, 0, u) = z; for '<=' not below 0, for '=' not below where all edges are at u.

    Where less than FEW edges take all of z: the middle of all such t where there are many, which is as far as can be
    from the t at which an edge leaves 0 or u.
    """
    number = v.dtype.type
    zero = splat(number(0))
    one = splat(number(1))
    half = splat(number(0.5))

    low, high = _bracket(v, q, at, lanes, kind, z, u, resolution)
    t = low * half + high * half
    if kind == BOX_CUT:
        t = select_gt(low, zero, t, zero)  # 0 is the root where the sum is not above z there
    exact = splat(number(2) * resolution) * z  # the sum of FEW numbers u may be off by that
    for _ in range(MOST_ROUNDS):
        used = zero
        free = zero
        for k in at:
            above = load(v, k) - t
            used = used + minimum(maximum(above, zero), u)
            free = free + select_gt(above, zero, select_gt(u, above, one, zero), zero)
        if lanes == 1:
            used = splat(total(used))
            free = splat(total(free))
        excess = used - z
        low = select_gt(excess, zero, t, low)
        high = select_gt(zero, excess, t, high)

        middle = low * half + high * half
        following = select_gt(free, zero, t + excess / maximum(free, one), middle)
        following = select_gt(following, low, following, middle)  # at an end it could go round in circles
        following = select_gt(high, following, following, middle)
        moved = select_gt(maximum(excess, zero - excess), exact, following - t, zero)
        t = t + moved
        if not any_gt(maximum(moved, zero - moved), splat(resolution) * (maximum(t, zero - t) + z)):
            break
    return t


@compiled(**IN_ORDER)
def _bracket(v: Any, q: Any, at: range, lanes: int, kind: int, z: Any, u: Any, resolution: Any) -> tuple[Any, Any]:
    """(low, high) with the root between: at most u apart where less than FEW edges take all of z. In the other order
    where the sum is z all the way from high to low.
    """
    number = v.dtype.type
    zero = splat(number(0))
    many = select_gt(u * splat(number(FEW)), z, zero, splat(number(1)))
    if lanes > 1 and not any_gt(many, zero):
        low, high, known = _bracket_of_the_largest(v, q, at, kind, z, u, resolution)
        if known:
            return low, high

    high = splat(number(-np.inf))
    for k in at:
        high = maximum(load(v, k), high)
    if lanes == 1:
        high = splat(largest(high))
    if kind == BOX_CUT:
        return zero, maximum(high, zero)
    return _all_at_most(v, q, at, lanes, u), high


@compiled(**IN_ORDER)
def _bracket_of_the_largest(
    v: Any, q: Any, at: range, kind: int, z: Any, u: Any, resolution: Any
) -> tuple[Any, Any, bool]:
    """`_bracket` from the FEW largest v, kept in order in one sweep, and whether each lane has enough edges.

    With v_(k) the k-th largest: at v_(k) - u, where k edges are at u, the sum is z or more if k u >= z; at v_(k + 1),
    where the others are at 0, it is z or less if k u <= z.
    """
    number = v.dtype.type
    zero = splat(number(0))
    nothing = splat(number(-PADDING))
    first = nothing
    second = nothing
    third = nothing
    fourth = nothing
    for k in at:
        value = load(v, k)
        if kind != BOX_CUT:
            value = select_gt(splat(number(PADDING)), load(q, k), value, nothing)
        fourth = maximum(minimum(third, value), fourth)
        third = maximum(minimum(second, value), third)
        second = maximum(minimum(first, value), second)
        first = maximum(value, first)

    two = u + u
    three = two + u
    last = select_gt(z, u, second, first)
    last = select_gt(z, two, third, last)
    last = select_gt(z, three, fourth, last)
    further = select_gt(u, z, first, second)
    further = select_gt(two, z, further, third)
    further = select_gt(three, z, further, fourth)

    # A little wider, so that a step to an end of the bracket lies within.
    rounding = splat(number(4) * resolution)
    low = last - minimum(u, z)
    low = low - rounding * (maximum(low, zero - low) + u)
    high = further + rounding * (maximum(further, zero - further) + u)
    some = nothing * splat(number(0.5))
    high = select_gt(further, some, high, low - two)
    known = kind == BOX_CUT or not any_gt(some, last)
    if kind == BOX_CUT:
        low = maximum(low, zero)
        high = maximum(high, zero)
    return low, high, known


@compiled(**IN_ORDER)
def _all_at_most(v: Any, q: Any, at: range, lanes: int, u: Any) -> Any:
    """The largest t at which all edges are at u."""
    number = v.dtype.type
    low = splat(number(np.inf))
    for k in at:
        low = minimum(select_gt(splat(number(PADDING)), load(q, k), load(v, k) - u, low), low)
    return splat(smallest(low)) if lanes == 1 else low

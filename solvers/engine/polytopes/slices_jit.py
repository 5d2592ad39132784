"""The polytopes of a slice in vector code, compiled by Numba (import late): support, project, bring in.

L lanes, W width, n = W L cells of one slice, as in layout.py. A step of a loop handles VECTOR_WIDTH lanes at one edge
number; where a slice has one lane its edges fill the vectors, and the last vector may reach VECTOR_WIDTH - 1 cells
beyond n: scratch has VECTOR_WIDTH cells more, which hold numbers that change nothing. What the functions take:

    kind      that of all lanes of the slice
    radius    [L]: z of a sum, u of a box
    upper     [L]: u of a box-cut; None where an instance has none, and nothing of box-cuts is compiled then

A new kind of polytope adds a branch to `support`, `project` and `bring_in`, and a file of its own like box_cut_jit.py.

The projection onto a simplex is that of Michelot 1986, a Newton iteration on sum_e max(v_e - t, 0) = z that rises to
its root: it starts at max(v) - z, which is never above the root, and ends when no lane moves; '<=' keeps t >= 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import IN_ORDER, compiled
from solvers.engine.polytopes import box_cut_jit as box_cut
from solvers.engine.polytopes.kinds import BOX, EQUALITY, SIMPLEX
from solvers.engine.vector_jit import (
    VECTOR_WIDTH,
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

_SIMPLICES = (SIMPLEX, EQUALITY)
#: Rounds of the projection at most: 2 to 5 are usual, and it ends by itself.
_MOST_ROUNDS = 200


@compiled(**IN_ORDER)
def support(q: Any, cells: int, kind: int, radius: Any, upper: Any) -> float:
    """sum over the lanes of min over C_i of q_i'x; q[W, L]."""
    lanes = radius.size
    bound = splat(0.0)
    for first in range(0, lanes, VECTOR_WIDTH):
        at = range(first, cells, max(lanes, VECTOR_WIDTH))
        z = by_lane(radius, first)
        if kind == BOX:
            bound = bound + to_float64(z) * to_float64(_sum_below_zero(q, at, lanes))
        elif kind in _SIMPLICES:
            bound = bound + to_float64(z) * to_float64(_lowest(q, at, lanes, kind))
        elif upper is not None:
            bound = bound + box_cut.support(q, at, lanes, kind, z, by_lane(upper, first))
    lowest: float = total(bound)
    return lowest / VECTOR_WIDTH if lanes == 1 else lowest  # a lone lane was counted in every element


@compiled(**IN_ORDER)
def project(v: Any, q: Any, cells: int, kind: int, radius: Any, upper: Any, resolution: Any) -> None:
    """v[W, L] becomes its projection, source by source; q[W, L] tells by its PAD_COST which cells are padding."""
    zero = splat(v.dtype.type(0))
    lanes = radius.size
    for first in range(0, lanes, VECTOR_WIDTH):
        at = range(first, cells, max(lanes, VECTOR_WIDTH))
        z = by_lane(radius, first)
        if kind == BOX:
            for k in at:
                store(v, k, minimum(maximum(load(v, k), zero), z))
        elif kind in _SIMPLICES:
            t = _root(v, at, lanes, z, kind, resolution)
            for k in at:
                store(v, k, maximum(load(v, k) - t, zero))
        elif upper is not None:
            box_cut.project(v, q, at, lanes, kind, z, by_lane(upper, first), resolution)


@compiled(**IN_ORDER)
def bring_in(x: Any, c: Any, kind: int, radius: Any, upper: Any, p: Any) -> None:
    """p[W, L] = x[W, L] brought into C, in float64: clipped to >= 0, a box also to its u, a simplex scaled to its z.

    c[W, L] tells by its PAD_COST which cells are padding.
    """
    cells = x.size
    lanes = radius.size
    for k in range(cells):
        p[k] = np.float64(x[k]) if x[k] > 0 else 0.0
    p[cells : cells + VECTOR_WIDTH] = 0.0

    for first in range(0, lanes, VECTOR_WIDTH):
        at = range(first, cells, max(lanes, VECTOR_WIDTH))
        z = to_float64(by_lane(radius, first))
        if kind == BOX:
            for k in at:
                store(p, k, minimum(load(p, k), z))
        elif kind in _SIMPLICES:
            limit = z if kind == SIMPLEX else splat(0.0)
            scale = _scale(p, at, lanes, z, limit)
            for k in at:
                store(p, k, load(p, k) * scale)
        elif upper is not None:
            box_cut.bring_in(p, c, at, lanes, kind, z, to_float64(by_lane(upper, first)))


@compiled(**IN_ORDER)
def by_lane(numbers: Any, first: int) -> Any:
    """The numbers of VECTOR_WIDTH lanes from `first` on, or that of a lone lane; numbers[L]."""
    return splat(numbers[0]) if numbers.size == 1 else load(numbers, first)


@compiled(**IN_ORDER)
def _sum_below_zero(q: Any, at: range, lanes: int) -> Any:
    """sum_e min(q_e, 0): a box takes u of every edge that earns."""
    zero = splat(q.dtype.type(0))
    low = zero
    for k in at:
        low = low + minimum(load(q, k), zero)
    return splat(total(low)) if lanes == 1 else low


@compiled(**IN_ORDER)
def _lowest(q: Any, at: range, lanes: int, kind: int) -> Any:
    """min_e q_e: a simplex takes z of its cheapest edge; '<=' takes none that costs."""
    low = splat(q.dtype.type(np.inf))
    for k in at:
        low = minimum(load(q, k), low)
    if lanes == 1:
        low = splat(smallest(low))
    if kind == SIMPLEX:
        low = minimum(low, splat(q.dtype.type(0)))
    return low


@compiled(**IN_ORDER)
def _root(v: Any, at: range, lanes: int, radius: Any, kind: int, resolution: Any) -> Any:
    """t with sum_e max(v_e - t, 0) = z; for SIMPLEX not below 0."""
    number = v.dtype.type
    zero = splat(number(0))
    one = splat(number(1))

    t = splat(number(-np.inf))
    for k in at:
        t = maximum(load(v, k), t)
    t = (splat(largest(t)) if lanes == 1 else t) - radius
    if kind == SIMPLEX:
        t = maximum(t, zero)

    for _ in range(_MOST_ROUNDS):
        above = zero
        active = zero
        for k in at:
            excess = load(v, k) - t
            above = above + maximum(excess, zero)
            active = active + select_gt(excess, zero, one, zero)
        if lanes == 1:
            above = splat(total(above))
            active = splat(total(active))
        rise = maximum((above - radius) / maximum(active, one), zero)
        t = t + rise
        if not any_gt(rise, splat(resolution) * (maximum(t, zero - t) + radius)):
            break
    return t


@compiled(**IN_ORDER)
def _scale(p: Any, at: range, lanes: int, radius: Any, limit: Any) -> Any:
    """The factor that brings a sum above `limit` to z, else 1."""
    used = splat(0.0)
    for k in at:
        used = used + load(p, k)
    if lanes == 1:
        used = splat(total(used))
    return select_gt(used, limit, radius / used, splat(1.0))

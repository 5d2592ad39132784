"""The polytopes in Triton (import late): support, project, bring in for one slice as a tile.

A tile is [BLOCK, LANES], `real` says which of its cells lie in the slice; the limits z and u of the sources are
[LANES], u that of a box-cut and not read for other kinds. Math as in slices_jit.py and box_cut_jit.py. A new kind of
polytope adds a branch to each of the three functions.
"""

from __future__ import annotations

import triton
import triton.language as tl

from solvers.engine import constants
from solvers.engine.polytopes import kinds

SIMPLEX = tl.constexpr(kinds.SIMPLEX)
EQUALITY = tl.constexpr(kinds.EQUALITY)
BOX = tl.constexpr(kinds.BOX)
BOX_CUT = tl.constexpr(kinds.BOX_CUT)
BOX_CUT_EQUALITY = tl.constexpr(kinds.BOX_CUT_EQUALITY)
PADDING = tl.constexpr(constants.PAD_COST / 2)
# Halvings of a bracket at most: as many as a float64 has bits, and some for its exponent.
HALVINGS = tl.constexpr(80)


@triton.jit
def support(q, real, z, u, KIND: tl.constexpr):
    """min over C_i of q_i'x, float64[LANES]; q = 0 where a cell is not real."""
    if KIND == BOX:
        low = tl.sum(tl.minimum(q, 0.0), axis=0)
        least = z.to(tl.float64) * low.to(tl.float64)
    elif (KIND == BOX_CUT) | (KIND == BOX_CUT_EQUALITY):
        least = _cheapest_first(q, real & (q < PADDING), z.to(tl.float64), u.to(tl.float64), KIND)
    else:
        low = tl.min(tl.where(real, q, float("inf")), axis=0)
        if KIND == SIMPLEX:
            low = tl.minimum(low, 0.0)
        least = z.to(tl.float64) * low.to(tl.float64)
    return least


@triton.jit
def project(v, q, real, z, u, resolution, KIND: tl.constexpr, ROUNDS: tl.constexpr):
    """p[BLOCK, LANES], lane by lane; q tells by its PAD_COST which cells are padding."""
    if KIND == BOX:
        p = tl.minimum(tl.maximum(v, 0.0), z[None, :])
    elif (KIND == BOX_CUT) | (KIND == BOX_CUT_EQUALITY):
        t = _clipped_root(v, real & (q < PADDING), z, u, resolution, KIND, ROUNDS)
        p = tl.minimum(tl.maximum(v - t[None, :], 0.0), u[None, :])
    else:
        p = tl.maximum(v - _root(v, real, z, resolution, KIND, ROUNDS)[None, :], 0.0)
    return tl.where(real, p, 0.0)


@triton.jit
def bring_in(x, c, real, z, u, KIND: tl.constexpr):
    """float64[BLOCK, LANES]: x brought into C, as Kernel.evaluate_feasible does; PAD_COST in c is padding."""
    p = tl.where(real, tl.maximum(x.to(tl.float64), 0.0), 0.0)
    limit = z.to(tl.float64)
    if KIND == BOX:
        p = tl.minimum(p, limit[None, :])
    else:
        if (KIND == BOX_CUT) | (KIND == BOX_CUT_EQUALITY):
            p = tl.minimum(p, u.to(tl.float64)[None, :])
        total = tl.sum(p, axis=0)
        fits = total <= (0.0 if KIND == EQUALITY else limit)
        p *= tl.where(fits, 1.0, limit / tl.where(fits, 1.0, total))[None, :]
        if KIND == BOX_CUT_EQUALITY:
            left = tl.where(real & (c < PADDING), u.to(tl.float64)[None, :] - p, 0.0)
            room = tl.sum(left, axis=0)
            short = (total < limit) & (room > 0.0)
            share = tl.where(short, (limit - total) / tl.where(short, room, 1.0), 0.0)
            p += left * tl.minimum(share, 1.0)[None, :]
    return p


@triton.jit
def _root(v, real, z, resolution, KIND: tl.constexpr, ROUNDS: tl.constexpr):
    """t[LANES] with sum max(v - t, 0) = z, not below 0 for SIMPLEX: Michelot's iteration."""
    t = tl.max(tl.where(real, v, float("-inf")), axis=0) - z
    if KIND == SIMPLEX:
        t = tl.maximum(t, 0.0)
    moving, rounds = 1, 0
    while (moving > 0) & (rounds < ROUNDS):
        above = tl.where(real, v - t[None, :], 0.0)
        excess = tl.sum(tl.maximum(above, 0.0), axis=0) - z
        active = tl.sum((above > 0).to(tl.int32), axis=0)
        rise = tl.maximum(excess / tl.maximum(active, 1), 0.0)
        t += rise
        moving = tl.sum((rise > resolution * (tl.abs(t) + z)).to(tl.int32), axis=0)
        rounds += 1
    return t


@triton.jit
def _cheapest_first(q, edge, z, u, KIND: tl.constexpr):
    """[LANES]: the support of a box-cut; the cost of its marginal edge by halving, whose ends are costs."""
    cost = tl.where(edge, q.to(tl.float64), 0.0)
    if KIND == BOX_CUT:
        cost = tl.minimum(cost, 0.0)
        high = tl.zeros_like(z)
    else:
        high = tl.max(tl.where(edge, cost, float("-inf")), axis=0)
    low = tl.min(tl.where(edge, cost, float("inf")), axis=0)
    some = low < float("inf")
    low = tl.where(some, low, 0.0)
    high = tl.where(some, high, 0.0)
    rounds = 0
    while (tl.sum((low < high).to(tl.int32), axis=0) > 0) & (rounds < HALVINGS):
        middle = tl.minimum(tl.maximum(0.5 * low + 0.5 * high, low), high)
        middle = tl.where(middle < high, middle, low)
        taken = edge & (cost <= middle[None, :])
        enough = u * tl.sum(taken.to(tl.int32), axis=0) >= z
        below = tl.max(tl.where(taken, cost, float("-inf")), axis=0)
        above = tl.minimum(tl.min(tl.where(edge & (cost > middle[None, :]), cost, float("inf")), axis=0), high)
        halved = low < high
        low = tl.where(halved & (enough == 0), above, low)
        high = tl.where(halved & enough, below, high)
        rounds += 1
    dearer = tl.where(edge, tl.minimum(cost - high[None, :], 0.0), 0.0)
    return z * high + u * tl.sum(dearer, axis=0)


@triton.jit
def _clipped_root(v, edge, z, u, resolution, KIND: tl.constexpr, ROUNDS: tl.constexpr):
    """t[LANES] with sum clip(v - t, 0, u) = z, not below 0 for BOX_CUT: Newton's iteration within a bracket."""
    high = tl.max(tl.where(edge, v, float("-inf")), axis=0)
    low = tl.min(tl.where(edge, v - u[None, :], float("inf")), axis=0)
    some = low < float("inf")
    low = tl.where(some, low, 0.0)
    high = tl.where(some, high, 0.0)
    if KIND == BOX_CUT:
        low = tl.zeros_like(z)
        high = tl.maximum(high, 0.0)
    t = low
    moving, rounds = 1, 0
    while (moving > 0) & (rounds < ROUNDS):
        above = tl.where(edge, v - t[None, :], 0.0)
        excess = tl.sum(tl.minimum(tl.maximum(above, 0.0), u[None, :]), axis=0) - z
        free = tl.sum(((above > 0) & (above < u[None, :])).to(tl.int32), axis=0)
        low = tl.where(excess > 0, t, low)
        high = tl.where(excess < 0, t, high)
        middle = 0.5 * low + 0.5 * high
        following = tl.where(free > 0, t + excess / tl.maximum(free, 1), middle)
        following = tl.where((following > low) & (following < high), following, middle)
        moved = tl.where(excess == 0, 0.0, following - t)
        t += moved
        moving = tl.sum((tl.abs(moved) > resolution * (tl.abs(t) + z)).to(tl.int32), axis=0)
        rounds += 1
    return t

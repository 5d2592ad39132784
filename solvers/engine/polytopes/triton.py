"""The polytopes in Triton (import late): support, project, bring in for one slice as a tile.

A tile is [BLOCK, LANES], `real` says which of its cells lie in the slice, radius is [LANES]. Math as in slices_jit.py.
A new kind of polytope adds a branch to each of the three functions.
"""

from __future__ import annotations

import triton
import triton.language as tl

from solvers.engine.polytopes import kinds

SIMPLEX = tl.constexpr(kinds.SIMPLEX)
BOX = tl.constexpr(kinds.BOX)


@triton.jit
def support(q, real, radius, KIND: tl.constexpr):
    """sum over the lanes of min over C_i of q_i'x, float64; q = 0 where a cell is not real."""
    if KIND == BOX:
        low = tl.sum(tl.minimum(q, 0.0), axis=0)
    else:
        low = tl.min(tl.where(real, q, float("inf")), axis=0)
        if KIND == SIMPLEX:
            low = tl.minimum(low, 0.0)
    return tl.sum(radius.to(tl.float64) * low.to(tl.float64), axis=0)


@triton.jit
def project(v, real, radius, resolution, KIND: tl.constexpr, ROUNDS: tl.constexpr):
    """p[BLOCK, LANES], lane by lane."""
    if KIND == BOX:
        p = tl.minimum(tl.maximum(v, 0.0), radius[None, :])
    else:
        p = tl.maximum(v - _root(v, real, radius, resolution, KIND, ROUNDS)[None, :], 0.0)
    return tl.where(real, p, 0.0)


@triton.jit
def bring_in(x, real, radius, KIND: tl.constexpr):
    """float64[BLOCK, LANES]: x brought into C, see Kernel.evaluate_feasible."""
    p = tl.where(real, tl.maximum(x.to(tl.float64), 0.0), 0.0)
    limit = radius.to(tl.float64)
    if KIND == BOX:
        p = tl.minimum(p, limit[None, :])
    else:
        total = tl.sum(p, axis=0)
        fits = total <= (limit if KIND == SIMPLEX else 0.0)
        p *= tl.where(fits, 1.0, limit / tl.where(fits, 1.0, total))[None, :]
    return p


@triton.jit
def _root(v, real, radius, resolution, KIND: tl.constexpr, ROUNDS: tl.constexpr):
    """t[LANES] with sum max(v - t, 0) = z, not below 0 for SIMPLEX: Michelot's iteration."""
    t = tl.max(tl.where(real, v, float("-inf")), axis=0) - radius
    if KIND == SIMPLEX:
        t = tl.maximum(t, 0.0)
    moving, rounds = 1, 0
    while (moving > 0) & (rounds < ROUNDS):
        above = tl.where(real, v - t[None, :], 0.0)
        excess = tl.sum(tl.maximum(above, 0.0), axis=0) - radius
        active = tl.sum((above > 0).to(tl.int32), axis=0)
        rise = tl.maximum(excess / tl.maximum(active, 1), 0.0)
        t += rise
        moving = tl.sum((rise > resolution * (tl.abs(t) + radius)).to(tl.int32), axis=0)
        rounds += 1
    return t

"""The polytopes in plain PyTorch, for the reference kernel: support, project, bring in.

n slices, W width, L lanes: the cells of a run of like slices are [n, W, L], their radius is [n, 1, L]. Math as in
slices_jit.py. A new kind of polytope adds a branch to each of the three functions.
"""

from __future__ import annotations

import numpy as np

from instances import Kind
from solvers.engine.kernel import Tensor

#: Rounds of the projection at most; it ends by itself.
_MOST_ROUNDS = 200


def support(q: Tensor, radius: Tensor, kind: Kind) -> Tensor:
    """sum of min over C_i of q_i'x, float64."""
    if kind == Kind.BOX:
        low = q.clamp(max=0).sum(dim=1, keepdim=True)
    else:
        low = q.amin(dim=1, keepdim=True)
        low = low if kind == Kind.SIMPLEX_EQUALITY else low.clamp(max=0)
    return (low.double() * radius.double()).sum()


def project(v: Tensor, radius: Tensor, kind: Kind) -> Tensor:
    """The projection of each source."""
    if kind == Kind.BOX:
        return v.clamp(min=0).minimum(radius)
    return (v - _root(v, radius, kind)).clamp(min=0)


def bring_in(x: Tensor, radius: Tensor, kind: Kind) -> Tensor:
    """float64: x clipped to >= 0, a box also to its u, a simplex scaled to its z."""
    p = x.double().clamp(min=0)
    radius = radius.double()
    if kind == Kind.BOX:
        return p.minimum(radius)
    total = p.sum(dim=1, keepdim=True)
    fits = total <= (radius if kind == Kind.SIMPLEX else 0)
    return p * (radius / total).where(~fits, 1.0)


def _root(v: Tensor, radius: Tensor, kind: Kind) -> Tensor:
    """t [n, 1, L] with sum_w max(v - t, 0) = z, for SIMPLEX not below 0: Michelot's iteration from below."""
    t = v.amax(dim=1, keepdim=True) - radius
    if kind == Kind.SIMPLEX:
        t = t.clamp(min=0)
    resolution = np.finfo(np.float32 if v.element_size() == 4 else np.float64).eps
    for _ in range(_MOST_ROUNDS):
        above = (v - t).clamp(min=0)
        rise = (above.sum(dim=1, keepdim=True) - radius) / (above > 0).sum(dim=1, keepdim=True).clamp(min=1)
        t = t + rise.clamp(min=0)
        if not bool((rise > resolution * (t.abs() + radius)).any()):
            break
    return t

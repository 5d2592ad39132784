"""The polytopes in plain PyTorch, for the reference kernel: support, project, bring in.

n slices, W width, L lanes: the cells of a run of like slices are [n, W, L], the limits of their sources z and u are
[n, 1, L] (u of a box is its z here, see arrays.Cells). Math as in slices_jit.py. A new kind of polytope adds a branch
to each of the three functions.
"""

from __future__ import annotations

import numpy as np

from instances import Kind
from solvers.engine.constants import PAD_COST
from solvers.engine.kernel import Tensor

#: Rounds of a projection at most; it ends by itself.
_MOST_ROUNDS = 200
_BOX_CUTS = (Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY)
_EQUALITIES = (Kind.SIMPLEX_EQUALITY, Kind.BOX_CUT_EQUALITY)


def support(q: Tensor, z: Tensor, u: Tensor | None, kind: Kind) -> Tensor:
    """sum of min over C_i of q_i'x, float64."""
    if kind == Kind.BOX:
        low = q.clamp(max=0).sum(dim=1, keepdim=True)
        return (low.double() * z.double()).sum()
    if kind in _BOX_CUTS:
        assert u is not None
        return _cheapest_first(q.double(), z.double(), u.double(), kind)
    low = q.amin(dim=1, keepdim=True)
    low = low if kind == Kind.SIMPLEX_EQUALITY else low.clamp(max=0)
    return (low.double() * z.double()).sum()


def project(v: Tensor, q: Tensor, z: Tensor, u: Tensor | None, kind: Kind) -> Tensor:
    """The projection of each source; q tells by its PAD_COST which cells are padding."""
    if kind == Kind.BOX:
        return v.clamp(min=0).minimum(z)
    if kind in _BOX_CUTS:
        assert u is not None
        return (v - _clipped_root(v, q, z, u, kind)).clamp(min=0).minimum(u)
    return (v - _root(v, z, kind)).clamp(min=0)


def bring_in(x: Tensor, c: Tensor, z: Tensor, u: Tensor | None, kind: Kind) -> Tensor:
    """float64: x clipped to >= 0 and u, and scaled to z; a '=' box-cut is filled up, every edge by the same share of
    what it has left. c tells by its PAD_COST which cells are padding.
    """
    p = x.double().clamp(min=0)
    z = z.double()
    if kind == Kind.BOX:
        return p.minimum(z)
    if u is not None and kind in _BOX_CUTS:
        p = p.minimum(u.double())
    total = p.sum(dim=1, keepdim=True)
    fits = total <= (0 if kind == Kind.SIMPLEX_EQUALITY else z)
    p = p * (z / total).where(~fits, 1.0)
    if u is not None and kind == Kind.BOX_CUT_EQUALITY:
        left = (u.double() - p).where(c < PAD_COST / 2, 0.0)
        share = (z - total) / left.sum(dim=1, keepdim=True)
        p = p + left * share.where(total < z, 0.0).clamp(max=1)
    return p


def _root(v: Tensor, z: Tensor, kind: Kind) -> Tensor:
    """t [n, 1, L] with sum_w max(v - t, 0) = z, for SIMPLEX not below 0: Michelot's iteration from below."""
    t = v.amax(dim=1, keepdim=True) - z
    if kind == Kind.SIMPLEX:
        t = t.clamp(min=0)
    for _ in range(_MOST_ROUNDS):
        above = (v - t).clamp(min=0)
        rise = (above.sum(dim=1, keepdim=True) - z) / (above > 0).sum(dim=1, keepdim=True).clamp(min=1)
        t = t + rise.clamp(min=0)
        if not bool((rise > _resolution(v) * (t.abs() + z)).any()):
            break
    return t


def _cheapest_first(q: Tensor, z: Tensor, u: Tensor, kind: Kind) -> Tensor:
    """Edges take up to u each by rising cost, until z is used up; '<=' none that costs."""
    costs = q.sort(dim=1).values
    if kind == Kind.BOX_CUT:
        costs = costs.clamp(max=0)
    before = u * costs.new_tensor(range(costs.shape[1])).view(1, -1, 1)
    taken = (z - before).clamp(min=0).minimum(u)
    return (taken * costs.where(costs < PAD_COST / 2, 0.0)).sum()


def _clipped_root(v: Tensor, q: Tensor, z: Tensor, u: Tensor, kind: Kind) -> Tensor:
    """t [n, 1, L] with sum_w clip(v - t, 0, u) = z, for BOX_CUT not below 0: the bracket of the root, halved."""
    high = v.amax(dim=1, keepdim=True)
    low = (v - u).where(q < PAD_COST / 2, float("inf")).amin(dim=1, keepdim=True).minimum(high)
    if kind == Kind.BOX_CUT:
        low = low.clamp(min=0, max=0)
        high = high.clamp(min=0)
    for _ in range(_MOST_ROUNDS):
        middle = (low + high) / 2
        enough = (v - middle).clamp(min=0).minimum(u).sum(dim=1, keepdim=True) >= z
        low = middle.where(enough, low)
        high = high.where(enough, middle)
        if not bool((high - low > _resolution(v) * (low.abs() + z)).any()):
            break
    at_zero = v.clamp(min=0).minimum(u).sum(dim=1, keepdim=True) <= z
    return low.where(~at_zero, 0.0) if kind == Kind.BOX_CUT else low


def _resolution(v: Tensor) -> float:
    return float(np.finfo(np.float32 if v.element_size() == 4 else np.float64).eps)

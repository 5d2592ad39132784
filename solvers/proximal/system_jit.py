"""The loops of a Newton system, compiled by Numba (import late).

M movable rows. With P_i the projection onto the free edges of source i (minus 11'/their number where it is tight), -phi
has the generalised Hessian  s sum_i A_i P_i A_i'  (Qi and Sun 1993; Li, Sun and Toh 2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import Cells
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.lanes_jit import CURVED_TIGHT, FAST, FLAT, is_free, most_of_edge, number_of
from solvers.proximal.arrays import CgState, FreeEdges, SubproblemPass


@compiled()
def free_edges(cells: Cells, last: SubproblemPass, place: Any) -> FreeEdges:
    """The free edges in movable rows at the point of `last`; place[J]: the number of each row among the movable, -1 of
    the others.
    """
    lanes = last.curvature.size
    offsets, inv_free = np.zeros(lanes + 1, np.int64), np.empty(lanes)
    row, a = np.empty(last.x.size, np.int32), np.empty(last.x.size)
    k = 0
    r = 0
    for s in range(cells.slice_kind.size):
        first_lane = cells.slice_lane[s]
        count = cells.slice_lane[s + 1] - first_lane
        for lane in range(first_lane, first_lane + count):
            if last.curvature[lane] == FLAT:
                continue
            before = k
            free = 0
            kind = cells.slice_kind[s]
            most = most_of_edge(kind, cells.radius[lane], number_of(cells.upper, lane))
            for e in range(cells.slice_start[s] + lane - first_lane, cells.slice_start[s + 1], count):
                if is_free(last.x[e], most, kind):
                    free += 1
                    if place[cells.index[e]] >= 0:
                        row[k] = place[cells.index[e]]
                        a[k] = cells.a[e]
                        k += 1
            if k > before:
                inv_free[r] = 1.0 / free if last.curvature[lane] == CURVED_TIGHT else 0.0
                r += 1
                offsets[r] = k
    return FreeEdges(offsets[: r + 1], row[:k], a[:k], inv_free[:r])


@compiled(fastmath=FAST)
def hessian(free: FreeEdges, v: Any, out: Any) -> None:
    """out[M] = sum_i A_i P_i A_i' v"""
    out[:] = 0.0
    for r in range(free.inv_free.size):
        mean = 0.0
        for k in range(free.offsets[r], free.offsets[r + 1]):
            mean += free.a[k] * v[free.row[k]]
        mean *= free.inv_free[r]
        for k in range(free.offsets[r], free.offsets[r + 1]):
            out[free.row[k]] += free.a[k] * (free.a[k] * v[free.row[k]] - mean)


@compiled()
def diagonal(free: FreeEdges, out: Any) -> None:
    """out[M] = diagonal of sum_i A_i P_i A_i'"""
    out[:] = 0.0
    for r in range(free.inv_free.size):
        for k in range(free.offsets[r], free.offsets[r + 1]):
            out[free.row[k]] += (1.0 - free.inv_free[r]) * free.a[k] * free.a[k]


@compiled()
def cg_start(state: CgState, scale: Any) -> tuple[float, float]:
    """The first direction, scale residual; (residual' scale residual, residual'residual)."""
    product = 0.0
    square = 0.0
    for j in range(scale.size):
        state.direction[j] = scale[j] * state.residual[j]
        product += state.residual[j] * state.direction[j]
        square += state.residual[j] * state.residual[j]
    return product, square


@compiled(error_model="numpy")
def cg_step(h: Any, step: float, ridge: Any, scale: Any, product: float, state: CgState) -> tuple[float, float]:
    """One step of conjugate gradients for step H + diag(ridge), from h = H direction, which is overwritten, and
    product = residual' scale residual; this of the new residual, and residual'residual.
    """
    d, residual, p = state.solution, state.residual, state.direction
    curvature = 0.0
    for j in range(p.size):
        h[j] = step * h[j] + ridge[j] * p[j]
        curvature += p[j] * h[j]

    length = product / curvature
    following = 0.0
    square = 0.0
    for j in range(p.size):
        d[j] += length * p[j]
        residual[j] -= length * h[j]
        square += residual[j] * residual[j]
        following += residual[j] * scale[j] * residual[j]
    for j in range(p.size):
        p[j] = scale[j] * residual[j] + following / product * p[j]
    return following, square

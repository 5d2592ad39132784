"""The loops of a Newton system, compiled by Numba (import late).

M movable rows. With P_i the projection onto the free edges of source i (minus 11'/their number where its simplex is
tight), -phi has the generalised Hessian  s sum_i A_i P_i A_i'  (Qi and Sun 1993; Li, Sun and Toh 2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.polytopes.kinds import BOX
from solvers.proximal.project_jit import FAST


@compiled()
def free_edges(
    start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, x: Any, bends: Any, place: Any
) -> tuple[Any, Any, Any, Any]:
    """The free edges in movable rows of the R lanes at which phi bends: (offsets[R + 1], row, a, pull[R]).

    place[J]: the number of each row among the movable, -1 for the others. pull: 1 / the number of all free edges of a
    tight simplex, 0 of another source.
    """
    free_offsets, pull = np.zeros(bends.size + 1, np.int64), np.empty(bends.size)
    row, free_a = np.empty(x.size, np.int32), np.empty(x.size)
    k, r = 0, 0
    for s in range(kind.size):
        lanes = lane[s + 1] - lane[s]
        for t in range(lanes):
            i = lane[s] + t
            if bends[i] < 0:
                continue
            before, free = k, 0
            for e in range(start[s] + t, start[s + 1], lanes):
                if x[e] > 0.0 and (kind[s] != BOX or x[e] < radius[i]):
                    free += 1
                    if place[index[e]] >= 0:
                        row[k], free_a[k] = place[index[e]], a[e]
                        k += 1
            if k > before:
                pull[r] = 1.0 / free if bends[i] else 0.0
                r += 1
                free_offsets[r] = k
    return free_offsets[: r + 1], row[:k], free_a[:k], pull[:r]


@compiled(fastmath=FAST)
def hessian(offsets: Any, row: Any, a: Any, pull: Any, v: Any, out: Any) -> None:
    """out[M] = sum_i A_i P_i A_i' v"""
    out[:] = 0.0
    for r in range(pull.size):
        mean = 0.0
        for k in range(offsets[r], offsets[r + 1]):
            mean += a[k] * v[row[k]]
        mean *= pull[r]
        for k in range(offsets[r], offsets[r + 1]):
            out[row[k]] += a[k] * (a[k] * v[row[k]] - mean)


@compiled()
def diagonal(offsets: Any, row: Any, a: Any, pull: Any, out: Any) -> None:
    """out[M] = diagonal of sum_i A_i P_i A_i'"""
    out[:] = 0.0
    for r in range(pull.size):
        for k in range(offsets[r], offsets[r + 1]):
            out[row[k]] += (1.0 - pull[r]) * a[k] * a[k]


@compiled()
def begin(gradient: Any, scale: Any, p: Any) -> tuple[float, float]:
    """p[M] = scale gradient; (gradient'p, gradient'gradient)."""
    product, square = 0.0, 0.0
    for j in range(p.size):
        p[j] = scale[j] * gradient[j]
        product += gradient[j] * p[j]
        square += gradient[j] * gradient[j]
    return product, square


@compiled(error_model="numpy")
def go_on(
    h: Any, step: float, ridge: Any, scale: Any, product: float, d: Any, residual: Any, p: Any
) -> tuple[float, float]:
    """One step of conjugate gradients for step H + diag(ridge), from h = H p: d, residual and direction p of the next
    step; (residual' scale residual, residual'residual).
    """
    curvature = 0.0
    for j in range(p.size):
        h[j] = step * h[j] + ridge[j] * p[j]
        curvature += p[j] * h[j]
    length, following, square = product / curvature, 0.0, 0.0
    for j in range(p.size):
        d[j] += length * p[j]
        residual[j] -= length * h[j]
        square += residual[j] * residual[j]
        following += residual[j] * scale[j] * residual[j]
    for j in range(p.size):
        p[j] = scale[j] * residual[j] + following / product * p[j]
    return following, square

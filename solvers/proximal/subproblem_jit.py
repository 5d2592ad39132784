"""The Newton system of a subproblem, compiled by Numba (import late).

J destinations. With P_i the projection onto the free edges of source i (minus 11'/their number where its simplex is
tight), -phi has the generalised Hessian  s sum_i A_i P_i A_i'  (Qi and Sun 1993; Li, Sun and Toh 2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled

BOX = 2


@compiled()
def free_edges(
    offsets: Any, destination: Any, a: Any, kind: Any, radius: Any, x: Any, bends: Any
) -> tuple[Any, Any, Any, Any]:
    """The free edges of the R sources at which phi bends: (offsets[R + 1], destination, a, tight[R])."""
    edges, sources = 0, 0
    for i in range(bends.size):
        if bends[i] >= 0:
            sources += 1
            edges += offsets[i + 1] - offsets[i]
    free_offsets, tight = np.zeros(sources + 1, np.int64), np.empty(sources, np.int8)
    free_destination, free_a = np.empty(edges, np.int32), np.empty(edges)
    k, r = 0, 0
    for i in range(bends.size):
        if bends[i] < 0:
            continue
        for e in range(offsets[i], offsets[i + 1]):
            if x[e] > 0.0 and (kind[i] != BOX or x[e] < radius[i]):
                free_destination[k], free_a[k] = destination[e], a[e]
                k += 1
        tight[r] = bends[i]
        r += 1
        free_offsets[r] = k
    return free_offsets, free_destination[:k].copy(), free_a[:k].copy(), tight


@compiled()
def hessian(offsets: Any, destination: Any, a: Any, tight: Any, v: Any, out: Any) -> None:
    """out[J] = sum_i A_i P_i A_i' v"""
    out[:] = 0.0
    for r in range(tight.size):
        mean = 0.0
        if tight[r]:
            for k in range(offsets[r], offsets[r + 1]):
                mean += a[k] * v[destination[k]]
            mean /= offsets[r + 1] - offsets[r]
        for k in range(offsets[r], offsets[r + 1]):
            out[destination[k]] += a[k] * (a[k] * v[destination[k]] - mean)


@compiled()
def diagonal(offsets: Any, destination: Any, a: Any, tight: Any, out: Any) -> None:
    """out[J] = diagonal of sum_i A_i P_i A_i'"""
    out[:] = 0.0
    for r in range(tight.size):
        share = 1.0 - 1.0 / (offsets[r + 1] - offsets[r]) if tight[r] else 1.0
        for k in range(offsets[r], offsets[r + 1]):
            out[destination[k]] += share * a[k] * a[k]


@compiled()
def direction(
    offsets: Any, destination: Any, a: Any, tight: Any, step: float, ridge: Any, movable: Any, gradient: Any,
    tolerance: float, most: int,
) -> tuple[Any, int]:  # fmt: skip
    """d with (step H + diag(ridge)) d = gradient on the movable rows and 0 elsewhere, by conjugate gradients with the
    diagonal as preconditioner, to ||residual|| <= tolerance ||gradient||; (d[J], iterations).
    """
    d, h = np.zeros(gradient.size), np.empty(gradient.size)
    diagonal(offsets, destination, a, tight, h)
    scale = 1.0 / (step * h + ridge)
    residual = np.where(movable, gradient, 0.0)
    z = residual * scale
    p = z.copy()
    product = (residual * z).sum()
    goal = tolerance * tolerance * (residual * residual).sum()
    iterations = 0
    while iterations < most and product > 0.0:
        hessian(offsets, destination, a, tight, p, h)
        h[:] = np.where(movable, step * h + ridge * p, 0.0)
        length = product / (p * h).sum()
        d += length * p
        residual -= length * h
        iterations += 1
        if (residual * residual).sum() <= goal:
            break
        z = residual * scale
        following = (residual * z).sum()
        p = z + (following / product) * p
        product = following
    return d, iterations

"""The pass over the edges of a subproblem, in float64, compiled by Numba (import late).

R sources, K edges; edges of source i are offsets[i] : offsets[i + 1]. z, x and tau as in passes_jit.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.proximal.project_jit import FAST, bends_at, project


@compiled(fastmath=FAST, error_model="numpy")
def sub_pass(
    offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, centre: Any, step: float, price: Any,
    x: Any, bends: Any, loads: Any,
) -> tuple[float, float]:  # fmt: skip
    """x[K], bends[R] (see bends_at) and loads[J]; (c'x, ||x - centre||^2)."""
    width = 1
    for i in range(offsets.size - 1):
        width = max(width, offsets[i + 1] - offsets[i])
    z, p = np.empty(width), np.empty(width)
    cost, moved = 0.0, 0.0
    loads[:] = 0.0
    for i in range(offsets.size - 1):
        first, n = offsets[i], offsets[i + 1] - offsets[i]
        for t in range(n):
            e = first + t
            z[t] = centre[e] - step * (c[e] + a[e] * price[destination[e]])
        tau, free = project(z, p, n, kind[i], radius[i])
        bends[i] = bends_at(kind[i], tau, free)
        for t in range(n):
            e = first + t
            x[e] = p[t]
            moved += (p[t] - centre[e]) ** 2
            if p[t] > 0.0:
                loads[destination[e]] += a[e] * p[t]
                cost += c[e] * p[t]
    return cost, moved

"""x = Proj_C(z) in float64, for the lanes of a slice, compiled by Numba (import late).

L lanes, W width. x = max(z - tau, 0) on a simplex, tau >= 0 for '<='.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.cpu_jit import by_lane
from solvers.engine.polytopes.kinds import BOX, EQUALITY, SIMPLEX
from solvers.engine.vector_jit import (
    VECTOR_WIDTH,
    any_gt,
    largest,
    load,
    maximum,
    minimum,
    select_gt,
    splat,
    store,
    total,
)

# reassoc stays out: the same bits whatever the vector length; nnan and ninf too: NaN has to come through
FAST = {"contract", "nsz", "arcp"}
INLINE: dict[str, Any] = {"cache": False, "fastmath": FAST, "error_model": "numpy", "forceinline": True}
_MOST_ROUNDS = 200


@compiled(**INLINE)
def bends_at(kind: int, tau: float, free: float) -> int:
    """Whether phi bends at this source: 1 on a tight simplex, 0 on a slack one or a box, -1 where nothing can move."""
    tight = kind == EQUALITY or (kind == SIMPLEX and tau > 0.0)
    if free == 0.0 or (tight and free == 1.0):
        return -1
    return 1 if tight else 0


@compiled(**INLINE)
def _below_top(z: Any, at: range, lanes: int, radius: Any, kind: int) -> tuple[Any, Any]:
    """(max(z), tau - max(z)) of VECTOR_WIDTH lanes, or of a lone one.

    Michelot 1986, from max(z) - radius <= tau and relative to max(z): a lone active edge gets exactly radius.
    Each step of a lane drops edges or is its last, so it ends on ties as well.
    """
    zero, one, top = splat(0.0), splat(1.0), splat(-np.inf)
    for k in at:
        top = maximum(load(z, k), top)
    top = splat(largest(top)) if lanes == 1 else top
    below = maximum(zero - radius, zero - top) if kind == SIMPLEX else zero - radius
    before = splat(np.inf)
    for _ in range(_MOST_ROUNDS):
        excess, active = zero, zero
        for k in at:
            above = load(z, k) - top - below
            excess = excess + maximum(above, zero)
            active = active + select_gt(above, zero, one, zero)
        if lanes == 1:
            excess, active = splat(total(excess)), splat(total(active))
        excess = select_gt(before, active, excess - radius, zero)
        if not any_gt(excess, zero):
            break
        below = select_gt(excess, zero, below + excess / active, below)
        before = select_gt(excess, zero, active, before)
    return top, below


@compiled(**INLINE)
def project_lanes(z: Any, x: Any, cells: int, radius: Any, kind: int, tau: Any, free: Any) -> None:
    """The cells x[W, L] of a slice = projection of z[W, L], with tau[L] and the number of free edges free[L]."""
    zero, one, lanes = splat(0.0), splat(1.0), radius.size
    for first in range(0, lanes, VECTOR_WIDTH):
        at, most = range(first, cells, max(lanes, VECTOR_WIDTH)), by_lane(radius, first)
        top, below = (zero, zero) if kind == BOX else _below_top(z, at, lanes, most, kind)
        count = zero
        for k in at:
            p = maximum(load(z, k) - top - below, zero)
            inside = select_gt(p, zero, one, zero)
            if kind == BOX:
                p = minimum(p, most)
                inside = select_gt(most, p, inside, zero)
            store(x, k, p)
            count = count + inside
        if lanes == 1:
            tau[0], free[0] = largest(top + below), total(count)
        else:
            store(tau, first, top + below)
            store(free, first, count)

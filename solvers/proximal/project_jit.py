"""x = Proj_C(z) in float64, for the lanes of a slice at once, compiled by Numba (import late).

L lanes, W width. x = max(z - tau, 0) on a simplex, tau >= 0 for '<='.
"""

from __future__ import annotations

from typing import Any

from solvers.engine.compiled import compiled

SIMPLEX, EQUALITY, BOX = 0, 1, 2
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
def _clip(z: Any, x: Any, radius: Any, tau: Any, free: Any) -> None:
    width, lanes = z.shape
    for lane in range(lanes):
        tau[lane], free[lane] = 0.0, 0.0
    for w in range(width):
        for lane in range(lanes):
            x[w, lane] = min(max(z[w, lane], 0.0), radius[lane])
            free[lane] += 1.0 if 0.0 < x[w, lane] < radius[lane] else 0.0


@compiled(**INLINE)
def _most(z: Any, top: Any) -> None:
    width, lanes = z.shape
    for lane in range(lanes):
        top[lane] = z[0, lane]
    for w in range(1, width):
        for lane in range(lanes):
            top[lane] = max(top[lane], z[w, lane])


@compiled(**INLINE)
def _rise(z: Any, radius: Any, top: Any, below: Any, excess: Any, active: Any, before: Any) -> float:
    """One step of below[L]; before[L]: the number of active edges at the last step. The number of lanes that moved."""
    width, lanes = z.shape
    for lane in range(lanes):
        excess[lane], active[lane] = -radius[lane], 0.0
    for w in range(width):
        for lane in range(lanes):
            above = z[w, lane] - top[lane] - below[lane]
            excess[lane] += above if above > 0.0 else 0.0
            active[lane] += 1.0 if above > 0.0 else 0.0
    moved = 0.0
    for lane in range(lanes):
        go = excess[lane] > 0.0 and active[lane] < before[lane]
        below[lane] += excess[lane] / active[lane] if go else 0.0
        before[lane] = active[lane] if go else before[lane]
        moved += 1.0 if go else 0.0
    return moved


@compiled(**INLINE)
def project_lanes(
    z: Any, x: Any, radius: Any, kind: int, tau: Any, free: Any, top: Any, below: Any, excess: Any
) -> None:
    """x[W, L] = projection of z[W, L], with tau[L] and the number of free edges free[L]; the rest is scratch.

    Michelot 1986, from max(z) - radius <= tau and relative to max(z): a lone active edge gets exactly radius.
    Each step of a lane drops edges or is its last, so it ends on ties as well.
    """
    width, lanes = z.shape
    if kind == BOX:
        _clip(z, x, radius, tau, free)
        return
    _most(z, top)
    for lane in range(lanes):
        below[lane] = max(-radius[lane], -top[lane]) if kind == SIMPLEX else -radius[lane]
        tau[lane] = width + 1.0
    for _ in range(_MOST_ROUNDS):
        if _rise(z, radius, top, below, excess, free, tau) == 0.0:
            break
    for lane in range(lanes):
        tau[lane], free[lane] = top[lane] + below[lane], 0.0
    for w in range(width):
        for lane in range(lanes):
            x[w, lane] = max(z[w, lane] - top[lane] - below[lane], 0.0)
            free[lane] += 1.0 if x[w, lane] > 0.0 else 0.0

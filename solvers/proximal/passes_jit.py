"""Passes over the cells of a layout or of a subproblem, in float64 over lanes, compiled by Numba (import late).

I sources, J destinations; L lanes, W width, n = W L cells of one slice, as in solvers/engine/layout.py. For a centre, a
step s and prices lambda,

    z = centre - s (c + A'lambda),    x = Proj_C(z) = max(z - tau, 0) on a simplex, tau >= 0 for '<='

The margin of a source is the smallest delta such that some change of the prices by at most delta each can change which
of its edges are active: z_e moves by at most s delta a_e and tau by at most s delta times the largest active a.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.constants import LANES, PAD_COST, STACK_CELLS
from solvers.engine.cpu_jit import least, stack
from solvers.engine.polytopes.kinds import BOX, SIMPLEX
from solvers.engine.threads_jit import parallel_for
from solvers.engine.vector_jit import VECTOR_WIDTH
from solvers.proximal.project_jit import FAST, INLINE, bends_at, project_lanes

#: Lanes of scratch on the stack: as many as the widest slice has.
_LANES = max(LANES)


@compiled(**INLINE)
def _to_bounds(z: Any, x: Any, a: Any, radius: Any, least: Any) -> None:
    """least[L]: the change of prices that brings some edge of a box to a bound or off it."""
    width, lanes = z.shape
    for w in range(width):
        for lane in range(lanes):
            away = -z[w, lane] if x[w, lane] <= 0.0 else z[w, lane] - radius[lane]
            least[lane] = min(least[lane], away / a[w, lane] if a[w, lane] > 0.0 else np.inf)


@compiled(**INLINE)
def _to_tau(z: Any, x: Any, a: Any, kind: int, tau: Any, top: Any, least: Any) -> None:
    """The same on a simplex, for its edges at 0, and for tau itself where the simplex need not be tight."""
    width, lanes = z.shape
    for lane in range(lanes):
        top[lane] = 0.0
    for w in range(width):
        for lane in range(lanes):
            top[lane] = max(top[lane], np.float64(a[w, lane]) if x[w, lane] > 0.0 else 0.0)
    for lane in range(lanes):
        if kind == SIMPLEX and tau[lane] > 0.0 and top[lane] > 0.0:
            least[lane] = tau[lane] / top[lane]
    for w in range(width):
        for lane in range(lanes):
            both = a[w, lane] + top[lane]
            away = (tau[lane] - z[w, lane]) / both if x[w, lane] <= 0.0 and both > 0.0 else np.inf
            least[lane] = min(least[lane], away)


@compiled(**INLINE)
def _margins(
    z: Any, x: Any, a: Any, radius: Any, kind: int, tau: Any, free: Any, step: float, top: Any, least: Any, margin: Any
) -> None:
    """margin[L], 0 where there are free edges, infinite in an empty lane."""
    for lane in range(margin.size):
        least[lane] = np.inf
    if kind == BOX:
        _to_bounds(z, x, a, radius, least)
    else:
        _to_tau(z, x, a, kind, tau, top, least)
    for lane in range(margin.size):
        stuck = bends_at(kind, tau[lane], free[lane]) < 0
        margin[lane] = np.inf if radius[lane] <= 0.0 else (max(least[lane], 0.0) / step if stuck else 0.0)


@compiled(**INLINE)
def _sums(p: Any, centre: Any, c: Any, away: Any, paid: Any) -> tuple[float, float]:
    """(||p - centre||^2, c'p), added lane by lane."""
    width, lanes = p.shape
    for lane in range(lanes):
        away[lane], paid[lane] = 0.0, 0.0
    for w in range(width):
        for lane in range(lanes):
            change = p[w, lane] - centre[w, lane]
            away[lane] += change * change
            paid[lane] += c[w, lane] * p[w, lane]
    moved, cost = 0.0, 0.0
    for lane in range(lanes):
        moved, cost = moved + away[lane], cost + paid[lane]
    return moved, cost


@compiled(**INLINE)
def _bends(kind: int, tau: Any, free: Any, bends: Any) -> None:
    for lane in range(bends.size):
        bends[lane] = bends_at(kind, tau[lane], free[lane])


@compiled(**INLINE)
def _copy(p: Any, x: Any) -> None:
    for k in range(x.size):
        x[k] = p[k]


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _large(
    chunk: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, centre: Any,
    step: float, price: Any, x: Any, precise_x: Any, tau_of: Any, margin: Any, bends: Any, own_loads: Any,
    own_values: Any,
) -> tuple[float, float, float]:  # fmt: skip
    """What `_chunk` does, for the slices that it leaves out: lone sources, in room on the heap."""
    bound, moved, cost, whole = 0.0, 0.0, 0.0, margin.size > 0
    room = np.empty((5, 1))
    for s in range(cuts[chunk], cuts[chunk + 1]):
        n = start[s + 1] - start[s]
        if n <= STACK_CELLS:
            continue
        cells, lanes, shape = slice(start[s], start[s + 1]), slice(lane[s], lane[s + 1]), (n, 1)
        idx, a_s, c_s, centre_s = index[cells], a[cells], c[cells], centre[cells]
        z, p, r = np.empty(n + VECTOR_WIDTH), np.empty(n + VECTOR_WIDTH), room[4]
        r[:] = radius[lanes]
        for k in range(n):
            p[k] = c_s[k] + a_s[k] * price[idx[k]]
            z[k] = centre_s[k] - step * p[k]
        z[n:], p[n:] = -PAD_COST, PAD_COST
        bound += least(p, n, r, kind[s])
        project_lanes(z, p, n, r, kind[s], room[0], room[1])
        z2, p2 = z[:n].reshape(shape), p[:n].reshape(shape)
        if whole:
            _margins(z2, p2, a_s.reshape(shape), r, kind[s], room[0], room[1], step, room[2], room[3], margin[lanes])
        else:
            _bends(kind[s], room[0], room[1], bends[lanes])
        tau_of[lanes] = room[0]
        away, paid = _sums(p2, centre_s.reshape(shape), c_s.reshape(shape), room[2], room[3])
        moved, cost = moved + away, cost + paid
        for k in range(n):
            own_loads[idx[k]] += a_s[k] * p[k]
        if whole:
            _copy(p[:n], x[cells])
            for k in range(n):
                own_values[idx[k]] += c_s[k] * p[k]
        else:
            _copy(p[:n], precise_x[cells])
    return (bound if whole else 0.0), moved, cost


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _chunk(
    chunk: int, largest: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any,
    centre: Any, step: float, price: Any, x: Any, precise_x: Any, tau_of: Any, margin: Any, bends: Any, loads: Any,
    values: Any, sums: Any,
) -> None:  # fmt: skip
    f8, room = np.float64, min(largest, STACK_CELLS) + VECTOR_WIDTH
    most, size = (room,), 8 * room
    z_all, p_all = numba.carray(stack(size), most, f8), numba.carray(stack(size), most, f8)
    scratch = numba.carray(stack(8 * 5 * _LANES), (5, _LANES), f8)
    whole = margin.size > 0
    own_loads, own_values = loads[chunk], values[chunk]
    own_loads[:] = 0.0
    own_values[:] = 0.0
    bound, moved, cost = 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        lanes, n = lane[s + 1] - lane[s], start[s + 1] - start[s]
        if n > STACK_CELLS:
            continue
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        centre_s = centre[start[s] : start[s + 1]]
        z, p = z_all[:n], p_all[:n]
        tau, free, top = scratch[0, :lanes], scratch[1, :lanes], scratch[2, :lanes]
        below, r = scratch[3, :lanes], scratch[4, :lanes]
        r[:] = radius[lane[s] : lane[s + 1]]
        for k in range(n):
            q = c_s[k] + a_s[k] * price[idx[k]]
            p[k] = q
            z[k] = centre_s[k] - step * q
        z_all[n : n + VECTOR_WIDTH], p_all[n : n + VECTOR_WIDTH] = (
            -PAD_COST,
            PAD_COST,
        )  # a lone lane's last vector goes that far
        shape = (n // lanes, lanes)
        z2, p2 = z.reshape(shape), p.reshape(shape)
        if whole:
            bound += least(p_all, n, r, kind[s])
        project_lanes(z_all, p_all, n, r, kind[s], tau, free)
        if whole:
            own = margin[lane[s] : lane[s + 1]]
            _margins(z2, p2, a_s.reshape(shape), r, kind[s], tau, free, step, top, below, own)
        else:
            _bends(kind[s], tau, free, bends[lane[s] : lane[s + 1]])
        tau_of[lane[s] : lane[s + 1]] = tau
        away, paid = _sums(p2, centre_s.reshape(shape), c_s.reshape(shape), top, below)
        moved, cost = moved + away, cost + paid
        for k in range(n):
            own_loads[idx[k]] += a_s[k] * p[k]
        if whole:
            _copy(p, x[start[s] : start[s + 1]])
            for k in range(n):
                own_values[idx[k]] += c_s[k] * p[k]
        else:
            _copy(p, precise_x[start[s] : start[s + 1]])
    if largest > STACK_CELLS:
        low, away, paid = _large(
            chunk, cuts, start, lane, kind, radius, index, a, c, centre, step, price, x, precise_x, tau_of, margin,
            bends, own_loads, own_values,
        )  # fmt: skip
        bound, moved, cost = bound + low, moved + away, cost + paid
    sums[chunk, 0], sums[chunk, 1], sums[chunk, 2] = bound, moved, cost


@compiled(nogil=True)
def evaluate(*chunks: Any) -> None:
    """What `_chunk` takes after its chunk: tau[lanes]; by chunk of slices (cuts[P + 1]) loads A x [P, J] and sums
    [P, 3] = (sum_i min over C_i of q_i'x, ||x - centre||^2, c'x); x[cells], margin[lanes] and values c'x by destination
    [P, J]. With an empty margin these three are left out, the first sum is 0, and precise_x float64[cells], the x that
    is never rounded, and bends[lanes] as of bends_at are there instead.
    """
    parallel_for(0, chunks[1].size - 1, _chunk, chunks)

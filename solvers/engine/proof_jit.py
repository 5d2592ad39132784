"""The loops of a proof on the CPU kernel's cells, in float64, compiled by Numba (import late).

L lanes, W width, n = W L cells of one slice; cells as in layout.py, shape of the loops as in cpu_jit.py.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.constants import PAD_COST, SLIP, STACK_CELLS, TINY
from solvers.engine.cpu_jit import FAST, IN_ORDER, by_lane, least, scatter, stack
from solvers.engine.polytopes.kinds import BOX, SIMPLEX
from solvers.engine.threads_jit import parallel_for
from solvers.engine.vector_jit import VECTOR_WIDTH, load, minimum, select_gt, splat, store, to_float64, total


@compiled(**IN_ORDER)
def _feasible(x: Any, radius: Any, kind: int, p: Any) -> None:
    """p[W, L] = x[W, L] brought into C: clipped to >= 0, then a box clipped to its radius, a simplex scaled."""
    for k in range(x.size):
        p[k] = np.float64(x[k]) if x[k] > 0 else 0.0
    p[x.size : x.size + VECTOR_WIDTH] = 0.0
    lanes = radius.size
    for first in range(0, lanes, VECTOR_WIDTH):
        at, z = range(first, x.size, max(lanes, VECTOR_WIDTH)), to_float64(by_lane(radius, first))
        if kind == BOX:
            for k in at:
                store(p, k, minimum(load(p, k), z))
        else:
            used = splat(0.0)
            for k in at:
                used = used + load(p, k)
            used = splat(total(used)) if lanes == 1 else used
            scale = select_gt(used, z if kind == SIMPLEX else splat(0.0), z / used, splat(1.0))
            for k in at:
                store(p, k, load(p, k) * scale)


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _judge_large(
    chunk: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, price: Any,
    own_loads: Any, own_values: Any, x: Any,
) -> tuple[float, float, float, float]:  # fmt: skip
    """What `_judge_chunk` does, for the slices that it leaves out."""
    bound, value, size, free_size = 0.0, 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        n = start[s + 1] - start[s]
        if n <= STACK_CELLS:
            continue
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        r, p = radius[lane[s] : lane[s + 1]], np.empty(n + VECTOR_WIDTH)
        for k in range(n):
            cost, rise = np.float64(c_s[k]), np.float64(a_s[k]) * price[idx[k]]
            p[k] = cost if rise == 0 else cost + rise - (SLIP * (abs(cost) + rise) + TINY)
        p[n:] = PAD_COST
        bound += least(p, n, r, kind[s])
        _feasible(x[start[s] : start[s + 1]], r, kind[s], p)
        scatter(idx, a_s, p[:n], own_loads)
        for k in range(n):
            p[k] *= np.float64(c_s[k])
            value += p[k]
            size += abs(p[k])
            free_size += 0.0 if a_s[k] > 0 else abs(p[k])
        for k in range(n):
            own_values[idx[k]] += p[k] if a_s[k] > 0 else 0.0
    return bound, size, free_size, value


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _judge_chunk(
    chunk: int, largest: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any,
    a: Any, c: Any, price: Any, loads: Any, values: Any, sums: Any, x: Any,
) -> None:  # fmt: skip
    room = min(largest, STACK_CELLS) + VECTOR_WIDTH
    p_all = numba.carray(stack(8 * room), (room,), np.float64)
    own_loads, own_values = loads[chunk], values[chunk]
    own_loads[:] = 0.0
    own_values[:] = 0.0
    bound, value, size, free_size = 0.0, 0.0, 0.0, 0.0
    for s in range(cuts[chunk], cuts[chunk + 1]):
        n = start[s + 1] - start[s]
        if n > STACK_CELLS:
            continue
        idx, a_s, c_s = index[start[s] : start[s + 1]], a[start[s] : start[s + 1]], c[start[s] : start[s + 1]]
        r, p = radius[lane[s] : lane[s + 1]], p_all[:n]
        for k in range(n):
            cost, rise = np.float64(c_s[k]), np.float64(a_s[k]) * price[idx[k]]
            p[k] = cost if rise == 0 else cost + rise - (SLIP * (abs(cost) + rise) + TINY)
        p_all[n : n + VECTOR_WIDTH] = PAD_COST
        bound += least(p_all, n, r, kind[s])
        _feasible(x[start[s] : start[s + 1]], r, kind[s], p_all)
        scatter(idx, a_s, p, own_loads)
        for k in range(n):
            p[k] *= np.float64(c_s[k])
            value += p[k]
            size += abs(p[k])
            free_size += 0.0 if a_s[k] > 0 else abs(p[k])
        for k in range(n):
            own_values[idx[k]] += p[k] if a_s[k] > 0 else 0.0
    if largest > STACK_CELLS:
        low, of_p, of_free, objective = _judge_large(
            chunk, cuts, start, lane, kind, radius, index, a, c, price, own_loads, own_values, x
        )
        bound, size, free_size, value = bound + low, size + of_p, free_size + of_free, value + objective
    sums[chunk, 0], sums[chunk, 1], sums[chunk, 2], sums[chunk, 3] = bound, size, free_size, value


@compiled(nogil=True)
def judge(*chunks: Any) -> None:
    """What `_judge_chunk` takes after its chunk: sums [C, 4], loads [C, J] and values [C, J]; see Kernel.judge."""
    parallel_for(0, chunks[1].size - 1, _judge_chunk, chunks)


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _answer_piece(
    piece: int, pieces: int, largest: int, order: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any,
    source: Any, offsets: Any, cells: Any, factor: Any, x: Any,
) -> None:  # fmt: skip
    p_all = np.empty(largest + VECTOR_WIDTH)
    for s in order[order.size * piece // pieces : order.size * (piece + 1) // pieces]:
        lanes, n = lane[s + 1] - lane[s], start[s + 1] - start[s]
        idx, p = index[start[s] : start[s + 1]], p_all[:n]
        _feasible(cells[start[s] : start[s + 1]], radius[lane[s] : lane[s + 1]], kind[s], p_all)
        for k in range(n):
            p[k] *= factor[idx[k]]
        for at in range(lanes):
            i = source[lane[s] + at]
            if i >= 0:
                edge = offsets[i]
                for w in range(offsets[i + 1] - edge):
                    x[edge + w] = p[w * lanes + at]


@compiled(nogil=True)
def answer(*pieces: Any) -> None:
    """What `_answer_piece` takes after its piece: x[E] in the order of the instance, what `judge` judged times
    factor[J]; see Kernel.answer.

    order int64[S]: slices by their first source, so that neighbours in time write neighbours in x.
    """
    parallel_for(0, pieces[0], _answer_piece, pieces)

"""The edges that can be active near a point, cut out of the cells of a layout, compiled by Numba (import late).

Cells, centre, step, price, tau and margins as in passes_jit.py; a source here is a lane, one after another.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.layout import PAD_COST
from solvers.proximal.project_jit import BOX, FAST, INLINE, SIMPLEX

_EDGE = PAD_COST / 2


@compiled(**INLINE)
def _keep_box(z: Any, x: Any, n: int, a: Any, cell: Any, radius: float, away: float, edges: Any, k: int) -> int:
    """Append to edges[:k] those that are free or can become so while no price moves by more than away / s; new k.
    x of the others becomes 0.
    """
    for t in range(n):
        if min(abs(z[t]), abs(z[t] - radius)) <= away * a[t] or 0.0 < x[t] < radius:
            edges[k] = cell[t]
            k += 1
        else:
            x[t] = 0.0
    return k


@compiled(**INLINE)
def _keep(z: Any, x: Any, n: int, a: Any, cell: Any, tau: float, away: float, edges: Any, k: int) -> int:
    """The same on a simplex: active edges and those that can become so.

    tau moves by at most `away` times the largest a that is ever active, so that a is found by repetition.
    """
    top, before = 0.0, -1.0
    for t in range(n):
        if x[t] > 0.0:
            top = max(top, a[t])
    while top > before:
        before = top
        for t in range(n):
            if tau - z[t] <= away * (a[t] + before):
                top = max(top, a[t])
    for t in range(n):
        if x[t] > 0.0 or tau - z[t] <= away * (a[t] + top):
            edges[k] = cell[t]
            k += 1
    return k


@compiled(**INLINE)
def _count(first: int, last: int, start: Any, lane: Any, margin: Any, reach: float) -> tuple[int, int]:
    """Lanes of slices first : last with a margin within reach, and the cells of these lanes."""
    count, cells = 0, 0
    for s in range(first, last):
        near = 0
        for t in range(lane[s], lane[s + 1]):
            near += margin[t] <= reach
        count += near
        cells += near * ((start[s + 1] - start[s]) // (lane[s + 1] - lane[s]))
    return count, cells


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _collect(
    first: int, last: int, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, centre: Any,
    step: float, price: Any, tau: Any, margin: Any, reach: float, begin: Any, count: Any, kinds: Any, radii: Any,
    edges: Any, kept: Any, room: int,
) -> None:  # fmt: skip
    """The near edges of slices first : last, by lane, and their loads; `room`: where edges[] lies among those of all
    chunks.
    """
    width = 1
    for s in range(first, last):
        width = max(width, (start[s + 1] - start[s]) // (lane[s + 1] - lane[s]))
    z, x, load, cell = np.empty(width), np.empty(width), np.empty(width), np.empty(width, np.int64)
    r, k = 0, 0
    kept[:] = 0.0
    for s in range(first, last):
        lanes = lane[s + 1] - lane[s]
        for t in range(lanes):
            if margin[lane[s] + t] > reach:
                continue
            n = 0
            for e in range(start[s] + t, start[s + 1], lanes):
                if c[e] < _EDGE:
                    z[n] = centre[e] - step * (c[e] + a[e] * price[index[e]])
                    load[n], cell[n] = a[e], e
                    n += 1
            size, level, before = np.float64(radius[lane[s] + t]), tau[lane[s] + t], k
            for e in range(n):
                x[e] = min(max(z[e] - level, 0.0), size)
            if kind[s] == BOX:
                k = _keep_box(z, x, n, load, cell, size, step * reach, edges, k)
            else:
                k = _keep(z, x, n, load, cell, level, step * reach, edges, k)
            for e in range(n):
                kept[index[cell[e]]] += load[e] * x[e]
            begin[r], count[r], kinds[r], radii[r] = room + before, k - before, kind[s], size
            r += 1


@compiled(parallel=True)
def near_edges(
    cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, centre: Any, step: float,
    price: Any, tau: Any, margin: Any, reach: float, kept: Any,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """Edges that can be active while no price moves by more than `reach`, of the R lanes with such a margin:
    (edges, first[R], count[R], kind[R], radius[R]), those of lane r being the cells edges[first[r] :] [: count[r]];
    kept[P, J]: their loads A x.
    """
    pieces = cuts.size - 1
    rows, room = np.zeros(pieces + 1, np.int64), np.zeros(pieces + 1, np.int64)
    for p in numba.prange(pieces):
        rows[p + 1], room[p + 1] = _count(cuts[p], cuts[p + 1], start, lane, margin, reach)
    rows, room = np.cumsum(rows), np.cumsum(room)
    first, count = np.empty(rows[-1], np.int64), np.empty(rows[-1], np.int64)
    kinds, radii, edges = np.empty(rows[-1], np.uint8), np.empty(rows[-1]), np.empty(room[-1], np.int64)
    for p in numba.prange(pieces):
        _collect(
            cuts[p], cuts[p + 1], start, lane, kind, radius, index, a, c, centre, step, price, tau, margin, reach,
            first[rows[p] : rows[p + 1]], count[rows[p] : rows[p + 1]], kinds[rows[p] : rows[p + 1]],
            radii[rows[p] : rows[p + 1]], edges[room[p] : room[p + 1]], kept[p], room[p],
        )  # fmt: skip
    return edges, first, count, kinds, radii


@compiled(parallel=True)
def gather(
    edges: Any, first: Any, count: Any, source: Any, start: Any, lane: Any, index: Any, a: Any, c: Any, centre: Any,
    sub_index: Any, sub_a: Any, sub_c: Any, sub_centre: Any,
) -> None:  # fmt: skip
    """The cells of a subproblem whose lanes are the near lanes `source`; start, lane: its slices."""
    for s in numba.prange(start.size - 1):
        lanes = lane[s + 1] - lane[s]
        for t in range(lanes):
            i, before = source[lane[s] + t], start[s] + t
            for k in range(before, start[s + 1], lanes):
                n = (k - before) // lanes
                if i >= 0 and n < count[i]:
                    e = edges[first[i] + n]
                    sub_index[k], sub_a[k], sub_c[k], sub_centre[k] = index[e], a[e], c[e], centre[e]
                else:
                    sub_index[k], sub_a[k], sub_c[k], sub_centre[k] = 0, 0.0, PAD_COST, 0.0


@compiled(fastmath=FAST, error_model="numpy")
def slack_share(
    start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, centre: Any, step: float, price: Any,
    stride: int,
) -> tuple[int, int]:  # fmt: skip
    """Of every `stride`-th lane how many use x = Proj_C(z), but not up to their radius ('<=' simplices); and of how
    many.
    """
    slack, seen = 0, 0
    for s in range(kind.size):
        lanes = lane[s + 1] - lane[s]
        for t in range(-lane[s] % stride, lanes, stride):
            total = 0.0
            for e in range(start[s] + t, start[s + 1], lanes):
                total += max(0.0, centre[e] - step * (c[e] + a[e] * price[index[e]]))
            slack += kind[s] == SIMPLEX and 0.0 < total <= radius[lane[s] + t]
            seen += radius[lane[s] + t] > 0.0
    return slack, seen

"""The edges that can be active near a point, cut out of the cells of a layout, compiled by Numba (import late).

Cells, centre, step, price, tau and margins as in passes_jit.py; a source here is a lane, one after another.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.constants import PAD_COST
from solvers.engine.polytopes.kinds import BOX, SIMPLEX
from solvers.engine.threads_jit import parallel_for
from solvers.proximal.project_jit import FAST, INLINE

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


@compiled(cache=False, forceinline=True)
def _is_near(margin: float, reach: float) -> bool:
    """The one test by which lanes are counted and then collected: a margin or a reach that is NaN counts as far."""
    return margin <= reach


@compiled(cache=False)
def _count(
    piece: int, cuts: Any, start: Any, lane: Any, margin: Any, reach: float, lanes_of: Any, cells_of: Any
) -> None:
    """Lanes of the chunk with a margin within reach, and the cells of these lanes: entry piece + 1 of each."""
    count, cells = 0, 0
    for s in range(cuts[piece], cuts[piece + 1]):
        near = 0
        for t in range(lane[s], lane[s + 1]):
            near += _is_near(margin[t], reach)
        count += near
        cells += near * ((start[s + 1] - start[s]) // (lane[s + 1] - lane[s]))
    lanes_of[piece + 1], cells_of[piece + 1] = count, cells


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _collect(
    piece: int, cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, centre: Any,
    step: float, price: Any, tau: Any, margin: Any, reach: float, kept: Any, lanes_before: Any, cells_before: Any,
    begin: Any, count: Any, kinds: Any, radii: Any, edges: Any,
) -> None:  # fmt: skip
    """The near edges of the chunk, by lane, and their loads; where they lie among those of all chunks."""
    first, last = cuts[piece], cuts[piece + 1]
    width = 1
    for s in range(first, last):
        width = max(width, (start[s + 1] - start[s]) // (lane[s + 1] - lane[s]))
    z, x, load, cell = np.empty(width), np.empty(width), np.empty(width), np.empty(width, np.int64)
    r, k = lanes_before[piece], cells_before[piece]
    own_kept = kept[piece]
    own_kept[:] = 0.0
    for s in range(first, last):
        lanes = lane[s + 1] - lane[s]
        for t in range(lanes):
            if not _is_near(margin[lane[s] + t], reach):
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
                own_kept[index[cell[e]]] += load[e] * x[e]
            begin[r], count[r], kinds[r], radii[r] = before, k - before, kind[s], radius[lane[s] + t]
            r += 1


@compiled(nogil=True)
def near_edges(
    cuts: Any, start: Any, lane: Any, kind: Any, radius: Any, index: Any, a: Any, c: Any, centre: Any, step: float,
    price: Any, tau: Any, margin: Any, reach: float, kept: Any,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """Edges that can be active while no price moves by more than `reach`, of the R lanes with such a margin:
    (edges, first[R], count[R], kind[R], radius[R]), those of lane r being the cells edges[first[r] :] [: count[r]];
    kept[P, J]: their loads A x.
    """
    rows, room = np.zeros(cuts.size, np.int64), np.zeros(cuts.size, np.int64)
    parallel_for(0, cuts.size - 1, _count, (cuts, start, lane, margin, reach, rows, room))
    for piece in range(cuts.size - 1):
        rows[piece + 1] += rows[piece]
        room[piece + 1] += room[piece]
    first, count, edges = np.empty(rows[-1], np.int64), np.empty(rows[-1], np.int64), np.empty(room[-1], np.int64)
    kinds, radii = np.empty(rows[-1], kind.dtype), np.empty(rows[-1], radius.dtype)
    parallel_for(0, cuts.size - 1, _collect, (
        cuts, start, lane, kind, radius, index, a, c, centre, step, price, tau, margin, reach, kept, rows, room,
        first, count, kinds, radii, edges,
    ))  # fmt: skip
    return edges, first, count, kinds, radii


@compiled(cache=False)
def _gather_slice(
    s: int, edges: Any, first: Any, count: Any, source: Any, start: Any, lane: Any, index: Any, a: Any, c: Any,
    centre: Any, sub_index: Any, sub_a: Any, sub_c: Any, sub_centre: Any,
) -> None:  # fmt: skip
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


@compiled(nogil=True)
def gather(
    edges: Any, first: Any, count: Any, source: Any, start: Any, lane: Any, index: Any, a: Any, c: Any, centre: Any,
    sub_index: Any, sub_a: Any, sub_c: Any, sub_centre: Any,
) -> None:  # fmt: skip
    """The cells of a subproblem whose lanes are the near lanes `source`; start, lane: its slices."""
    parallel_for(0, start.size - 1, _gather_slice, (
        edges, first, count, source, start, lane, index, a, c, centre, sub_index, sub_a, sub_c, sub_centre,
    ))  # fmt: skip


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

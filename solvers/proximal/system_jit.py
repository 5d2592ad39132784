"""The loops of a Newton system, compiled by Numba (import late).

M movable rows. With P_i the projection onto the free edges of source i (minus 11'/their number where it is tight), -phi
has the generalised Hessian  s sum_i A_i P_i A_i'  (Qi and Sun 1993; Li, Sun and Toh 2020).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import Cells
from solvers.engine.compiled import compiled
from solvers.engine.families_jit import fold
from solvers.engine.polytopes.lanes_jit import CURVED_TIGHT, FAST, FLAT, is_free, most_of_edge, number_of
from solvers.proximal.arrays import CgState, FreeEdges, SubproblemPass

#: What is left of an entry that lies within another, but for rounding.
_ROUNDING = 1e-12


@compiled(cache=False, forceinline=True)
def _add_entry(row: int, a: Any, state: Any, n: int) -> int:
    """Append an entry as the n-th if its row is movable; how many there are then. For `fold`."""
    place, rows, coefficients = state
    if place[row] < 0:
        return n
    rows[n] = place[row]
    coefficients[n] = a
    return n + 1


@compiled(cache=False, forceinline=True)
def _end_edge(start: Any, k: int, entries: int) -> None:
    """start[k] = entries; nothing to None."""
    if start is not None:
        start[k] = entries


@compiled()
def free_edges(cells: Cells, last: SubproblemPass, place: Any, entries: int, start: Any) -> FreeEdges:
    """The free edges in movable rows at the point of `last`; place[R]: the number of each row among the movable, -1 of
    the others. entries: at least those of all cells. start: memory for that of the result.
    """
    lanes = last.curvature.size
    offsets, inv_free = np.zeros(lanes + 1, np.int64), np.empty(lanes)
    row, a = np.empty(entries, np.int32), np.empty(entries)
    state = (place, row, a)
    n = 0
    k = 0
    r = 0
    _end_edge(start, 0, 0)
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
                    before_edge = n
                    n = _add_entry(cells.index[e], cells.a[e], state, n)
                    n = fold(cells.more, e, _add_entry, state, n)
                    if n > before_edge:
                        k += 1
                        _end_edge(start, k, n)
            if k > before:
                inv_free[r] = 1.0 / free if last.curvature[lane] == CURVED_TIGHT else 0.0
                r += 1
                offsets[r] = k
    return FreeEdges(offsets[: r + 1], start, row[:n], a[:n], inv_free[:r])


@compiled()
def rebased(free: FreeEdges, parent: Any, ratio: Any) -> FreeEdges:
    """The same edges in the prices z of nested.py. parent[M], ratio[M]: those of each row, -1 without a parent."""
    start, row, a = np.empty_like(free.start), np.empty_like(free.row), np.empty_like(free.a)
    n = 0
    start[0] = 0
    for k in range(free.offsets[free.offsets.size - 1]):
        entries = range(free.start[k], free.start[k + 1])
        for m in entries:
            left = free.a[m]
            for child in entries:
                if parent[free.row[child]] == free.row[m]:
                    left -= ratio[free.row[child]] * free.a[child]
            if abs(left) > _ROUNDING * abs(free.a[m]):
                row[n] = free.row[m]
                a[n] = left
                n += 1
        start[k + 1] = n
    return FreeEdges(free.offsets, start, row[:n], a[:n], free.inv_free)


@compiled(cache=False, fastmath=FAST, forceinline=True)
def _rise(free: FreeEdges, start: Any, k: int, v: Any) -> float:
    """(A'v) of free edge k."""
    if start is None:
        lone: float = free.a[k] * v[free.row[k]]
        return lone
    rise = 0.0
    for n in range(start[k], start[k + 1]):
        rise += free.a[n] * v[free.row[n]]
    return rise


@compiled(cache=False, fastmath=FAST, forceinline=True)
def _spread(free: FreeEdges, start: Any, k: int, amount: float, out: Any) -> None:
    """out grows by A times `amount` of free edge k."""
    if start is None:
        out[free.row[k]] += free.a[k] * amount
    else:
        for n in range(start[k], start[k + 1]):
            out[free.row[n]] += free.a[n] * amount


@compiled(fastmath=FAST)
def hessian(free: FreeEdges, v: Any, out: Any) -> None:
    """out[M] = sum_i A_i P_i A_i' v"""
    out[:] = 0.0
    for r in range(free.inv_free.size):
        mean = 0.0
        for k in range(free.offsets[r], free.offsets[r + 1]):
            mean += _rise(free, free.start, k, v)
        mean *= free.inv_free[r]
        for k in range(free.offsets[r], free.offsets[r + 1]):
            _spread(free, free.start, k, _rise(free, free.start, k, v) - mean, out)


@compiled()
def diagonal(free: FreeEdges, out: Any) -> None:
    """out[M] = diagonal of sum_i A_i P_i A_i', where every edge has one entry and those of a source differ in row."""
    out[:] = 0.0
    for r in range(free.inv_free.size):
        for k in range(free.offsets[r], free.offsets[r + 1]):
            out[free.row[k]] += (1.0 - free.inv_free[r]) * free.a[k] * free.a[k]


@compiled(cache=False)
def _add_squares(free: FreeEdges, r: int, out: Any, sums: Any) -> None:
    """out[M] grows by sum_e a_e^2, sums[M] by sum_e a_e, over the free edges of source r; a_e: of all entries of edge e
    in the row.
    """
    for k in range(free.offsets[r], free.offsets[r + 1]):
        for n in range(free.start[k], free.start[k + 1]):
            row = free.row[n]
            a = free.a[n]
            for m in range(free.start[k], n):
                if free.row[m] == row:
                    out[row] += 2.0 * a * free.a[m]  # an edge may list a row twice
            out[row] += a * a
            sums[row] += a


@compiled()
def diagonal_of_entries(free: FreeEdges, out: Any, sums: Any) -> None:
    """The same where edges of one source share rows. sums[M]: zeros, and so again at the end."""
    out[:] = 0.0
    for r in range(free.inv_free.size):
        _add_squares(free, r, out, sums)
        for n in range(free.start[free.offsets[r]], free.start[free.offsets[r + 1]]):
            row = free.row[n]
            out[row] -= free.inv_free[r] * sums[row] * sums[row]
            sums[row] = 0.0


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

"""Loops over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.compiled import compiled
from solvers.engine.threads_jit import each

SIMPLEX, EQUALITY, BOX = 0, 1, 2
#: Shares of a loop over single sources.
_PIECES = 256


@compiled()
def _begin(first: int, last: int, piece: int) -> int:
    """Where a piece of first..last begins."""
    return first + (last - first) * piece // _PIECES


@compiled()
def _of(values: Any, source: int) -> Any:
    """The entry of a source, or the one that all share."""
    return values[np.int64(source) if values.size > 1 else np.int64(0)]


@compiled()
def _least(first: int, last: int, kind: int, radius: float, destination: Any, a: Any, c: Any, dual: Any) -> float:
    """min over C_i of (c + A'dual)_i'x."""
    low, total = np.inf, 0.0
    for e in range(first, last):
        q = np.float64(c[e]) + np.float64(a[e]) * dual[destination[e]]
        low = min(low, q)
        total += min(0.0, q)
    if kind == BOX:
        return radius * total
    if kind == SIMPLEX:
        return radius * min(0.0, low)
    return radius * low if last > first else (np.inf if radius > 0 else 0.0)


@compiled()
def _scale(first: int, last: int, kind: int, radius: float, x: Any) -> float:
    """Factor that brings max(x_i, 0) into C_i; a box is clipped instead, so its factor is 1."""
    total = 0.0
    for e in range(first, last):
        total += max(0.0, np.float64(x[e]))
    if kind == SIMPLEX:
        return radius / total if total > radius else 1.0
    if kind == EQUALITY:
        return radius / total if total > 0 else 0.0
    return 1.0


@compiled(cache=False)
def _certify_piece(
    piece: int, band: Any, offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, x: Any, dual: Any,
    bound: Any, loads: Any, values: Any,
) -> None:  # fmt: skip
    own_loads, own_values, total = loads[piece], values[piece], 0.0
    for i in range(band[piece], band[piece + 1]):
        first, last = offsets[i], offsets[i + 1]
        total += _least(first, last, _of(kind, i), _of(radius, i), destination, a, c, dual)
        factor = _scale(first, last, _of(kind, i), _of(radius, i), x)
        for e in range(first, last):
            feasible = max(0.0, np.float64(x[e])) * factor
            if _of(kind, i) == BOX:
                feasible = min(feasible, _of(radius, i))
            own_loads[destination[e]] += np.float64(a[e]) * feasible
            own_values[destination[e]] += np.float64(c[e]) * feasible
    bound[piece] = total


@compiled(nogil=True)
def certify(*pieces: Any) -> None:
    """What `_certify_piece` takes after its piece: bound[P], loads[P, J], values[P, J] of P pieces, the sources
    band[p]..band[p + 1] - 1.
    """
    each(0, pieces[0].size - 1, _certify_piece, pieces)


@compiled(cache=False)
def _scale_down_piece(
    piece: int, first: int, last: int, offsets: Any, destination: Any, kind: Any, radius: Any, factor: Any, x: Any
) -> None:
    for i in range(_begin(first, last, piece), _begin(first, last, piece + 1)):
        in_polytope = _scale(offsets[i], offsets[i + 1], _of(kind, i), _of(radius, i), x)
        for e in range(offsets[i], offsets[i + 1]):
            feasible = max(0.0, np.float64(x[e])) * in_polytope
            if _of(kind, i) == BOX:
                feasible = min(feasible, _of(radius, i))
            x[e] = feasible * factor[destination[e]]


@compiled(nogil=True)
def scale_down(*sources: Any) -> None:
    """x <- what `certify` judged, times factor[destination]: in C_i and, for factor = min(1, b / load), within b; takes
    what `_scale_down_piece` takes after its piece, for the sources first..last - 1.
    """
    each(0, _PIECES, _scale_down_piece, sources)


@compiled()
def fill_up(
    first: int, last: int, offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, dual: Any,
    slack: Any, x: Any,
) -> float:  # fmt: skip
    """Give every '=' source what it lacks, on its cheapest edges (c + A'dual) with slack; the mass not placed."""
    lacking = 0.0
    for i in range(first, last):
        if _of(kind, i) != EQUALITY:
            continue
        missing = _of(radius, i)
        for e in range(offsets[i], offsets[i + 1]):
            missing -= x[e]
        for _ in range(offsets[i + 1] - offsets[i]):
            if missing <= 0.0:
                break
            best, cost = -1, np.inf
            for e in range(offsets[i], offsets[i + 1]):
                j = destination[e]
                q = np.float64(c[e]) + np.float64(a[e]) * dual[j]
                if q < cost and (a[e] == 0 or slack[j] > 0.0):
                    best, cost = e, q
            if best < 0:
                break
            j = destination[best]
            room = missing if a[best] == 0 else min(missing, slack[j] / np.float64(a[best]))
            x[best] += room
            slack[j] = 0.0 if room < missing else slack[j] - room * np.float64(a[best])
            missing -= room
        lacking += max(0.0, missing)
    return lacking


@compiled(cache=False)
def _unsort_slice(s: int, slice_start: Any, slice_lane: Any, source: Any, offsets: Any, cells: Any, x: Any) -> None:
    lanes = slice_lane[s + 1] - slice_lane[s]
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        if i >= 0:
            for w in range(offsets[i + 1] - offsets[i]):
                x[offsets[i] + w] = cells[slice_start[s] + w * lanes + lane]


@compiled(nogil=True)
def unsort(*slices: Any) -> None:
    """What `_unsort_slice` takes after s: x[E] in the order of the instance from cells."""
    each(0, slices[0].size - 1, _unsort_slice, slices)


@compiled(cache=False)
def _sort_slice(s: int, slice_start: Any, slice_lane: Any, source: Any, offsets: Any, x: Any, cells: Any) -> None:
    lanes = slice_lane[s + 1] - slice_lane[s]
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        if i >= 0:
            for w in range(offsets[i + 1] - offsets[i]):
                cells[slice_start[s] + w * lanes + lane] = x[offsets[i] + w]


@compiled(nogil=True)
def sort(*slices: Any) -> None:
    """What `_sort_slice` takes after s: cells from x[E] in the order of the instance; cells without an edge stay."""
    each(0, slices[0].size - 1, _sort_slice, slices)


@compiled(cache=False)
def _ridge_piece(
    piece: int, first_source: int, last_source: int, offsets: Any, destination: Any, a: Any, c: Any, kind: Any,
    radius: Any, price: Any, step: float, x: Any,
) -> None:  # fmt: skip
    for i in range(_begin(first_source, last_source, piece), _begin(first_source, last_source, piece + 1)):
        first, last = offsets[i], offsets[i + 1]
        low = np.inf
        for e in range(first, last):
            low = min(low, np.float64(c[e]) + np.float64(a[e]) * price[destination[e]])
        t = -step * low - _of(radius, i)
        if _of(kind, i) == SIMPLEX:
            t = max(t, 0.0)
        if _of(kind, i) == BOX:
            t = 0.0
        active, before = 1, 0
        while _of(kind, i) != BOX and active != before:
            before, active, excess = active, 0, -_of(radius, i)
            for e in range(first, last):
                above = -step * (np.float64(c[e]) + np.float64(a[e]) * price[destination[e]]) - t
                if above > 0:
                    excess += above
                    active += 1
            t += max(0.0, excess / max(active, 1))
        for e in range(first, last):
            p = max(0.0, -step * (np.float64(c[e]) + np.float64(a[e]) * price[destination[e]]) - t)
            x[e] = min(p, _of(radius, i)) if _of(kind, i) == BOX else p


@compiled(nogil=True)
def ridge_point(*sources: Any) -> None:
    """What `_ridge_piece` takes after its piece: x_i = Proj_{C_i}(-step (c_i + a_i price)) in float64, stored as the
    type of x, for the sources first..last - 1; see cpu_jit.py.
    """
    each(0, _PIECES, _ridge_piece, sources)


@compiled()
def raise_to_ratio(first: int, last: int, destination: Any, a: Any, c: Any, top: Any) -> None:
    """top[J] becomes max(top, max_e -c_e / a_e); an edge without load sets no bound on its row."""
    for e in range(first, last):
        if a[e] > 0:
            top[destination[e]] = max(top[destination[e]], -np.float64(c[e]) / np.float64(a[e]))


@compiled()
def largest_objective(first: int, last: int, offsets: Any, c: Any, kind: Any, radius: Any) -> float:
    """sum_i max over C_i of c_i'x of the sources first..last - 1."""
    total = 0.0
    for i in range(first, last):
        high, positive = -np.inf, 0.0
        for e in range(offsets[i], offsets[i + 1]):
            high = max(high, np.float64(c[e]))
            positive += max(0.0, np.float64(c[e]))
        if _of(kind, i) == BOX:
            total += _of(radius, i) * positive
        elif offsets[i + 1] > offsets[i]:
            total += _of(radius, i) * (high if _of(kind, i) == EQUALITY else max(0.0, high))
    return total

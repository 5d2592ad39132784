"""Loops over the edges in the order of the instance, in float64, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays_jit import of_source
from solvers.engine.compiled import compiled
from solvers.engine.constants import SLIP, TINY
from solvers.engine.polytopes.kinds import BOX, EQUALITY, SIMPLEX
from solvers.engine.threads_jit import parallel_for

#: Shares of a loop over single sources.
_PIECES = 256


@compiled()
def _begin(first: int, last: int, piece: int) -> int:
    """Where a piece of first..last begins."""
    return first + (last - first) * piece // _PIECES


@compiled()
def lowered(c: float, rise: float) -> float:
    """At most c + a y for rise = a y >= 0 rounded: below the sum by more than its rounding."""
    return c if rise == 0 else c + rise - (SLIP * (abs(c) + rise) + TINY)


@compiled()
def _least(first: int, last: int, kind: int, radius: float, destination: Any, a: Any, c: Any, dual: Any) -> float:
    """At most min over C_i of (c + A'dual)_i'x, within rounding of it."""
    low, total = np.inf, 0.0
    for e in range(first, last):
        q = lowered(np.float64(c[e]), np.float64(a[e]) * dual[destination[e]])
        low = min(low, q)
        total += min(0.0, q)
    if kind == BOX:
        return radius * total
    if kind == SIMPLEX:
        return radius * min(0.0, low)
    return radius * low if last > first else (np.inf if radius > 0 else 0.0)


@compiled()
def _total(first: int, last: int, x: Any) -> float:
    """1'max(x_i, 0)."""
    total = 0.0
    for e in range(first, last):
        total += max(0.0, np.float64(x[e]))
    return total


@compiled()
def _scale(total: float, kind: int, radius: float) -> float:
    """Factor that brings max(x_i, 0) into C_i; a box is clipped instead, so its factor is 1."""
    if kind == SIMPLEX:
        return radius / total if total > radius else 1.0
    if kind == EQUALITY:
        return radius / total if total > 0 else 0.0
    return 1.0


@compiled(cache=False)
def _certify_piece(
    piece: int, band: Any, offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, x: Any, dual: Any,
    astray: float, sums: Any, loads: Any, values: Any,
) -> None:  # fmt: skip
    own_loads, own_values = loads[piece], values[piece]
    bound, bound_size, size, free, unserved = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(band[piece], band[piece + 1]):
        first, last, z = offsets[i], offsets[i + 1], of_source(radius, i)
        least = _least(first, last, of_source(kind, i), z, destination, a, c, dual)
        bound += least
        bound_size += abs(least)
        total = _total(first, last, x)
        factor = _scale(total, of_source(kind, i), z)
        if of_source(kind, i) == EQUALITY and not abs(total - z) <= astray * z:
            unserved += 1.0
        for e in range(first, last):
            feasible = max(0.0, np.float64(x[e])) * factor
            if of_source(kind, i) == BOX:
                feasible = min(feasible, z)
            value = np.float64(c[e]) * feasible
            size += abs(value)
            if a[e] > 0:
                own_loads[destination[e]] += np.float64(a[e]) * feasible
                own_values[destination[e]] += value
            else:
                free += value
    sums[piece, 0] = bound
    sums[piece, 1] = bound_size
    sums[piece, 2] = size
    sums[piece, 3] = free
    sums[piece, 4] = unserved


@compiled(nogil=True)
def certify(*pieces: Any) -> None:
    """What `_certify_piece` takes after its piece: sums[P, 5], loads[P, J], values[P, J] of P pieces, the sources
    band[p]..band[p + 1] - 1.

    sums: of the least (c + A'dual)_i'x and of their sizes, of |c_e p_e|, of c_e p_e on edges without load, which count
    in no row, and the number of '=' sources whose sum misses z by more than the share `astray` of it.
    """
    parallel_for(0, pieces[0].size - 1, _certify_piece, pieces)


@compiled(cache=False)
def _scale_down_piece(
    piece: int, first: int, last: int, offsets: Any, destination: Any, a: Any, kind: Any, radius: Any, factor: Any,
    x: Any,
) -> None:  # fmt: skip
    for i in range(_begin(first, last, piece), _begin(first, last, piece + 1)):
        in_polytope = _scale(_total(offsets[i], offsets[i + 1], x), of_source(kind, i), of_source(radius, i))
        for e in range(offsets[i], offsets[i + 1]):
            feasible = max(0.0, np.float64(x[e])) * in_polytope
            if of_source(kind, i) == BOX:
                feasible = min(feasible, of_source(radius, i))
            x[e] = feasible * factor[destination[e]] if a[e] > 0 else feasible


@compiled(nogil=True)
def scale_down(*sources: Any) -> None:
    """x <- what `certify` judged, times factor[destination] where an edge has load: in C_i and, for factor =
    min(1, b / load), within b; takes what `_scale_down_piece` takes after its piece, for the sources first..last - 1.
    """
    parallel_for(0, _PIECES, _scale_down_piece, sources)


@compiled()
def fill_up(
    first: int, last: int, offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, dual: Any,
    slack: Any, enough: float, x: Any,
) -> int:  # fmt: skip
    """Give every '=' source what it lacks, on its cheapest edges (c + A'dual) with slack; the number of those that
    lack more than the share `enough` of z even so.
    """
    lacking = 0
    for i in range(first, last):
        if of_source(kind, i) != EQUALITY:
            continue
        missing = of_source(radius, i)
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
        lacking += missing > enough * of_source(radius, i)
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
    parallel_for(0, slices[0].size - 1, _unsort_slice, slices)


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
    parallel_for(0, slices[0].size - 1, _sort_slice, slices)


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
        # v_e = -step q_e is counted from the largest, -step low: z would be lost in a large v
        t = -of_source(radius, i)
        if of_source(kind, i) == SIMPLEX:
            t = max(t, step * low)
        active, before = 1, 0
        while of_source(kind, i) != BOX and active != before:
            before, active, excess = active, 0, -of_source(radius, i)
            for e in range(first, last):
                q = np.float64(c[e]) + np.float64(a[e]) * price[destination[e]]
                above = -step * (q - low) - t
                if above > 0:
                    excess += above
                    active += 1
            t += max(0.0, excess / max(active, 1))
        for e in range(first, last):
            q = np.float64(c[e]) + np.float64(a[e]) * price[destination[e]]
            p = max(0.0, -step * q if of_source(kind, i) == BOX else -step * (q - low) - t)
            x[e] = min(p, of_source(radius, i)) if of_source(kind, i) == BOX else p


@compiled(nogil=True)
def ridge_point(*sources: Any) -> None:
    """What `_ridge_piece` takes after its piece: x_i = Proj_{C_i}(-step (c_i + a_i price)) in float64, stored as the
    type of x, for the sources first..last - 1; see cpu_jit.py.
    """
    parallel_for(0, _PIECES, _ridge_piece, sources)


@compiled()
def raise_to_ratio(first: int, last: int, destination: Any, a: Any, c: Any, top: Any) -> None:
    """top[J] becomes max(top, max_e -c_e / a_e); an edge without load sets no bound on its row."""
    for e in range(first, last):
        if a[e] > 0:
            top[destination[e]] = max(top[destination[e]], -np.float64(c[e]) / np.float64(a[e]))


@compiled()
def lower_to_moves(
    first: int, last: int, edges: Any, x: Any, excess: Any, slack: Any, total: float, cheapest: Any
) -> None:
    """cheapest[J] becomes min(cheapest, what moving a unit of load from an edge in use, which carries twice the excess
    of its row, to another edge of its source costs); where the source need not be served the load may vanish.

    An edge takes the load only where its row has slack for the excess of all rows together.
    """
    destination, a, c = edges.destination, edges.a, edges.c
    for i in range(first, last):
        least_a = np.inf
        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            over = excess[destination[e]]
            if over > 0 and np.float64(a[e]) * x[e] >= 2 * over:
                least_a = min(least_a, np.float64(a[e]))
        if least_a == np.inf:
            continue

        goal = np.inf if of_source(edges.kind, i) == EQUALITY else 0.0
        if of_source(edges.kind, i) != BOX:
            for e in range(edges.offsets[i], edges.offsets[i + 1]):
                if a[e] == 0 or a[e] * total <= slack[destination[e]] * least_a:
                    goal = min(goal, np.float64(c[e]))

        for e in range(edges.offsets[i], edges.offsets[i + 1]):
            j = destination[e]
            if excess[j] > 0 and np.float64(a[e]) * x[e] >= 2 * excess[j]:
                cheapest[j] = min(cheapest[j], max(0.0, goal - np.float64(c[e])) / np.float64(a[e]))


@compiled()
def raise_to_moves(
    first: int, last: int, offsets: Any, destination: Any, a: Any, c: Any, kind: Any, x: Any, worth: Any
) -> None:
    """worth[J] becomes max(worth, what taking a unit of load off an edge in use costs): x goes to the dearest edge of
    its source, or away where the source need not be served.
    """
    for i in range(first, last):
        dearest = -np.inf if of_source(kind, i) == EQUALITY else 0.0
        if of_source(kind, i) != BOX:
            for e in range(offsets[i], offsets[i + 1]):
                dearest = max(dearest, np.float64(c[e]))
        for e in range(offsets[i], offsets[i + 1]):
            if x[e] > 0 and a[e] > 0:
                saved = (dearest - np.float64(c[e])) / np.float64(a[e])
                worth[destination[e]] = max(worth[destination[e]], saved)


@compiled()
def largest_objective(first: int, last: int, offsets: Any, c: Any, kind: Any, radius: Any) -> float:
    """sum_i max over C_i of c_i'x of the sources first..last - 1."""
    total = 0.0
    for i in range(first, last):
        high, positive = -np.inf, 0.0
        for e in range(offsets[i], offsets[i + 1]):
            high = max(high, np.float64(c[e]))
            positive += max(0.0, np.float64(c[e]))
        if of_source(kind, i) == BOX:
            total += of_source(radius, i) * positive
        elif offsets[i + 1] > offsets[i]:
            total += of_source(radius, i) * (high if of_source(kind, i) == EQUALITY else max(0.0, high))
    return total

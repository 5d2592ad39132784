"""The loops that build a layout, compiled by Numba (import late); words as in layout.py."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import Cells, EdgeArrays
from solvers.engine.arrays_jit import of_source
from solvers.engine.compiled import compiled
from solvers.engine.constants import LANES, PAD_COST, PADDING, SLICE_CELLS
from solvers.engine.families_jit import fold
from solvers.engine.polytopes.kinds import BOX_CUT_EQUALITY, EQUALITY, KINDS
from solvers.engine.threads_jit import parallel_for


@compiled()
def sort_sources(offsets: Any, kind: Any, first: int, last: int) -> Any:
    """The sources first..last - 1 that have edges, by kind and then degree, stable: a counting sort."""
    largest = 0
    for i in range(first, last):
        largest = max(largest, offsets[i + 1] - offsets[i])
    place = np.zeros(KINDS * (largest + 1) + 1, np.int64)
    used = 0
    for i in range(first, last):
        degree = offsets[i + 1] - offsets[i]
        if degree:
            place[of_source(kind, i) * (largest + 1) + degree + 1] += 1
            used += 1
    place = np.cumsum(place)

    order = np.empty(used, np.int64)
    for i in range(first, last):
        degree = offsets[i + 1] - offsets[i]
        if degree:
            at = of_source(kind, i) * (largest + 1) + degree
            order[place[at]] = i
            place[at] += 1
    return order


@compiled(cache=False)
def _lanes_at(at: int, offsets: Any, kind: Any, order: Any) -> Any:
    """Lanes, sources and width of the slice that starts with source order[at]."""
    for lanes in LANES:
        last = at
        edges = 0
        while last < order.size and last < at + lanes and of_source(kind, order[last]) == of_source(kind, order[at]):
            edges += offsets[order[last] + 1] - offsets[order[last]]
            last += 1
        width = offsets[order[last - 1] + 1] - offsets[order[last - 1]]
        if lanes == 1 or (lanes * width <= PADDING * edges and lanes * width <= SLICE_CELLS):
            return lanes, last - at, width
    return 1, 1, 0


@compiled()
def cut(offsets: Any, kind: Any, order: Any) -> Any:
    """slice_start, slice_lane, slice_kind of the sorted sources."""
    start = np.zeros(order.size + 1, np.int64)
    lane = np.zeros(order.size + 1, np.int64)
    kinds = np.zeros(order.size, np.uint8)
    at = 0
    s = 0
    while at < order.size:
        lanes, taken, width = _lanes_at(at, offsets, kind, order)
        start[s + 1] = start[s] + lanes * width
        lane[s + 1] = lane[s] + lanes
        kinds[s] = of_source(kind, order[at])
        at += taken
        s += 1
    return start[: s + 1].copy(), lane[: s + 1].copy(), kinds[:s].copy()


@compiled(nogil=True)
def measure(first: int, last: int, edges: EdgeArrays, band_source: Any, sizes: Any) -> None:
    """sizes[k] = slices, lanes and cells of band k, for k = first..last - 1."""
    parallel_for(first, last, _measure_band, (edges, band_source, sizes))


@compiled(cache=False)
def _measure_band(k: int, edges: EdgeArrays, band_source: Any, sizes: Any) -> None:
    order = sort_sources(edges.offsets, edges.kind, band_source[k], band_source[k + 1])
    start, lane, kinds = cut(edges.offsets, edges.kind, order)
    sizes[k, 0] = kinds.size
    sizes[k, 1] = lane[-1]
    sizes[k, 2] = start[-1]


@compiled(nogil=True)
def fill(first: int, last: int, edges: EdgeArrays, band_source: Any, before: Any, cells: Cells, source: Any) -> None:
    """Fill the cells and sources of the bands first..last - 1; before[k]: slices, lanes and cells before band k."""
    parallel_for(first, last, _fill_band, (edges, band_source, before, cells, source))


@compiled(cache=False)
def _fill_band(k: int, edges: EdgeArrays, band_source: Any, before: Any, cells: Cells, source: Any) -> None:
    order = sort_sources(edges.offsets, edges.kind, band_source[k], band_source[k + 1])
    start, lane, kinds = cut(edges.offsets, edges.kind, order)
    first_slice = before[k, 0]
    last_slice = before[k + 1, 0]
    for s in range(start.size):
        cells.slice_start[first_slice + s] = start[s] + before[k, 2]
        cells.slice_lane[first_slice + s] = lane[s] + before[k, 1]
    for s in range(kinds.size):
        cells.slice_kind[first_slice + s] = kinds[s]
    fill_lanes(order, edges.kind, edges.radius, cells, first_slice, last_slice, source)
    for s in range(first_slice, last_slice):
        _fill_slice(s, edges, cells, source)


@compiled()
def fill_lanes(
    order: Any, kind: Any, radius: Any, cells: Cells, first_slice: int, last_slice: int, source: Any
) -> None:
    """Source of each lane, -1 where there is none because the kind changes before the slice is full, and its radius."""
    at = 0
    for s in range(first_slice, last_slice):
        for lane in range(cells.slice_lane[s], cells.slice_lane[s + 1]):
            source[lane] = -1
            cells.radius[lane] = 0
            if at < order.size and of_source(kind, order[at]) == cells.slice_kind[s]:
                source[lane] = order[at]
                cells.radius[lane] = of_source(radius, order[at])
                at += 1


@compiled()
def fill_upper(first: int, last: int, source: Any, upper: Any, lane_upper: Any) -> None:
    """u of the lanes first..last - 1, 0 in an empty one."""
    for lane in range(first, last):
        lane_upper[lane] = of_source(upper, source[lane]) if source[lane] >= 0 else 0.0


@compiled(cache=False)
def _fill_slice(s: int, edges: EdgeArrays, cells: Cells, source: Any) -> None:
    start = cells.slice_start[s]
    lanes = cells.slice_lane[s + 1] - cells.slice_lane[s]
    width = (cells.slice_start[s + 1] - start) // lanes
    for lane in range(lanes):
        i = source[cells.slice_lane[s] + lane]
        first = 0
        degree = 0
        if i >= 0:
            first = edges.offsets[i]
            degree = edges.offsets[i + 1] - first
        for w in range(width):
            k = start + w * lanes + lane
            if w < degree:
                cells.index[k] = edges.destination[first + w]
                cells.a[k] = edges.a[first + w]
                cells.c[k] = edges.c[first + w]
            else:
                cells.index[k] = 0
                cells.a[k] = 0
                cells.c[k] = PAD_COST


@compiled()
def equalities(edges: EdgeArrays, first: int, last: int) -> Any:
    """Whether there are '=' sources among first..last - 1, and whether the edges of one cannot take its z."""
    present = False
    infeasible = False
    for i in range(first, last):
        kind = of_source(edges.kind, i)
        degree = edges.offsets[i + 1] - edges.offsets[i]
        if kind == EQUALITY:
            present = True
            infeasible = infeasible or (of_source(edges.radius, i) > 0 and degree == 0)
        elif kind == BOX_CUT_EQUALITY:
            present = True
            infeasible = infeasible or of_source(edges.radius, i) > of_source(edges.upper, i) * degree
    return present, infeasible


@compiled(nogil=True)
def norms(first: int, last: int, edges: EdgeArrays, band_source: Any, squares: Any, costs: Any) -> None:
    """squares[k, R] = sum of a^2 by row, costs[k] = sum of c_e^2, of the bands k = first..last - 1."""
    parallel_for(first, last, _norms_of_band, (edges, band_source, squares, costs))


@compiled(cache=False)
def _norms_of_band(k: int, edges: EdgeArrays, band_source: Any, squares: Any, costs: Any) -> None:
    cost = 0.0
    for e in range(edges.offsets[band_source[k]], edges.offsets[band_source[k + 1]]):
        squares[k, edges.destination[e]] += np.float64(edges.a[e]) * np.float64(edges.a[e])
        fold(edges.more, e, _add_square, squares[k], 0.0)
        cost += np.float64(edges.c[e]) * np.float64(edges.c[e])
    costs[k] = cost


@compiled(cache=False, forceinline=True)
def _add_square(row: int, a: Any, squares: Any, value: float) -> float:
    squares[row] += np.float64(a) * np.float64(a)
    return value

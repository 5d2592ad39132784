"""The loops that build a layout, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays_jit import of_source
from solvers.engine.compiled import compiled
from solvers.engine.polytopes.kinds import EQUALITY, KINDS
from solvers.engine.threads_jit import parallel_for


@compiled()
def sort_sources(offsets: Any, kind: Any, first: int, last: int) -> Any:
    """The sources first..last - 1 that have edges, by kind and then degree, stable: a counting sort."""
    most = 0
    for i in range(first, last):
        most = max(most, offsets[i + 1] - offsets[i])
    place = np.zeros(KINDS * (most + 1) + 1, np.int64)
    used = 0
    for i in range(first, last):
        degree = offsets[i + 1] - offsets[i]
        if degree:
            place[of_source(kind, i) * (most + 1) + degree + 1] += 1
            used += 1
    place = np.cumsum(place)
    order = np.empty(used, np.int64)
    for i in range(first, last):
        degree = offsets[i + 1] - offsets[i]
        if degree:
            at = of_source(kind, i) * (most + 1) + degree
            order[place[at]] = i
            place[at] += 1
    return order


@compiled()
def _lanes_at(at: int, offsets: Any, kind: Any, order: Any, choices: Any, most_cells: int, padding: float) -> Any:
    """Lanes, sources and width of the slice that starts with source order[at]."""
    for lanes in choices:
        last, edges = at, 0
        while last < order.size and last < at + lanes and of_source(kind, order[last]) == of_source(kind, order[at]):
            edges += offsets[order[last] + 1] - offsets[order[last]]
            last += 1
        width = offsets[order[last - 1] + 1] - offsets[order[last - 1]]
        if lanes == 1 or (lanes * width <= padding * edges and lanes * width <= most_cells):
            return lanes, last - at, width
    return 1, 1, 0


@compiled()
def cut(offsets: Any, kind: Any, order: Any, choices: Any, most_cells: int, padding: float) -> Any:
    """slice_start, slice_lane, slice_kind of the sorted sources."""
    start, lane = np.zeros(order.size + 1, np.int64), np.zeros(order.size + 1, np.int64)
    kinds = np.zeros(order.size, np.uint8)
    at, s = 0, 0
    while at < order.size:
        lanes, taken, width = _lanes_at(at, offsets, kind, order, choices, most_cells, padding)
        start[s + 1], lane[s + 1], kinds[s] = start[s] + lanes * width, lane[s] + lanes, of_source(kind, order[at])
        at += taken
        s += 1
    return start[: s + 1].copy(), lane[: s + 1].copy(), kinds[:s].copy()


@compiled(cache=False)
def _measure_band(
    k: int, offsets: Any, kind: Any, band: Any, choices: Any, most_cells: int, padding: float, sizes: Any
) -> None:
    order = sort_sources(offsets, kind, band[k], band[k + 1])
    start, lane, kinds = cut(offsets, kind, order, choices, most_cells, padding)
    sizes[k, 0], sizes[k, 1], sizes[k, 2] = kinds.size, lane[-1], start[-1]


@compiled(nogil=True)
def measure(first: int, last: int, *bands: Any) -> None:
    """What `_measure_band` takes after k: sizes[k] = slices, lanes and cells of band k, for first..last - 1."""
    parallel_for(first, last, _measure_band, bands)


@compiled(cache=False)
def _fill_band(
    k: int, offsets: Any, destination: Any, a: Any, c: Any, kind: Any, radius: Any, band: Any,
    choices: Any, most_cells: int, padding: float, pad_cost: float, at: Any,
    slice_start: Any, slice_lane: Any, slice_kind: Any, source: Any, lane_radius: Any,
    cell_index: Any, cell_a: Any, cell_c: Any,
) -> None:  # fmt: skip
    """Band k has the slices, lanes and cells from at[k] on."""
    order = sort_sources(offsets, kind, band[k], band[k + 1])
    start, lane, kinds = cut(offsets, kind, order, choices, most_cells, padding)
    first_slice, last_slice = at[k, 0], at[k + 1, 0]
    for s in range(start.size):
        slice_start[first_slice + s] = start[s] + at[k, 2]
        slice_lane[first_slice + s] = lane[s] + at[k, 1]
    for s in range(kinds.size):
        slice_kind[first_slice + s] = kinds[s]
    fill_lanes(order, kind, radius, slice_lane, slice_kind, first_slice, last_slice, source, lane_radius)
    for s in range(first_slice, last_slice):
        _fill_slice(
            s, offsets, destination, a, c, slice_start, slice_lane, source, cell_index, cell_a, cell_c, pad_cost
        )


@compiled(nogil=True)
def fill(first: int, last: int, *bands: Any) -> None:
    """What `_fill_band` takes after k, for the bands first..last - 1."""
    parallel_for(first, last, _fill_band, bands)


@compiled()
def fill_lanes(
    order: Any, kind: Any, radius: Any, slice_lane: Any, slice_kind: Any, first_slice: int, last_slice: int,
    source: Any, lane_radius: Any,
) -> None:  # fmt: skip
    """Source of each lane, -1 where there is none (a slice ends early where the kind changes), and its radius."""
    at = 0
    for s in range(first_slice, last_slice):
        for lane in range(slice_lane[s], slice_lane[s + 1]):
            source[lane], lane_radius[lane] = -1, 0
            if at < order.size and of_source(kind, order[at]) == slice_kind[s]:
                source[lane] = order[at]
                lane_radius[lane] = of_source(radius, order[at])
                at += 1


@compiled()
def _fill_slice(
    s: int, offsets: Any, destination: Any, a: Any, c: Any, slice_start: Any, slice_lane: Any, source: Any,
    cell_index: Any, cell_a: Any, cell_c: Any, pad_cost: float,
) -> None:  # fmt: skip
    lanes = slice_lane[s + 1] - slice_lane[s]
    width = (slice_start[s + 1] - slice_start[s]) // lanes
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        first, degree = 0, 0
        if i >= 0:
            first, degree = offsets[i], offsets[i + 1] - offsets[i]
        for w in range(width):
            k = slice_start[s] + w * lanes + lane
            if w < degree:
                cell_index[k] = destination[first + w]
                cell_a[k], cell_c[k] = a[first + w], c[first + w]
            else:
                cell_index[k], cell_a[k], cell_c[k] = 0, 0, pad_cost


@compiled()
def equalities(offsets: Any, kind: Any, radius: Any, first: int, last: int) -> Any:
    """Whether there are '=' sources among first..last - 1, and whether one has z > 0 and no edge."""
    some, hopeless = False, False
    for i in range(first, last):
        if of_source(kind, i) == EQUALITY:
            some = True
            hopeless = hopeless or (of_source(radius, i) > 0 and offsets[i + 1] == offsets[i])
    return some, hopeless


@compiled(cache=False)
def _norms_of_band(k: int, offsets: Any, destination: Any, a: Any, c: Any, band: Any, squares: Any, costs: Any) -> None:
    cost = 0.0
    for e in range(offsets[band[k]], offsets[band[k + 1]]):
        squares[k, destination[e]] += np.float64(a[e]) * np.float64(a[e])
        cost += np.float64(c[e]) * np.float64(c[e])
    costs[k] = cost


@compiled(nogil=True)
def norms(first: int, last: int, *bands: Any) -> None:
    """What `_norms_of_band` takes after k: sum a_e^2 by destination, and sum c_e^2, of the bands first..last - 1."""
    parallel_for(first, last, _norms_of_band, bands)

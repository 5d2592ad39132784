"""The loops that build a layout, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from solvers.engine.compiled import compiled

_KINDS = 3


@compiled()
def _of(values: Any, source: int) -> Any:
    """The entry of a source, or the one that all share."""
    return values[np.int64(source) if values.size > 1 else np.int64(0)]


@compiled()
def sort_sources(offsets: Any, kind: Any, wide: Any) -> Any:
    """Sources that have edges, by kind and then degree, stable: a counting sort. They have the type of `wide`."""
    sources = offsets.size - 1
    most = 0
    for i in range(sources):
        most = max(most, offsets[i + 1] - offsets[i])
    place = np.zeros(_KINDS * (most + 1) + 1, np.int64)
    used = 0
    for i in range(sources):
        degree = offsets[i + 1] - offsets[i]
        if degree:
            place[_of(kind, i) * (most + 1) + degree + 1] += 1
            used += 1
    place = np.cumsum(place)
    order = np.empty(used, wide.dtype)
    for i in range(sources):
        degree = offsets[i + 1] - offsets[i]
        if degree:
            at = _of(kind, i) * (most + 1) + degree
            order[place[at]] = i
            place[at] += 1
    return order


@compiled()
def _lanes_at(at: int, offsets: Any, kind: Any, order: Any, choices: Any, most_cells: int, padding: float) -> Any:
    """Lanes, sources and width of the slice that starts with source order[at]."""
    for lanes in choices:
        last, edges = at, 0
        while last < order.size and last < at + lanes and _of(kind, order[last]) == _of(kind, order[at]):
            edges += offsets[order[last] + 1] - offsets[order[last]]
            last += 1
        width = offsets[order[last - 1] + 1] - offsets[order[last - 1]]
        if lanes == 1 or (lanes * width <= padding * edges and lanes * width <= most_cells):
            return lanes, last - at, width
    return 1, 1, 0


@compiled()
def cut(offsets: Any, kind: Any, order: Any, choices: Any, most_cells: int, padding: float) -> Any:
    """slice_start, slice_lane, slice_kind of the sorted sources."""
    at, slices = 0, 0
    while at < order.size:
        at += _lanes_at(at, offsets, kind, order, choices, most_cells, padding)[1]
        slices += 1
    start, lane = np.zeros(slices + 1, np.int64), np.zeros(slices + 1, np.int64)
    kinds = np.zeros(slices, np.uint8)
    at = 0
    for s in range(slices):
        lanes, taken, width = _lanes_at(at, offsets, kind, order, choices, most_cells, padding)
        start[s + 1], lane[s + 1], kinds[s] = start[s] + lanes * width, lane[s] + lanes, _of(kind, order[at])
        at += taken
    return start, lane, kinds


@compiled()
def fill_lanes(order: Any, kind: Any, slice_lane: Any, slice_kind: Any, source: Any) -> None:
    """Source of each lane, -1 where there is none (a slice ends early where the kind changes)."""
    at = 0
    for s in range(slice_kind.size):
        for lane in range(slice_lane[s], slice_lane[s + 1]):
            source[lane] = -1
            if at < order.size and _of(kind, order[at]) == slice_kind[s]:
                source[lane] = order[at]
                at += 1


@compiled()
def fill_radii(source: Any, radius: Any, lane_radius: Any) -> None:
    """Radius of each lane, 0 where it is empty."""
    for lane in range(source.size):
        lane_radius[lane] = _of(radius, source[lane]) if source[lane] >= 0 else 0


@compiled()
def equalities(offsets: Any, kind: Any, radius: Any, equality: int) -> Any:
    """Whether there are '=' sources, and whether one has z > 0 and no edge."""
    some, hopeless = False, False
    for i in range(offsets.size - 1):
        if _of(kind, i) == equality:
            some = True
            hopeless = hopeless or (_of(radius, i) > 0 and offsets[i + 1] == offsets[i])
    return some, hopeless


@compiled(parallel=True)
def fill_cells(
    offsets: Any, destination: Any, a: Any, c: Any, slice_start: Any, slice_lane: Any, source: Any,
    cell_index: Any, cell_a: Any, cell_c: Any, pad_cost: float,
) -> None:  # fmt: skip
    for s in numba.prange(slice_start.size - 1):
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


@compiled(parallel=True)
def norms(destination: Any, a: Any, c: Any, pieces: int, destinations: int) -> Any:
    """sum a_e^2 by destination, and sum c_e^2, of each piece of the edges."""
    squares, costs = np.zeros((pieces, destinations)), np.zeros(pieces)
    for piece in numba.prange(pieces):
        cost = 0.0
        for e in range(a.size * piece // pieces, a.size * (piece + 1) // pieces):
            squares[piece, destination[e]] += np.float64(a[e]) * np.float64(a[e])
            cost += np.float64(c[e]) * np.float64(c[e])
        costs[piece] = cost
    return squares, costs

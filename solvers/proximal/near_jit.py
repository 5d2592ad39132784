"""The edges that can become free near a point, cut out of the cells of a layout, compiled by Numba (import late).

See passes_jit.py for z and x, arrays.py for the records.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import Cells
from solvers.engine.arrays_jit import empty_like
from solvers.engine.compiled import compiled
from solvers.engine.constants import PAD_COST
from solvers.engine.families_jit import fold
from solvers.engine.polytopes.lanes_jit import FAST, LaneEdges, is_slack, mark_near, most_of_edge, number_of, value_of
from solvers.engine.threads_jit import parallel_for
from solvers.proximal.arrays import FullPass, NearLanes, ProximalStep

#: A cell with a smaller cost holds an edge. Half of PAD_COST, because float32 rounds that. An edge that costs more
#: counts as padding: it is active only where its source has no other edge, and such a source never changes.
_EDGE_COST = PAD_COST / 2


@compiled(cache=False, forceinline=True)
def _is_near(margin: float, reach: float) -> bool:
    """The one test by which lanes are counted and then collected: a margin or a reach that is NaN counts as far."""
    return margin <= reach


@compiled(cache=False)
def _count(band: int, cells: Cells, margin: Any, reach: float, lanes_of: Any, cells_of: Any) -> None:
    """Entry band + 1 of each: the near lanes of the band, and their cells."""
    near_lanes = 0
    near_cells = 0
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        near = 0
        for lane in range(cells.slice_lane[s], cells.slice_lane[s + 1]):
            near += _is_near(margin[lane], reach)
        near_lanes += near
        near_cells += near * _width(cells, s)
    lanes_of[band + 1] = near_lanes
    cells_of[band + 1] = near_cells


@compiled(cache=False, forceinline=True)
def _width(cells: Cells, s: int) -> int:
    width: int = (cells.slice_start[s + 1] - cells.slice_start[s]) // (cells.slice_lane[s + 1] - cells.slice_lane[s])
    return width


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def add_rise(row: int, a: Any, price: Any, q: float) -> float:
    """q and what an entry adds to it, for `fold`."""
    rise: float = np.float64(a) * price[row]
    return q + rise


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def _add_load(row: int, a: Any, loads: Any, x: float) -> float:
    loads[row] += np.float64(a) * x
    return x


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _load_lane(s: int, lane: int, cells: Cells, at: ProximalStep, reach: Any, out: LaneEdges) -> int:
    """z and reach of the edges of one lane of slice s, and how many edges these are."""
    n = 0
    first_lane = cells.slice_lane[s]
    lanes = cells.slice_lane[s + 1] - first_lane
    for k in range(cells.slice_start[s] + lane - first_lane, cells.slice_start[s + 1], lanes):
        if cells.c[k] < _EDGE_COST:
            q = cells.c[k] + cells.a[k] * at.price[cells.index[k]]
            out.z[n] = at.centre[k] - at.step * fold(cells.more, k, add_rise, at.price, q)
            out.reach[n] = reach[k]
            out.cell[n] = k
            n += 1
    return n


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _collect(
    band: int, cells: Cells, at: ProximalStep, last: FullPass, reach: float, lanes_before: Any, cells_before: Any,
    near: NearLanes,
) -> None:  # fmt: skip
    """The near edges of the band, lane by lane, and their loads."""
    width = 1
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        width = max(width, _width(cells, s))
    edges = LaneEdges(
        np.empty(width), np.empty(width), np.empty(width), np.empty(width, np.int64), np.empty(width, np.bool_)
    )
    loads = near.loads[band]
    loads[:] = 0.0
    r = lanes_before[band]
    k = cells_before[band]
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        kind = cells.slice_kind[s]
        for lane in range(cells.slice_lane[s], cells.slice_lane[s + 1]):
            if not _is_near(last.margin[lane], reach):
                continue
            radius = np.float64(cells.radius[lane])
            most = most_of_edge(kind, radius, number_of(cells.upper, lane))
            n = _load_lane(s, lane, cells, at, last.reach, edges)
            for t in range(n):
                edges.x[t] = value_of(edges.z[t], last.tau[lane], most)
            held = mark_near(edges, n, kind, most, last.tau[lane], at.step * reach)

            near.first[r] = k
            for t in range(n):
                if edges.near[t]:
                    e = edges.cell[t]
                    near.cell[k] = e
                    loads[cells.index[e]] += np.float64(cells.a[e]) * edges.x[t]
                    fold(cells.more, e, _add_load, loads, edges.x[t])
                    k += 1
            near.count[r] = k - near.first[r]
            near.kind[r] = kind
            near.radius[r] = max(0.0, radius - held)
            _put(near.upper, r, most)
            r += 1


@compiled(cache=False, forceinline=True)
def _put(numbers: Any, at: int, value: float) -> None:
    """numbers[at] = value; nothing to None."""
    if numbers is not None:
        numbers[at] = value


@compiled(nogil=True)
def near_edges(cells: Cells, at: ProximalStep, last: FullPass, reach: float, loads: Any) -> NearLanes:
    """The edges that can become free while no price moves by more than `reach`; last: the full pass at this point;
    loads[C, J]: memory for those of the near edges.
    """
    bands = cells.band_slice.size - 1
    lanes_before, cells_before = np.zeros(bands + 1, np.int64), np.zeros(bands + 1, np.int64)
    parallel_for(0, bands, _count, (cells, last.margin, reach, lanes_before, cells_before))
    for band in range(bands):
        lanes_before[band + 1] += lanes_before[band]
        cells_before[band + 1] += cells_before[band]

    lanes = lanes_before[-1]
    near = NearLanes(
        np.empty(cells_before[-1], np.int64),
        np.empty(lanes, np.int64),
        np.empty(lanes, np.int64),
        np.empty(lanes, cells.slice_kind.dtype),
        np.empty(lanes, cells.radius.dtype),
        empty_like(cells.upper, lanes),
        loads,
    )
    parallel_for(0, bands, _collect, (cells, at, last, reach, lanes_before, cells_before, near))
    return near


@compiled(cache=False)
def _gather_slice(s: int, near: NearLanes, source: Any, cells: Cells, centre: Any, sub: Cells, sub_centre: Any) -> None:
    first_lane = sub.slice_lane[s]
    lanes = sub.slice_lane[s + 1] - first_lane
    for lane in range(first_lane, first_lane + lanes):
        r = source[lane]
        first_cell = sub.slice_start[s] + lane - first_lane
        for k in range(first_cell, sub.slice_start[s + 1], lanes):
            n = (k - first_cell) // lanes
            if r >= 0 and n < near.count[r]:
                e = near.cell[near.first[r] + n]
                sub.index[k] = cells.index[e]
                sub.a[k] = cells.a[e]
                sub.c[k] = cells.c[e]
                sub_centre[k] = centre[e]
            else:
                sub.index[k] = 0
                sub.a[k] = 0.0
                sub.c[k] = PAD_COST
                sub_centre[k] = 0.0


@compiled(nogil=True)
def gather(near: NearLanes, source: Any, cells: Cells, centre: Any, sub: Cells, sub_centre: Any) -> None:
    """Fill the cells and the centre of a subproblem from those of the layout; source[L]: the near lane of each of its
    lanes, -1 where there is none.
    """
    parallel_for(0, sub.slice_kind.size, _gather_slice, (near, source, cells, centre, sub, sub_centre))


@compiled(fastmath=FAST, error_model="numpy")
def slack_share(cells: Cells, at: ProximalStep, stride: int) -> tuple[int, int]:
    """Of every `stride`-th lane how many leave a part of their limit unused (see is_slack), and of how many."""
    slack = 0
    seen = 0
    for s in range(cells.slice_kind.size):
        first_lane = cells.slice_lane[s]
        lanes = cells.slice_lane[s + 1] - first_lane
        for t in range(-first_lane % stride, lanes, stride):
            upper = number_of(cells.upper, first_lane + t)
            most = most_of_edge(cells.slice_kind[s], np.inf, upper)
            total_x = 0.0
            for k in range(cells.slice_start[s] + t, cells.slice_start[s + 1], lanes):
                q = cells.c[k] + cells.a[k] * at.price[cells.index[k]]
                q = fold(cells.more, k, add_rise, at.price, q)
                total_x += value_of(at.centre[k] - at.step * q, 0.0, most)
            slack += is_slack(total_x, cells.radius[first_lane + t], cells.slice_kind[s])
            seen += cells.radius[first_lane + t] > 0.0
    return slack, seen

"""The loops of layout_families.py, compiled by Numba (import late); words as in layout.py."""

from __future__ import annotations

from typing import Any

from solvers.engine.compiled import compiled
from solvers.engine.families_jit import coefficient_at
from solvers.engine.threads_jit import parallel_for


@compiled(nogil=True)
def fill_aligned(slice_start: Any, slice_lane: Any, source: Any, offsets: Any, of_edge: Any, of_cell: Any) -> None:
    """of_cell[K] = of_edge[E], 0 where a cell is padding."""
    parallel_for(0, slice_start.size - 1, _fill_slice, (slice_start, slice_lane, source, offsets, of_edge, of_cell))


@compiled(cache=False)
def _fill_slice(
    s: int, slice_start: Any, slice_lane: Any, source: Any, offsets: Any, of_edge: Any, of_cell: Any
) -> None:
    lanes = slice_lane[s + 1] - slice_lane[s]
    of_cell[slice_start[s] : slice_start[s + 1]] = 0
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        if i >= 0:
            for w in range(offsets[i + 1] - offsets[i]):
                of_cell[slice_start[s] + w * lanes + lane] = of_edge[offsets[i] + w]


@compiled(nogil=True)
def count_entries(slice_start: Any, slice_lane: Any, source: Any, offsets: Any, of_edge: Any, of_cell: Any) -> None:
    """of_cell[k + 1] = entries of cell k, none where it is padding; of_edge[E + 1]: the first entry of each edge."""
    parallel_for(0, slice_start.size - 1, _count_slice, (slice_start, slice_lane, source, offsets, of_edge, of_cell))


@compiled(cache=False)
def _count_slice(
    s: int, slice_start: Any, slice_lane: Any, source: Any, offsets: Any, of_edge: Any, of_cell: Any
) -> None:
    lanes = slice_lane[s + 1] - slice_lane[s]
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        if i >= 0:
            for w in range(offsets[i + 1] - offsets[i]):
                e = offsets[i] + w
                of_cell[slice_start[s] + w * lanes + lane + 1] = of_edge[e + 1] - of_edge[e]


@compiled(nogil=True)
def fill_entries(slice_start: Any, slice_lane: Any, source: Any, offsets: Any, of_edges: Any, of_cells: Any) -> None:
    """Row and coefficient of the entries of each cell, the starts of which are known."""
    parallel_for(0, slice_start.size - 1, _fill_entries, (slice_start, slice_lane, source, offsets, of_edges, of_cells))


@compiled(cache=False)
def _fill_entries(
    s: int, slice_start: Any, slice_lane: Any, source: Any, offsets: Any, of_edges: Any, of_cells: Any
) -> None:
    lanes = slice_lane[s + 1] - slice_lane[s]
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        if i >= 0:
            for w in range(offsets[i + 1] - offsets[i]):
                e = offsets[i] + w
                k = slice_start[s] + w * lanes + lane
                put = of_cells.start[k]
                for n in range(of_edges.start[e], of_edges.start[e + 1]):
                    of_cells.index[put] = of_edges.index[n]
                    _put(of_cells.a, put, coefficient_at(of_edges, n))
                    put += 1


@compiled(cache=False, forceinline=True)
def _put(numbers: Any, at: int, value: Any) -> None:
    """numbers[at] = value; nothing to None."""
    if numbers is not None:
        numbers[at] = value

"""The loops of fill_families.py, compiled by Numba (import late); words as in layout.py."""

from __future__ import annotations

from typing import Any

from solvers.engine.compiled import compiled
from solvers.engine.entries_jit import coefficient_at
from solvers.engine.threads_jit import parallel_for


@compiled(nogil=True)
def count_entries(slice_start: Any, slice_lane: Any, source: Any, offsets: Any, of_edges: Any, of_cells: Any) -> None:
    """of_cells[k + 1] = the number of entries of cell k, of_edges and of_cells being the starts of a ragged family."""
    parallel_for(
        0, slice_start.size - 1, _count_entries, (slice_start, slice_lane, source, offsets, of_edges, of_cells)
    )


@compiled(cache=False)
def _count_entries(
    s: int, slice_start: Any, slice_lane: Any, source: Any, offsets: Any, of_edges: Any, of_cells: Any
) -> None:
    lanes = slice_lane[s + 1] - slice_lane[s]
    for lane in range(lanes):
        i = source[slice_lane[s] + lane]
        if i >= 0:
            for w in range(offsets[i + 1] - offsets[i]):
                e = offsets[i] + w
                of_cells[slice_start[s] + w * lanes + lane + 1] = of_edges[e + 1] - of_edges[e]


@compiled(nogil=True)
def add_up(start: Any, first: int, last: int) -> None:
    """start[first + 1..last], which hold numbers of entries, become starts."""
    for k in range(first, last):
        start[k + 1] += start[k]


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

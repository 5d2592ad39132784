"""The families of rows beyond the first in a subproblem, and the reach of cells, compiled by Numba (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.engine.arrays import Cells
from solvers.engine.compiled import compiled
from solvers.engine.entries_jit import coefficient_at
from solvers.engine.families_jit import fold
from solvers.engine.threads_jit import parallel_for
from solvers.proximal.arrays import NearLanes


@compiled(nogil=True)
def reach(cells: Cells, unit: Any, out: Any) -> None:
    """out[K] = sum over the entries of each cell of |a| unit of its row; unit[R]."""
    parallel_for(0, cells.slice_kind.size, _reach_slice, (cells, unit, out))


@compiled(cache=False)
def _reach_slice(s: int, cells: Cells, unit: Any, out: Any) -> None:
    for k in range(cells.slice_start[s], cells.slice_start[s + 1]):
        own = abs(np.float64(cells.a[k])) * unit[cells.index[k]]
        out[k] = fold(cells.more, k, _add_reach, unit, own)


@compiled(cache=False, forceinline=True)
def _add_reach(row: int, a: Any, unit: Any, value: float) -> float:
    rise: float = abs(np.float64(a)) * unit[row]
    return value + rise


@compiled(nogil=True)
def origins(near: NearLanes, source: Any, sub: Cells, origin: Any) -> None:
    """origin[K] = the cell of the layout that each cell of a subproblem is, -1 where it is padding; source as in
    near_jit.gather.
    """
    parallel_for(0, sub.slice_kind.size, _origins_slice, (near, source, sub, origin))


@compiled(cache=False)
def _origins_slice(s: int, near: NearLanes, source: Any, sub: Cells, origin: Any) -> None:
    first_lane = sub.slice_lane[s]
    lanes = sub.slice_lane[s + 1] - first_lane
    for lane in range(first_lane, first_lane + lanes):
        r = source[lane]
        first_cell = sub.slice_start[s] + lane - first_lane
        for k in range(first_cell, sub.slice_start[s + 1], lanes):
            n = (k - first_cell) // lanes
            origin[k] = near.cell[near.first[r] + n] if r >= 0 and n < near.count[r] else -1


@compiled(nogil=True)
def gather(slice_start: Any, origin: Any, values: Any, out: Any) -> None:
    """out[k] = values[origin[k]], 0 where that is -1."""
    parallel_for(0, slice_start.size - 1, _gather_slice, (slice_start, origin, values, out))


@compiled(cache=False)
def _gather_slice(s: int, slice_start: Any, origin: Any, values: Any, out: Any) -> None:
    for k in range(slice_start[s], slice_start[s + 1]):
        out[k] = values[origin[k]] if origin[k] >= 0 else 0


@compiled()
def starts(origin: Any, start: Any, out: Any) -> None:
    """out[K + 1]: the first entry of each cell of a subproblem; start: those of the layout."""
    out[0] = 0
    for k in range(origin.size):
        e = origin[k]
        out[k + 1] = out[k] + (start[e + 1] - start[e] if e >= 0 else 0)


@compiled(nogil=True)
def gather_entries(slice_start: Any, origin: Any, family: Any, sub: Any) -> None:
    """Fill the entries of a ragged family of a subproblem, whose starts are known."""
    parallel_for(0, slice_start.size - 1, _gather_entries_of_slice, (slice_start, origin, family, sub))


@compiled(cache=False)
def _gather_entries_of_slice(s: int, slice_start: Any, origin: Any, family: Any, sub: Any) -> None:
    for k in range(slice_start[s], slice_start[s + 1]):
        if origin[k] >= 0:
            first = family.start[origin[k]]
            for n in range(sub.start[k], sub.start[k + 1]):
                sub.index[n] = family.index[first + n - sub.start[k]]
                _put(sub.a, n, coefficient_at(family, first + n - sub.start[k]))


@compiled(cache=False, forceinline=True)
def _put(numbers: Any, at: int, value: Any) -> None:
    """numbers[at] = value; nothing to None."""
    if numbers is not None:
        numbers[at] = value

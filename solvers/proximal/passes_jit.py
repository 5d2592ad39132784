"""Passes over the cells of a layout or of a subproblem, in float64 over lanes, compiled by Numba (import late).

R rows; L lanes, W width, n = W L cells of one slice, as in engine/layout.py. For a centre, a step s and prices,

    z = centre - s (c + A'price),    x = Proj_C(z)

see engine/polytopes/lanes_jit.py. The scratch of a band comes from `allocate`, so that LLVM knows that nothing else
points to it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np

from solvers.engine.arrays import Cells
from solvers.engine.arrays_jit import copied, of_lanes
from solvers.engine.compiled import compiled
from solvers.engine.constants import LANES, PAD_COST
from solvers.engine.families_jit import add_rises, entries_of, first_has_loads, scatter_more
from solvers.engine.polytopes import slices_jit
from solvers.engine.polytopes.lanes_jit import FAST, Lanes, curvature, margins, project
from solvers.engine.scratch_jit import allocate, release
from solvers.engine.threads_jit import parallel_for
from solvers.engine.vector_jit import VECTOR_WIDTH
from solvers.proximal.arrays import COST, MOVED, SUPPORT, FullPass, ProximalStep, SubproblemPass

#: For functions that Numba copies into their callers before LLVM sees them: LLVM then knows where scratch comes from,
#: and has less to compile than for functions of their own.
_IN_CALLER: dict[str, Any] = {"cache": False, "inline": "always"}
#: Lanes of scratch: as many as the widest slice has.
_LANES = max(LANES)
#: One for each field of a Lanes.
_LANE_ROWS = 6


class _Scratch(NamedTuple):
    """Scratch of one band, large enough for each of its slices."""

    z: Any
    """float64[n + VECTOR_WIDTH]: the last vector of a lone lane goes that far."""
    x: Any
    """float64[n + VECTOR_WIDTH]"""
    lanes: Any
    """float64[6, max(LANES)]: the rows become the vectors of a Lanes."""
    memory: Any
    """The three pointers, for `release`."""


@compiled(**_IN_CALLER)
def _new_scratch(cells: Cells) -> _Scratch:
    size = cells.largest_slice + VECTOR_WIDTH
    memory = (allocate(8 * size), allocate(8 * size), allocate(8 * _LANE_ROWS * _LANES))
    return _Scratch(
        numba.carray(memory[0], (size,), np.float64),
        numba.carray(memory[1], (size,), np.float64),
        numba.carray(memory[2], (_LANE_ROWS, _LANES), np.float64),
        memory,
    )


@compiled(**_IN_CALLER)
def _release(scratch: _Scratch) -> None:
    release(scratch.memory[0])
    release(scratch.memory[1])
    release(scratch.memory[2])


@compiled(**_IN_CALLER)
def _slice_lanes(s: int, cells: Cells, scratch: _Scratch) -> Lanes:
    """The lanes of slice s, with their limits."""
    first = cells.slice_lane[s]
    count = cells.slice_lane[s + 1] - first
    rows = scratch.lanes
    upper = copied(of_lanes(cells.upper, cells, s), rows[5])
    lanes = Lanes(rows[0, :count], upper, rows[1, :count], rows[2, :count], rows[3, :count], rows[4, :count])
    _copy(cells.radius[first : first + count], lanes.radius)
    return lanes


@compiled(**_IN_CALLER)
def _reduce_costs(s: int, cells: Cells, more: Any, at: ProximalStep, scratch: _Scratch) -> None:
    """x = q = c + A'price, z = centre - step q of the cells of slice s. more: the families of these cells beyond the
    first, an argument so that Numba can leave out what stands under "is None".
    """
    own = slice(cells.slice_start[s], cells.slice_start[s + 1])
    index, a, c, centre = cells.index[own], cells.a[own], cells.c[own], at.centre[own]
    n = index.size
    if more is None:
        for k in range(n):
            q = c[k] + a[k] * at.price[index[k]]
            scratch.x[k] = q
            scratch.z[k] = centre[k] - at.step * q
    else:
        for k in range(n):
            scratch.x[k] = c[k] + a[k] * at.price[index[k]]
        add_rises(more, at.price, n, scratch.x)
        for k in range(n):
            scratch.z[k] = centre[k] - at.step * scratch.x[k]
    scratch.z[n : n + VECTOR_WIDTH] = -PAD_COST
    scratch.x[n : n + VECTOR_WIDTH] = PAD_COST


@compiled(**_IN_CALLER)
def _moved_and_cost(x: Any, centre: Any, c: Any, lanes: Lanes) -> tuple[float, float]:
    """(||x - centre||^2, c'x) of one slice, [W, L] each, added lane by lane."""
    width, count = x.shape
    moved = lanes.largest_reach
    paid = lanes.distance
    for lane in range(count):
        moved[lane] = 0.0
        paid[lane] = 0.0
    for w in range(width):
        for lane in range(count):
            change = x[w, lane] - centre[w, lane]
            moved[lane] += change * change
            paid[lane] += c[w, lane] * x[w, lane]

    all_moved = 0.0
    cost = 0.0
    for lane in range(count):
        all_moved += moved[lane]
        cost += paid[lane]
    return all_moved, cost


@compiled(**_IN_CALLER)
def _full_slice(
    s: int, band: int, cells: Cells, at: ProximalStep, scratch: _Scratch, out: FullPass
) -> tuple[float, float, float]:
    """Evaluate slice s; (sum of the supports, ||x - centre||^2, c'x)."""
    own = slice(cells.slice_start[s], cells.slice_start[s + 1])
    own_lanes = slice(cells.slice_lane[s], cells.slice_lane[s + 1])
    index, a, c, centre, reach = cells.index[own], cells.a[own], cells.c[own], at.centre[own], out.reach[own]
    more = entries_of(cells.more, cells.slice_start[s], cells.slice_start[s + 1])
    kind = cells.slice_kind[s]
    lanes = _slice_lanes(s, cells, scratch)
    n = index.size
    shape = (n // lanes.radius.size, lanes.radius.size)

    _reduce_costs(s, cells, more, at, scratch)
    support = slices_jit.support(scratch.x, n, kind, lanes.radius, lanes.upper)
    project(scratch.z, scratch.x, n, lanes, kind)
    x = scratch.x[:n]
    z = scratch.z[:n]
    margins(z.reshape(shape), x.reshape(shape), reach.reshape(shape), lanes, kind, at.step, out.margin[own_lanes])
    _copy(lanes.tau, out.tau[own_lanes])
    moved, cost = _moved_and_cost(x.reshape(shape), centre.reshape(shape), c.reshape(shape), lanes)

    loads, values = out.loads[band], out.values[band]
    if first_has_loads(more, a):
        for k in range(n):
            loads[index[k]] += a[k] * x[k]
    scatter_more(more, x, n, loads)
    _copy(x, out.x[own])
    if more is None:
        for k in range(n):
            values[index[k]] += c[k] * x[k]
    return support, moved, cost


@compiled(**_IN_CALLER)
def _subproblem_slice(
    s: int, band: int, cells: Cells, at: ProximalStep, scratch: _Scratch, out: SubproblemPass
) -> tuple[float, float]:
    """Evaluate slice s of a subproblem; (||x - centre||^2, c'x)."""
    own = slice(cells.slice_start[s], cells.slice_start[s + 1])
    index, a, c, centre = cells.index[own], cells.a[own], cells.c[own], at.centre[own]
    more = entries_of(cells.more, cells.slice_start[s], cells.slice_start[s + 1])
    kind = cells.slice_kind[s]
    lanes = _slice_lanes(s, cells, scratch)
    n = index.size
    shape = (n // lanes.radius.size, lanes.radius.size)

    _reduce_costs(s, cells, more, at, scratch)
    project(scratch.z, scratch.x, n, lanes, kind)
    x = scratch.x[:n]
    own_curvature = out.curvature[cells.slice_lane[s] : cells.slice_lane[s + 1]]
    for lane in range(own_curvature.size):
        own_curvature[lane] = curvature(kind, lanes.tau[lane], lanes.free[lane])
    moved, cost = _moved_and_cost(x.reshape(shape), centre.reshape(shape), c.reshape(shape), lanes)

    loads = out.loads[band]
    if first_has_loads(more, a):
        for k in range(n):
            loads[index[k]] += a[k] * x[k]
    scatter_more(more, x, n, loads)
    _copy(x, out.x[own])
    return moved, cost


@compiled(**_IN_CALLER)
def _copy(x: Any, out: Any) -> None:
    for k in range(x.size):
        out[k] = x[k]


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _full_band(band: int, cells: Cells, at: ProximalStep, out: FullPass) -> None:
    scratch = _new_scratch(cells)
    out.loads[band][:] = 0.0
    out.values[band][:] = 0.0
    support = 0.0
    moved = 0.0
    cost = 0.0
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        sums = _full_slice(s, band, cells, at, scratch, out)
        support += sums[0]
        moved += sums[1]
        cost += sums[2]
    out.scalars[band, SUPPORT] = support
    out.scalars[band, MOVED] = moved
    out.scalars[band, COST] = cost
    _release(scratch)


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _subproblem_band(band: int, cells: Cells, at: ProximalStep, out: SubproblemPass) -> None:
    scratch = _new_scratch(cells)
    out.loads[band][:] = 0.0
    moved = 0.0
    cost = 0.0
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        sums = _subproblem_slice(s, band, cells, at, scratch, out)
        moved += sums[0]
        cost += sums[1]
    out.scalars[band, MOVED] = moved
    out.scalars[band, COST] = cost
    _release(scratch)


@compiled(nogil=True)
def full_pass(cells: Cells, at: ProximalStep, out: FullPass) -> None:
    """Evaluate all cells of a rank."""
    parallel_for(0, cells.band_slice.size - 1, _full_band, (cells, at, out))


@compiled(nogil=True)
def subproblem_pass(cells: Cells, at: ProximalStep, out: SubproblemPass) -> None:
    """Evaluate the cells of a subproblem."""
    parallel_for(0, cells.band_slice.size - 1, _subproblem_band, (cells, at, out))

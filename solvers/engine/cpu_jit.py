"""The fused pass of the CPU kernel, compiled by Numba (import late).

n cells of one slice; cells as in layout.py, scratch as in scratch_jit.py. Loops are flat over the n cells of a slice,
which LLVM turns into vector code by itself, or over vectors of lanes (polytopes/slices_jit.py).
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from solvers.engine.arrays import (
    DISTANCE,
    MOVEMENT,
    SUPPORT,
    VALUE,
    Cells,
    Iterate,
    PassNumbers,
    PassScratch,
    SliceCells,
    SlicePolytopes,
    Sums,
)
from solvers.engine.arrays_jit import (
    of_slice,
    reduced,
    scatter,
    scatter_loads,
    slice_cells,
    slice_polytopes,
    slice_size,
)
from solvers.engine.compiled import FAST, INLINE, compiled
from solvers.engine.constants import PAD_COST
from solvers.engine.families_jit import add_rises
from solvers.engine.polytopes.slices_jit import project, support
from solvers.engine.scratch_jit import on_stack, stack, stack_cells
from solvers.engine.threads_jit import parallel_for
from solvers.engine.vector_jit import VECTOR_WIDTH


@compiled(nogil=True)
def one_pass(cells: Cells, numbers: PassNumbers, sums: Sums, iterate: Iterate | None) -> None:
    """Kernel.project where there is no iterate, else Kernel.advance; each band fills its own rows of `sums`.

    Without the slices whose scratch is too large for the stack: see `add_large_slices`.
    """
    parallel_for(0, cells.band_slice.size - 1, _band, (cells, numbers, sums, iterate))


@compiled(nogil=True)
def add_large_slices(cells: Cells, numbers: PassNumbers, sums: Sums, iterate: Iterate | None) -> None:
    """The slices that `one_pass` leaves out: a loop of its own, because few instances have any and it takes long to
    compile.
    """
    parallel_for(0, cells.band_slice.size - 1, _large_slices, (cells, numbers, sums, iterate))


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _band(band: int, cells: Cells, numbers: PassNumbers, sums: Sums, iterate: Iterate | None) -> None:
    size = stack_cells(cells)
    dtype = cells.a.dtype
    scratch = PassScratch(
        numba.carray(stack(cells.a.itemsize * size), (size,), dtype),
        numba.carray(stack(cells.a.itemsize * size), (size,), dtype),
    )
    own = Sums(sums.loads[band], sums.values[band], sums.scalars[band])
    own.loads[:] = 0.0
    own.values[:] = 0.0

    bound, movement, distance, value = 0.0, 0.0, 0.0, 0.0
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        if on_stack(slice_size(cells, s)):
            added = _slice(s, cells, numbers, own, iterate, scratch, dtype.type)
            bound += added[0]
            movement += added[1]
            distance += added[2]
            value += added[3]

    own.scalars[SUPPORT] = bound
    own.scalars[MOVEMENT] = movement
    own.scalars[DISTANCE] = distance
    own.scalars[VALUE] = value


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _large_slices(band: int, cells: Cells, numbers: PassNumbers, sums: Sums, iterate: Iterate | None) -> None:
    """So many numbers are added in float64."""
    own = Sums(sums.loads[band], sums.values[band], sums.scalars[band])
    bound, movement, distance, value = 0.0, 0.0, 0.0, 0.0
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        n = slice_size(cells, s)
        if not on_stack(n):
            scratch = PassScratch(
                np.empty(n + VECTOR_WIDTH, cells.a.dtype),
                np.empty(n + VECTOR_WIDTH, cells.a.dtype),
            )
            added = _slice(s, cells, numbers, own, iterate, scratch, np.float64)
            bound += added[0]
            movement += added[1]
            distance += added[2]
            value += added[3]

    own.scalars[SUPPORT] += bound
    own.scalars[MOVEMENT] += movement
    own.scalars[DISTANCE] += distance
    own.scalars[VALUE] += value


@compiled(**INLINE)
def _slice(
    s: int, cells: Cells, numbers: PassNumbers, own: Sums, iterate: Iterate | None, scratch: PassScratch, number: Any
) -> tuple[float, Any, Any, Any]:
    """One slice; its share of the scalars, added up as `number`s."""
    part = slice_cells(cells, s)
    polytopes = slice_polytopes(cells, s)
    zero = number(0)
    if iterate is None:
        bound = _evaluate(part, part.more, polytopes, numbers, None, scratch)
        movement, value = _sizes(part, scratch.p, number)
        distance = zero
    else:
        x = of_slice(iterate.x, cells, s)
        anchor = of_slice(iterate.anchor, cells, s)
        bound = _evaluate(part, part.more, polytopes, numbers, x, scratch)
        movement, distance, value = _move(part, scratch.p, x, anchor, iterate, number)
    scatter_loads(part, scratch.p, own.loads)
    if numbers.want_values:
        scatter(part, part.c, scratch.p, own.values)
    return bound, movement, distance, value


@compiled(**INLINE)
def _evaluate(
    part: SliceCells, more: Any, polytopes: SlicePolytopes, numbers: PassNumbers, centre: Any, scratch: PassScratch
) -> float:
    """scratch.q = c + A'price, scratch.p = Proj(centre - step q); sum_i min over C_i of q_i'x. more: part.more, an
    argument so that Numba can leave out what stands under "is None".
    """
    kind, radius, upper = polytopes
    q, p = scratch
    price, step = numbers.price, numbers.step
    n = part.a.size
    if more is None:
        for k in range(n):
            cost = reduced(part, price, k)
            q[k] = cost
            if centre is None:
                p[k] = -step * cost
            else:
                p[k] = centre[k] - step * cost
    else:
        for k in range(n):
            q[k] = reduced(part, price, k)
        add_rises(more, price, n, q)
        for k in range(n):
            if centre is None:
                p[k] = -step * q[k]
            else:
                p[k] = centre[k] - step * q[k]
    if radius.size == 1:  # the last vector of a lone lane reaches beyond its cells
        none = q.dtype.type(PAD_COST)
        q[n : n + VECTOR_WIDTH] = none
        p[n : n + VECTOR_WIDTH] = -none
    bound: float = support(q, n, kind, radius, upper)
    project(p, q, n, kind, radius, upper, numbers.resolution)
    return bound


@compiled(**INLINE)
def _sizes(part: SliceCells, p: Any, number: Any) -> tuple[Any, Any]:
    """||p||^2 and c'p."""
    c = part.c
    square = number(0)
    value = number(0)
    for k in range(c.size):
        square += number(p[k]) * number(p[k])
        value += number(c[k]) * number(p[k])
    return square, value


@compiled(**INLINE)
def _move(part: SliceCells, p: Any, x: Any, anchor: Any, iterate: Iterate, number: Any) -> tuple[Any, Any, Any]:
    """||p - x||^2, ||p - anchor||^2 and c'p; then x and the anchor are overwritten as Kernel.advance says."""
    c = part.c
    movement = number(0)
    distance = 0.0  # these two in float64, whatever `number` is: restarts and the gap go by them
    value = 0.0
    for k in range(x.size):
        step = number(p[k] - x[k])
        away = number(p[k] - anchor[k])
        movement += step * step
        distance += away * away
        value += number(c[k]) * number(p[k])
        x[k] = iterate.on_projected * p[k] + iterate.on_centre * x[k] + iterate.on_anchor * anchor[k]
    if iterate.restart:
        for k in range(x.size):
            anchor[k] = p[k]
    return movement, distance, value

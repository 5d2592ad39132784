"""The loops of a proof on the CPU kernel's cells, in float64, compiled by Numba (import late).

n cells of one slice; cells as in layout.py, shape of the loops as in cpu_jit.py.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from solvers.engine.arrays import FREE_SIZE, SIZE, SUPPORT, VALUE, Cells, Sums, WayBack
from solvers.engine.arrays_jit import of_slice, scatter, slice_cells, slice_polytopes, slice_size
from solvers.engine.compiled import FAST, INLINE, compiled
from solvers.engine.constants import PAD_COST, SLIP, TINY
from solvers.engine.polytopes.slices_jit import bring_in, support
from solvers.engine.scratch_jit import on_stack, stack, stack_cells
from solvers.engine.threads_jit import parallel_for
from solvers.engine.vector_jit import VECTOR_WIDTH

#: Pieces of an answer, which the threads share.
_PIECES = 64


@compiled(nogil=True)
def evaluate_feasible(cells: Cells, price: Any, x: Any, sums: Sums) -> None:
    """Kernel.evaluate_feasible: each band fills its own rows of `sums`."""
    parallel_for(0, cells.band_slice.size - 1, _evaluate_band, (cells, price, x, sums))


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _evaluate_band(band: int, cells: Cells, price: Any, x: Any, sums: Sums) -> None:
    size = stack_cells(cells)
    p = numba.carray(stack(8 * size), (size,), np.float64)
    own = Sums(sums.loads[band], sums.values[band], sums.scalars[band])
    own.loads[:] = 0.0
    own.values[:] = 0.0

    totals = (0.0, 0.0, 0.0, 0.0)
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        if on_stack(slice_size(cells, s)):
            totals = _evaluate_slice(s, cells, price, x, p, own, totals)
    if not on_stack(cells.largest_slice):
        totals = _evaluate_large_slices(band, cells, price, x, own, totals)

    bound, size_of_all, free_size, value = totals
    own.scalars[SUPPORT] = bound
    own.scalars[SIZE] = size_of_all
    own.scalars[FREE_SIZE] = free_size
    own.scalars[VALUE] = value


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _evaluate_large_slices(
    band: int, cells: Cells, price: Any, x: Any, own: Sums, totals: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """The slices that `_evaluate_band` leaves out."""
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        n = slice_size(cells, s)
        if not on_stack(n):
            totals = _evaluate_slice(s, cells, price, x, np.empty(n + VECTOR_WIDTH), own, totals)
    return totals


@compiled(**INLINE)
def _evaluate_slice(
    s: int, cells: Cells, price: Any, x: Any, p: Any, own: Sums, totals: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """The totals with those of a slice: its support, sum |c_e p_e|, that of edges without load, c'p."""
    bound, size, free_size, value = totals
    part = slice_cells(cells, s)
    kind, radius, upper = slice_polytopes(cells, s)
    index, a, c, _ = part
    values = own.values
    n = a.size

    for k in range(n):
        p[k] = lowered(np.float64(c[k]), np.float64(a[k]) * price[index[k]])
    p[n : n + VECTOR_WIDTH] = PAD_COST  # the last vector of a lone lane reaches beyond its cells
    bound += support(p, n, kind, radius, upper)

    bring_in(of_slice(x, cells, s), c, kind, radius, upper, p)
    scatter(part, part.a, p, own.loads)
    for k in range(n):
        p[k] *= np.float64(c[k])
        value += p[k]
        size += abs(p[k])
        free_size += 0.0 if a[k] > 0 else abs(p[k])
    for k in range(n):
        values[index[k]] += p[k] if a[k] > 0 else 0.0
    return bound, size, free_size, value


@compiled(**INLINE)
def lowered(cost: float, rise: float) -> float:
    """At most cost + rise, for rise = a y >= 0 rounded: below the sum by more than its rounding."""
    return cost if rise == 0 else cost + rise - (SLIP * (abs(cost) + rise) + TINY)


@compiled(nogil=True)
def answer(cells: Cells, way_back: WayBack, x: Any, factor: Any, edges: Any) -> None:
    """Kernel.answer: edges[E] is x brought into C, times factor[J] of its destination."""
    parallel_for(0, _PIECES, _answer_piece, (cells, way_back, x, factor, edges))


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _answer_piece(piece: int, cells: Cells, way_back: WayBack, x: Any, factor: Any, edges: Any) -> None:
    order = way_back.slice_order
    p = np.empty(cells.largest_slice + VECTOR_WIDTH)
    for s in order[order.size * piece // _PIECES : order.size * (piece + 1) // _PIECES]:
        index, _, c, _ = slice_cells(cells, s)
        kind, radius, upper = slice_polytopes(cells, s)
        bring_in(of_slice(x, cells, s), c, kind, radius, upper, p)
        for k in range(index.size):
            p[k] *= factor[index[k]]
        _unsort(s, cells, way_back, p, edges)


@compiled(**INLINE)
def _unsort(s: int, cells: Cells, way_back: WayBack, p: Any, edges: Any) -> None:
    """The cells p of slice s go to their edges."""
    first_lane = cells.slice_lane[s]
    lanes = cells.slice_lane[s + 1] - first_lane
    for lane in range(lanes):
        i = way_back.source[first_lane + lane]
        if i >= 0:
            first = way_back.offsets[i]
            for w in range(way_back.offsets[i + 1] - first):
                edges[first + w] = p[w * lanes + lane]

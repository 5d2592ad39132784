"""The loops of a proof on the CPU kernel's cells, in float64, compiled by Numba (import late).

n cells of one slice; cells as in layout.py, shape of the loops as in cpu_jit.py.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numba.core import types
from numba.extending import overload

from solvers.engine.arrays import FREE_SIZE, SIZE, SUPPORT, VALUE, Cells, Sums, WayBack
from solvers.engine.arrays_jit import of_slice, scatter, slice_cells, slice_polytopes, slice_size
from solvers.engine.compiled import CHOSEN_BY_TYPE, FAST, INLINE, compiled
from solvers.engine.constants import PAD_COST
from solvers.engine.families_jit import count_load, fold, smaller_factor, sum_below_fast
from solvers.engine.polytopes.slices_jit import bring_in, support
from solvers.engine.scratch_jit import on_stack, stack, stack_cells
from solvers.engine.threads_jit import parallel_for
from solvers.engine.vector_jit import VECTOR_WIDTH

#: Pieces of an answer, which the threads share.
_PIECES = 64


@compiled(nogil=True)
def evaluate_feasible(cells: Cells, price: Any, factor: Any, x: Any, sums: Sums) -> None:
    """Kernel.evaluate_feasible: each band fills its own rows of `sums`, without the slices that `add_large_slices`
    adds, see cpu_jit.py.
    """
    parallel_for(0, cells.band_slice.size - 1, _evaluate_band, (cells, price, factor, x, sums))


@compiled(nogil=True)
def add_large_slices(cells: Cells, price: Any, factor: Any, x: Any, sums: Sums) -> None:
    """The slices that `evaluate_feasible` leaves out."""
    parallel_for(0, cells.band_slice.size - 1, _evaluate_large_slices, (cells, price, factor, x, sums))


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _evaluate_band(band: int, cells: Cells, price: Any, factor: Any, x: Any, sums: Sums) -> None:
    size = stack_cells(cells)
    p = numba.carray(stack(8 * size), (size,), np.float64)
    own = Sums(sums.loads[band], sums.values[band], sums.scalars[band])
    own.loads[:] = 0.0
    own.values[:] = 0.0

    totals = (0.0, 0.0, 0.0, 0.0)
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        if on_stack(slice_size(cells, s)):
            totals = _evaluate_slice(s, cells, (price, factor), x, p, own, totals)
    _store(own, totals)


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _evaluate_large_slices(band: int, cells: Cells, price: Any, factor: Any, x: Any, sums: Sums) -> None:
    own = Sums(sums.loads[band], sums.values[band], sums.scalars[band])
    totals = (own.scalars[SUPPORT], own.scalars[SIZE], own.scalars[FREE_SIZE], own.scalars[VALUE])
    for s in range(cells.band_slice[band], cells.band_slice[band + 1]):
        n = slice_size(cells, s)
        if not on_stack(n):
            totals = _evaluate_slice(s, cells, (price, factor), x, np.empty(n + VECTOR_WIDTH), own, totals)
    _store(own, totals)


@compiled(**INLINE)
def _store(own: Sums, totals: tuple[float, float, float, float]) -> None:
    own.scalars[SUPPORT] = totals[0]
    own.scalars[SIZE] = totals[1]
    own.scalars[FREE_SIZE] = totals[2]
    own.scalars[VALUE] = totals[3]


@compiled(**INLINE)
def _evaluate_slice(
    s: int, cells: Cells, by_row: Any, x: Any, p: Any, own: Sums, totals: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """The totals with those of a slice: its support, sum |c_e p_e|, that of edges without load, c'p. by_row: price and
    factor.
    """
    price, factor = by_row
    bound, size, free_size, value = totals
    part = slice_cells(cells, s)
    kind, radius, upper = slice_polytopes(cells, s)
    index, a, c, more = part
    n = a.size

    for k in range(n):
        p[k] = sum_below_fast(more, k, price, np.float64(c[k]), np.float64(a[k]) * price[index[k]])
    p[n : n + VECTOR_WIDTH] = PAD_COST  # the last vector of a lone lane reaches beyond its cells
    bound += support(p, n, kind, radius, upper)

    bring_in(of_slice(x, cells, s), c, kind, radius, upper, p)
    _scale(part, factor, p)
    size, free_size, value = _count(part, p, own, (size, free_size, value))
    return bound, size, free_size, value


_BY_TYPE: dict[str, Any] = {
    "strict": False,
    "jit_options": {"fastmath": FAST, "error_model": "numpy", **CHOSEN_BY_TYPE},
}


def _is_short_form(part: Any) -> bool:
    return bool(part.types[part.fields.index("more")] == types.none)


def _count(part: Any, p: Any, own: Any, totals: Any) -> Any:
    """Loads and values of a slice, and the totals with its |c_e p_e|, those of edges without load, and c'p. p is
    overwritten.
    """
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(_count, **_BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _count_of(part: Any, p: Any, own: Any, totals: Any) -> Any:  # noqa: ARG001 - Numba's
    def short_form(part: Any, p: Any, own: Any, totals: Any) -> Any:
        size, free_size, value = totals
        index, a, c, _ = part
        values = own.values
        scatter(part, a, p, own.loads)
        for k in range(a.size):
            p[k] *= np.float64(c[k])
            value += p[k]
            size += abs(p[k])
            free_size += 0.0 if a[k] > 0 else abs(p[k])
        for k in range(a.size):
            values[index[k]] += p[k] if a[k] > 0 else 0.0
        return size, free_size, value

    def several(part: Any, p: Any, own: Any, totals: Any) -> Any:
        size, free_size, value = totals
        index, a, c, more = part
        for k in range(a.size):
            if p[k] != 0.0:
                state = (own.loads, own.values, p[k])
                fold(more, k, count_load, state, count_load(np.int64(index[k]), a[k], state, 0))
        for k in range(a.size):
            p[k] *= np.float64(c[k])
            value += p[k]
            size += abs(p[k])
        return size, free_size, value

    return short_form if _is_short_form(part) else several


def _scale(part: Any, factor: Any, p: Any) -> None:
    """p of each cell times the least factor of its rows; nothing where there is no factor."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(_scale, **_BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _scale_of(part: Any, factor: Any, p: Any) -> Any:  # noqa: ARG001 - Numba's
    def short_form(part: Any, factor: Any, p: Any) -> None:
        index = part.index
        for k in range(index.size):
            p[k] *= factor[index[k]]

    def several(part: Any, factor: Any, p: Any) -> None:
        index, a, _, more = part
        for k in range(a.size):
            own = smaller_factor(np.int64(index[k]), a[k], factor, 1.0)
            p[k] *= fold(more, k, smaller_factor, factor, own)

    if factor == types.none:
        return lambda part, factor, p: None  # noqa: ARG005
    return short_form if _is_short_form(part) else several


@compiled(nogil=True)
def answer(cells: Cells, way_back: WayBack, x: Any, factor: Any, edges: Any) -> None:
    """Kernel.answer: edges[E] is x brought into C, times the least factor[R] of its rows."""
    parallel_for(0, _PIECES, _answer_piece, (cells, way_back, x, factor, edges))


@compiled(cache=False, fastmath=FAST, error_model="numpy")
def _answer_piece(piece: int, cells: Cells, way_back: WayBack, x: Any, factor: Any, edges: Any) -> None:
    order = way_back.slice_order
    p = np.empty(cells.largest_slice + VECTOR_WIDTH)
    for s in order[order.size * piece // _PIECES : order.size * (piece + 1) // _PIECES]:
        part = slice_cells(cells, s)
        kind, radius, upper = slice_polytopes(cells, s)
        bring_in(of_slice(x, cells, s), part.c, kind, radius, upper, p)
        _scale(part, factor, p)
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

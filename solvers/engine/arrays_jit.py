"""How compiled loops read the records of arrays.py, compiled by Numba and inlined (import late)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import overload

from solvers.engine.arrays import Cells, SliceCells, SlicePolytopes
from solvers.engine.compiled import CHOSEN_BY_TYPE, INLINE, compiled
from solvers.engine.families_jit import entries_of, first_has_loads, scatter_more


@compiled(cache=False)
def of_source(values: Any, source: int) -> Any:
    """The entry of a source, or the one that all sources share."""
    return values[np.int64(source) if values.size > 1 else np.int64(0)]


#: Shares of a loop over single sources: many more than threads, because sources differ.
PIECES = 256


@compiled(cache=False)
def piece_of(first: int, last: int, piece: int) -> int:
    """Where one of PIECES equal pieces of first..last begins."""
    return first + (last - first) * piece // PIECES


@compiled(**INLINE)
def slice_size(cells: Cells, s: int) -> int:
    """The number of cells of slice s."""
    size: int = cells.slice_start[s + 1] - cells.slice_start[s]
    return size


@compiled(**INLINE)
def slice_cells(cells: Cells, s: int) -> SliceCells:
    first = cells.slice_start[s]
    last = cells.slice_start[s + 1]
    more = entries_of(cells.more, first, last)
    return SliceCells(cells.index[first:last], cells.a[first:last], cells.c[first:last], more)


@compiled(**INLINE)
def slice_polytopes(cells: Cells, s: int) -> SlicePolytopes:
    return SlicePolytopes(cells.slice_kind[s], of_lanes(cells.radius, cells, s), of_lanes(cells.upper, cells, s))


def of_lanes(numbers: Any, cells: Cells, s: int) -> Any:
    """The numbers of the lanes of slice s; None of None."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(of_lanes, jit_options=CHOSEN_BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _of_lanes(numbers: Any, cells: Any, s: Any) -> Any:  # noqa: ARG001 - Numba's
    """Chosen by type: a compiled function that may return None would make everything after it optional."""

    def nothing(numbers: Any, cells: Any, s: Any) -> Any:  # noqa: ARG001
        return None

    def part(numbers: Any, cells: Any, s: Any) -> Any:
        return numbers[cells.slice_lane[s] : cells.slice_lane[s + 1]]

    return nothing if numbers == types.none else part


def copied(numbers: Any, row: Any) -> Any:
    """numbers[n] as the first n entries of `row`, in its type; None of None."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(copied, strict=False, jit_options=CHOSEN_BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _copied(numbers: Any, row: Any) -> Any:  # noqa: ARG001 - Numba's
    if numbers == types.none:
        return lambda numbers, row: None  # noqa: ARG005

    def copy(numbers: Any, row: Any) -> Any:
        for k in range(numbers.size):  # no assignment of arrays: Numba compiles the text of its error as well
            row[k] = numbers[k]
        return row[: numbers.size]

    return copy


def empty_like(numbers: Any, size: int) -> Any:
    """An array of `size` entries of the type of `numbers`; None of None."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(empty_like, strict=False, jit_options=CHOSEN_BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _empty_like(numbers: Any, size: int) -> Any:  # noqa: ARG001 - Numba's
    if numbers == types.none:
        return lambda numbers, size: None  # noqa: ARG005
    return lambda numbers, size: np.empty(size, numbers.dtype)


@compiled(**INLINE)
def of_slice(vector: Any, cells: Cells, s: int) -> Any:
    """The part of a primal vector that belongs to slice s."""
    return vector[cells.slice_start[s] : cells.slice_start[s + 1]]


@compiled(**INLINE)
def reduced(part: SliceCells, price: Any, k: int) -> Any:
    """The reduced cost of cell k in the first family: c + a price. Further families: families_jit.add_rises."""
    return part.c[k] + part.a[k] * price[part.index[k]]


@compiled(**INLINE)
def scatter(part: SliceCells, weight: Any, p: Any, out: Any) -> None:
    """out[R] grows by weight_k p_k at the row of each cell k in the first family; weight: a for loads, c for values."""
    index = part.index
    for k in range(weight.size):
        out[index[k]] += np.float64(weight[k]) * np.float64(p[k])


@compiled(**INLINE)
def scatter_loads(part: SliceCells, p: Any, out: Any) -> None:
    """out[R] grows by A p of the cells, all families."""
    if first_has_loads(part.more, part.a):
        scatter(part, part.a, p, out)
    scatter_more(part.more, p, part.a.size, out)

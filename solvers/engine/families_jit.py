"""The families of rows beyond the first, in compiled loops (import late); the records are those of arrays.py.

How many families there are, and which of their fields are None, is part of the type: an instance with one family is
compiled as if this file did nothing, and every other gets loops without a branch over families.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.core import types
from numba.extending import overload

from solvers.engine.arrays import AlignedEntries, RaggedEntries
from solvers.engine.compiled import CHOSEN_BY_TYPE, FAST, compiled
from solvers.engine.constants import SLIP, TINY
from solvers.engine.entries_jit import BY_TYPE, coefficient_at, row_at, slice_of
from solvers.engine.ragged_jit import add_rises_of_ragged, scatter_ragged


def _is_ragged(family: Any) -> bool:
    return family.instance_class is RaggedEntries


def fold(more: Any, e: Any, body: Any, state: Any, value: Any) -> Any:
    """value = body(row, a, state, value) for the entries of edge or cell e, family after family; `body` is compiled.

    row counts through the rows of all families; a is the coefficient in the type that is stored.
    """
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(fold, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _fold(more: Any, e: Any, body: Any, state: Any, value: Any) -> Any:  # noqa: ARG001 - Numba's
    if more == types.none or len(more) == 0:
        return lambda more, e, body, state, value: value  # noqa: ARG005

    def first_and_rest(more: Any, e: Any, body: Any, state: Any, value: Any) -> Any:
        return fold(more[1:], e, body, state, _fold_one(more[0], e, body, state, value))

    return first_and_rest


def _fold_one(family: Any, e: Any, body: Any, state: Any, value: Any) -> Any:
    raise NotImplementedError


@overload(_fold_one, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _fold_of_family(family: Any, e: Any, body: Any, state: Any, value: Any) -> Any:  # noqa: ARG001 - Numba's
    def aligned(family: Any, e: Any, body: Any, state: Any, value: Any) -> Any:
        return body(family.first_row + row_at(family.index, e), coefficient_at(family, e), state, value)

    def ragged(family: Any, e: Any, body: Any, state: Any, value: Any) -> Any:
        for n in range(family.start[e], family.start[e + 1]):
            value = body(family.first_row + row_at(family.index, n), coefficient_at(family, n), state, value)
        return value

    return ragged if _is_ragged(family) else aligned


def entries_of(more: Any, first: Any, last: Any) -> Any:
    """The families with the entries of cells first..last - 1 alone, counted from 0; None of None."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(entries_of, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _entries_of(more: Any, first: Any, last: Any) -> Any:  # noqa: ARG001 - Numba's
    if more == types.none:
        return lambda more, first, last: None  # noqa: ARG005
    if len(more) == 0:
        return lambda more, first, last: ()  # noqa: ARG005

    def parts(more: Any, first: Any, last: Any) -> Any:
        return (_entries_of_one(more[0], first, last), *entries_of(more[1:], first, last))

    return parts


def _entries_of_one(family: Any, first: Any, last: Any) -> Any:
    raise NotImplementedError


@overload(_entries_of_one, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _entries_of_family(family: Any, first: Any, last: Any) -> Any:  # noqa: ARG001 - Numba's
    def aligned(family: Any, first: Any, last: Any) -> Any:
        return AlignedEntries(
            family.first_row,
            slice_of(family.index, first, last),
            slice_of(family.a, first, last),
            family.coefficient,
        )

    def ragged(family: Any, first: Any, last: Any) -> Any:
        return RaggedEntries(
            family.first_row, family.start[first : last + 1], family.index, family.a, family.coefficient
        )

    return ragged if _is_ragged(family) else aligned


def sum_below(more: Any, e: Any, price: Any, cost: Any, rise: Any) -> Any:
    """At most cost + rise + the rises of further families, where rise = a price is that of the first, rounded.

    Below the sum by more than its rounding, whatever the signs; without further families rise has to be >= 0.
    """
    raise NotImplementedError("compiled code alone calls this: see the overload below")


def sum_below_fast(more: Any, e: Any, price: Any, cost: Any, rise: Any) -> Any:
    """`sum_below` for loops that may use fused multiply-adds: the same bound, not the same bits."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


def _sum_below(more: Any, e: Any, price: Any, cost: Any, rise: Any) -> Any:  # noqa: ARG001 - Numba's
    def one_family(more: Any, e: Any, price: Any, cost: Any, rise: Any) -> Any:  # noqa: ARG001
        return cost if rise == 0 else cost + rise - (SLIP * (abs(cost) + rise) + TINY)

    def several(more: Any, e: Any, price: Any, cost: Any, rise: Any) -> Any:
        q, size, entries = fold(more, e, _raised_with_size, price, (cost + rise, abs(cost) + abs(rise), 1.0))
        return q - (SLIP * entries * size + TINY)  # n products and n sums are off by n + 1 units of 2^-53 of the size

    return one_family if more == types.none else several


overload(sum_below, **BY_TYPE)(_sum_below)
overload(sum_below_fast, strict=False, jit_options={**CHOSEN_BY_TYPE, "fastmath": FAST})(_sum_below)


@compiled(cache=False, forceinline=True)
def _raised_with_size(row: int, a: float, price: Any, value: Any) -> Any:
    q, size, entries = value
    rise = np.float64(a) * price[row]
    return q + rise, size + abs(rise), entries + 1.0


@compiled(cache=False, forceinline=True)
def smaller_factor(row: Any, a: float, factor: Any, least: float) -> Any:
    """A body for `fold`: the least factor of the rows in which an edge or cell has a load."""
    return min(least, factor[row]) if a != 0 else least


@compiled(cache=False, forceinline=True)
def count_load(row: Any, a: float, state: Any, nothing: int) -> int:
    """A body for `fold`, state = (loads[R], negative[R], p): add a p to loads, where it is < 0 to negative too."""
    loads, negative, p = state
    load = np.float64(a) * p
    loads[row] += load
    negative[row] += min(0.0, load)
    return nothing


def add_rises(more: Any, price: Any, n: Any, q: Any) -> None:
    """q[k] grows by the rise of all further families, sum of a price, for the n cells of a slice."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(add_rises, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _add_rises(more: Any, price: Any, n: Any, q: Any) -> Any:  # noqa: ARG001 - Numba's
    if more == types.none or len(more) == 0:
        return lambda more, price, n, q: None  # noqa: ARG005

    def first_and_rest(more: Any, price: Any, n: Any, q: Any) -> None:
        _add_rises_of_one(more[0], price, n, q)
        add_rises(more[1:], price, n, q)

    return first_and_rest


def _add_rises_of_one(family: Any, price: Any, n: Any, q: Any) -> None:
    raise NotImplementedError


@overload(_add_rises_of_one, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _add_rises_of_family(family: Any, price: Any, n: Any, q: Any) -> Any:  # noqa: ARG001 - Numba's
    def aligned(family: Any, price: Any, n: Any, q: Any) -> None:
        own = price[family.first_row :]
        for k in range(n):
            q[k] += coefficient_at(family, k) * own[row_at(family.index, k)]

    def ragged(family: Any, price: Any, n: Any, q: Any) -> None:
        add_rises_of_ragged(family, price, n, q)

    return ragged if _is_ragged(family) else aligned


def first_has_loads(more: Any, a: Any) -> Any:
    """Whether a slice has a load in the first family, a[cells] being its coefficients: one of zeros has none, and its
    additions of nothing to row 0 would wait for one another. True without further families, for which nothing is read.
    """
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(first_has_loads, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _first_has_loads(more: Any, a: Any) -> Any:  # noqa: ARG001 - Numba's
    if more == types.none:
        return lambda more, a: True  # noqa: ARG005

    def any_load(more: Any, a: Any) -> Any:  # noqa: ARG001
        for k in range(a.size):  # noqa: SIM110 - Numba compiles no generators; the first cell answers but for zeros
            if a[k] != 0:
                return True
        return False

    return any_load


def scatter_more(more: Any, p: Any, n: Any, out: Any) -> None:
    """out[R] grows by a p of the entries of all further families, for the n cells of a slice."""
    raise NotImplementedError("compiled code alone calls this: see the overload below")


@overload(scatter_more, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _scatter_more(more: Any, p: Any, n: Any, out: Any) -> Any:  # noqa: ARG001 - Numba's
    if more == types.none or len(more) == 0:
        return lambda more, p, n, out: None  # noqa: ARG005

    def first_and_rest(more: Any, p: Any, n: Any, out: Any) -> None:
        _scatter_one(more[0], p, n, out)
        scatter_more(more[1:], p, n, out)

    return first_and_rest


def _scatter_one(family: Any, p: Any, n: Any, out: Any) -> None:
    raise NotImplementedError


@overload(_scatter_one, **BY_TYPE)  # type: ignore[untyped-decorator]  # of an untyped library
def _scatter_family(family: Any, p: Any, n: Any, out: Any) -> Any:  # noqa: ARG001 - Numba's
    def dense(family: Any, p: Any, n: Any, out: Any) -> None:
        load = 0.0
        for k in range(n):
            load += np.float64(coefficient_at(family, k)) * np.float64(p[k])
        out[family.first_row] += load

    def aligned(family: Any, p: Any, n: Any, out: Any) -> None:
        own = out[family.first_row :]
        for k in range(n):
            own[row_at(family.index, k)] += np.float64(coefficient_at(family, k)) * np.float64(p[k])

    def ragged(family: Any, p: Any, n: Any, out: Any) -> None:
        scatter_ragged(family, p, n, out)

    if _is_ragged(family):
        return ragged
    return dense if family.types[family.fields.index("index")] == types.none else aligned

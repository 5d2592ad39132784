"""The families of rows beyond the first in Triton (import late): rises, loads and factors of a tile of cells.

`more` is a tuple, empty where there is one family, with (first_row, start, index, a, coefficient) of each family: start
is None where the family is aligned, index where it has one row, and either a or coefficient, one number, where it has
the other. All are known when a kernel is compiled, so the short form is compiled as if this file did nothing. Their
number comes apart, because Triton 3.6 takes no len() of a tuple that holds None.
"""

# Triton looks annotations up: only its own names may stand there.
# mypy: disable-error-code="no-untyped-def, untyped-decorator"

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _entry(family, n, real):
    """Row and float64 coefficient of entry n, 0 where it is not real."""
    first_row, _, index, a, coefficient = family
    row = tl.zeros_like(n).to(tl.int32) + first_row
    if index is not None:
        row += tl.load(index + n, mask=real, other=0).to(tl.int32)
    weight = tl.where(real, tl.load(coefficient), 0.0) if a is None else tl.load(a + n, mask=real, other=0.0)
    return row, weight


@triton.jit
def _bounds(start, cell, real):
    """First entry of each cell, the end, and the most entries of a cell."""
    first = tl.load(start + cell, mask=real, other=0)
    end = tl.load(start + cell + 1, mask=real, other=0)
    return first, end, tl.max(tl.max(end - first, axis=0), axis=0)


@triton.jit
def add_rises(more, price, cell, real, q, FAMILIES: tl.constexpr):
    """q + the rises of further families, in the type of q."""
    for f in tl.static_range(FAMILIES):
        if more[f][1] is None:
            row, a = _entry(more[f], cell, real)
            q += a.to(q.dtype) * tl.load(price + row, mask=real, other=0.0)
        else:
            q += _ragged_rises(more[f], price, cell, real, q.dtype)[0]
    return q


@triton.jit
def add_sizes(more, price, cell, real, size, FAMILIES: tl.constexpr):
    """size + the sizes of the rises of further families, float64, and the number of entries of each cell, the first
    family's counted.
    """
    entries = tl.zeros_like(size) + 1.0
    for f in tl.static_range(FAMILIES):
        if more[f][1] is None:
            row, a = _entry(more[f], cell, real)
            size += tl.abs(a.to(tl.float64) * tl.load(price + row, mask=real, other=0.0))
            entries += 1.0
        else:
            _, of_family = _ragged_rises(more[f], price, cell, real, tl.float64)
            size += of_family
            first, end, _ = _bounds(more[f][1], cell, real)
            entries += (end - first).to(tl.float64)
    return size, entries


@triton.jit
def _ragged_rises(family, price, cell, real, dtype: tl.constexpr):
    """The rises of a ragged family, and their sizes."""
    first, end, most = _bounds(family[1], cell, real)
    rise = tl.zeros(cell.shape, dtype)
    size = tl.zeros(cell.shape, dtype)
    k = most * 0
    while k < most:
        here = first + k < end
        row, a = _entry(family, first + k, here)
        one = a.to(dtype) * tl.load(price + row, mask=here, other=0.0)
        rise += one
        size += tl.abs(one)
        k += 1
    return rise, size


@triton.jit
def add_loads(more, p, cell, real, loads, NEGATIVE: tl.constexpr, FAMILIES: tl.constexpr):
    """Add A p of further families, or the part of it that is negative, to loads[R]; p float64."""
    for f in tl.static_range(FAMILIES):
        if more[f][1] is None:
            _add_loads(more[f], cell, real & (p > 0), p, loads, NEGATIVE)
        else:
            first, end, most = _bounds(more[f][1], cell, real)
            k = most * 0
            while k < most:
                _add_loads(more[f], first + k, (first + k < end) & (p > 0), p, loads, NEGATIVE)
                k += 1


@triton.jit
def _add_loads(family, n, real, p, loads, NEGATIVE: tl.constexpr):
    row, a = _entry(family, n, real)
    load = a.to(tl.float64) * p
    if NEGATIVE:
        load = tl.minimum(load, 0.0)
    if family[2] is None:  # one row: one addition a program
        total = tl.sum(tl.sum(tl.where(real, load, 0.0), axis=0), axis=0)
        tl.atomic_add(loads + family[0], total, sem="relaxed")
    else:
        tl.atomic_add(loads + row, load, mask=real, sem="relaxed")


@triton.jit
def least_factor(more, factor, cell, real, j, a, SHORT_FORM: tl.constexpr, FAMILIES: tl.constexpr):
    """The factor[R] of the destination; beyond the short form the least of all rows in which a cell has a load."""
    least = tl.load(factor + j, mask=real, other=1.0)
    if not SHORT_FORM:
        least = tl.where(a != 0, least, 1.0)
    for f in tl.static_range(FAMILIES):
        if more[f][1] is None:
            least = tl.minimum(least, _factors(more[f], factor, cell, real))
        else:
            first, end, most = _bounds(more[f][1], cell, real)
            k = most * 0
            while k < most:
                least = tl.minimum(least, _factors(more[f], factor, first + k, first + k < end))
                k += 1
    return least


@triton.jit
def _factors(family, factor, n, real):
    row, a = _entry(family, n, real)
    return tl.where(a != 0, tl.load(factor + row, mask=real, other=1.0), 1.0)

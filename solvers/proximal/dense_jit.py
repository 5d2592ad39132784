"""A Newton system as a dense matrix, compiled by Numba (import late). M movable rows, as in system_jit.py."""

from __future__ import annotations

from typing import Any

from solvers.engine.compiled import compiled
from solvers.engine.polytopes.lanes_jit import FAST
from solvers.proximal.arrays import FreeEdges

#: Rows that `solve` eliminates at a time.
_TOGETHER = 4


@compiled(cache=False, forceinline=True)
def entry_of(start: Any, k: int) -> int:
    """The first entry of free edge k."""
    if start is None:
        return k
    first: int = start[k]
    return first


@compiled()
def pairs(free: FreeEdges) -> int:
    """Pairs of entries of one source, summed over the sources: the work of `dense_hessian`."""
    count = 0
    for r in range(free.inv_free.size):
        entries = entry_of(free.start, free.offsets[r + 1]) - entry_of(free.start, free.offsets[r])
        count += entries * entries
    return count


@compiled(fastmath=FAST)
def dense_hessian(free: FreeEdges, out: Any) -> None:
    """out[M, M] = sum_i A_i P_i A_i'"""
    out[:, :] = 0.0
    for r in range(free.inv_free.size):
        for k in range(free.offsets[r], free.offsets[r + 1]):
            _add_products(free, entry_of(free.start, k), entry_of(free.start, k + 1), 1.0, out)
        if free.inv_free[r] > 0.0:
            first, last = entry_of(free.start, free.offsets[r]), entry_of(free.start, free.offsets[r + 1])
            _add_products(free, first, last, -free.inv_free[r], out)


@compiled(cache=False, fastmath=FAST, forceinline=True)
def _add_products(free: FreeEdges, first: int, last: int, weight: float, out: Any) -> None:
    """out grows by weight a a', a[M] the sums of the entries first..last - 1 by row."""
    for n in range(first, last):
        share = weight * free.a[n]
        own = out[free.row[n]]
        for m in range(first, last):
            own[free.row[m]] += share * free.a[m]


@compiled(fastmath=FAST, error_model="numpy")
def solve(matrix: Any, d: Any) -> None:
    """d[M] = matrix^-1 d, matrix[M, M] symmetric and positive definite: Gaussian elimination of its upper triangle,
    which is overwritten. Four rows at a time, because a row that they change is then read and written once; one after
    another within each number, so that the order of additions depends on nothing but M.
    """
    size = d.size
    for first in range(0, size, _TOGETHER):
        last = min(first + _TOGETHER, size)
        for k in range(first, last):
            for i in range(k + 1, last):
                _subtract_row(matrix, k, i, d)
        if last - first == _TOGETHER:
            _subtract_rows(matrix, first, d)
    for k in range(size - 1, -1, -1):
        rest = d[k]
        for j in range(k + 1, size):
            rest -= matrix[k, j] * d[j]
        d[k] = rest / matrix[k, k]


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def _subtract_row(matrix: Any, k: int, i: int, d: Any) -> None:
    """What eliminating row k leaves of row i."""
    top, own = matrix[k], matrix[i]
    share = top[i] / top[k]
    if share != 0.0:
        for j in range(i, d.size):
            own[j] -= share * top[j]
        d[i] -= share * d[k]


@compiled(cache=False, fastmath=FAST, error_model="numpy", forceinline=True)
def _subtract_rows(matrix: Any, k: int, d: Any) -> None:
    """What eliminating the rows k..k + 3 leaves of those below."""
    first, second, third, fourth = matrix[k], matrix[k + 1], matrix[k + 2], matrix[k + 3]
    for i in range(k + _TOGETHER, d.size):
        own = matrix[i]
        of_first, of_second = first[i] / first[k], second[i] / second[k + 1]
        of_third, of_fourth = third[i] / third[k + 2], fourth[i] / fourth[k + 3]
        for j in range(i, d.size):
            left = own[j] - of_first * first[j]
            left = left - of_second * second[j]
            left = left - of_third * third[j]
            own[j] = left - of_fourth * fourth[j]
        left = d[i] - of_first * d[k]
        left = left - of_second * d[k + 1]
        left = left - of_third * d[k + 2]
        d[i] = left - of_fourth * d[k + 3]

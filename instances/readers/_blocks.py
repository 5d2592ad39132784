"""Source blocks of an LP: disjoint rows 1'x <= z or 1'x = z that cover most of its columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class Sums(NamedTuple):
    """Rows that could be the sum of a source: they say at_most >= 1'x, or = 1'x, of their columns."""

    row: Indices
    """Which rows these are, int64[k]."""
    at_most: Float64
    """z, float64[k]."""
    equality: npt.NDArray[np.bool_]
    """bool[k]."""


def sums_of(matrix: Any, row_lower: Float64, row_upper: Float64) -> Sums:
    """Rows whose coefficients are all alike, divided by them, with z >= 0 and no floor above 0; matrix CSR, x >= 0."""
    counts = np.diff(matrix.indptr)
    filled = np.flatnonzero(counts)
    starts = matrix.indptr[filled]
    least = np.minimum.reduceat(matrix.data, starts) if filled.size else np.zeros(0)
    most = np.maximum.reduceat(matrix.data, starts) if filled.size else np.zeros(0)
    alike = least == most
    row, scale = filled[alike], least[alike]

    low, high = row_lower[row] / scale, row_upper[row] / scale
    low, high = np.where(scale > 0, low, high), np.where(scale > 0, high, low)
    usable = np.isfinite(high) & (high >= 0) & ((low <= 0) | (low == high))
    return Sums(row[usable].astype(np.int64), high[usable], (low == high)[usable])


def disjoint(matrix: Any, sums: Sums) -> Indices:
    """Indices into `sums` of disjoint rows, in the order of the file.

    Of several greedy choices the one that covers most columns, and of equal ones that with most rows, as sources are
    many and small.
    """
    best = np.zeros(0, dtype=np.int64)
    best_score = (0, 0)
    for order in _orders(matrix, sums):
        chosen = _greedy(matrix, sums.row[order])
        score = (int(np.diff(matrix.indptr)[sums.row[order[chosen]]].sum()), int(chosen.sum()))
        if score > best_score:
            best, best_score = np.sort(order[chosen]), score
    return best


def _orders(matrix: Any, sums: Sums) -> Iterator[Indices]:
    """Large rows first covers hubs, small ones first many sources, and files often list one kind after the other."""
    size = np.diff(matrix.indptr)[sums.row]
    in_file = np.arange(sums.row.size)
    yield in_file
    yield in_file[::-1]
    yield np.argsort(size, kind="stable")
    yield np.argsort(-size, kind="stable")
    yield np.argsort(~sums.equality, kind="stable")


def _greedy(matrix: Any, rows: Indices) -> npt.NDArray[np.bool_]:
    """Which of the rows are taken, one after another, where no row before has one of their columns."""
    free = np.ones(matrix.shape[1], dtype=np.bool_)
    taken = np.zeros(rows.size, dtype=np.bool_)
    for number, row in enumerate(rows.tolist()):
        columns = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
        if free[columns].all():
            free[columns] = False
            taken[number] = True
    return taken

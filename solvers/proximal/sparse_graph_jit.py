"""The graph of a Newton system: rows, coupled where a source has free edges in both (import late).

Compiled by Numba. M movable rows, as in system_jit.py; P couplings.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.compiled import compiled
from solvers.proximal.arrays import FreeEdges
from solvers.proximal.dense_jit import entry_of

#: The end of a list.
NONE = -1


class Graph(NamedTuple):
    """The rows not yet eliminated. Coupling p has the half edges 2 p and 2 p + 1, one in the list of each row."""

    value: Any
    """float64[P]: the entry of the matrix."""
    to: Any
    """int32[2 P]: the other row of a half edge."""
    following: Any
    """int32[2 P]: the next half edge of the same row."""
    first: Any
    """int32[M]: of each row."""
    diagonal: Any
    """float64[M]"""
    degree: Any
    """int32[M]; -1 of a row that is eliminated."""


@compiled(cache=False)
def _count_couplings(free: FreeEdges, count: Any) -> int:
    """count[M] grows by the pairs of entries of one source that _add_couplings puts into each row; their number."""
    pairs = 0
    for r in range(free.inv_free.size):
        first = entry_of(free.start, free.offsets[r])
        for k in range(free.offsets[r], free.offsets[r + 1]):
            own = entry_of(free.start, k)
            before = first if free.inv_free[r] > 0.0 else own
            for n in range(own, entry_of(free.start, k + 1)):
                for m in range(before, n):
                    count[max(free.row[n], free.row[m])] += 1
                pairs += n - before
    return pairs


@compiled(cache=False)
def _add_couplings(free: FreeEdges, step: float, diagonal: Any, place: Any, other: Any, value: Any) -> None:
    """The terms of step sum_i A_i P_i A_i' in the diagonal, or (other, value) at place[M] of the larger row."""
    for r in range(free.inv_free.size):
        first = entry_of(free.start, free.offsets[r])
        shared = free.inv_free[r]
        for k in range(free.offsets[r], free.offsets[r + 1]):
            own = entry_of(free.start, k)
            before = first if shared > 0.0 else own
            for n in range(own, entry_of(free.start, k + 1)):
                row, a = free.row[n], step * free.a[n]
                diagonal[row] += (1.0 - shared) * a * free.a[n]
                for m in range(before, n):
                    term = ((1.0 if m >= own else 0.0) - shared) * a * free.a[m]
                    if free.row[m] == row:
                        diagonal[row] += 2.0 * term
                        term = 0.0
                    high = max(row, free.row[m])
                    other[place[high]] = min(row, free.row[m])
                    value[place[high]] = term
                    place[high] += 1


@compiled(cache=False)
def graph_of(free: FreeEdges, step: float, ridge: Any) -> tuple[Graph, int]:
    """The rows with their couplings, each once, and how many these are; there is memory for more."""
    rows = ridge.size
    start = np.zeros(rows + 1, np.int64)
    pairs = _count_couplings(free, start[1:])
    for j in range(rows):
        start[j + 1] += start[j]
    place = start[:-1].copy()
    other, term = np.empty(pairs, np.int32), np.empty(pairs)
    diagonal = ridge.copy()
    _add_couplings(free, step, diagonal, place, other, term)

    room = 2 * pairs + rows
    graph = Graph(
        np.empty(room),
        np.empty(2 * room, np.int32),
        np.empty(2 * room, np.int32),
        np.full(rows, NONE, np.int32),
        diagonal,
        np.zeros(rows, np.int32),
    )
    known = np.full(rows, NONE, np.int32)
    count = 0
    for row in range(rows):
        begin = count
        for k in range(start[row], start[row + 1]):
            low = other[k]
            if low == row:
                continue
            if known[low] < begin:
                known[low] = count
                couple(graph, count, row, low, 0.0)
                count += 1
            graph.value[known[low]] += term[k]
    return graph, count


@compiled(cache=False)
def couple(graph: Graph, p: int, row: int, other: int, value: float) -> None:
    """Coupling p, a new one."""
    graph.value[p] = value
    graph.to[2 * p] = other
    graph.following[2 * p] = graph.first[row]
    graph.first[row] = 2 * p
    graph.to[2 * p + 1] = row
    graph.following[2 * p + 1] = graph.first[other]
    graph.first[other] = 2 * p + 1
    graph.degree[row] += 1
    graph.degree[other] += 1


@compiled(cache=False)
def longer(values: Any, size: int) -> Any:
    longer = np.empty(size, values.dtype)
    longer[: values.size] = values
    return longer


@compiled(cache=False)
def with_room(graph: Graph, size: int) -> Graph:
    """The same with memory for `size` couplings."""
    return Graph(
        longer(graph.value, size),
        longer(graph.to, 2 * size),
        longer(graph.following, 2 * size),
        graph.first,
        graph.diagonal,
        graph.degree,
    )


@compiled(cache=False)
def neighbours(graph: Graph, row: int, rows: Any, values: Any) -> int:
    """The rows coupled with `row` and the entries of the matrix; how many."""
    count = 0
    half = graph.first[row]
    while half != NONE:
        if graph.degree[graph.to[half]] >= 0:
            rows[count] = graph.to[half]
            values[count] = graph.value[half >> 1]
            count += 1
        half = graph.following[half]
    return count


@compiled(cache=False)
def mark_neighbours(graph: Graph, row: int, mark: Any, coupling: Any, stamp: int) -> None:
    """coupling[w] of each row w coupled with `row`, where mark[w] becomes `stamp`; drops eliminated rows."""
    last = NONE
    half = graph.first[row]
    while half != NONE:
        following = graph.following[half]
        other = graph.to[half]
        if graph.degree[other] >= 0:
            mark[other] = stamp
            coupling[other] = half >> 1
            last = half
        elif last == NONE:
            graph.first[row] = following
        else:
            graph.following[last] = following
        half = following


class Scratch(NamedTuple):
    """Of one elimination."""

    near: Any
    """int32[M]: the rows coupled with the one that is eliminated ..."""
    entry: Any
    """float64[M]: ... and their entries of the matrix."""
    mark: Any
    """int64[M]: see mark_neighbours."""
    coupling: Any
    """int32[M]: see mark_neighbours."""

"""A Newton system solved by sparse elimination, compiled by Numba (import late). M movable rows, as in system_jit.py.

A row is coupled with another where a source has free edges in both. Near an optimal vertex there are about as many free
edges as rows beyond one a source, so the graph of the rows is nearly a forest: rows of few neighbours, eliminated in
the order of least degree (Markowitz 1957; Tinney and Walker 1967), fill hardly at all. What is left is a core of a
tenth or a fifth of the rows, which would fill: conjugate gradients take few products there, with an explicit matrix.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.compiled import compiled
from solvers.proximal.arrays import FreeEdges
from solvers.proximal.sparse_core_jit import Core, solve_core
from solvers.proximal.sparse_graph_jit import (
    NONE,
    Graph,
    Scratch,
    couple,
    graph_of,
    longer,
    mark_neighbours,
    neighbours,
    with_room,
)


class _Queue(NamedTuple):
    """Rows by degree, in lists that are linked both ways."""

    first: Any
    """int32[M]: of each degree."""
    after: Any
    """int32[M]"""
    before: Any
    """int32[M]"""


@compiled(cache=False)
def _queue_of(graph: Graph) -> _Queue:
    rows = graph.degree.size
    queue = _Queue(np.full(rows, NONE, np.int32), np.empty(rows, np.int32), np.empty(rows, np.int32))
    for row in range(rows):
        _put(queue, row, graph.degree[row])
    return queue


@compiled(cache=False)
def _put(queue: _Queue, row: int, degree: int) -> None:
    head = queue.first[degree]
    queue.after[row] = head
    queue.before[row] = NONE
    if head != NONE:
        queue.before[head] = row
    queue.first[degree] = row


@compiled(cache=False)
def _take(queue: _Queue, row: int, degree: int) -> None:
    before, after = queue.before[row], queue.after[row]
    if before == NONE:
        queue.first[degree] = after
    else:
        queue.after[before] = after
    if after != NONE:
        queue.before[after] = before


@compiled(cache=False)
def _lose_neighbour(graph: Graph, queue: _Queue, row: int, share: float) -> None:
    """What the elimination of a neighbour leaves of `row` itself; the row is in no list of the queue then."""
    graph.diagonal[row] -= share
    _take(queue, row, graph.degree[row])
    graph.degree[row] -= 1


@compiled(cache=False, error_model="numpy")
def _couple_neighbours(graph: Graph, couplings: int, count: int, pivot: float, stamp: int, scratch: Scratch) -> int:
    """What eliminating a row leaves between the `count` rows it was coupled with; the couplings then."""
    near, entry = scratch.near, scratch.entry
    for i in range(count - 1):
        share = entry[i] / pivot
        mark_neighbours(graph, near[i], scratch.mark, scratch.coupling, stamp + i)
        for j in range(i + 1, count):
            w = near[j]
            if scratch.mark[w] == stamp + i:
                graph.value[scratch.coupling[w]] -= share * entry[j]
            else:
                couple(graph, couplings, near[i], w, -share * entry[j])
                couplings += 1
    return couplings


@compiled(error_model="numpy")
def eliminate(free: FreeEdges, step: float, ridge: Any, d: Any, k: Core) -> tuple[int, int]:
    """d[M] = (step H + diag(ridge))^-1 d; the rows of the core, and the products of conjugate gradients for it."""
    rows = d.size
    graph, couplings = graph_of(free, step, ridge)
    queue = _queue_of(graph)
    scratch = Scratch(np.empty(rows, np.int32), np.empty(rows), np.zeros(rows, np.int64), np.empty(rows, np.int32))
    near, entry = scratch.near, scratch.entry
    order = np.empty(rows, np.int32)
    start = np.zeros(rows + 1, np.int64)  # of the column of each eliminated row in the factor
    factor_row, factor = np.empty(2 * couplings + rows, np.int32), np.empty(2 * couplings + rows)
    stamp = 1
    least = 0
    done = 0
    while done < rows:
        while queue.first[least] == NONE:
            least += 1
        if least > k.degree:
            break
        row = queue.first[least]
        _take(queue, row, least)
        count = neighbours(graph, row, near, entry)
        graph.degree[row] = NONE
        order[done] = row

        begin = start[done]
        if begin + count > factor.size:
            factor_row, factor = longer(factor_row, 2 * (begin + count)), longer(factor, 2 * (begin + count))
        if couplings + count * count > graph.value.size:
            graph = with_room(graph, 2 * (couplings + count * count))

        pivot = graph.diagonal[row]
        for i in range(count):
            u = near[i]
            share = entry[i] / pivot
            factor_row[begin + i] = u
            factor[begin + i] = share
            d[u] -= share * d[row]
            _lose_neighbour(graph, queue, u, share * entry[i])

        couplings = _couple_neighbours(graph, couplings, count, pivot, stamp, scratch)
        stamp += count
        for i in range(count):
            _put(queue, near[i], graph.degree[near[i]])
            least = min(least, graph.degree[near[i]])
        done += 1
        start[done] = begin + count

    products = solve_core(graph, d, rows - done, scratch, k)
    _substitute(graph, order[:done], start, factor_row, factor, d)
    return rows - done, products


@compiled(cache=False, error_model="numpy")
def _substitute(graph: Graph, order: Any, start: Any, rows: Any, factor: Any, d: Any) -> None:
    """d of the eliminated rows, the last one first; start, rows, factor: the columns of the factor."""
    for t in range(order.size - 1, -1, -1):
        rest = d[order[t]] / graph.diagonal[order[t]]
        for m in range(start[t], start[t + 1]):
            rest -= factor[m] * d[rows[m]]
        d[order[t]] = rest

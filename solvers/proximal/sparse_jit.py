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
from solvers.proximal.dense_jit import entry_of, solve

_NONE = -1


class Core(NamedTuple):
    """How the rows that are not eliminated are solved for."""

    degree: int
    """Rows coupled with more others than this are not eliminated."""
    dense_rows: int
    """So few are a dense system."""
    tolerance: float
    """Relative residual of conjugate gradients."""
    steps: int
    """Of conjugate gradients, at most."""


class _Graph(NamedTuple):
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


class _Queue(NamedTuple):
    """Rows by degree, in lists that are linked both ways."""

    first: Any
    """int32[M]: of each degree."""
    after: Any
    """int32[M]"""
    before: Any
    """int32[M]"""


@compiled(cache=False)
def _put(queue: _Queue, row: int, degree: int) -> None:
    head = queue.first[degree]
    queue.after[row] = head
    queue.before[row] = _NONE
    if head != _NONE:
        queue.before[head] = row
    queue.first[degree] = row


@compiled(cache=False)
def _take(queue: _Queue, row: int, degree: int) -> None:
    before, after = queue.before[row], queue.after[row]
    if before == _NONE:
        queue.first[degree] = after
    else:
        queue.after[before] = after
    if after != _NONE:
        queue.before[after] = before


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
def _graph_of(free: FreeEdges, step: float, ridge: Any) -> tuple[_Graph, int]:
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
    graph = _Graph(
        np.empty(room),
        np.empty(2 * room, np.int32),
        np.empty(2 * room, np.int32),
        np.full(rows, _NONE, np.int32),
        diagonal,
        np.zeros(rows, np.int32),
    )
    known = np.full(rows, _NONE, np.int32)
    count = 0
    for row in range(rows):
        begin = count
        for k in range(start[row], start[row + 1]):
            low = other[k]
            if low == row:
                continue
            if known[low] < begin:
                known[low] = count
                _couple(graph, count, row, low, 0.0)
                count += 1
            graph.value[known[low]] += term[k]
    return graph, count


@compiled(cache=False)
def _couple(graph: _Graph, p: int, row: int, other: int, value: float) -> None:
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
def _longer(values: Any, size: int) -> Any:
    longer = np.empty(size, values.dtype)
    longer[: values.size] = values
    return longer


@compiled(cache=False)
def _with_room(graph: _Graph, size: int) -> _Graph:
    """The same with memory for `size` couplings."""
    return _Graph(
        _longer(graph.value, size),
        _longer(graph.to, 2 * size),
        _longer(graph.following, 2 * size),
        graph.first,
        graph.diagonal,
        graph.degree,
    )


@compiled(cache=False)
def _neighbours(graph: _Graph, row: int, rows: Any, values: Any) -> int:
    """The rows coupled with `row` and the entries of the matrix; how many."""
    count = 0
    half = graph.first[row]
    while half != _NONE:
        if graph.degree[graph.to[half]] >= 0:
            rows[count] = graph.to[half]
            values[count] = graph.value[half >> 1]
            count += 1
        half = graph.following[half]
    return count


@compiled(cache=False)
def _mark(graph: _Graph, row: int, mark: Any, coupling: Any, stamp: int) -> None:
    """coupling[w] of each row w coupled with `row`, where mark[w] becomes `stamp`; drops eliminated rows."""
    last = _NONE
    half = graph.first[row]
    while half != _NONE:
        following = graph.following[half]
        other = graph.to[half]
        if graph.degree[other] >= 0:
            mark[other] = stamp
            coupling[other] = half >> 1
            last = half
        elif last == _NONE:
            graph.first[row] = following
        else:
            graph.following[last] = following
        half = following


class _Scratch(NamedTuple):
    """Of one elimination."""

    near: Any
    """int32[M]: the rows coupled with the one that is eliminated ..."""
    entry: Any
    """float64[M]: ... and their entries of the matrix."""
    mark: Any
    """int64[M]: see _mark."""
    coupling: Any
    """int32[M]: see _mark."""


@compiled(cache=False, error_model="numpy")
def _couple_neighbours(graph: _Graph, couplings: int, count: int, pivot: float, stamp: int, scratch: _Scratch) -> int:
    """What eliminating a row leaves between the `count` rows it was coupled with; the couplings then."""
    near, entry = scratch.near, scratch.entry
    for i in range(count - 1):
        share = entry[i] / pivot
        _mark(graph, near[i], scratch.mark, scratch.coupling, stamp + i)
        for j in range(i + 1, count):
            w = near[j]
            if scratch.mark[w] == stamp + i:
                graph.value[scratch.coupling[w]] -= share * entry[j]
            else:
                _couple(graph, couplings, near[i], w, -share * entry[j])
                couplings += 1
    return couplings


@compiled(error_model="numpy")
def eliminate(free: FreeEdges, step: float, ridge: Any, d: Any, k: Core) -> tuple[int, int]:
    """d[M] = (step H + diag(ridge))^-1 d; the rows of the core, and the products of conjugate gradients for it."""
    rows = d.size
    graph, couplings = _graph_of(free, step, ridge)
    queue = _queue_of(graph)
    scratch = _Scratch(np.empty(rows, np.int32), np.empty(rows), np.zeros(rows, np.int64), np.empty(rows, np.int32))
    near, entry = scratch.near, scratch.entry
    order = np.empty(rows, np.int32)
    start = np.zeros(rows + 1, np.int64)  # of the column of each eliminated row in the factor
    factor_row, factor = np.empty(2 * couplings + rows, np.int32), np.empty(2 * couplings + rows)
    stamp = 1
    least = 0
    done = 0
    while done < rows:
        while queue.first[least] == _NONE:
            least += 1
        if least > k.degree:
            break
        row = queue.first[least]
        _take(queue, row, least)
        count = _neighbours(graph, row, near, entry)
        graph.degree[row] = _NONE
        order[done] = row

        begin = start[done]
        if begin + count > factor.size:
            factor_row, factor = _longer(factor_row, 2 * (begin + count)), _longer(factor, 2 * (begin + count))
        if couplings + count * count > graph.value.size:
            graph = _with_room(graph, 2 * (couplings + count * count))

        pivot = graph.diagonal[row]
        for i in range(count):
            u = near[i]
            share = entry[i] / pivot
            factor_row[begin + i] = u
            factor[begin + i] = share
            graph.diagonal[u] -= share * entry[i]
            d[u] -= share * d[row]
            _take(queue, u, graph.degree[u])
            graph.degree[u] -= 1

        couplings = _couple_neighbours(graph, couplings, count, pivot, stamp, scratch)
        stamp += count
        for i in range(count):
            _put(queue, near[i], graph.degree[near[i]])
            least = min(least, graph.degree[near[i]])
        done += 1
        start[done] = begin + count

    products = _solve_core(graph, d, rows - done, scratch, k)
    _substitute(graph, order[:done], start, factor_row, factor, d)
    return rows - done, products


@compiled(cache=False)
def _queue_of(graph: _Graph) -> _Queue:
    rows = graph.degree.size
    queue = _Queue(np.full(rows, _NONE, np.int32), np.empty(rows, np.int32), np.empty(rows, np.int32))
    for row in range(rows):
        _put(queue, row, graph.degree[row])
    return queue


@compiled(cache=False, error_model="numpy")
def _substitute(graph: _Graph, order: Any, start: Any, rows: Any, factor: Any, d: Any) -> None:
    """d of the eliminated rows, the last one first; start, rows, factor: the columns of the factor."""
    for t in range(order.size - 1, -1, -1):
        rest = d[order[t]] / graph.diagonal[order[t]]
        for m in range(start[t], start[t + 1]):
            rest -= factor[m] * d[rows[m]]
        d[order[t]] = rest


@compiled(cache=False, error_model="numpy")
def _solve_core(graph: _Graph, d: Any, left: int, scratch: _Scratch, k: Core) -> int:
    """d of the `left` rows that are not eliminated: as a dense system where they are few, else by conjugate gradients
    with the diagonal as preconditioner; products of these.
    """
    core = np.empty(left, np.int32)
    place = scratch.coupling
    n = 0
    for row in range(d.size):
        if graph.degree[row] >= 0:
            place[row] = n
            core[n] = row
            n += 1

    start = np.zeros(left + 1, np.int64)
    for i in range(left):
        start[i + 1] = start[i] + graph.degree[core[i]]
    column, value = np.empty(start[-1], np.int32), np.empty(start[-1])
    for i in range(left):
        for m in range(_neighbours(graph, core[i], scratch.near, scratch.entry)):
            column[start[i] + m] = place[scratch.near[m]]
            value[start[i] + m] = scratch.entry[m]

    diagonal, own = graph.diagonal[core], d[core]
    products = 0
    if left <= k.dense_rows:
        _solve_densely(start, column, value, diagonal, own)
    else:
        products = _conjugate_gradients(start, column, value, diagonal, own, k)
    d[core] = own
    return products


@compiled(cache=False)
def _solve_densely(start: Any, column: Any, value: Any, diagonal: Any, d: Any) -> None:
    """d becomes matrix^-1 d."""
    matrix = np.zeros((d.size, d.size))
    for i in range(d.size):
        matrix[i, i] = diagonal[i]
        for m in range(start[i], start[i + 1]):
            matrix[i, column[m]] = value[m]
    solve(matrix, d)


@compiled(cache=False, error_model="numpy")
def _conjugate_gradients(start: Any, column: Any, value: Any, diagonal: Any, d: Any, k: Core) -> int:
    """d becomes matrix^-1 d up to the tolerance; the products that took."""
    rows = d.size
    residual, direction, h = d.copy(), d / diagonal, np.empty(rows)
    product = 0.0
    square = 0.0
    for i in range(rows):
        product += residual[i] * direction[i]
        square += residual[i] * residual[i]
        d[i] = 0.0
    goal = k.tolerance * k.tolerance * square
    products = 0
    while products < k.steps and product > 0.0 and square > goal:  # so that NaN ends it
        curvature = 0.0
        for i in range(rows):
            rise = diagonal[i] * direction[i]
            for m in range(start[i], start[i + 1]):
                rise += value[m] * direction[column[m]]
            h[i] = rise
            curvature += rise * direction[i]
        length = product / curvature
        following = 0.0
        square = 0.0
        for i in range(rows):
            d[i] += length * direction[i]
            residual[i] -= length * h[i]
            square += residual[i] * residual[i]
            following += residual[i] * residual[i] / diagonal[i]
        for i in range(rows):
            direction[i] = residual[i] / diagonal[i] + following / product * direction[i]
        product = following
        products += 1
    return products

"""The rows of a Newton system that elimination leaves: a dense system, or conjugate gradients (import late).

Compiled by Numba. M movable rows, as in system_jit.py.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.compiled import compiled
from solvers.proximal.dense_jit import solve
from solvers.proximal.sparse_graph_jit import Graph, Scratch, neighbours


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


@compiled(cache=False, error_model="numpy")
def solve_core(graph: Graph, d: Any, left: int, scratch: Scratch, k: Core) -> int:
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
        for m in range(neighbours(graph, core[i], scratch.near, scratch.entry)):
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

"""The two loops of the greedy method, over the columns and the rows of the explicit form.

R coupling rows, E edges.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.engine.compiled import compiled


class Columns(NamedTuple):
    """The CSC arrays of the coupling rows [R, E]."""

    starts: Any
    """[E + 1]"""
    row: Any
    """[entries]"""
    weight: Any
    """float64[entries] >= 0."""


@compiled(nogil=True)
def fill(order: Any, source: Any, columns: Columns, upper: Any, left_of_source: Any, left_of_row: Any, x: Any) -> None:
    """Give each edge of `order` in turn all that its own limit, its source and its rows have left."""
    starts, row, weight = columns
    for e in order:
        i = source[e]
        amount = min(upper[e], left_of_source[i])
        for k in range(starts[e], starts[e + 1]):
            if weight[k] > 0.0:
                amount = min(amount, left_of_row[row[k]] / weight[k])
        if amount <= 0.0:
            continue
        x[e] = amount
        left_of_source[i] -= amount
        for k in range(starts[e], starts[e + 1]):
            left_of_row[row[k]] = max(0.0, left_of_row[row[k]] - amount * weight[k])


@compiled(nogil=True)
def alternatives(edges: Any, source: Any, offsets: Any, q: Any, most: Any, upper: Any, others: Any) -> None:
    """others[k]: the reduced cost that edge edges[k] has to be below, so that its source fills it: that of the dearest
    edge which the source would fill without it, 0 where the source has room beside all edges of negative cost.
    """
    least = np.empty(0)
    for k in range(edges.size):
        e = edges[k]
        i = source[e]
        others[k] = 0.0
        if most[i] == np.inf or upper[e] <= 0.0:
            continue
        filled = np.ceil(most[i] / upper[e])  # edges that the source can fill
        if filled >= offsets[i + 1] - offsets[i]:
            continue
        count = int(filled)
        if least.size < count:
            least = np.empty(count)

        # The `count` least of the others, in order; those that are not below 0 stand as 0.
        least[:count] = 0.0
        for other in range(offsets[i], offsets[i + 1]):
            cost = q[other]
            if other == e or cost >= least[count - 1]:
                continue
            place = count - 1
            while place > 0 and least[place - 1] > cost:
                least[place] = least[place - 1]
                place -= 1
            least[place] = cost
        others[k] = least[count - 1]

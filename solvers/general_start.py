"""What a general LP solver needs beside x and dual to begin where it was left: prices of sums, and violations.

E edges, R coupling rows, S sources whose sum is limited. With q = c + A'y and a price t of the sum, a source gets

    -z t + sum_e u_e min(0, q_e + t),    t >= 0 for 1'x <= z, any t for 1'x = z

and the best t is -q_e of the edge at which the cheapest edges, each at its u_e, have used z up.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP, RaggedRows, Rows, activities

Float64 = npt.NDArray[np.float64]


def sum_prices(lp: MatchingLP, dual: Any) -> Float64:
    """float64[S]: the best t of each limited sum under the prices dual[R], in the order of the sources."""
    limits = lp.per_source.limits()
    source = np.repeat(np.arange(lp.sources), lp.degrees())
    q = reduced_costs(lp, dual)
    order = np.lexsort((q, source))  # within each source the cheapest edge first; every edge stays with its source

    upper = np.minimum(lp.upper_of_edges()[order], limits.at_most[source])
    used = np.cumsum(np.where(np.isfinite(upper), upper, 0.0))
    before = np.append(0.0, used)[lp.offsets[:-1]]
    full = used - before[source] >= limits.at_most[source] * (1 - 1e-12)

    price = np.zeros(lp.sources)
    last = np.flatnonzero(full)[::-1]
    price[source[last]] = -q[order][
        last
    ]  # of several entries of one source the last one written, its first edge, stays
    price = np.where(limits.equality, price, np.maximum(price, 0.0))
    return price[np.isfinite(limits.at_most)]


def violations(lp: MatchingLP, x: Any) -> Float64:
    """By how much x[E] leaves each side that has a price: the further columns of the explicit form, in its order."""
    of_rows = lp.split(activities(lp, x))
    sides = []
    for family in lp.rows:
        activity = of_rows[family.name]
        below = (family.penalty_below, family.lower - activity)
        above = (family.penalty_above, activity - family.upper)
        for penalty, beyond in (below, above):
            sides.append(np.maximum(beyond, 0.0)[(penalty > 0) & np.isfinite(penalty)])
    return np.concatenate(sides)


def reduced_costs(lp: MatchingLP, dual: Any) -> Float64:
    """q[E] = c + A'dual."""
    q: Float64 = lp.c.astype(np.float64)
    prices = lp.split(np.asarray(dual, dtype=np.float64))
    for family in lp.rows:
        q += _of_edges(family, prices[family.name], lp.edges)
    return q


def _of_edges(family: Rows | RaggedRows, price: Float64, edges: int) -> Float64:
    if isinstance(family, Rows):
        row = np.zeros(edges, dtype=np.int64) if family.row is None else family.row
        of_rows: Float64 = family.coefficient * price[row]
        return of_rows
    edge = np.repeat(np.arange(edges), np.diff(family.entry_offsets))
    return np.bincount(edge, family.coefficient * price[family.row], minlength=edges).astype(np.float64)

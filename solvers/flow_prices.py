"""Prices that support an optimal flow: the dual, for solvers of flow problems that return none.

The price p of a node is what it costs to bring a unit from there to the sink, p = 0. A flow is optimal only if an arc
(u, v) of cost k that carries something is a cheapest way, p_u >= p_v + k, and no arc with room left is cheaper,
p_v >= p_u - k. For sources this says: what source i pays for the dearest of its units is m_i = max of k + p over its
used arcs, and every arc with room left has p >= m_i - k. Raising prices from 0 until all of it holds gives the least
ones that do; then all are lowered until the sink has 0. This is the method of Bellman and Ford on the graph of rows and
sink.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from solvers.flow import Flow, Whole

_SENDS_NOTHING = -(2**61)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prices:
    """of_node int64[I + J + 1], in steps of cost; complete: they support the flow; sweeps: over all arcs."""

    of_node: Whole
    complete: bool
    sweeps: int


def least_prices(problem: Flow, sent: Whole, *, most_sweeps: float, until: float) -> Prices:
    """The least prices under the optimal flow `sent`, int64, one entry an arc.

    until: a reading of `time.perf_counter`, from which on no sweep begins.
    """
    of_sources = problem.tail < problem.sources
    used = np.flatnonzero(of_sources & (sent > 0))
    spare = np.flatnonzero(of_sources & (sent < problem.capacity))
    carries = np.flatnonzero(~of_sources & (sent > 0))
    has_room = np.flatnonzero(~of_sources & (sent < problem.capacity))
    tail, head, cost = problem.tail, problem.head, problem.cost

    payer, paid_cost, paid_node = tail[used], cost[used], head[used]
    rival, rival_cost, rival_node = tail[spare], cost[spare], head[spare]
    price = np.zeros(problem.sink + 1, dtype=np.int64)
    paid = np.full(problem.sources, _SENDS_NOTHING)
    complete = False
    sweeps = 0
    while not complete and sweeps < most_sweeps and time.perf_counter() < until:
        sweeps += 1
        paid = np.full(problem.sources, _SENDS_NOTHING)
        np.maximum.at(paid, payer, paid_cost + price[paid_node])

        raised = price.copy()
        np.maximum.at(raised, rival_node, paid[rival] - rival_cost)
        np.maximum.at(raised, tail[carries], price[head[carries]] + cost[carries])
        np.maximum.at(raised, head[has_room], price[tail[has_room]] - cost[has_room])
        complete = np.array_equal(raised, price)
        price = raised

    price[: problem.sources] = np.where(paid > _SENDS_NOTHING, paid, price[problem.sink])
    return Prices(of_node=price - price[problem.sink], complete=complete, sweeps=sweeps)

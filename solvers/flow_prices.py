"""The least prices that support an optimal flow: the dual, for solvers of flow problems that return none.

A source that sends units through edge (i, j) pays m_i = c_ij + p_j for them, and the flow is optimal only if no edge
(i, k) with room left is cheaper: p_k >= m_i - c_ik, where what goes to the sink pays p = 0. Raising prices from 0 until
this holds everywhere gives the least ones, which are 0 wherever an outlet has room left. This is the method of Bellman
and Ford on the graph of destinations, two of which are joined by the sources that have both.
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
    of_sources = problem.tail < problem.supply.size
    used = np.flatnonzero(of_sources & (sent > 0))
    spare = np.flatnonzero(of_sources & (sent < problem.capacity))
    payer, paid_cost, paid_node = problem.tail[used], problem.cost[used], problem.head[used]
    rival, rival_cost, rival_node = problem.tail[spare], problem.cost[spare], problem.head[spare]

    price = np.zeros(problem.sink + 1, dtype=np.int64)
    sweeps = 0
    while sweeps < most_sweeps and time.perf_counter() < until:
        sweeps += 1
        paid = np.full(problem.supply.size, _SENDS_NOTHING)
        np.maximum.at(paid, payer, paid_cost + price[paid_node])
        raised = price.copy()
        np.maximum.at(raised, rival_node, paid[rival] - rival_cost)
        raised[problem.sink] = 0
        if np.array_equal(raised, price):
            return Prices(of_node=price, complete=True, sweeps=sweeps)
        price = raised
    return Prices(of_node=price, complete=False, sweeps=sweeps)

"""Greedy: the best value first while budgets last, and one sweep of prices. What an LP solver has to beat.

I sources, E edges, R coupling rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, RowKind
from solvers.base import Answer, Availability, Solver, Status
from solvers.settings import NoOptions, Settings, parse_options

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """The rows by edge and by row, and what edges, sources and rows may take."""

    lp: MatchingLP
    columns: Any
    """float64 CSC [R, E]."""
    rows: Any
    """The same as CSR."""
    source: npt.NDArray[np.int64]
    c: Float64
    upper: Float64
    """float64[E]: of each edge alone, and no more than its source may take."""
    at_most: Float64
    """float64[I]."""
    limit: Float64
    """float64[R]."""


class Greedy(Solver):
    """Two passes, whatever the tolerance, which it never claims.

    The sweep sets the price of one row after another to the least at which its sources would not ask for more than it
    has, given the prices before it: g0 is largest there in that coordinate where a source fills one edge. Edges are
    filled in the order of c, and again in the order of c + A'y; the cheaper x is the answer. It takes '<=' sources and
    hard '<=' rows, any number an edge, with coefficients and limits >= 0: whatever is filled there is feasible. With
    100,000 x 1,000 (pacing 20,000 x 200) the certified gaps were 0.02 (`independent`, `pacing`), 0.06 (`unit`) and 0.2
    (`dualip`, `uniform`).
    """

    id = "greedy"
    title = "Greedy by value, with one sweep of prices"
    citation = "Dantzig, Discrete-variable extremum problems, Operations Research 5, 1957"
    bytes_per_edge = 150.0
    polytopes = frozenset({Kind.SIMPLEX, Kind.BOX, Kind.BOX_CUT})
    rows = frozenset({RowKind.SEVERAL, RowKind.RAGGED})
    upper_of_edges = True
    no_edges = False
    Options = NoOptions

    def available(self) -> Availability:
        return Availability(ok=True, version="1")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        parse_options(NoOptions, settings)
        explicit = lp.to_explicit()
        rows = explicit.matrix.tocsr()[: lp.row_count]
        limits = lp.per_source.limits()
        source = lp.source_of_edge()
        return State(
            lp=lp,
            columns=rows.tocsc(),
            rows=rows,
            source=source,
            c=explicit.c,
            upper=np.minimum(lp.upper_of_edges(), limits.at_most[source]),
            at_most=np.array(limits.at_most),
            limit=explicit.row_upper[: lp.row_count],
        )

    def run(self, state: State) -> Answer:
        dual = _swept_prices(state)
        reduced = state.c + state.columns.T @ dual
        points = [_filled(state, key) for key in (state.c, reduced)]
        x = min(points, key=lambda point: float(state.c @ point))
        return Answer(x=x, dual=dual, status=Status.ITERATION_LIMIT, raw_status="one sweep", iterations=1)


def _filled(state: State, key: Float64) -> Float64:
    """x[E] of the edges with c < 0 in the order of `key`, the least first."""
    from solvers.greedy_jit import Columns, fill

    x = np.zeros(state.lp.edges)
    order = np.argsort(key, kind="stable")
    columns = state.columns
    fill(
        order[state.c[order] < 0],
        state.source,
        Columns(columns.indptr, columns.indices, columns.data),
        state.upper,
        state.at_most.copy(),
        state.limit.copy(),
        x,
    )
    return x


def _swept_prices(state: State) -> Float64:
    """y[R] >= 0, each row once."""
    from solvers.greedy_jit import alternatives

    reduced = state.c.copy()
    prices = np.zeros(state.limit.size)
    for r in np.flatnonzero(np.isfinite(state.limit)).tolist():
        entries = slice(int(state.rows.indptr[r]), int(state.rows.indptr[r + 1]))
        edges, weight = state.rows.indices[entries], state.rows.data[entries]
        takes = weight > 0
        edges, weight = edges[takes], weight[takes]
        others = np.empty(edges.size)
        alternatives(edges, state.source, state.lp.offsets, reduced, state.at_most, state.upper, others)

        bearable = (others - reduced[edges]) / weight  # the price at which the source leaves the edge
        dearest = np.argsort(-bearable, kind="stable")
        load = np.cumsum((weight * state.upper[edges])[dearest])
        beyond = int(np.searchsorted(load, state.limit[r], side="right"))
        if beyond < edges.size:
            prices[r] = max(0.0, float(bearable[dearest[beyond]]))
            reduced[edges] += prices[r] * weight
    return prices

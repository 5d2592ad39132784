"""POT's `ot.lp.emd`: network simplex for transport problems."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, RowKind
from solvers.base import Answer, Availability, Solver, Status, installed
from solvers.flow_units import not_unit_rows
from solvers.settings import NoOptions, Settings, parse_options
from solvers.transport import Transport, shortage, to_dual, to_transport

Float64 = npt.NDArray[np.float64]
#: By result_code; anything else is an error.
_ENDS = {
    0: (Status.INFEASIBLE, "infeasible"),
    1: (Status.SOLVED, "optimal"),
    3: (Status.ITERATION_LIMIT, "numItermax reached"),
}
#: POT stops after 100,000 pivots where it is given no number.
_NO_LIMIT = 2**62


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    lp: MatchingLP
    problem: Transport
    sources: npt.NDArray[np.int64]
    """int64[n]: those of the problem that send something."""
    rows: npt.NDArray[np.int64]
    """int64[m]: those that need something."""
    costs: Any
    """float64[n, m], or a COO array of it where some pairs have no edge: what a pair costs beyond `least_cost`.

    Every unit takes one pair, so that the plan is the same; with costs below 0 alone POT 0.9.7 finds none.
    """
    least_cost: float
    pivots: int


class PotEmd(Solver):
    """It ends at an optimum, whatever the tolerance, which it claims then; on one thread.

    '<=' and '=' sources without limits of edges, and one family of '<=' and '=' rows with one coefficient a row. Rows
    and sources that may have slack make it partial transport, which gets one more source and one more row, as POT's own
    partial transport does (solvers/transport.py). All costs are one matrix where every source has every row, and its
    sparse form elsewhere. POT counts no iterations and heeds no time limit; an iteration limit is one of pivots. With
    its potentials u_i + v_j <= c_ij the price of row j is -v_j. Where only missing pairs are in the way, it says
    "infeasible" without a proof.
    """

    id = "pot-emd"
    title = "POT network simplex"
    citation = "Flamary et al., POT: Python Optimal Transport, JMLR 22, 2021; Bonneel et al., SIGGRAPH Asia 2011"
    exact = True
    bytes_per_edge = 250.0
    polytopes = frozenset({Kind.SIMPLEX, Kind.SIMPLEX_EQUALITY})
    rows = frozenset({RowKind.EQUALITY})
    no_edges = False
    Options = NoOptions

    def available(self) -> Availability:
        return installed("POT", remedy="pip install 'dualbench[transport]', or pip install POT")

    def unsuited(self, lp: MatchingLP) -> str:
        return super().unsuited(lp) or not_unit_rows(lp)

    def prepare(self, lp: MatchingLP, settings: Settings) -> State | Answer:
        import ot  # noqa: F401 - its import is no part of `run`

        parse_options(NoOptions, settings)
        problem = to_transport(lp)
        if problem is None:
            raw_status = "'=' rows need more than all sources have"
            return Answer(x=None, dual=None, ray=shortage(lp), status=Status.INFEASIBLE, raw_status=raw_status)
        sources, rows = np.flatnonzero(problem.sent > 0), np.flatnonzero(problem.needed > 0)
        if np.unique(problem.source).size < sources.size or np.unique(problem.row).size < rows.size:
            raw_status = "a source or row with units has no edge for them"
            return Answer(x=None, dual=None, status=Status.INFEASIBLE, raw_status=raw_status)
        if sources.size == 0:  # POT cannot take it
            dual = to_dual(lp, problem, np.zeros(problem.sent.size), np.zeros(problem.needed.size))
            return Answer(x=np.zeros(lp.edges), dual=dual, status=Status.SOLVED, raw_status="nothing to send")
        return State(
            lp=lp,
            problem=problem,
            sources=sources,
            rows=rows,
            costs=_costs(problem, sources, rows),
            least_cost=float(problem.cost.min()),
            pivots=settings.iteration_limit or _NO_LIMIT,
        )

    def run(self, state: State | Answer) -> Answer:
        import ot

        if isinstance(state, Answer):
            return state
        lp, problem = state.lp, state.problem
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is its result_code
            plan, log = ot.lp.emd(
                problem.sent[state.sources],
                problem.needed[state.rows],
                state.costs,
                numItermax=state.pivots,
                log=True,
                check_marginals=False,  # to_transport has balanced them, and to more than its six decimals
            )

        status, raw_status = _ENDS.get(log["result_code"], (Status.ERROR, str(log["warning"])))
        if status in (Status.INFEASIBLE, Status.ERROR):
            return Answer(x=None, dual=None, status=status, raw_status=raw_status)
        of_source, of_row = np.zeros(problem.sent.size), np.zeros(problem.needed.size)
        of_source[state.sources], of_row[state.rows] = log["u"] + state.least_cost, log["v"]
        dual = to_dual(lp, problem, of_source, of_row)
        return Answer(x=_to_x(state, problem, plan), dual=dual, status=status, raw_status=raw_status)


def _costs(problem: Transport, sources: npt.NDArray[np.int64], rows: npt.NDArray[np.int64]) -> Any:
    from scipy.sparse import coo_array

    shape = (sources.size, rows.size)
    beyond_least = problem.cost - problem.cost.min()
    if beyond_least.size == sources.size * rows.size:
        return beyond_least.reshape(shape)  # by source and row, as pairs are
    at = np.searchsorted(sources, problem.source), np.searchsorted(rows, problem.row)
    return coo_array((beyond_least, at), shape=shape)


def _to_x(state: State, problem: Transport, plan: Any) -> Float64:
    """x[E] of the units of each pair; `plan` has the shape and form of the costs."""
    from scipy.sparse import issparse

    if issparse(plan):
        rows = problem.needed.size
        pair = problem.source * rows + problem.row  # rising
        carried = state.sources[plan.row] * rows + state.rows[plan.col]
        units = np.bincount(np.searchsorted(pair, carried), plan.data, pair.size)
    else:
        units = plan.ravel()
    x = np.zeros(state.lp.edges)
    of_edges = problem.edge >= 0
    x[problem.edge[of_edges]] = units[of_edges]
    return x

"""OR-Tools SimpleMinCostFlow: cost-scaling push-relabel, for LPs that are flow problems."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from instances import MatchingLP, RowKind
from solvers.base import EXPLICIT_KINDS, INT32_LIMIT, Answer, Availability, Solver, Status, installed
from solvers.flow import Flow, Whole, not_a_flow, source_prices, to_dual, to_flow, to_x, with_overflow
from solvers.flow_prices import least_prices
from solvers.flow_proof import gap_and_violation, proves_infeasible
from solvers.settings import OptionError, Settings, parse_options


@dataclass(frozen=True, kw_only=True)
class Options:
    """cost_steps: to how many steps over their range the costs are rounded, fewer where int64 holds no more."""

    cost_steps: float = 1e12


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    lp: MatchingLP
    settings: Settings
    problem: Flow


class OrtoolsMincostflow(Solver):
    """It ends at an optimum of the rounded costs, whatever the tolerance; on one thread.

    Rows of one family, one coefficient a row, of any form: a hard floor is what has to arrive, a soft floor an arc that
    pays for each unit, a soft upper side one that each unit beyond pays for. Costs and penalties are rounded to 1e12
    steps over their range (1e9 take as long), counted from the least cost in a '=' source and from 0 elsewhere; that
    moves the objective of its answer and its bound by at most half a step for each unit of x. Quantities are multiplied
    by the power of two or ten, up to 1e9, that makes them whole; where none does, they are rounded by up to 2^-50 of
    their sum. It claims the tolerance where its own x and dual prove it, calls an LP infeasible where a ray does, and
    ends as `error` otherwise.

    The library returns no prices, and has neither limits nor a count of iterations. The dual is found from the flow
    within `run` (solvers/flow_prices.py); `iterations` counts the sweeps of that, and only they heed the limits.
    """

    id = "ortools-mincostflow"
    title = "OR-Tools min-cost flow"
    citation = "Goldberg, An Efficient Implementation of a Scaling Minimum-Cost Flow Algorithm, J. Algorithms 22, 1997"
    exact = True
    bytes_per_edge = 200.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = frozenset({RowKind.FLOOR, RowKind.EQUALITY, RowKind.RANGE, RowKind.SOFT})
    Options = Options

    def available(self) -> Availability:
        return installed("ortools", remedy="pip install ortools", apart_from="highspy")

    def unsuited(self, lp: MatchingLP) -> str:
        refused = super().unsuited(lp)
        if refused:
            return refused
        both_ways = 2 * (lp.edges + lp.sources + 3 * lp.row_count)
        if both_ways > INT32_LIMIT:
            return f"{both_ways:,} arcs, both ways: the indices of {self.id} count up to {INT32_LIMIT:,}"
        return not_a_flow(lp)

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        options = parse_options(Options, settings)
        if not 1 <= options.cost_steps < math.inf:
            raise OptionError(f"option cost_steps={options.cost_steps:g}: expected a number of at least 1")
        return State(lp=lp, settings=settings, problem=to_flow(lp, options.cost_steps))

    def run(self, state: State) -> Answer:
        lp, settings, problem = state.lp, state.settings, state.problem
        began = time.perf_counter()
        ending, sent = _solve(problem)
        if sent is None:
            return _without_flow(ending, lp, problem)

        prices = least_prices(
            problem,
            sent,
            most_sweeps=settings.iteration_limit or math.inf,
            until=began + (settings.time_limit or math.inf),
        )
        x, dual = to_x(lp, problem, sent), to_dual(lp, problem, prices.of_node)
        if prices.complete:
            reached = max(gap_and_violation(lp, x, source_prices(lp, problem, prices.of_node), dual))
            status = Status.SOLVED if reached <= settings.tolerance else Status.ERROR
        else:
            swept = prices.sweeps == settings.iteration_limit
            status = Status.ITERATION_LIMIT if swept else Status.TIME_LIMIT
        raw_status = f"{ending}, costs rounded by up to {problem.rounding:.1e}"
        return Answer(x=x, dual=dual, status=status, raw_status=raw_status, iterations=prices.sweeps)


def _without_flow(ending: str, lp: MatchingLP, problem: Flow) -> Answer:
    """Infeasible where prices prove it, and else an error: rounding may have taken a flow away that there was."""
    overflowing = with_overflow(problem)
    sent = _solve(overflowing)[1] if ending == "INFEASIBLE" else None
    if sent is None:
        return Answer(x=None, dual=None, status=Status.ERROR, raw_status=ending)
    prices = least_prices(overflowing, sent, most_sweeps=math.inf, until=math.inf).of_node
    ray = to_dual(lp, overflowing, prices, ray=True)
    proved = proves_infeasible(lp, source_prices(lp, overflowing, prices, ray=True), ray)
    return Answer(x=None, dual=None, ray=ray, status=Status.INFEASIBLE if proved else Status.ERROR, raw_status=ending)


def _solve(problem: Flow) -> tuple[str, Whole | None]:
    """The library's word, and the units on each arc where it is "OPTIMAL"."""
    from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    solver = SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        problem.tail.astype(np.int32), problem.head.astype(np.int32), problem.capacity, problem.cost
    )
    nodes = np.append(np.arange(problem.supply.size), problem.sink).astype(np.int32)
    solver.set_nodes_supplies(nodes, np.append(problem.supply, -problem.supply.sum()))
    status = solver.solve()
    return status.name, solver.flows(arcs) if status == SimpleMinCostFlow.OPTIMAL else None

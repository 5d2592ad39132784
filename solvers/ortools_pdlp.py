"""OR-Tools PDLP: restarted primal-dual hybrid gradient on the explicit form, on the CPU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from instances import MatchingLP
from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, Answer, Availability, Solver, Status, installed
from solvers.general import Parts, parts_of
from solvers.settings import Settings, parse_options
from solvers.start import Start

#: Anything else is an error, PRIMAL_OR_DUAL_INFEASIBLE too: that does not say that no x exists.
_STATUS = {
    "OPTIMAL": Status.SOLVED,
    "TIME_LIMIT": Status.TIME_LIMIT,
    "ITERATION_LIMIT": Status.ITERATION_LIMIT,
    "PRIMAL_INFEASIBLE": Status.INFEASIBLE,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """eps_factor: eps_optimal_absolute = eps_optimal_relative = eps_factor * tolerance.

    feasibility_polishing: PDLP's own phases for primal and dual feasibility alone (use_feasibility_polishing).
    presolve: Glop's presolve before it (presolve_options.use_glop). Both are off by default in OR-Tools 9.15.
    """

    eps_factor: float = 0.1
    feasibility_polishing: bool = False
    presolve: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    program: Any
    params: Any
    parts: Parts
    start: Any = None
    """A PrimalAndDualSolution, None for a cold start."""


class OrtoolsPdlp(Solver):
    """PDLP with its defaults, as many threads as every solver of the suite, and eps = 0.1 tolerance.

    PDLP tests residuals relative to the norms of the data, not a certified gap: with I simplex rows a residual of eps
    lets a budget be off by more than eps. On the families `dualip`, `independent` and `unit` with 5,000 and 20,000
    sources, eps = tolerance certified gaps of up to 5.1 tolerances, 0.3 tolerance up to 1.4, 0.1 tolerance up to 0.33
    (where it ended within a minute). A suite that asks for several tolerances gives it the shortest run that certifies
    a gap. Equal absolute and relative eps is the rule of the cuPDLP papers. Limits are looked at every 64 iterations.
    """

    id = "ortools-pdlp"
    title = "OR-Tools PDLP"
    citation = "Applegate et al., Practical large-scale linear programming using PDHG, NeurIPS 2021"
    bytes_per_edge = 300.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = EXPLICIT_ROWS
    warm_starts = ("x", "dual")
    Options = Options

    def available(self) -> Availability:
        return installed("ortools", remedy="pip install ortools", apart_from="highspy")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        from ortools.pdlp import solvers_pb2
        from ortools.pdlp.python import pdlp

        options = parse_options(Options, settings)
        params = solvers_pb2.PrimalDualHybridGradientParams(
            num_threads=settings.threads, use_feasibility_polishing=options.feasibility_polishing
        )
        if options.feasibility_polishing:  # PDLP refuses the two together, and this one is on by default
            params.handle_some_primal_gradients_on_finite_bounds_as_residuals = False
        params.presolve_options.use_glop = options.presolve
        stop = params.termination_criteria
        eps = options.eps_factor * settings.tolerance
        stop.simple_optimality_criteria.eps_optimal_absolute = eps
        stop.simple_optimality_criteria.eps_optimal_relative = eps
        for name, limit in settings.limits(time="time_sec_limit", iterations="iteration_limit").items():
            setattr(stop, name, limit)
        explicit = lp.to_explicit()
        program = pdlp.QuadraticProgram()
        program.objective_vector = explicit.c
        program.constraint_matrix = explicit.matrix
        program.constraint_lower_bounds = explicit.row_lower
        program.constraint_upper_bounds = explicit.row_upper
        program.variable_lower_bounds = np.zeros(explicit.c.size)
        program.variable_upper_bounds = explicit.upper
        return State(program=program, params=params, parts=parts_of(lp, explicit))

    def warm_start(self, state: State, start: Start) -> State:
        from ortools.pdlp.python import pdlp

        solution = pdlp.PrimalAndDualSolution()
        solution.primal_solution = state.parts.columns_of(start.x)
        solution.dual_solution = state.parts.multipliers_of(start.dual)
        return replace(state, start=solution)

    def run(self, state: State) -> Answer:
        from ortools.pdlp import solve_log_pb2
        from ortools.pdlp.python import pdlp

        result = pdlp.primal_dual_hybrid_gradient(state.program, state.params, initial_solution=state.start)
        log = result.solve_log
        reason = solve_log_pb2.TerminationReason.Name(log.termination_reason).removeprefix("TERMINATION_REASON_")
        status = _STATUS.get(reason, Status.ERROR)
        x = state.parts.x(result.primal_solution)  # both are empty where it refuses its input
        dual = state.parts.dual(result.dual_solution)
        infeasible = status is Status.INFEASIBLE  # then x and dual are a certificate of infeasibility
        return Answer(
            x=None if infeasible else x,
            dual=None if infeasible else dual,
            ray=state.parts.ray(dual) if infeasible else None,
            status=status,
            raw_status=" ".join(filter(None, (reason, log.termination_string))),
            iterations=log.iteration_count,
        )

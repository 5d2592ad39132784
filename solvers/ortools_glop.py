"""OR-Tools Glop: Google's revised simplex, on one thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from instances import MatchingLP
from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, INT32_LIMIT, Answer, Availability, Solver, Status, installed
from solvers.general import Parts, parts_of
from solvers.settings import Settings, parse_options

_STATUS = {"OPTIMAL": Status.SOLVED, "INFEASIBLE": Status.INFEASIBLE, "CANCELLED_BY_USER": Status.ERROR}


@dataclass(frozen=True, kw_only=True)
class Options:
    """dual_simplex: the dual instead of the primal simplex."""

    dual_simplex: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    model: Any
    solver: Any
    parts: Parts
    limited_by: Status


class OrtoolsGlop(Solver):
    """Glop with its defaults. It ends at a vertex, so its answer does not depend on the tolerance.

    Feasibility tolerances are Glop's default 1e-8. The interface gives no count of iterations, and at a limit neither
    x nor dual. It copies the model inside the call, so that counts as run: on MovieLens 0.075 of 0.123 s of CPU time (a
    time limit of 1e-9 s, which leaves nothing but the copy, against none).
    """

    id = "ortools-glop"
    title = "OR-Tools Glop"
    citation = "Perron and Furnon, OR-Tools, developers.google.com/optimization"
    exact = True
    bytes_per_edge = 900.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = EXPLICIT_ROWS
    nonzeros_limit = INT32_LIMIT
    Options = Options

    def available(self) -> Availability:
        return installed("ortools", remedy="pip install ortools", apart_from="highspy")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        from ortools.linear_solver.python import model_builder_helper
        from scipy import sparse

        parameters = f"use_dual_simplex: {str(parse_options(Options, settings).dual_simplex).lower()}"
        if settings.iteration_limit is not None:
            parameters += f" max_number_of_iterations: {settings.iteration_limit}"
        explicit = lp.to_explicit()
        model: Any = model_builder_helper.ModelBuilderHelper()
        rows = sparse.csr_matrix(explicit.matrix)
        model.fill_model_from_sparse_data(
            np.zeros(explicit.c.size), explicit.upper, explicit.c, explicit.row_lower, explicit.row_upper, rows
        )
        solver = model_builder_helper.ModelSolverHelper("GLOP")
        solver.set_solver_specific_parameters(parameters)
        if settings.time_limit is not None:
            solver.set_time_limit_in_seconds(settings.time_limit)
        limited_by = Status.TIME_LIMIT if settings.iteration_limit is None else Status.ITERATION_LIMIT
        return State(model=model, solver=solver, parts=parts_of(lp, explicit), limited_by=limited_by)

    def run(self, state: State) -> Answer:
        solver = state.solver
        solver.solve(state.model)
        status_name = solver.status().name
        if not solver.has_solution():
            status = state.limited_by if status_name == "NOT_SOLVED" else _STATUS.get(status_name, Status.ERROR)
            return Answer(x=None, dual=None, status=status, raw_status=status_name)
        return Answer(
            x=state.parts.x(solver.variable_values()),
            dual=state.parts.dual(solver.dual_values()),
            status=_STATUS.get(status_name, state.limited_by),
            raw_status=status_name,
        )

"""NVIDIA cuOpt: PDLP, barrier and dual simplex on a GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from instances import MatchingLP
from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, INT32_LIMIT, Answer, Availability, Solver, Status
from solvers.general import Parts, parts_of
from solvers.nvidia import installed_with_cuda
from solvers.settings import OptionError, Settings, parse_options

_STATUS = {
    "Optimal": Status.SOLVED,
    "TimeLimit": Status.TIME_LIMIT,
    "IterationLimit": Status.ITERATION_LIMIT,
    "PrimalInfeasible": Status.INFEASIBLE,
}
_METHODS = {"concurrent": "Concurrent", "pdlp": "PDLP", "dual-simplex": "DualSimplex", "barrier": "Barrier"}


@dataclass(frozen=True, kw_only=True)
class Options:
    """eps_factor: every absolute and relative tolerance = eps_factor * tolerance. method: pdlp, barrier, dual-simplex
    or concurrent (all of them at once, the first to end wins). num_gpus: devices; with two, concurrent runs PDLP and
    barrier on one each.
    """

    eps_factor: float = 0.1
    method: str = "pdlp"
    num_gpus: int = 1

    def __post_init__(self) -> None:
        if self.num_gpus < 1:
            raise OptionError(f"option num_gpus={self.num_gpus}: expected a whole number of at least 1")
        if self.method not in _METHODS:
            raise OptionError(f"option method={self.method!r}: expected one of {', '.join(_METHODS)}")


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    model: Any
    settings: Any
    parts: Parts


class CuOpt(Solver):
    """cuOpt's PDLP with set_optimality_tolerance(0.1 tolerance), the factor of the other PDLPs; not yet measured by us.

    Written for cuopt-cu12 26.10, which asks for Numba < 0.65: give it a virtual environment of its own. float64.
    """

    id = "cuopt"
    title = "NVIDIA cuOpt PDLP"
    citation = "NVIDIA cuOpt, docs.nvidia.com/cuopt"
    devices = ("cuda",)
    bytes_per_edge = 250.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = EXPLICIT_ROWS
    no_edges = False
    nonzeros_limit = INT32_LIMIT
    Options = Options

    def available(self) -> Availability:
        return installed_with_cuda("cuopt-cu12", remedy="pip install cuopt-cu12")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        from cuopt.linear_programming import DataModel, SolverMethod, SolverSettings

        options = parse_options(Options, settings)
        chosen = SolverSettings()
        chosen.set_optimality_tolerance(options.eps_factor * settings.tolerance)
        chosen.set_parameter("method", getattr(SolverMethod, _METHODS[options.method]))
        chosen.set_parameter("num_gpus", options.num_gpus)
        chosen.set_parameter("log_to_console", False)  # noqa: FBT003 - the signature of cuOpt
        for name, limit in settings.limits(time="time_limit", iterations="iteration_limit").items():
            chosen.set_parameter(name, limit)
        explicit = lp.to_explicit()
        rows = explicit.matrix.tocsr()
        model = DataModel()
        model.set_csr_constraint_matrix(rows.data, rows.indices.astype(np.int32), rows.indptr.astype(np.int32))
        model.set_objective_coefficients(explicit.c)
        model.set_constraint_lower_bounds(explicit.row_lower)
        model.set_constraint_upper_bounds(explicit.row_upper)
        model.set_variable_lower_bounds(np.zeros(explicit.c.size))
        model.set_variable_upper_bounds(explicit.upper)
        return State(model=model, settings=chosen, parts=parts_of(lp, explicit))

    def run(self, state: State) -> Answer:
        from cuopt.linear_programming import Solve

        solution = Solve(state.model, state.settings)
        reason = solution.get_termination_reason()
        return Answer(
            x=state.parts.x(solution.get_primal_solution()),
            dual=state.parts.dual(solution.get_dual_solution()),
            status=_STATUS.get(reason, Status.ERROR),
            raw_status=" ".join(filter(None, (reason, solution.get_error_message()))),
            iterations=solution.get_lp_stats().get("nb_iterations"),
        )

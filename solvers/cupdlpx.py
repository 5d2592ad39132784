"""cuPDLPx: restarted Halpern PDHG on a GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from instances import MatchingLP
from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, INT32_LIMIT, Answer, Availability, Solver, Status
from solvers.general import Parts, parts_of
from solvers.nvidia import installed_with_cuda
from solvers.settings import Settings, parse_options

#: Anything else is an error, INFEASIBLE_OR_UNBOUNDED too: that does not say that no x exists.
_STATUS = {
    "OPTIMAL": Status.SOLVED,
    "TIME_LIMIT": Status.TIME_LIMIT,
    "ITERATION_LIMIT": Status.ITERATION_LIMIT,
    "PRIMAL_INFEASIBLE": Status.INFEASIBLE,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """eps_factor: OptimalityTol = FeasibilityTol = eps_factor * tolerance. presolve: whether cuPDLPx presolves."""

    eps_factor: float = 0.1
    presolve: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    model: Any
    parts: Parts


class CuPdlpx(Solver):
    """cuPDLPx with its defaults and relative L2 tolerances of 0.1 tolerance.

    Written for cupdlpx 0.3. Without presolve by default, as HiGHS, so that the duals are those of the whole LP. Limits
    and tolerances are looked at every 200 iterations. float64.
    """

    id = "cupdlpx"
    title = "cuPDLPx"
    citation = "Lu, Peng and Yang, cuPDLPx: a further enhanced GPU-based first-order solver for LP, 2025"
    devices = ("cuda",)
    bytes_per_edge = 250.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = EXPLICIT_ROWS
    no_edges = False
    nonzeros_limit = INT32_LIMIT
    Options = Options

    def available(self) -> Availability:
        return installed_with_cuda("cupdlpx", remedy="with nvcc of CUDA 12.4 or newer, pip install 'cupdlpx>=0.3'")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        from cupdlpx import Model

        options = parse_options(Options, settings)
        explicit = lp.to_explicit()
        model = Model(
            objective_vector=explicit.c,
            constraint_matrix=explicit.matrix,
            constraint_lower_bound=explicit.row_lower,
            constraint_upper_bound=explicit.row_upper,
            variable_lower_bound=np.zeros(explicit.c.size),
            variable_upper_bound=explicit.upper,
        )
        eps = options.eps_factor * settings.tolerance
        limits = settings.limits(time="TimeLimit", iterations="IterationLimit")
        model.setParams(OptimalityTol=eps, FeasibilityTol=eps, OutputFlag=False, Presolve=options.presolve, **limits)
        return State(model=model, parts=parts_of(lp, explicit))

    def run(self, state: State) -> Answer:
        model = state.model.optimize()
        status_name = model.StatusName
        return Answer(
            x=state.parts.x(model.X),
            dual=state.parts.dual(model.Pi),
            status=_STATUS.get(status_name, Status.ERROR),
            raw_status=status_name,
            iterations=model.IterCount,
        )

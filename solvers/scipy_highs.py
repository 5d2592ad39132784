"""HiGHS through scipy.optimize.linprog: dual simplex and interior point, on one thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, INT32_LIMIT, Answer, Availability, Solver, Status, installed
from solvers.general import OneSided, one_sided
from solvers.settings import Settings, parse_options

_LIMIT, _INFEASIBLE = 1, 2
#: In SciPy's message where that status, which stands for "Model error" and others as well, is HiGHS's own "Infeasible".
_HIGHS_INFEASIBLE = "(HiGHS Status 8:"


@dataclass(frozen=True, kw_only=True)
class Options:
    """presolve: whether HiGHS presolves."""

    presolve: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    form: OneSided
    edges: int
    coupling_rows: int
    arguments: dict[str, Any]


class ScipyHighsDs(Solver):
    """HiGHS dual simplex. It ends at a vertex, so its answer does not depend on the tolerance.

    Feasibility tolerances are HiGHS's default 1e-7, tightened to a tenth of the tolerance where that is smaller.
    scipy.optimize.linprog has no option for threads: HiGHS's simplex and ipx use one.
    """

    id = "scipy-highs-ds"
    title = "HiGHS dual simplex (SciPy)"
    citation = "Huangfu and Hall, Parallelizing the dual revised simplex method, Math. Prog. Comp. 10, 2018"
    exact = True
    bytes_per_edge = 600.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = EXPLICIT_ROWS
    no_edges = False
    nonzeros_limit = INT32_LIMIT
    Options = Options
    method: ClassVar[str] = "highs-ds"

    def available(self) -> Availability:
        return installed("scipy", remedy="pip install scipy")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        explicit = lp.to_explicit()
        form = one_sided(explicit)
        has_equal = form.equal_to.size > 0
        return State(
            form=form,
            edges=lp.edges,
            coupling_rows=lp.row_count,
            arguments={
                "c": explicit.c,
                "A_ub": form.at_most,
                "b_ub": form.limits,
                "A_eq": form.equal if has_equal else None,
                "b_eq": form.equal_to if has_equal else None,
                "bounds": np.column_stack((np.zeros(explicit.c.size), explicit.upper)),
                "method": self.method,
                "options": self._highs_options(settings),
            },
        )

    def run(self, state: State) -> Answer:
        from scipy.optimize import linprog

        result = linprog(**state.arguments)
        has_x = result.x is not None
        return Answer(
            x=result.x[: state.edges] if has_x else None,
            dual=_dual(state, result) if has_x else None,
            status=_status(result),
            raw_status=str(result.message),
            iterations=int(result.nit),
        )

    def _highs_options(self, settings: Settings) -> dict[str, Any]:
        feasibility = max(1e-10, min(1e-7, settings.tolerance / 10))
        return {
            "presolve": parse_options(Options, settings).presolve,
            "primal_feasibility_tolerance": feasibility,
            "dual_feasibility_tolerance": feasibility,
            **settings.limits(time="time_limit", iterations="maxiter"),
        }


class ScipyHighsIpm(ScipyHighsDs):
    """HiGHS interior point (ipx) with crossover to a vertex; tolerances as for the dual simplex."""

    id = "scipy-highs-ipm"
    title = "HiGHS interior point (SciPy)"
    citation = "Schork and Gondzio, Implementation of an interior point method with basis preconditioning, 2020"
    method = "highs-ipm"


def _dual(state: State, result: Any) -> npt.NDArray[np.float64]:
    """SciPy's marginals are what a unit more of a right-hand side adds to the minimum: prices with the sign turned."""
    of_equal = -np.asarray(result.eqlin.marginals, dtype=np.float64)
    of_at_most = -np.asarray(result.ineqlin.marginals, dtype=np.float64)
    return state.form.prices(of_equal, of_at_most)[: state.coupling_rows]


def _status(result: Any) -> Status:
    if result.status == 0:
        return Status.SOLVED
    if result.status == _LIMIT:
        return Status.TIME_LIMIT if "time limit" in str(result.message).lower() else Status.ITERATION_LIMIT
    infeasible = result.status == _INFEASIBLE and _HIGHS_INFEASIBLE in str(result.message)
    return Status.INFEASIBLE if infeasible else Status.ERROR

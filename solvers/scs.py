"""SCS: operator splitting (ADMM) on the homogeneous self-dual embedding of the cone form."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from instances import MatchingLP
from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, Answer, Availability, Solver, Status, installed
from solvers.conic import ConicForm, to_conic
from solvers.settings import Settings, parse_options
from solvers.start import Start

_SOLVED, _INACCURATE, _INFEASIBLE = 1, 2, -2


@dataclass(frozen=True, kw_only=True)
class Options:
    """eps_factor: eps_abs = eps_rel = eps_factor * tolerance. linear_solver: a name of SCS's; auto is MKL on Linux."""

    eps_factor: float = 0.1
    linear_solver: str = "auto"


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    form: ConicForm
    settings: dict[str, Any]
    point: dict[str, Any] = field(default_factory=dict)
    """x, y and s of a warm start."""


class Scs(Solver):
    """SCS with its defaults and eps_abs = eps_rel = 0.1 tolerance, which are residuals in the infinity norm.

    With 5,000 sources of each family and MovieLens that certified gaps of up to 0.18 tolerances, 0.3 tolerance up to
    1.2, tolerance itself up to 1.5. MKL takes its threads from the environment, that is from the harness, not from
    settings. The time limit of SCS begins after its factorisation.
    """

    id = "scs"
    title = "SCS"
    citation = "O'Donoghue, Operator splitting for a homogeneous embedding of the linear complementarity problem, 2021"
    bytes_per_edge = 2200.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = EXPLICIT_ROWS
    no_edges = False
    warm_starts = ("x", "dual")
    Options = Options

    def available(self) -> Availability:
        return installed("scs", remedy="pip install scs")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        options = parse_options(Options, settings)
        eps = options.eps_factor * settings.tolerance
        named: dict[str, Any] = {
            "eps_abs": eps,
            "eps_rel": eps,
            "linear_solver": options.linear_solver,
            "verbose": False,
            **settings.limits(time="time_limit_secs", iterations="max_iters"),
        }
        return State(form=to_conic(lp), settings=named)

    def warm_start(self, state: State, start: Start) -> State:
        return replace(state, point=state.form.point(start))

    def run(self, state: State) -> Answer:
        import scs

        form = state.form
        data = {"A": form.matrix, "b": form.b, "c": form.c}
        cone = {"z": form.equalities, "l": form.b.size - form.equalities}
        solver = scs.SCS(data, cone, **state.settings)  # factorises, so not in prepare
        result = solver.solve(warm_start=bool(state.point), **state.point)
        info = result["info"]
        status = _status(info["status_val"], info["status"])
        infeasible = status is Status.INFEASIBLE  # then x and y are a certificate of infeasibility
        dual = form.dual(result["y"])
        return Answer(
            x=None if infeasible else form.parts.x(result["x"]),
            dual=None if infeasible else dual,
            ray=form.parts.ray(dual) if infeasible else None,
            status=status,
            raw_status=info["status"],
            iterations=info["iter"],
        )


def _status(value: int, words: str) -> Status:
    if value == _INACCURATE:  # the best it had at a limit
        return Status.TIME_LIMIT if "time_limit" in words else Status.ITERATION_LIMIT
    return {_SOLVED: Status.SOLVED, _INFEASIBLE: Status.INFEASIBLE}.get(value, Status.ERROR)

"""Clarabel: interior point on the cone form, in Rust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from instances import MatchingLP
from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, Answer, Availability, Solver, Status, installed
from solvers.conic import ConicForm, to_conic
from solvers.settings import Settings, parse_options

#: Anything else is an error, AlmostPrimalInfeasible too: that is no proof.
_STATUS = {
    "Solved": Status.SOLVED,
    "AlmostSolved": Status.SOLVED,  # its reduced accuracy; the referee has the last word
    "MaxTime": Status.TIME_LIMIT,
    "MaxIterations": Status.ITERATION_LIMIT,
    "PrimalInfeasible": Status.INFEASIBLE,
}


@dataclass(frozen=True, kw_only=True)
class Options:
    """eps_factor: tol_feas = tol_gap_abs = tol_gap_rel = eps_factor * tolerance."""

    eps_factor: float = 0.5


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    form: ConicForm
    settings: Any


class Clarabel(Solver):
    """Clarabel with its defaults, tol_feas = tol_gap_abs = tol_gap_rel = 0.5 tolerance.

    With 5,000 sources of each family and MovieLens that certified gaps of up to 0.55 tolerances; tolerance itself up to
    1.01. It ends after 200 iterations where no other limit is given. Its time limit begins after its ordering.
    """

    id = "clarabel"
    title = "Clarabel"
    citation = "Goulart and Chen, Clarabel: an interior-point solver for conic programs, 2024"
    bytes_per_edge = 1500.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = EXPLICIT_ROWS
    Options = Options

    def available(self) -> Availability:
        return installed("clarabel", remedy="pip install clarabel")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        import clarabel

        chosen = clarabel.DefaultSettings()
        chosen.verbose = False
        chosen.max_threads = settings.threads
        eps = parse_options(Options, settings).eps_factor * settings.tolerance
        chosen.tol_feas = chosen.tol_gap_abs = chosen.tol_gap_rel = eps
        for name, limit in settings.limits(time="time_limit", iterations="max_iter").items():
            setattr(chosen, name, limit)
        return State(form=to_conic(lp), settings=chosen)

    def run(self, state: State) -> Answer:
        import clarabel
        from scipy import sparse

        form = state.form
        cones = [clarabel.NonnegativeConeT(form.b.size - form.equalities)]
        if form.equalities:
            cones.insert(0, clarabel.ZeroConeT(form.equalities))
        no_quadratic = sparse.csc_matrix((form.c.size, form.c.size))
        solver = clarabel.DefaultSolver(no_quadratic, form.c, form.matrix, form.b, cones, state.settings)
        solution = solver.solve()  # the line before orders and factorises, so it is not in prepare
        words = str(solution.status)
        status = _STATUS.get(words, Status.ERROR)
        infeasible = status is Status.INFEASIBLE  # then x and z are a certificate of infeasibility
        dual = form.dual(solution.z)
        return Answer(
            x=None if infeasible else form.parts.x(solution.x),
            dual=None if infeasible else dual,
            ray=form.parts.ray(dual) if infeasible else None,
            status=status,
            raw_status=words,
            iterations=solution.iterations,
        )

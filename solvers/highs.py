"""HiGHS through highspy: the interior points ipx and HiPO, its port of cuPDLP-C, and its own HiPDLP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from instances import ExplicitLP, MatchingLP
from solvers.base import EXPLICIT_KINDS, EXPLICIT_ROWS, INT32_LIMIT, Answer, Availability, Solver, Status, installed
from solvers.general import Parts, parts_of
from solvers.settings import Settings, parse_options
from solvers.start import Start

#: Anything else is an error, "Primal infeasible or unbounded" too: that does not say that no x exists.
_STATUS = {
    "kOptimal": Status.SOLVED,
    "kTimeLimit": Status.TIME_LIMIT,
    "kIterationLimit": Status.ITERATION_LIMIT,
    "kMemoryLimit": Status.MEMORY_LIMIT,
    "kInfeasible": Status.INFEASIBLE,
}
#: Argument of resetGlobalScheduler: wait until its threads have ended.
_BLOCKING = True
#: The smallest kkt_tolerance that HiGHS takes.
_LEAST_TOLERANCE = 1e-10


@dataclass(frozen=True, kw_only=True)
class Options:
    """eps_factor: kkt_tolerance = eps_factor * tolerance. presolve: whether HiGHS presolves."""

    eps_factor: float = 0.1
    presolve: bool = False


@dataclass(frozen=True, kw_only=True)
class InteriorOptions(Options):
    """crossover: whether the interior point is moved to a vertex, which can take longer than finding it."""

    eps_factor: float = 1.0
    crossover: bool = False


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    highs: Any
    parts: Parts


class HighsPdlp(Solver):
    """HiGHS's PDLP with kkt_tolerance = 0.1 tolerance.

    With 5,000 sources of each family and MovieLens that certified gaps of up to 0.48 tolerances, 0.3 tolerance up to
    0.96, 0.5 tolerance up to 1.9, tolerance itself up to 4.3.
    kkt_tolerance sets the primal, dual and gap tolerances together; pdlp_optimality_tolerance alone leaves feasibility
    at 1e-7. Without presolve by default: on MovieLens the duals after its postsolve certified a gap of 0.83 at every
    tolerance, without presolve 5.5e-7 at 1e-4, and so with ipx and HiPO without crossover. Threads are a setting of the
    process, so the scheduler of HiGHS is ended before and after every run. highspy 1.15 and OR-Tools 9.15 each load
    a libhighs.so.1 of their own: whichever comes first breaks the other, so they need processes of their own.
    """

    id = "highs-pdlp"
    title = "HiGHS PDLP"
    citation = "Applegate et al., Practical large-scale linear programming using PDHG, NeurIPS 2021; HiGHS 1.15"
    bytes_per_edge = 500.0
    polytopes = EXPLICIT_KINDS
    upper_of_edges = True
    rows = EXPLICIT_ROWS
    no_edges = False
    nonzeros_limit = INT32_LIMIT
    warm_starts: ClassVar[tuple[str, ...]] = ("x", "dual")
    Options: ClassVar[type[Any]] = Options
    solver: ClassVar[str] = "pdlp"
    counter: ClassVar[str] = "pdlp_iteration_count"

    def available(self) -> Availability:
        return installed("highspy", remedy="pip install highspy", apart_from="ortools")

    def prepare(self, lp: MatchingLP, settings: Settings) -> State:
        import highspy

        chosen = self._highs_options(settings)
        highs = highspy.Highs()
        for name, value in chosen.items():
            if highs.setOptionValue(name, value) != highspy.HighsStatus.kOk:
                raise RuntimeError(f"HiGHS {highs.version()} refuses {name}={value!r}")
        explicit = lp.to_explicit()
        _free_empty_rows(explicit)
        rows, columns = explicit.matrix.shape
        passed = highs.passModel(
            columns,
            rows,
            explicit.matrix.nnz,
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            0.0,
            explicit.c,
            np.zeros(columns),
            explicit.upper,
            explicit.row_lower,
            explicit.row_upper,
            explicit.matrix.indptr.astype(np.int32),
            explicit.matrix.indices.astype(np.int32),
            explicit.matrix.data,
            np.zeros(columns, dtype=np.int32),  # continuous
        )
        if passed == highspy.HighsStatus.kError:
            raise RuntimeError("HiGHS refuses the model")
        return State(highs=highs, parts=parts_of(lp, explicit))

    def warm_start(self, state: State, start: Start) -> State:
        import highspy

        solution = highspy.HighsSolution()
        solution.col_value = state.parts.columns_of(start.x)
        solution.row_dual = state.parts.multipliers_of(start.dual)
        solution.value_valid = solution.dual_valid = True
        if state.highs.setSolution(solution) == highspy.HighsStatus.kError:
            raise RuntimeError("HiGHS refuses the start")
        return state

    def run(self, state: State) -> Answer:
        highs = state.highs
        highs.resetGlobalScheduler(_BLOCKING)
        try:
            highs.run()
        finally:
            highs.resetGlobalScheduler(_BLOCKING)
        model_status, solution = highs.getModelStatus(), highs.getSolution()
        status = _STATUS.get(model_status.name, Status.ERROR)
        dual = state.parts.dual(solution.row_dual if solution.dual_valid else None)
        return Answer(
            x=state.parts.x(solution.col_value if solution.value_valid else None),
            dual=dual,
            ray=state.parts.ray(dual) if status is Status.INFEASIBLE else None,  # the point along which it diverged
            status=status,
            raw_status=highs.modelStatusToString(model_status),
            iterations=_counted(getattr(highs.getInfo(), self.counter)),
        )

    def _highs_options(self, settings: Settings) -> dict[str, Any]:
        options = parse_options(self.Options, settings)
        chosen: dict[str, Any] = {
            "output_flag": False,
            "solver": self.solver,
            "threads": settings.threads,
            "presolve": "on" if options.presolve else "off",
            "kkt_tolerance": max(_LEAST_TOLERANCE, options.eps_factor * settings.tolerance),
        }
        if isinstance(options, InteriorOptions):
            chosen["run_crossover"] = "on" if options.crossover else "off"
        chosen |= settings.limits(time="time_limit", iterations=self.counter.replace("count", "limit"))
        return chosen


class HighsHipdlp(HighsPdlp):
    """HiGHS's own primal-dual hybrid gradient with kkt_tolerance = 0.1 tolerance; highspy 1.15 has it and lists it not.
    It leaves a start that it is given aside, as the interior points do.

    With 1,000 sources of each family at 1e-5 that certified gaps of up to 0.03 tolerances, 0.3 tolerance up to 0.22,
    tolerance itself up to 1.6. It looks at its limits every 40 iterations, and goes on until one of them where no x is
    feasible.
    """

    id = "highs-hipdlp"
    title = "HiGHS HiPDLP"
    citation = "HiGHS 1.15, highs.dev; Applegate et al., Faster first-order primal-dual methods for LP, 2021"
    warm_starts = ()
    solver = "hipdlp"


class HighsIpx(HighsPdlp):
    """HiGHS's older interior point, without crossover, kkt_tolerance = tolerance. It runs on one thread.

    With 5,000 sources of each family and MovieLens that certified gaps of up to 0.1 tolerances, but for `dualip` at
    1e-6: there it stays at 1.6e-6 to 1.7e-6 whatever kkt_tolerance is, and crossover helps.
    """

    id = "highs-ipx"
    title = "HiGHS interior point ipx"
    citation = "Schork and Gondzio, Implementation of an interior point method with basis preconditioning, 2020"
    bytes_per_edge = 600.0
    warm_starts = ()
    Options = InteriorOptions
    solver = "ipx"
    counter = "ipm_iteration_count"


class HighsHipo(HighsIpx):
    """HiGHS's factorising interior point, without crossover, kkt_tolerance = tolerance; needs highspy-extras.

    With 5,000 sources of each family and MovieLens that certified gaps of up to 0.1 tolerances. It looks at its time
    limit between iterations, and the first comes after an ordering that took over a minute with 100,000 sources.
    """

    id = "highs-hipo"
    title = "HiGHS interior point HiPO"
    citation = "Zanetti and Gondzio, A factorisation-based regularised interior point method, 2025; HiGHS 1.15"
    bytes_per_edge = 1400.0
    solver = "hipo"

    def available(self) -> Availability:
        extras = installed("highspy-extras", remedy="pip install 'highspy[extras]'")
        return super().available() if extras.ok else extras


def _free_empty_rows(explicit: ExplicitLP) -> None:
    """Move limits of coupling rows without entries away from 0: on a row 0 <= 0 ipx prices 1e11 and HiPO fails.

    A row that 0 does not satisfy stays, so that an infeasible LP stays infeasible.
    """
    lower, upper = explicit.row_lower, explicit.row_upper
    entries = np.bincount(explicit.matrix.indices, minlength=lower.size)
    empty = (entries == 0) & (lower <= 0) & (upper >= 0)
    empty[explicit.coupling_rows :] = False
    lower[empty & np.isfinite(lower)] = -1.0
    upper[empty] = 1.0


def _counted(iterations: int) -> int | None:
    """HiGHS counts -1 where it did not iterate."""
    return iterations if iterations >= 0 else None

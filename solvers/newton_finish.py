"""The last part of a run of blockpdhg: when Newton's method takes over, and the parts it works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from solvers.base import Vector
from solvers.engine.iterate import Method, MethodState, Problem
from solvers.engine.layout import Layout
from solvers.engine.points import to_edges
from solvers.engine.precision import answer_dtype
from solvers.engine.prices import Prices
from solvers.engine.progress import Progress
from solvers.engine.rows import Rows
from solvers.proximal.constants import STEP_FROM_START, Constants, constants_for, constants_from_start
from solvers.proximal.from_start import FromStart, ProofInCells
from solvers.proximal.full import FullProblem
from solvers.proximal.iterates import CellVector
from solvers.proximal.outer import Handover, Inputs, ProximalNewton
from solvers.proximal.staying import Staying
from solvers.proximal.switch import Switch


@dataclass(frozen=True, kw_only=True, eq=False)
class PdhgPoint:
    """Where PDHG is."""

    x: CellVector

    price: Prices
    """The dual in the units of the instance."""

    weight: float
    """The primal weight."""


class NewtonFinish:
    """Watches the rate of PDHG and, where it has fallen, makes the method that goes on."""

    def __init__(self, problem: Problem, layout: Layout, *, most_edges: int) -> None:
        """most_edges: of the rank that has most."""
        self._problem = problem
        self._layout = layout
        self._most_edges = most_edges
        self._switch = Switch(constants_for(problem.settings.device, most_edges))
        self._known_rows: Rows | None = None
        self.warm = False
        """Whether the run has a warm start, of which x is right but for few sources."""

    def due(self, iteration: int, gap: float, here: Callable[[], PdhgPoint]) -> bool:
        """Whether to take over after this iteration; `here` is asked only where the rate has fallen."""
        return self._switch.due(iteration, gap, self._most_edges, lambda: self._many_slack(here()))

    def take_over(
        self,
        start: Handover,
        progress: Progress,
        snapshot: Callable[[Prices, Prices], MethodState],
        give_back: Callable[[Prices, Prices], Method],
    ) -> Method:
        """Newton's method from `start`; snapshot and give_back: as in Inputs."""
        inputs = replace(self._inputs(self._rows, progress, snapshot), give_back=give_back)
        return ProximalNewton(inputs, start)

    def begin(
        self,
        start: Handover,
        progress: Progress,
        give_back: Callable[[Prices, Prices], Method],
        give_up: Callable[[float], Method],
        prove: ProofInCells | None,
    ) -> Method:
        """Newton's method at once from a warm start; give_up and prove: as in FromStart."""
        self.warm = True
        inputs = self._inputs(self._rows, progress, _no_snapshot)
        inputs = replace(inputs, give_back=give_back, constants=constants_from_start())
        return FromStart(inputs, start, give_up, prove)

    def stay_near(self, start: Handover, progress: Progress) -> Method:
        """The one proximal step from the centre of `start`, whose weight is rho.

        Edges in use at the centre stay in use at prices beyond the bound that holds for optimal ones.
        """
        rows = Rows(self._problem.lp, self._problem.context.group)
        rows.price_limit = np.asarray(self._problem.bounds.largest_dual)
        return Staying(self._inputs(rows, progress, _no_snapshot), start)

    def _inputs(self, rows: Rows, progress: Progress, snapshot: Callable[[Prices, Prices], MethodState]) -> Inputs:
        return Inputs(
            problem=self._problem,
            full=self._full_problem(),
            rows=rows,
            progress=progress,
            to_edges=self._to_edges,
            snapshot=snapshot,
            constants=replace(Constants(), first_step=STEP_FROM_START) if self.warm else Constants(),
        )

    def _many_slack(self, point: PdhgPoint) -> bool:
        return self._switch.many_slack(self._full_problem(), point.x, point.price, point.weight)

    def _full_problem(self) -> FullProblem:
        problem = self._problem
        return FullProblem(self._layout, problem.bounds, self._rows, problem.context, threads=problem.settings.threads)

    @property
    def _rows(self) -> Rows:
        """Summed once, by all ranks together; no cached_property, whose lock ranks that are threads would share."""
        if self._known_rows is None:
            self._known_rows = Rows(self._problem.lp, self._problem.context.group)
        return self._known_rows

    def _to_edges(self, cells: CellVector) -> Vector:
        problem = self._problem
        dtype = answer_dtype(problem.settings, equality=problem.has_equality)
        return to_edges(self._layout, problem.lp, cells, dtype)


def _no_snapshot(price: Prices, loads: Prices) -> MethodState:
    raise NotImplementedError("no checkpoint holds the point to stay near")

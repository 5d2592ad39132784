"""What the ascents of the ridge dual share: the state, the estimate of the gap, the proof, checkpoints.

I sources, R coupling rows, E edges. The ascents work on y with lambda = D y, D the row scaling:

    g_gamma(lambda) = min over x in C of  c'x + gamma/2 ||x||^2 + lambda'(A x - b),     lambda >= 0
    x_i(lambda) = Proj_{C_i}(-(c + A'lambda)_i / gamma),     gradient in lambda = A x(lambda) - b

(Basu et al. 2020, "ECLIPSE"). Beyond '<=' rows, which is ours, lambda'b becomes the cost of the sides, upper lambda+ -
lower lambda-, each lambda lies in the interval of its row (engine/row_bounds.py), and the gradient is against the side
that lambda prices: a row with two sides has a kink at 0.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.ascent import Ascent
from solvers.base import Answer
from solvers.engine.context import SolveContext
from solvers.engine.costs import WorkingCosts, working_costs
from solvers.engine.held import HeldKernel
from solvers.engine.instance import answer_without_edges, is_repairable, serves_equalities, tightened
from solvers.engine.iterate import Assessment, Finish, Method, MethodState, Problem
from solvers.engine.kernel import Pass, Tensor
from solvers.engine.placement import choose_storage
from solvers.engine.points import ridge_point
from solvers.engine.precision import answer_dtype, with_working_dtype
from solvers.engine.progress import Progress
from solvers.engine.rays import objective_upper_bound
from solvers.engine.repair import repair
from solvers.engine.row_bounds import RowBounds, row_bounds
from solvers.engine.tensors import upload
from solvers.engine.threads import cpu_threads
from solvers.engine.warm_up import loops_of, rehearse_ascent, warm_up_ascent
from solvers.engine.workspace import first_use
from solvers.settings import Settings

Dual = npt.NDArray[np.float64]

#: Where estimates do not tell how a repair ends, the next proof is tried so many times later than one that failed.
_PROOF_EVERY = 1.2


@dataclass(frozen=True, kw_only=True, eq=False)
class State(Problem):
    """What `prepare` of an ascent made."""

    options: Any

    held: HeldKernel

    scale: Dual
    """D, float64[R]."""

    origin: Dual
    """float64[R]: the side of each row that the ascents measure its activity from, b of a '<=' row."""

    gamma: float
    """The first ridge."""

    dual: Dual
    """The first lambda, float64[R]: 0, or that of a warm start."""

    norm: float = 1.0
    """At least ||D A||_2, for an ascent whose steps depend on it."""

    @property
    def scaled_bounds(self) -> RowBounds:
        """Those of D (A x - origin) and of y."""
        return self.bounds.measured_from(self.origin).scaled(self.scale)


def prepare(
    lp: MatchingLP,
    settings: Settings,
    context: SolveContext | None,
    options: Any,
    *,
    what: str,
    gamma: Callable[[WorkingCosts], float],
    float64_below: float = 0.0,
) -> State | Answer:
    """Layout, upload and compilation; the answer itself where there are no edges.

    what: named where memory is short. gamma: the first ridge for these costs. float64_below: with a smaller tolerance,
    and with '=' sources, which need exact loads, the passes work in float64 whatever the settings.
    """
    context = context or SolveContext()
    lp = tightened(lp, context)
    if context.group.size == 1 and lp.edges == 0:
        return answer_without_edges(lp)

    costs = working_costs(lp, context.group)
    settings = with_working_dtype(settings, costs, context)
    repairable = is_repairable(lp, context, has_equality=serves_equalities(lp))
    if float64_below and (settings.tolerance < float64_below or not repairable):
        settings = dataclasses.replace(settings, dtype="float64")
    storage = choose_storage(lp, settings, options.memory, context, what, vectors=0)

    with cpu_threads(settings.threads):
        held = HeldKernel(costs.lp, settings, options.kernel, context, storage)
        if first_use(loops_of(costs.lp, settings, options.kernel)):
            warm_up_ascent(costs.lp, settings, options.kernel)
        if held.device != "cpu":
            rehearse_ascent(held.kernel)
        bounds = row_bounds(lp)
        return State(
            lp=lp,
            costs=costs,
            settings=settings,
            context=context,
            bounds=bounds,
            has_equality=held.has_equality,
            repairable=repairable,
            objective_upper_bound=math.inf if repairable else objective_upper_bound(lp, context.group),
            options=options,
            held=held,
            scale=held.inverse_row_norm,
            origin=bounds.origin,
            gamma=gamma(costs),
            dual=np.zeros(lp.row_count),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """A point that may become the answer: x(dual) at gamma."""

    dual: Dual

    gamma: float

    demerit: float
    """What a better point has less of, as estimated after the pass: the objective of the point made feasible in the
    short form, the gap beyond it."""


class RidgeAscent(Method):
    """An ascent with passes at x(lambda). The answer is the best point where a pass tells what a point will be worth,
    otherwise the last.

    A pass tells it where a repair scales x by one row an edge, and where x stays as it is. It does not tell what
    scaling by several rows costs, or whether '=' sources can be served.
    """

    def __init__(self, state: State, progress: Progress, ascent: Ascent[Any]) -> None:
        self._state = state
        self._progress = progress
        self._ascent = ascent
        self._gamma = state.gamma
        self._objective = math.inf
        """That of the last point assessed, made feasible, as estimated."""

        self._best = _Point(dual=state.dual, gamma=state.gamma, demerit=math.inf)
        self._foretold = not state.has_equality and (state.bounds.ceilings or not state.repairable)
        """Whether a pass tells what its point will be worth."""

        self._iteration = 0
        self._next_proof = 0.0

    def finish(self, *, last: bool) -> Finish:  # noqa: ARG002 - nothing of a point is spared where the run goes on
        """The best point made feasible, with the best dual."""
        state, best = self._state, self._best
        self._next_proof = _PROOF_EVERY * self._iteration  # counts only where this proof fails

        state.held.release_layout()
        dtype = answer_dtype(state.settings, equality=state.has_equality)
        x = ridge_point(state.costs.lp, best.dual, 1 / best.gamma, dtype, state.held.storage)
        certificate = repair(
            state.lp, x, self._progress.best_dual, state.context.group, self._progress.search
        )  # fmt: skip
        return Finish(certificate=certificate, x=lambda: x)

    def snapshot(self) -> MethodState:
        numbers = {
            "gamma": self._gamma,
            "point_gamma": self._best.gamma,
            "demerit": self._best.demerit,
            "next_proof": self._next_proof,
        }
        return MethodState(numbers=numbers, shared={"point_dual": self._best.dual, **self._ascent.state()})

    def restore(self, state: MethodState) -> None:
        numbers, shared = state.numbers, state.shared
        self._gamma = numbers["gamma"]
        self._next_proof = numbers["next_proof"]
        self._best = _Point(dual=shared["point_dual"], gamma=numbers["point_gamma"], demerit=numbers["demerit"])
        self._ascent.restore(shared)

    def _project(self, dual: Tensor, *, values: bool) -> Pass:
        """The pass at `dual`, in the units of the instance, on the kernel's device."""
        values = values and self._state.bounds.ceilings  # one row an edge: else no estimate is made of them
        return self._state.held.kernel.project(dual, 1 / self._gamma, values=values)

    def _assess(self, iteration: int, result: Pass, dual: Dual) -> Assessment:
        """The gap after a pass with values at `dual`, within its intervals. Raises NonFiniteError."""
        self._iteration = iteration
        gap = self._progress.estimate(iteration, result, dual)
        bound = self._progress.best_bound
        self._objective = bound + gap * max(1.0, abs(bound))
        demerit = self._objective if self._state.bounds.ceilings else gap
        if demerit <= self._best.demerit or not self._foretold:
            self._best = _Point(dual=dual, gamma=self._gamma, demerit=demerit)
        return Assessment(gap=gap, worth_proving=self._worth_proving(iteration, gap))

    def _worth_proving(self, iteration: int, gap: float) -> bool:
        """Where the estimate does not tell whether a repair will succeed, tries come at intervals."""
        if self._foretold:
            return self._progress.worth_proving(gap)
        return gap <= self._state.settings.tolerance and iteration >= self._next_proof

    def _upload(self, array: Dual) -> Tensor:
        return upload(array, self._state.held.device)

"""What the ascents of the ridge dual share: the state, the look at the gap, the proof, checkpoints.

I sources, J destinations, E edges. The ascents work on y with lambda = D y, D the row scaling:

    g_gamma(lambda) = min over x in C of  c'x + gamma/2 ||x||^2 + lambda'(A x - b),     lambda >= 0
    x_i(lambda) = Proj_{C_i}(-(c_i + a_i lambda) / gamma),     gradient in lambda = A x(lambda) - b

(Basu et al. 2020, "ECLIPSE").
"""

from __future__ import annotations

import abc
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Answer, Settings, Status, Vector
from solvers.engine.checkpoint import Snapshot
from solvers.engine.context import SolveContext
from solvers.engine.costs import Eased
from solvers.engine.held import HeldKernel
from solvers.engine.kernel import Pass, Tensor
from solvers.engine.placement import choose_storage
from solvers.engine.points import ridge_point
from solvers.engine.precision import answer_dtype
from solvers.engine.progress import LostNumberError, Progress
from solvers.engine.rays import Infeasibility, objective_upper_bound
from solvers.engine.repair import repair
from solvers.engine.threads import cpu_threads
from solvers.engine.warm_up import warm_up_ascent

Dual = npt.NDArray[np.float64]

#: With '=' sources the next proof is tried so many times later than one that failed.
_PROOF_EVERY = 1.2


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """What prepare() made. eased: the costs of the cells. scale float64[J] = D; gamma: the first ridge;
    top float64[J]: upper bounds of lambda; dual float64[J]: the start; hopeless_above: no feasible x has a larger
    objective.
    """

    lp: MatchingLP
    eased: Eased
    settings: Settings
    options: Any
    context: SolveContext
    held: HeldKernel
    scale: Dual
    gamma: float
    top: Dual
    dual: Dual
    hopeless_above: float


def prepare(
    lp: MatchingLP, costs: Eased, settings: Settings, context: SolveContext, options: Any, *, gamma: float, what: str
) -> State:
    """Layout, upload and compilation. `what` is named where memory is short; options.memory: see choose_storage."""
    storage = choose_storage(lp, settings, options.memory, context, what, vectors=0)
    with cpu_threads(settings.threads):
        held = HeldKernel(costs.lp, settings, options.kernel, context, storage)
        warm_up_ascent(costs.lp, settings, options.kernel)
        return State(
            lp=lp,
            eased=costs,
            settings=settings,
            options=options,
            context=context,
            held=held,
            scale=held.inverse_row_norm,
            gamma=gamma,
            top=np.full(lp.destinations, math.inf),
            dual=np.zeros(lp.destinations),
            hopeless_above=objective_upper_bound(lp, context.group) if held.has_equality else math.inf,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Point:
    """x(dual) at gamma, and c'x of the feasible point that its repair makes of it, as it seems after the pass."""

    dual: Dual
    gamma: float
    objective: float


class RidgeRun(abc.ABC):
    """One run: `iterate` until the gap is proved or a limit reached. The answer is the best point, not the last
    (with '=' sources the last).

    objective: c'x of the last point looked at, repaired as it seems after the pass.
    """

    def __init__(self, state: State) -> None:
        self.state, self.gamma = state, state.gamma
        self.progress = Progress(
            state.settings,
            state.lp.b,
            state.context,
            has_equality=state.held.has_equality,
            offset=state.eased.offset,
        )
        self._infeasible = Infeasibility(state.lp, self.progress, state.hopeless_above, state.context.group)
        self.objective = math.inf
        self._best = _Point(dual=state.dual, gamma=self.gamma, objective=math.inf)
        self._next_proof = 0.0

    @abc.abstractmethod
    def iterate(self, iteration: int, stop: Status | None) -> Answer | None:
        """One evaluation and one step; the answer where `look` gave one. `stop`: the limit now reached."""

    @abc.abstractmethod
    def ascent_state(self) -> Mapping[str, Dual]:
        """The ascent for a checkpoint."""

    @abc.abstractmethod
    def restore_ascent(self, state: Mapping[str, Dual]) -> None:
        """The ascent as it was."""

    def solve(self) -> Answer:
        iteration = self._go_on()
        while True:
            iteration += 1
            answer = self.iterate(iteration, self.progress.limit(iteration))
            if answer is not None:
                return answer
            if self.state.context.checkpoint_due():
                self._save(iteration)

    def project(self, dual: Tensor, *, values: bool) -> Pass:
        """The pass at `dual`, in the units of the instance, on the kernel's device."""
        return self.state.held.kernel.project(dual, 1 / self.gamma, values=values)

    def look(self, iteration: int, result: Pass, dual: Dual, stop: Status | None) -> Answer | None:
        """The answer when the gap is proved, a limit reached, no x feasible or a number lost; dual >= 0."""
        try:
            gap = self.progress.estimate(iteration, result, dual)
        except LostNumberError as error:
            return self._answer(None, Status.ERROR, iteration, str(error))
        if self._infeasible.proved():
            return self._answer(None, Status.INFEASIBLE, iteration, "a ray proves that no x is feasible")
        self.objective = self.progress.best_bound + gap * max(1.0, abs(self.progress.best_bound))
        if self.objective <= self._best.objective or self.state.held.has_equality:
            self._best = _Point(dual=dual, gamma=self.gamma, objective=self.objective)
        if stop is None and not self._worth_proving(iteration, gap):
            return None
        x, proved = self._finish()
        words = self.progress.words(iteration, proved)
        if proved <= self.state.settings.tolerance:
            return self._answer(x, Status.SOLVED, iteration, words)
        if stop is not None:
            return self._answer(x, stop, iteration, words)
        self.progress.not_proved(gap)
        self._next_proof = _PROOF_EVERY * iteration
        return None

    def upload(self, array: Dual) -> Tensor:
        import torch

        return torch.from_numpy(np.array(array, dtype=np.float64)).to(self.state.held.device)

    def _worth_proving(self, iteration: int, gap: float) -> bool:
        """With '=' sources no pass tells what a repair costs, or whether it will do: the newest point is tried."""
        if self.state.held.has_equality:
            return gap <= self.state.settings.tolerance and iteration >= self._next_proof
        return self.progress.worth_proving(gap)

    def _finish(self) -> tuple[Vector, float]:
        """The best point made feasible, and its certified gap with the best dual so far."""
        lp, settings, held = self.state.lp, self.state.settings, self.state.held
        held.release_layout()
        dtype = answer_dtype(settings, equality=held.has_equality)
        x = ridge_point(self.state.eased.lp, self._best.dual, 1 / self._best.gamma, dtype, held.storage)
        dual, seconds = self.progress.best_dual, self.progress.remaining
        return x, self.state.context.record_certificate(repair(lp, x, dual, self.state.context.group, seconds=seconds))

    def _save(self, iteration: int) -> None:
        best, context = self._best, self.state.context
        numbers = {"gamma": self.gamma, "point_gamma": best.gamma, "objective": best.objective}
        numbers["next_proof"] = self._next_proof
        shared = {"best_dual": self.progress.best_dual, "point_dual": best.dual}
        numbers, shared = {**numbers, **self.progress.numbers()}, {**shared, **self.ascent_state()}
        context.save(Snapshot(iteration=iteration, seconds=context.seconds, numbers=numbers, shared=shared))

    def _go_on(self) -> int:
        """Iterations that a checkpoint has already done, 0 without one."""
        saved = self.state.context.load()
        if saved is None:
            return 0
        numbers, shared = saved.numbers, saved.shared
        self.gamma = numbers["gamma"]
        self._next_proof = numbers["next_proof"]
        self._best = _Point(dual=shared["point_dual"], gamma=numbers["point_gamma"], objective=numbers["objective"])
        self.progress.restore(numbers, shared["best_dual"])
        self.restore_ascent(shared)
        return saved.iteration

    def _answer(self, x: Vector | None, status: Status, iteration: int, words: str) -> Answer:
        return Answer(
            x=x,
            dual=None if x is None else self.progress.best_dual,
            status=status,
            raw_status=f"{words}; kernel {self.state.held.name}",
            iterations=iteration,
            trace=tuple(self.progress.trace),
            ray=self._infeasible.ray if status is Status.INFEASIBLE else None,
        )

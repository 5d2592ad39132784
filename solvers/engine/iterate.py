"""The one loop of every method of the engine, and the one place where a run ends.

    iteration <- that of a checkpoint, or 0
    repeat
        step      one pass over the cells, and the gap as estimated after it
        end?      a number that is not finite, a proof that no x is feasible, a proved gap, or a limit
        advance   the method moves on from the pass, or hands over to its successor
        save      a checkpoint, where one is due

A method knows its algorithm and nothing of limits, proofs of infeasibility, checkpoints on the disk, or answers.
(After `_iterate.py` of Kidger's optimistix, and the single exit of FirstOrderLp.jl.)
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy.typing as npt

from instances import InputError, MatchingLP
from solvers.base import Answer, Status, Vector
from solvers.engine.certificate import Certificate
from solvers.engine.checkpoint import Snapshot
from solvers.engine.context import SolveContext
from solvers.engine.costs import WorkingCosts
from solvers.engine.progress import NonFiniteError, Progress
from solvers.engine.rays import Infeasibility
from solvers.engine.row_bounds import RowBounds
from solvers.engine.tensors import upload
from solvers.engine.vertex import VertexTries
from solvers.settings import Settings

Arrays = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """The part of a prepared state that every method has and the loop needs."""

    lp: MatchingLP
    """The instance, or the sources of it that this rank holds."""

    costs: WorkingCosts
    """The costs that the cells hold, with what every sum of them lacks (see costs.py)."""

    settings: Settings
    """Those asked for, with the type of numbers that the passes really use."""

    context: SolveContext
    """Ranks, clock and checkpoints."""

    bounds: RowBounds
    """The sides of the coupling rows."""

    has_equality: bool
    """Whether any rank holds '=' sources."""

    repairable: bool
    """Whether scaling edges down makes any x feasible, see instance.is_repairable."""

    objective_upper_bound: float
    """No feasible x has a larger c'x; infinite where every x can be repaired, because then x = 0 is feasible."""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """How near the end a run is after a pass."""

    gap: float
    """The gap that a proof may find, unproved."""

    worth_proving: bool
    """Whether the method wants a proof now."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Finish:
    """A feasible point that may be the answer."""

    certificate: Certificate
    """The bound of the best dual and the objective of the point, over all ranks."""

    x: Callable[[], Vector]
    """Makes x[E]. Called at most once and last: the method may give the memory of its state to x."""


@dataclass(frozen=True, kw_only=True, eq=False)
class MethodState:
    """The part of a checkpoint that belongs to the method."""

    numbers: Mapping[str, float]
    """Alike on all ranks."""

    shared: Arrays
    """Vectors of budget rows, alike on all ranks."""

    primal: Arrays = field(default_factory=dict)
    """Vectors [E] of the edges of this rank, in the order of the instance."""


class Method(abc.ABC):
    """An algorithm that makes one pass in each iteration. The loop calls `step`, perhaps `finish`, then `advance`.

    Over several ranks every decision has to come from numbers that are alike on all of them.
    """

    @property
    def remark(self) -> str:
        """Added to the words of the answer."""
        return ""

    @abc.abstractmethod
    def step(self, iteration: int, *, last: bool) -> Assessment | None:
        """One pass, and what it shows of the gap; None where the method estimates the gap less often.

        last: a limit ends the run after this pass, so the pass must leave a point, and an assessment of it.
        Raises NonFiniteError.
        """

    @abc.abstractmethod
    def finish(self, *, last: bool) -> Finish:
        """A feasible point made of the last pass, with its proof.

        last: the point is the answer whatever is proved. Otherwise the run goes on where the proof fails.
        """

    @abc.abstractmethod
    def advance(self, iteration: int) -> Method:
        """Move on from the pass; the method of the next iteration, itself or its successor."""

    @abc.abstractmethod
    def snapshot(self) -> MethodState | None:
        """The state after `advance`, None where it cannot be saved before a later iteration."""

    def restore(self, state: MethodState) -> None:
        """Go on from a snapshot, as only the first method of a run does. Raises KeyError where something is missing."""
        raise NotImplementedError(f"{type(self).__name__} takes over from another method")


@dataclass(frozen=True, kw_only=True, eq=False)
class _Ending:
    """Why a run ends, and its answer, if any."""

    status: Status
    words: str
    x: Vector | None = None


class Loop:
    """Limits, proofs, infeasibility, checkpoints and the answer of one run. The clock starts when it is made."""

    def __init__(self, problem: Problem, kernel: str) -> None:
        """kernel: its name, for the words of the answer."""
        self.progress = Progress(
            problem.settings,
            problem.bounds,
            problem.context,
            repairable=problem.repairable,
            offset=problem.costs.offset,
        )
        self._tolerance = problem.settings.tolerance
        self._context = problem.context
        self._kernel = kernel
        self._infeasibility = Infeasibility(
            problem.lp, self.progress, problem.objective_upper_bound, problem.context.group
        )
        self._vertex_tries = VertexTries(problem.lp, problem.context.group)

    def solve(self, method: Method) -> Answer:
        """Iterate until the run ends."""
        iteration = self._resume(method)
        ending = None

        while ending is None:
            iteration += 1
            ending = self._iterate(method, iteration)
            if ending is None:
                method = method.advance(iteration)
                self._save_if_due(method, iteration)

        return self._answer(method, ending, iteration)

    def _iterate(self, method: Method, iteration: int) -> _Ending | None:
        """One pass of the method. The only place where a run ends; please keep it so."""
        # Before the pass: only then can the method still see to it that the pass leaves a point.
        limit = self.progress.limit(iteration)
        try:
            assessment = method.step(iteration, last=limit is not None)
        except NonFiniteError as error:
            return _Ending(status=Status.ERROR, words=str(error))
        if assessment is None:
            return None

        if self._infeasibility.proved():
            return _Ending(status=Status.INFEASIBLE, words="a ray proves that no x is feasible")

        vertex_due = self._vertex_tries.due(iteration)
        if limit is None and not assessment.worth_proving and not vertex_due:
            return None
        finish = method.finish(last=limit is not None or vertex_due)
        certificate = finish.certificate
        if certificate.dual is not None:
            self.progress.proved(certificate.bound, upload(certificate.dual, "cpu"))
        gap = self._context.record_certificate(certificate)
        status = Status.SOLVED if gap <= self._tolerance else limit
        if status is not None:
            return _Ending(status=status, words=self.progress.words(iteration, certificate), x=finish.x())
        if assessment.worth_proving:
            self.progress.not_proved(assessment.gap)
        return None

    def _answer(self, method: Method, ending: _Ending, iteration: int) -> Answer:
        words = f"{ending.words}, {method.remark}" if method.remark else ending.words
        return Answer(
            x=ending.x,
            dual=None if ending.x is None else self.progress.best_dual,
            status=ending.status,
            raw_status=f"{words}; kernel {self._kernel}",
            iterations=iteration,
            trace=tuple(self.progress.trace),
            ray=self._infeasibility.ray if ending.status is Status.INFEASIBLE else None,
        )

    def _save_if_due(self, method: Method, iteration: int) -> None:
        if not self._context.checkpoint_due():
            return
        state = method.snapshot()
        if state is None:
            return
        self._context.save(
            Snapshot(
                iteration=iteration,
                seconds=self._context.seconds,
                numbers={**state.numbers, **self.progress.numbers()},
                shared={**state.shared, "best_dual": self.progress.best_dual},
                primal=state.primal,
            )
        )

    def _resume(self, method: Method) -> int:
        """Iterations that a checkpoint has already done, 0 without one."""
        saved = self._context.load()
        if saved is None:
            return 0
        try:
            method.restore(MethodState(numbers=saved.numbers, shared=saved.shared, primal=saved.primal))
            self.progress.restore(saved.numbers, saved.shared["best_dual"])
        except KeyError as missing:
            raise InputError(
                f"the checkpoint of iteration {saved.iteration} lacks {missing}, another version wrote it: "
                f"choose another folder or start without --resume"
            ) from missing
        return saved.iteration

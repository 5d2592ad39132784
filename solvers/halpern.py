"""Block-projected, restarted, reflected Halpern PDHG.

I sources, J destinations, E edges. The polytopes stay inside the projection, so the dual has J entries. With rows of
A and b scaled to ||A_j||_2 = 1 (then A A' = I, for an edge lies in one row) and z = (x, y):

    x_t = Proj_C(x - tau (c + A'y)),    y_t = max(0, y + sigma (A (2 x_t - x) - b)),    tau = eta / w, sigma = eta w
    z  <- (k + 1)/(k + 2) (2 z_t - z) + 1/(k + 2) z_anchor,    y <- max(0, y)

Restart (anchor and z become z_t) by the fixed-point residual r^2 = w ||dx||^2/eta + ||dy||^2/(w eta) - 2 dy'A dx, which
also moves the primal weight w. (Applegate et al. 2021, PDLP; Lu and Yang 2024, r2HPDHG.)
Where its rate falls, on the CPU, Newton's method on a shrinking subproblem goes on (solvers.proximal).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.base import Answer, Status, Vector
from solvers.engine.checkpoint import Snapshot
from solvers.engine.evaluate import loads_of
from solvers.engine.kernel import SETTLE, Mix, Pass, Tensor, as_numpy, dot, upload
from solvers.engine.points import to_cells, to_edges
from solvers.engine.precision import answer_dtype
from solvers.engine.progress import LostNumberError, Progress
from solvers.engine.proof import Prover
from solvers.engine.rays import Infeasibility
from solvers.engine.repair import repair
from solvers.engine.rows import Rows
from solvers.halpern_state import State
from solvers.proximal.full import Cells, Whole
from solvers.proximal.outer import ProximalNewton
from solvers.proximal.switch import Switch
from solvers.restarts import Restarts

_ETA = 0.998
#: What a checkpoint keeps of a run, beside what restarts and progress keep.
_VECTORS = ("_y", "_loads", "_anchor_y", "_anchor_loads")
#: The first proof is tried from this many tolerances on: it takes the dual y_t, mostly better than those estimated.
_REACH = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Step:
    """One pass from z = (x, y): dual = scale * y, y = y_t, loads = the scaled A x_t; float64[J] on the device."""

    result: Pass
    dual: Tensor
    loads: Tensor
    y: Tensor


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """The estimated gap, the residual r, ||x_t - x_anchor|| and ||y_t - y_anchor||."""

    gap: float
    residual: float
    away: float
    away_y: float


class HalpernRun:
    """z = (x, y) with the loads A x beside it, and the same of the anchor; y = dual / scale."""

    def __init__(self, state: State) -> None:
        self._state, self._kernel = state, state.kernel
        self._progress = Progress(
            state.settings,
            state.lp.b,
            state.context,
            has_equality=state.layout.has_equality,
            offset=state.eased.offset,
        )
        self._prover = Prover(state.lp, state.eased, state.layout, state.kernel, state.context, state.settings)
        self._infeasible = Infeasibility(state.lp, self._progress, state.hopeless_above, state.context.group)
        self._scale = self._upload(state.scale)
        self._b = self._upload(state.lp.b * state.scale)
        self._x, self._anchor = state.kernel.zeros(), state.kernel.zeros()
        self._y, self._loads = self._start()
        self._anchor_y, self._anchor_loads = self._y, self._loads
        size_b, size_c, most_c = float(self._b.norm()), state.eased.norm, state.layout.cost_norm
        size_c = most_c if size_c is None else size_c
        known = size_b > 0 and size_c > 0
        self._restarts = Restarts(
            state.options, size_c / size_b if known else 1.0, most=most_c / size_b if known else 1.0
        )
        self._switch = Switch(warm=state.start is not None)

    @property
    def _weight(self) -> float:
        return self._restarts.weight

    def solve(self) -> Answer:
        iteration, closer, settle = self._go_on()
        leaving = False
        while True:
            iteration += 1
            stop = self._progress.limit(iteration)
            settle = settle or stop is not None
            mix = SETTLE if settle else self._restarts.mix()
            step = self._step(mix, values=closer)
            try:
                seen = self._look(iteration, step)
            except LostNumberError as error:
                return self._answer(None, Status.ERROR, iteration, str(error))
            if self._infeasible.proved():
                return self._answer(None, Status.INFEASIBLE, iteration, "a ray proves that no x is feasible")
            near = self._progress.worth_proving(seen.gap, _REACH)
            if stop is not None or (near and closer and mix.keeps):
                answer = self._finish(iteration, seen.gap, step, stop)
                if answer is not None:
                    return answer
                near = False
            if leaving:
                return self._newton(iteration, step.y)
            leaving = self._state.newton and self._switch.due(
                iteration, seen.gap, self._state.most_edges, self._crowded
            )
            if settle:
                self._restart(step, seen)
                settle = leaving
            else:
                self._combine(mix, step)
                settle = self._restarts.due(iteration, seen.residual) or (near and closer) or leaving
            closer = near
            if self._state.context.checkpoint_due():
                self._save(iteration, closer=closer, settle=settle)

    def _step(self, mix: Mix, *, values: bool) -> _Step:
        w, dual = self._weight, self._scale * self._y
        result = self._kernel.advance(dual, _ETA / w, self._x, self._anchor, mix, values=values)
        loads = self._scale * result.loads
        y = (self._y + _ETA * w * (2 * loads - self._loads - self._b)).clamp(min=0)
        return _Step(result=result, dual=dual, loads=loads, y=y)

    def _look(self, iteration: int, step: _Step) -> _Seen:
        """Everything that the host decides by, in one reading of the device. Raises LostNumberError."""
        w, dy, away_y = self._weight, step.y - self._y, step.y - self._anchor_y
        squares = (dot(dy, dy), dot(dy, step.loads - self._loads), dot(away_y, away_y), *step.result.sums[1:3])
        gap, (moved_y, cross, away_y, moved, away) = self._progress.look(iteration, step.result, step.dual, *squares)
        squared = w / _ETA * moved + moved_y / (w * _ETA) - 2 * cross
        if not math.isfinite(squared):
            raise LostNumberError(f"fixed-point residual not finite in iteration {iteration}")
        return _Seen(gap=gap, residual=math.sqrt(max(0.0, squared)), away=math.sqrt(away), away_y=math.sqrt(away_y))

    def _combine(self, mix: Mix, step: _Step) -> None:
        """z <- mix of z_t, z and the anchor; x was mixed by the kernel. y stays >= 0, or its bound would be none."""
        self._y = (mix.projected * step.y + mix.centre * self._y + mix.anchor * self._anchor_y).clamp(min=0)
        self._loads = mix.projected * step.loads + mix.centre * self._loads + mix.anchor * self._anchor_loads

    def _restart(self, step: _Step, seen: _Seen) -> None:
        """z and the anchor become z_t."""
        self._restarts.restarted(away=seen.away, away_y=seen.away_y)
        self._y = self._anchor_y = step.y
        self._loads = self._anchor_loads = step.loads

    def _finish(self, iteration: int, gap: float, step: _Step, stop: Status | None) -> Answer | None:
        """The answer, when x (which is x_t now) and a dual prove the tolerance or a limit ends the run."""
        state = self._state
        proof = self._prover.prove(self._x, self._scale * step.y, self._progress, anyway=stop is not None)
        proved = state.context.record_certificate(proof.certificate)
        status = Status.SOLVED if proved <= state.settings.tolerance else stop
        if status is None:
            self._progress.not_proved(gap)
            return None
        x = self._prover.answer(proof, self._x, room=self._anchor)
        return self._answer(x, status, iteration, self._progress.words(iteration, proved))

    def _crowded(self) -> bool:
        x = self._kernel.unload(self._x)
        return self._switch.crowded(self._whole(), x, as_numpy(self._scale * self._y), self._weight)

    def _whole(self) -> Whole:
        state = self._state
        return Whole(state.layout, state.lp.b, state.context, state.settings.threads)

    def _newton(self, iteration: int, y: Tensor) -> Answer:
        """The rest of the run, from x (which is x_t now) and y_t."""
        state: State = self._state
        found: Vector | None = None

        def judge(cells: Cells) -> float:
            nonlocal found
            dtype = answer_dtype(state.settings, equality=state.layout.has_equality)
            found = to_edges(state.layout, state.lp, cells, dtype)
            dual, seconds = self._progress.best_dual, self._progress.remaining
            return state.context.record_certificate(repair(state.lp, found, dual, state.context.group, seconds=seconds))

        phase = ProximalNewton(
            self._whole(),
            Rows(state.lp, state.context.group),
            self._progress,
            self._kernel.unload(self._x),
            self._kernel.unload(self._anchor),
            as_numpy(self._scale * y),
            self._weight,
            judge=judge,
            tolerance=state.settings.tolerance,
            iterations=iteration,
            infeasible=self._infeasible.proved,
            settled=None if state.context.checkpoints is None else self._keep,
        )
        try:
            end = phase.run()
        except LostNumberError as error:
            return self._answer(None, Status.ERROR, iteration, str(error))
        gap = self._progress.words(end.iterations, end.gap)
        words = f"{gap}, finished by {end.work.systems} Newton systems from iteration {iteration}"
        words = f"no more progress at a {words}" if end.stalled else words
        return self._answer(None if end.status is Status.INFEASIBLE else found, end.status, end.iterations, words)

    def _keep(self, iteration: int, price: npt.NDArray[np.float64], loads: npt.NDArray[np.float64]) -> None:
        """A checkpoint, where one is due, from which PDHG goes on at the point that Newton has reached."""
        if self._state.context.checkpoint_due():
            self._y = self._anchor_y = self._upload(price) / self._scale
            self._loads = self._anchor_loads = self._upload(loads) * self._scale
            self._restarts.restarted(away=0.0, away_y=0.0)
            self._save(iteration, closer=False, settle=False)

    def _save(self, iteration: int, *, closer: bool, settle: bool) -> None:
        state = self._state
        numbers = {"closer": closer, "settle": settle, **self._restarts.numbers(), **self._progress.numbers()}
        primal = {
            name: to_edges(state.layout, state.lp, self._kernel.unload(vector), state.settings.dtype)
            for name, vector in (("x", self._x), ("anchor", self._anchor))
        }
        shared = {name: as_numpy(getattr(self, name)) for name in _VECTORS} | {"best_dual": self._progress.best_dual}
        seconds = state.context.seconds
        state.context.save(
            Snapshot(iteration=iteration, seconds=seconds, numbers=numbers, shared=shared, primal=primal)
        )

    def _go_on(self) -> tuple[int, bool, bool]:
        """Iterations done, and the two decisions for the next one: of a checkpoint, or of a new run."""
        saved, state = self._state.context.load(), self._state
        if saved is None:
            return 0, False, False
        self._restarts.restore(saved.numbers)
        for name in _VECTORS:
            setattr(self, name, self._upload(saved.shared[name]))
        for name, vector in (("x", self._x), ("anchor", self._anchor)):
            vector.copy_(self._kernel.load(to_cells(state.layout, state.lp, saved.primal[name])))
        self._progress.restore(saved.numbers, saved.shared["best_dual"])
        return saved.iteration, bool(saved.numbers["closer"]), bool(saved.numbers["settle"])

    def _answer(self, x: Vector | None, status: Status, iteration: int, words: str) -> Answer:
        return Answer(
            x=x,
            dual=None if x is None else self._progress.best_dual,
            status=status,
            raw_status=f"{words}; kernel {self._kernel.name}",
            iterations=iteration,
            trace=tuple(self._progress.trace),
            ray=self._infeasible.ray if status is Status.INFEASIBLE else None,
        )

    def _start(self) -> tuple[Tensor, Tensor]:
        """y and the scaled loads of the first z; x and anchor hold its x."""
        state = self._state
        if state.start is None:
            return self._upload(np.zeros_like(state.scale)), self._upload(np.zeros_like(state.scale))
        x, dual = state.start[0].copy(), state.start[1]
        repair(state.lp, x, dual, state.context.group)
        self._x.copy_(self._kernel.load(to_cells(state.layout, state.lp, x)))
        self._anchor.copy_(self._x)
        return self._upload(dual / state.scale), self._upload(loads_of(state.lp, x, state.context.group) * state.scale)

    def _upload(self, array: npt.NDArray[np.float64]) -> Tensor:
        return upload(array, self._kernel.device)

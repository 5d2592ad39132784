"""Block-projected, restarted, reflected Halpern PDHG.

I sources, J destinations, E edges. The polytopes stay inside the projection, so the dual has J entries. With rows of
A and b scaled to ||A_j||_2 = 1 (then A A' = I, for an edge lies in one row) and z = (x, y):

    x_t = Proj_C(x - tau (c + A'y)),    y_t = max(0, y + sigma (A (2 x_t - x) - b)),    tau = eta / w, sigma = eta w
    z  <- (k + 1)/(k + 2) (2 z_t - z) + 1/(k + 2) z_anchor,    y <- max(0, y)

Restart (anchor and z become z_t) by the fixed-point residual r^2 = w ||dx||^2/eta + ||dy||^2/(w eta) - 2 dy'A dx, which
also moves the primal weight w. (Applegate et al. 2021, PDLP; Lu and Yang 2024, r2HPDHG.)
Where its rate falls, in one process on the CPU, Newton's method on a shrinking subproblem goes on (solvers.proximal).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Answer, OptionError, Settings, Status, Vector
from solvers.engine.certificate import loads_of, repair, to_cells, to_edges
from solvers.engine.checkpoint import Saved
from solvers.engine.job import Job
from solvers.engine.kernel import SETTLE, Kernel, Mix, Pass, Tensor, as_numpy
from solvers.engine.layout import Layout
from solvers.engine.progress import LostNumberError, Progress
from solvers.engine.setup import answer_dtype
from solvers.proximal.outer import ProximalNewton
from solvers.proximal.switch import Switch

_ETA = 0.998
#: What a checkpoint keeps of a run.
_NUMBERS = ("_weight", "_first_weight", "_inner", "_first_residual", "_last_residual")
_VECTORS = ("_y", "_loads", "_anchor_y", "_anchor_loads")
#: The primal weight stays within this factor of where it started: near ties it would drift on without end.
_DRIFT = 100.0


@dataclass(frozen=True, kw_only=True)
class Options:
    """restart_sufficient, restart_necessary: restart when r falls to this share of r_0, or to the second and grows.
    restart_artificial: ... or when the inner count passes this share of all iterations. initial_weight: the primal
    weight w starts at this times ||c|| / ||b||. weight_smoothing: exponent of the new primal weight in its geometric
    mean with the old. kernel: auto, reference, cpu or cuda. finish: "newton" to go on with solvers.proximal where the
    rate falls (in one process, on the CPU), "none" for PDHG alone.
    """

    restart_sufficient: float = 0.2
    restart_necessary: float = 0.8
    restart_artificial: float = 0.2
    initial_weight: float = 2.0
    weight_smoothing: float = 0.4
    kernel: str = "auto"
    finish: str = "newton"

    def __post_init__(self) -> None:
        for name in ("restart_sufficient", "restart_necessary", "restart_artificial", "weight_smoothing"):
            if not 0 <= getattr(self, name) <= 1:
                raise OptionError(f"{name}={getattr(self, name)!r}: expected a number between 0 and 1")
        if not 0 < self.initial_weight < math.inf:
            raise OptionError(f"initial_weight={self.initial_weight!r}: expected a number > 0")
        if self.finish not in ("newton", "none"):
            raise OptionError(f"finish={self.finish!r}: expected newton or none")


@dataclass(frozen=True, kw_only=True, eq=False)
class State:
    """What prepare() made. scale float64[J]; x and anchor are work space; newton: whether Newton may finish;
    start: warm x[E] and dual[J], or None.
    """

    lp: MatchingLP
    settings: Settings
    options: Options
    job: Job
    layout: Layout
    kernel: Kernel
    scale: npt.NDArray[np.float64]
    x: Tensor
    anchor: Tensor
    hopeless_above: float
    newton: bool
    start: tuple[Vector, npt.NDArray[np.float64]] | None = None


class HalpernRun:
    """z = (x, y) with the loads A x beside it, and the same of the anchor; y = dual / scale."""

    def __init__(self, state: State) -> None:
        self._state, self._kernel = state, state.kernel
        self._progress = Progress(state.settings, state.lp.b, state.job, has_equality=state.layout.has_equality)
        self._scale = self._upload(state.scale)
        self._b = self._upload(state.lp.b * state.scale)
        self._y, self._loads = self._start()
        self._anchor_y, self._anchor_loads = self._y, self._loads
        size_b, size_c = float(self._b.norm()), state.layout.cost_norm
        balance = size_c / size_b if size_b > 0 and size_c > 0 else 1.0
        self._weight = self._first_weight = state.options.initial_weight * balance
        self._inner, self._first_residual, self._last_residual = 0, math.inf, math.inf
        self._switch = Switch(warm=state.start is not None)

    def solve(self) -> Answer:
        iteration, closer, settle = self._go_on()
        leaving = False
        while True:
            iteration += 1
            stop = self._progress.limit(iteration)
            settle = settle or stop is not None
            dual = as_numpy(self._scale * self._y)
            mix = SETTLE if settle else _halpern(self._inner)
            result, y = self._step(mix, values=closer or settle)
            try:
                gap = self._progress.estimate(iteration, result, dual)
                residual = self._residual(iteration, result, y)
            except LostNumberError as error:
                return self._answer(None, Status.ERROR, iteration, str(error))
            if self._progress.best_bound > self._state.hopeless_above:
                return self._answer(None, Status.INFEASIBLE, iteration, "the bound exceeds every objective")
            if stop is not None or (settle and self._progress.worth_proving(gap)):
                answer = self._finish(iteration, gap, stop)
                if answer is not None:
                    return answer
            near = self._progress.worth_proving(gap)
            if leaving:
                return self._newton(iteration, y)
            leaving = self._state.newton and self._switch.due(iteration, gap, self._state.lp.edges, self._crowded)
            if settle:
                self._restart(result, y)
                settle = False
            else:
                self._combine(mix, result, y)
                settle = self._restart_due(iteration, residual) or (near and result.values is not None)
            closer, settle = near, settle or leaving
            if self._state.job.checkpoint_due():
                self._save(iteration, closer=closer, settle=settle)

    def _step(self, mix: Mix, *, values: bool) -> tuple[Pass, Tensor]:
        """x_t, as the pass that made it, and y_t."""
        state, w = self._state, self._weight
        result = self._kernel.advance(self._scale * self._y, _ETA / w, state.x, state.anchor, mix, values=values)
        extrapolated = 2 * self._scale * result.loads - self._loads
        return result, (self._y + _ETA * w * (extrapolated - self._b)).clamp(min=0)

    def _combine(self, mix: Mix, result: Pass, y: Tensor) -> None:
        """z <- mix of z_t, z and the anchor; x was mixed by the kernel. y stays >= 0, or its bound would be none."""
        self._y = (mix.projected * y + mix.centre * self._y + mix.anchor * self._anchor_y).clamp(min=0)
        loads = self._scale * result.loads
        self._loads = mix.projected * loads + mix.centre * self._loads + mix.anchor * self._anchor_loads
        self._inner += 1

    def _restart(self, result: Pass, y: Tensor) -> None:
        """z and the anchor become z_t; the weight follows ||y_t - y_anchor|| / ||x_t - x_anchor||."""
        distance_y, distance_x = float((y - self._anchor_y).norm()), math.sqrt(float(result.sums[2]))
        if distance_x > 0 and distance_y > 0:
            share = self._state.options.weight_smoothing
            moved = (distance_y / distance_x) ** share * self._weight ** (1 - share)
            self._weight = min(max(moved, self._first_weight / _DRIFT), self._first_weight * _DRIFT)
        self._y = self._anchor_y = y
        self._loads = self._anchor_loads = self._scale * result.loads
        self._inner, self._first_residual, self._last_residual = 0, math.inf, math.inf

    def _residual(self, iteration: int, result: Pass, y: Tensor) -> float:
        """The fixed-point residual r. Raises LostNumberError."""
        w, dy = self._weight, y - self._y
        cross = dy @ (self._scale * result.loads - self._loads)
        squared = float(w / _ETA * result.sums[1] + dy @ dy / (w * _ETA) - 2 * cross)
        if not math.isfinite(squared):
            raise LostNumberError(f"fixed-point residual not finite in iteration {iteration}")
        return math.sqrt(max(0.0, squared))

    def _restart_due(self, iteration: int, residual: float) -> bool:
        options = self._state.options
        if self._inner == 1:
            self._first_residual, self._last_residual = residual, residual
            return False
        grew, self._last_residual = residual > self._last_residual, residual
        return (
            residual <= options.restart_sufficient * self._first_residual
            or (residual <= options.restart_necessary * self._first_residual and grew)
            or self._inner > options.restart_artificial * iteration
        )

    def _finish(self, iteration: int, gap: float, stop: Status | None) -> Answer | None:
        """The answer, when x (which is x_t now) and the best dual prove the tolerance or a limit ends the run."""
        state = self._state
        x = to_edges(state.layout, state.lp, self._kernel.unload(state.x), answer_dtype(state.settings))
        proved = state.job.judged(repair(state.lp, x, self._progress.best_dual, state.job.group))
        if proved <= state.settings.tolerance:
            return self._answer(x, Status.SOLVED, iteration, f"certified gap {proved:.2e}")
        if stop is not None:
            return self._answer(x, stop, iteration, f"certified gap {proved:.2e}")
        self._progress.not_proved(gap)
        return None

    def _crowded(self) -> bool:
        state = self._state
        x = to_edges(state.layout, state.lp, self._kernel.unload(state.x), state.settings.dtype)
        return self._switch.crowded(state.lp, x, as_numpy(self._scale * self._y), self._weight)

    def _newton(self, iteration: int, y: Tensor) -> Answer:
        """The rest of the run, from x (which is x_t now) and y_t."""
        state = self._state
        x = to_edges(state.layout, state.lp, self._kernel.unload(state.x), answer_dtype(state.settings))
        for vector in (state.x, state.anchor):  # room for Newton's; _start() takes it back
            vector.set_()
        phase = ProximalNewton(
            state.lp,
            self._progress,
            x,
            as_numpy(self._scale * y),
            self._weight,
            judge=lambda x: state.job.judged(repair(state.lp, x, self._progress.best_dual)),
            tolerance=state.settings.tolerance,
            iterations=iteration,
            hopeless_above=state.hopeless_above,
        )
        try:
            end = phase.run()
        except LostNumberError as error:
            return self._answer(None, Status.ERROR, iteration, str(error))
        words = f"certified gap {end.gap:.2e}, finished by {end.work.systems} Newton systems from iteration {iteration}"
        return self._answer(None if end.status is Status.INFEASIBLE else phase.x, end.status, end.iterations, words)

    def _save(self, iteration: int, *, closer: bool, settle: bool) -> None:
        state = self._state
        numbers = {name: float(getattr(self, name)) for name in _NUMBERS} | {"closer": closer, "settle": settle}
        primal = {
            name: to_edges(state.layout, state.lp, self._kernel.unload(vector), state.settings.dtype)
            for name, vector in (("x", state.x), ("anchor", state.anchor))
        }
        shared = {name: as_numpy(getattr(self, name)) for name in _VECTORS} | {"best_dual": self._progress.best_dual}
        numbers |= self._progress.numbers()
        seconds = state.job.seconds
        state.job.save(Saved(iteration=iteration, seconds=seconds, numbers=numbers, shared=shared, primal=primal))

    def _go_on(self) -> tuple[int, bool, bool]:
        """Iterations done, and the two decisions for the next one: of a checkpoint, or of a new run."""
        saved, state = self._state.job.load(), self._state
        if saved is None:
            return 0, False, False
        for name in _NUMBERS:
            setattr(self, name, saved.numbers[name])
        for name in _VECTORS:
            setattr(self, name, self._upload(saved.shared[name]))
        for name, vector in (("x", state.x), ("anchor", state.anchor)):
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
        )

    def _start(self) -> tuple[Tensor, Tensor]:
        """y and the scaled loads of the first z; x and anchor are filled with its x."""
        state = self._state
        for vector in (state.x, state.anchor):
            if vector.numel() != state.layout.cells:
                vector.set_(self._kernel.zeros())
        if state.start is None:
            state.x.zero_()
            state.anchor.zero_()
            return self._upload(np.zeros_like(state.scale)), self._upload(np.zeros_like(state.scale))
        x, dual = state.start[0].copy(), state.start[1]
        repair(state.lp, x, dual, state.job.group)
        state.x.copy_(self._kernel.load(to_cells(state.layout, state.lp, x)))
        state.anchor.copy_(state.x)
        return self._upload(dual / state.scale), self._upload(loads_of(state.lp, x, state.job.group) * state.scale)

    def _upload(self, array: npt.NDArray[np.float64]) -> Tensor:
        import torch

        return torch.from_numpy(np.array(array, dtype=np.float64)).to(self._kernel.device)


def _halpern(inner: int) -> Mix:
    """(k + 1)/(k + 2) (2 z_t - z) + 1/(k + 2) z_anchor."""
    share = (inner + 1) / (inner + 2)
    return Mix(projected=2 * share, centre=-share, anchor=1 - share)

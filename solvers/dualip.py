"""Ridge dual ascent: DuaLip's published algorithm, and the same with what it lacks.

I sources, J destinations, E edges. The ascent works on y with lambda = D y, D the row scaling:

    g_gamma(lambda) = min over x in C of  c'x + gamma/2 ||x||^2 + lambda'(A x - b),     lambda >= 0
    x_i(lambda) = Proj_{C_i}(-(c_i + a_i lambda) / gamma),     gradient in lambda = A x(lambda) - b

(Basu et al. 2020, "ECLIPSE"; steps and defaults of DuaLip 5.0.1.)
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.ascent import AcceleratedAscent
from solvers.base import Answer, Availability, OptionError, Settings, Status, Vector, parse_options
from solvers.engine.certificate import largest_cost, largest_dual, repair, ridge_point
from solvers.engine.checkpoint import Saved
from solvers.engine.job import Job, ShardedSolver
from solvers.engine.kernel import Tensor, as_numpy, check_memory
from solvers.engine.progress import LostNumberError, Progress
from solvers.engine.setup import HeldKernel, answer_dtype, available, cpu_threads, layout_bytes, warm_up, working


@dataclass(frozen=True, kw_only=True)
class PublishedOptions:
    """gamma: the ridge. relative: gamma and gamma_least count in units of max_e |c_e|. jacobi: rows scaled to norm 1.
    decay_steps > 0: every so many iterations gamma and the largest step shrink by decay_factor, gamma down to
    gamma_least. restart: "none" or "gradient" (the momentum ends where gradient and step disagree, and with every
    change of gamma). bounded: keep lambda_j below max_e -c_e / a_e (valid without '=' sources). check_every:
    iterations from one look at the gap to the next. kernel: auto, reference, cpu or cuda.
    """

    gamma: float = 1e-3
    gamma_least: float = 1e-6
    relative: bool = False
    initial_step: float = 1e-5
    max_step: float = 0.1
    jacobi: bool = True
    decay_steps: int = 0
    decay_factor: float = 0.7
    restart: str = "none"
    bounded: bool = False
    check_every: int = 10
    kernel: str = "auto"

    def __post_init__(self) -> None:
        checks = (
            ("gamma", self.gamma > 0, "a number > 0"),
            ("gamma_least", self.gamma_least > 0, "a number > 0"),
            ("initial_step", self.initial_step > 0, "a number > 0"),
            ("max_step", self.max_step > 0, "a number > 0"),
            ("decay_steps", self.decay_steps >= 0, "a whole number >= 0"),
            ("decay_factor", 0 < self.decay_factor < 1, "a number between 0 and 1"),
            ("restart", self.restart in ("none", "gradient"), "none or gradient"),
            ("check_every", self.check_every >= 1, "a whole number >= 1"),
        )
        for name, ok, expected in checks:
            if not ok:
                raise OptionError(f"{name}={getattr(self, name)!r}: expected {expected}")


@dataclass(frozen=True, kw_only=True)
class RestartedOptions(PublishedOptions):
    """The same options with other defaults: of those tried, least iterations to a gap of 1e-3 over all families."""

    gamma: float = 2e-2
    gamma_least: float = 2e-4
    relative: bool = True
    max_step: float = 1e3
    decay_steps: int = 20
    decay_factor: float = 0.5
    restart: str = "gradient"
    bounded: bool = True


@dataclass(frozen=True, kw_only=True, eq=False)
class _State:
    """What prepare() made. scale float64[J] = D; top float64[J] or None: upper bounds of lambda; dual: the start."""

    lp: MatchingLP
    settings: Settings
    options: PublishedOptions
    job: Job
    held: HeldKernel
    scale: npt.NDArray[np.float64]
    top: npt.NDArray[np.float64] | None
    dual: npt.NDArray[np.float64]


class DualIP(ShardedSolver):
    """DuaLip 5.0.1's algorithm and defaults, with its Jacobi scaling. The tolerance is the certified gap."""

    id = "dualip"
    title = "DuaLip's ridge dual ascent, as published"
    citation = "Basu, Ghoting, Mazumder, Pan: ECLIPSE, ICML 2020; LinkedIn DuaLip 5.0.1"
    devices = ("cpu", "cuda")
    bytes_per_edge: ClassVar[float] = 13.0
    Options: ClassVar[type[Any]] = PublishedOptions

    def available(self) -> Availability:
        return available()

    def prepare(self, lp: MatchingLP, settings: Settings, job: Job | None = None) -> _State:
        """Layout, upload and compilation."""
        options: PublishedOptions = parse_options(self.Options, settings)
        settings, job = working(settings), job or Job()
        if options.relative:
            unit = largest_cost(lp, job.group)
            options = dataclasses.replace(options, gamma=unit * options.gamma, gamma_least=unit * options.gamma_least)
        check_memory(layout_bytes(lp, settings.dtype, vectors=0), settings.device, self.id)
        with cpu_threads(settings.threads):
            held = HeldKernel(lp, settings, options.kernel, job)
            warm_up(lp, settings, options.kernel)
        return _State(
            lp=lp,
            settings=settings,
            options=options,
            job=job,
            held=held,
            scale=held.inverse_row_norm if options.jacobi else np.ones(lp.destinations),
            top=largest_dual(lp, job.group) if options.bounded and not held.has_equality else None,
            dual=np.zeros(lp.destinations),
        )

    def warm_start(self, state: _State, dual: npt.NDArray[np.float64]) -> _State:
        """`state`, starting from dual float64[J] >= 0 in the units of the instance."""
        return dataclasses.replace(state, dual=np.maximum(0.0, np.asarray(dual, dtype=np.float64)))

    def run(self, state: _State) -> Answer:
        if state.held.hopeless:
            return Answer(x=None, dual=None, status=Status.INFEASIBLE, raw_status="an '=' source has no edges")
        with cpu_threads(state.settings.threads):
            return _Run(state).solve()


class RestartedDualIP(DualIP):
    """Continuation by default, adaptive restarts, momentum reset at each change of gamma, bounds on lambda."""

    id = "dualip-restarted"
    title = "DuaLip's ridge dual ascent, restarted"
    Options: ClassVar[type[Any]] = RestartedOptions


class _Run:
    """One ascent: evaluate, check, ascend, until the gap is proved or a limit reached."""

    def __init__(self, state: _State) -> None:
        self._state, options = state, state.options
        self._held, self._job, self._gamma = state.held, state.job, options.gamma
        self._progress = Progress(state.settings, state.lp.b, state.job, has_equality=state.held.has_equality)
        self._scale, self._b = self._upload(state.scale), self._upload(state.lp.b)
        self._ascent = AcceleratedAscent(
            self._upload(state.dual / state.scale),
            initial_step=options.initial_step,
            max_step=options.max_step,
            restart=options.restart == "gradient",
            top=None if state.top is None else self._upload(state.top / state.scale),
        )

    def solve(self) -> Answer:
        iteration = self._go_on()
        while True:
            iteration += 1
            dual = self._scale * self._ascent.point
            result = self._held.kernel.project(dual, 1 / self._gamma, values=False)
            stop = self._progress.limit(iteration)
            if stop is not None or iteration % self._state.options.check_every == 0:
                answer = self._check(iteration, dual, stop)
                if answer is not None:
                    return answer
            self._ascent.ascend(self._scale * (result.loads - self._b))
            self._continue(iteration)
            if self._job.checkpoint_due():
                self._save(iteration)

    def _continue(self, iteration: int) -> None:
        """The next gamma, where it is time."""
        options = self._state.options
        if options.decay_steps and iteration % options.decay_steps == 0 and self._gamma > options.gamma_least:
            self._gamma *= options.decay_factor
            self._ascent.shrink(options.decay_factor)

    def _check(self, iteration: int, dual: Tensor, stop: Status | None) -> Answer | None:
        """The answer when the gap is proved, a limit reached or a number lost. Extrapolated duals are clipped at 0."""
        dual = dual.clamp(min=0)
        try:
            result = self._held.kernel.project(dual, 1 / self._gamma, values=True)
            gap = self._progress.estimate(iteration, result, as_numpy(dual))
        except LostNumberError as error:
            return self._answer(None, Status.ERROR, iteration, str(error))
        prove = self._progress.worth_proving(gap)
        if not prove and stop is None:
            return None
        x, proved = self._finish(as_numpy(dual))
        if proved <= self._state.settings.tolerance:
            return self._answer(x, Status.SOLVED, iteration, f"certified gap {proved:.2e}")
        if stop is not None:
            return self._answer(x, stop, iteration, f"certified gap {proved:.2e}")
        self._progress.not_proved(gap)
        return None

    def _finish(self, dual: npt.NDArray[np.float64]) -> tuple[Vector, float]:
        """x(dual) made feasible, and its certified gap with the best dual so far."""
        self._held.make_room()
        x = ridge_point(self._state.lp, dual, 1 / self._gamma, answer_dtype(self._state.settings))
        return x, self._job.judged(repair(self._state.lp, x, self._progress.best_dual, self._job.group))

    def _save(self, iteration: int) -> None:
        numbers = {"gamma": self._gamma, **self._progress.numbers()}
        shared = {"best_dual": self._progress.best_dual, **self._ascent.state()}
        self._job.save(Saved(iteration=iteration, seconds=self._job.seconds, numbers=numbers, shared=shared))

    def _go_on(self) -> int:
        """Iterations that a checkpoint has already done, 0 without one."""
        saved = self._job.load()
        if saved is None:
            return 0
        self._gamma = saved.numbers["gamma"]
        self._progress.restore(saved.numbers, saved.shared["best_dual"])
        self._ascent.restore(saved.shared)
        return saved.iteration

    def _answer(self, x: Vector | None, status: Status, iteration: int, words: str) -> Answer:
        return Answer(
            x=x,
            dual=None if x is None else self._progress.best_dual,
            status=status,
            raw_status=f"{words}; kernel {self._held.name}",
            iterations=iteration,
            trace=tuple(self._progress.trace),
        )

    def _upload(self, array: npt.NDArray[np.float64]) -> Tensor:
        import torch

        return torch.from_numpy(np.array(array, dtype=np.float64)).to(self._held.device)

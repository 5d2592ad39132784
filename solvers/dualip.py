"""Ridge dual ascent with the steps and defaults of DuaLip 5.0.1 (Basu et al. 2020, "ECLIPSE")."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from instances import MatchingLP
from solvers.ascent import AcceleratedAscent
from solvers.base import Answer, Availability, OptionError, Settings, Status, parse_options
from solvers.engine.availability import available
from solvers.engine.context import SolveContext
from solvers.engine.costs import eased
from solvers.engine.instance import answer_without_edges, infeasible_answer, tightened
from solvers.engine.kernel import as_numpy
from solvers.engine.precision import with_working_dtype
from solvers.engine.storage import check_memory_option
from solvers.engine.threads import cpu_threads
from solvers.ridge import Dual, RidgeRun, State, prepare
from solvers.sharded import ShardedSolver


@dataclass(frozen=True, kw_only=True)
class Options:
    """gamma: the ridge. jacobi: rows scaled to norm 1. decay_steps > 0: every so many iterations gamma and the largest
    step shrink by decay_factor, gamma down to gamma_least. check_every: iterations from one look at the gap to the
    next. kernel: auto, reference, cpu or cuda. memory: where the cells lie, see solvers.engine.storage.
    """

    gamma: float = 1e-3
    gamma_least: float = 1e-6
    initial_step: float = 1e-5
    max_step: float = 0.1
    jacobi: bool = True
    decay_steps: int = 0
    decay_factor: float = 0.7
    check_every: int = 10
    kernel: str = "auto"
    memory: str = "auto"

    def __post_init__(self) -> None:
        check_memory_option(self.memory)
        checks = (
            ("gamma", self.gamma > 0, "a number > 0"),
            ("gamma_least", self.gamma_least > 0, "a number > 0"),
            ("initial_step", self.initial_step > 0, "a number > 0"),
            ("max_step", self.max_step > 0, "a number > 0"),
            ("decay_steps", self.decay_steps >= 0, "a whole number >= 0"),
            ("decay_factor", 0 < self.decay_factor < 1, "a number between 0 and 1"),
            ("check_every", self.check_every >= 1, "a whole number >= 1"),
        )
        for name, ok, expected in checks:
            if not ok:
                raise OptionError(f"{name}={getattr(self, name)!r}: expected {expected}")


class DualIP(ShardedSolver):
    """DuaLip 5.0.1's algorithm and defaults, with its Jacobi scaling. The tolerance is the certified gap."""

    id = "dualip"
    title = "DuaLip's ridge dual ascent, as published"
    citation = "Basu, Ghoting, Mazumder, Pan: ECLIPSE, ICML 2020; LinkedIn DuaLip 5.0.1"
    devices = ("cpu", "cuda")
    bytes_per_edge: ClassVar[float] = 11.0
    streams = True
    Options: ClassVar[type[Any]] = Options

    def available(self) -> Availability:
        return available()

    def prepare(self, lp: MatchingLP, settings: Settings, context: SolveContext | None = None) -> State | Answer:
        """Layout, upload and compilation; the answer itself where there are no edges."""
        options: Options = parse_options(Options, settings)
        context = context or SolveContext()
        lp = tightened(lp, context)
        if context.group.size == 1 and lp.edges == 0:
            return answer_without_edges(lp)
        costs = eased(lp, context.group)
        settings = with_working_dtype(settings, costs.lp, context)
        state = prepare(lp, costs, settings, context, options, gamma=options.gamma, what=self.id)
        return state if options.jacobi else dataclasses.replace(state, scale=np.ones(lp.destinations))

    def warm_start(self, state: State, dual: Dual) -> State:
        """`state`, starting from dual float64[J] >= 0 in the units of the instance."""
        return dataclasses.replace(state, dual=np.maximum(0.0, np.asarray(dual, dtype=np.float64)))

    def run(self, state: State | Answer) -> Answer:
        if isinstance(state, Answer):
            return state
        if state.held.hopeless:
            return infeasible_answer(state.lp)
        with cpu_threads(state.settings.threads):
            return self._run(state).solve()

    def _run(self, state: State) -> RidgeRun:
        return _PublishedRun(state)


class _PublishedRun(RidgeRun):
    """The ascent extrapolates below 0, where there is no bound: a look at the gap takes a pass of its own."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        options = state.options
        self._scale, self._b = self.upload(state.scale), self.upload(state.lp.b)
        start = self.upload(state.dual / state.scale)
        self._ascent = AcceleratedAscent(start, initial_step=options.initial_step, max_step=options.max_step)

    def iterate(self, iteration: int, stop: Status | None) -> Answer | None:
        dual, options = self._scale * self._ascent.point, self.state.options
        result = self.project(dual, values=False)
        if stop is not None or iteration % options.check_every == 0:
            clipped = dual.clamp(min=0)
            answer = self.look(iteration, self.project(clipped, values=True), as_numpy(clipped), stop)
            if answer is not None:
                return answer
        self._ascent.ascend(self._scale * (result.loads - self._b))
        if options.decay_steps and iteration % options.decay_steps == 0 and self.gamma > options.gamma_least:
            self.gamma *= options.decay_factor
            self._ascent.shrink(options.decay_factor)
        return None

    def ascent_state(self) -> Mapping[str, Dual]:
        return self._ascent.state()

    def restore_ascent(self, state: Mapping[str, Dual]) -> None:
        self._ascent.restore(state)

"""Ridge dual ascent with the steps and defaults of DuaLip 5.0.1 (Basu et al. 2020, "ECLIPSE")."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from instances import MatchingLP
from solvers.ascent import AcceleratedAscent
from solvers.base import EXPLICIT_ROWS, Answer, Availability
from solvers.engine.availability import available
from solvers.engine.context import SolveContext
from solvers.engine.instance import infeasible_answer
from solvers.engine.iterate import Assessment, Loop, Method
from solvers.engine.progress import Progress
from solvers.engine.storage import check_memory_option
from solvers.engine.tensors import as_numpy, upload
from solvers.engine.threads import cpu_threads
from solvers.ridge import RidgeAscent, State, prepare
from solvers.settings import Settings, check_fields, parse_options
from solvers.sharded import ShardedSolver
from solvers.start import Start, summable
from solvers.upper_rows import UpperRowsState, prepared_by_rows


@dataclass(frozen=True, kw_only=True)
class Options:
    """The defaults are those of DuaLip 5.0.1."""

    gamma: float = 1e-3
    """The first ridge."""

    gamma_least: float = 1e-6
    """No smaller ridge decays."""

    initial_step: float = 1e-5
    """The step while no two gradients are known."""

    max_step: float = 0.1
    """The largest step at the first ridge."""

    jacobi: bool = True
    """Whether rows are scaled to norm 1."""

    decay_steps: int = 0
    """Iterations between two decays of the ridge and of the largest step; 0 for none."""

    decay_factor: float = 0.7
    """What a decay multiplies them by."""

    check_every: int = 10
    """Iterations between two estimates of the gap."""

    kernel: str = "auto"
    """auto, reference, cpu or cuda."""

    memory: str = "auto"
    """Where the cells lie, see solvers.engine.storage."""

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
        check_fields(self, checks)


class DualIP(ShardedSolver):
    """DuaLip 5.0.1's algorithm and defaults, with its Jacobi scaling. The tolerance is the certified gap.

    DuaLip 5.0.1 has one '<=' or '=' row an edge; its ancestor in Scala also had several rows an edge and rows of all
    edges. Rows with two sides, floors, prices of violation and negative coefficients are ours: the step along the
    gradient becomes a proximal one (solvers.engine.row_bounds), the same step for '<=' and '=' rows.
    """

    id = "dualip"
    title = "DuaLip's ridge dual ascent, as published"
    citation = "Basu, Ghoting, Mazumder, Pan: ECLIPSE, ICML 2020; LinkedIn DuaLip 5.0.1"
    devices = ("cpu", "cuda")
    bytes_per_edge: ClassVar[float] = 11.0
    streams = True
    warm_starts = ("dual",)
    rows = EXPLICIT_ROWS
    Options: ClassVar[type[Any]] = Options

    def available(self) -> Availability:
        return available()

    def prepare(
        self, lp: MatchingLP, settings: Settings, context: SolveContext | None = None
    ) -> State | UpperRowsState | Answer:
        """Layout, upload and compilation; the answer itself where there are no edges."""
        options: Options = parse_options(Options, settings)
        if lp.edge_upper is not None:
            return prepared_by_rows(self, lp, settings, context)
        state = prepare(lp, settings, context, options, what=self.id, gamma=lambda _costs: options.gamma)
        if isinstance(state, Answer) or options.jacobi:
            return state
        return dataclasses.replace(state, scale=np.ones(lp.row_count))

    def warm_start(self, state: State | UpperRowsState | Answer, start: Start) -> State | UpperRowsState | Answer:
        if isinstance(state, Answer) or start.dual is None:
            return state
        if isinstance(state, UpperRowsState):
            return state.started(self, start)
        return dataclasses.replace(
            state, dual=state.bounds.clip(summable(start.dual, state.settings.dtype).astype(np.float64))
        )

    def run(self, state: State | UpperRowsState | Answer) -> Answer:
        if isinstance(state, Answer):
            return state
        if isinstance(state, UpperRowsState):
            return state.run(self)
        if state.held.infeasible:
            return infeasible_answer(state.lp)
        with cpu_threads(state.settings.threads):
            loop = Loop(state, kernel=state.held.name)
            return loop.solve(self._ascent(state, loop.progress))

    def _ascent(self, state: State, progress: Progress) -> RidgeAscent:
        return _PublishedAscent(state, progress)


class _PublishedAscent(RidgeAscent):
    """The ascent extrapolates beyond the intervals of the duals, where no bound is: an estimate takes its own pass."""

    def __init__(self, state: State, progress: Progress) -> None:
        self._options: Options = state.options
        device = state.held.device
        start = upload(state.dual / state.scale, device)
        ascent = AcceleratedAscent(
            start,
            take_step=state.scaled_bounds.on(device).proximal_step,
            initial_step=self._options.initial_step,
            max_step=self._options.max_step,
        )
        super().__init__(state, progress, ascent)
        self._bounds = state.bounds.on(device)
        self._scale = self._upload(state.scale)
        self._origin = self._upload(state.origin)

    def step(self, iteration: int, *, last: bool) -> Assessment | None:
        dual = self._scale * self._ascent.point
        self._pass = self._project(dual, values=False)
        if not last and iteration % self._options.check_every:
            return None
        clipped = self._bounds.clip(dual)
        return self._assess(iteration, self._project(clipped, values=True), as_numpy(clipped))

    def advance(self, iteration: int) -> Method:
        options = self._options
        self._ascent.ascend(self._scale * (self._pass.loads - self._origin))
        if options.decay_steps and iteration % options.decay_steps == 0 and self._gamma > options.gamma_least:
            self._gamma *= options.decay_factor
            self._ascent.shrink(options.decay_factor)
        return self

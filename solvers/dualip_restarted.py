"""The ridge dual of DuaLip with a ridge that shrinks as the gap does, and a quasi-Newton ascent between its changes."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from instances import MatchingLP
from solvers.base import Answer
from solvers.dualip import DualIP
from solvers.engine.arrays import SUPPORT, VALUE
from solvers.engine.context import SolveContext
from solvers.engine.iterate import Assessment, Method, MethodState
from solvers.engine.operator_norm import norm_bound
from solvers.engine.pieces import Pieces
from solvers.engine.progress import Progress
from solvers.engine.quasi_newton import QuasiNewtonAscent
from solvers.engine.rows import Rows
from solvers.engine.storage import check_memory_option
from solvers.engine.tensors import as_numpy
from solvers.ridge import RidgeAscent, State, prepare
from solvers.settings import Settings, check_fields, parse_options
from solvers.start import Start
from solvers.upper_rows import UpperRowsState, prepared_by_rows

#: Below this tolerance the passes are float64: the prices that a small ridge asks for lie between those of float32.
_FLOAT64_PASSES = 1e-3
#: A ridge whose own part in the gap is below this share of the tolerance stays: the rest is up to the ascent.
_SMALL = 0.3
#: Passes at a ridge before it may shrink: fewer do not show where the ascent goes.
_LEAST_STEPS = 3


@dataclass(frozen=True, kw_only=True)
class Options:
    """Found by measurement, see solvers/NOTES.md."""

    gamma: float = 5e-2
    """The first ridge, in units of max_e |c_e|."""

    gamma_least: float = 1e-7
    """No smaller ridge shrinks; in units of the first, or of what the first would be without forbidden edges
    (solvers.engine.costs)."""

    decay_factor: float = 0.3
    """What a ridge is multiplied by when it shrinks."""

    settle_share: float = 0.5
    """A ridge shrinks once the rest of the gap is at most this share of the ridge's own part in it."""

    check_every: int = 3
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
            ("decay_factor", 0 < self.decay_factor < 1, "a number between 0 and 1"),
            ("settle_share", self.settle_share > 0, "a number > 0"),
            ("check_every", self.check_every >= 1, "a whole number >= 1"),
        )
        check_fields(self, checks)


class RestartedDualIP(DualIP):
    """Restarted at each ridge from where the last ones lead. The tolerance is the certified gap; below 1e-3, and with
    '=' sources, which need exact loads, the passes work in float64 whatever the settings.
    """

    id = "dualip-restarted"
    title = "DuaLip's ridge dual, restarted by quasi-Newton"
    citation = "Basu, Ghoting, Mazumder, Pan: ECLIPSE, ICML 2020; Nocedal: L-BFGS, 1980"
    bytes_per_edge: ClassVar[float] = 20.0
    Options: ClassVar[type[Any]] = Options

    def prepare(
        self, lp: MatchingLP, settings: Settings, context: SolveContext | None = None
    ) -> State | UpperRowsState | Answer:
        """Layout, upload and compilation; the answer itself where there are no edges."""
        options: Options = parse_options(Options, settings)
        if lp.edge_upper is not None:
            return prepared_by_rows(self, lp, settings, context)
        state = prepare(
            lp,
            settings,
            context,
            options,
            what=self.id,
            gamma=lambda costs: costs.largest * options.gamma,
            float64_below=_FLOAT64_PASSES,
        )
        if isinstance(state, Answer):
            return state
        group = state.context.group
        bounds = state.bounds
        if bounds.ceilings and not state.has_equality:
            bounds = dataclasses.replace(bounds, largest_dual=Rows(state.lp, group).dual_upper_bound)
        return dataclasses.replace(state, bounds=bounds, norm=norm_bound(state.lp, state.scale, group))

    def warm_start(self, state: State | UpperRowsState | Answer, start: Start) -> State | UpperRowsState | Answer:
        """With a ridge between the first and the tolerance."""
        started = super().warm_start(state, start)
        if isinstance(started, (Answer, UpperRowsState)):
            return started
        relative = min(1.0, math.sqrt(started.settings.tolerance / started.options.gamma))
        return dataclasses.replace(started, gamma=relative * started.gamma)

    def _ascent(self, state: State, progress: Progress) -> RidgeAscent:
        return _ContinuedAscent(state, progress)


class _ContinuedAscent(RidgeAscent):
    """Ascend at one ridge until little of the gap but its own share is left, then shrink it."""

    def __init__(self, state: State, progress: Progress) -> None:
        self._options: Options = state.options
        scaled = state.scaled_bounds
        low = scaled.least_dual
        high = scaled.largest_dual
        ascent = QuasiNewtonAscent(
            np.clip(state.dual / state.scale, low, high),
            low=low,
            high=high,
            pieces=Pieces.of(scaled),
            safe_step=state.gamma / state.norm**2,  # the gradient changes by at most ||D A||^2 / gamma
        )
        super().__init__(state, progress, ascent)
        self._relative = state.bounds.measured_from(state.origin)
        self._least = self._options.gamma_least * state.gamma * (state.costs.usual / state.costs.largest)
        self._steps = 0
        """Passes at this ridge."""

    def step(self, iteration: int, *, last: bool) -> Assessment | None:
        self._steps += 1
        self._dual = self._state.scale * self._ascent.point
        self._assessed = last or self._steps % self._options.check_every == 0
        self._pass = self._project(self._upload(self._dual), values=self._assessed)
        return self._assess(iteration, self._pass, self._dual) if self._assessed else None

    def advance(self, iteration: int) -> Method:  # noqa: ARG002 - the steps at this ridge count
        if self._assessed and self._converged():
            self._steps = 0
            self._gamma *= self._options.decay_factor
            self._ascent.shrink(self._options.decay_factor)
        else:
            self._ascent.ascend(self._state.scale * (as_numpy(self._pass.loads) - self._state.origin))
        return self

    def _converged(self) -> bool:
        """Whether the ridge's share of the gap, c'x + dual'A x - min over C of (c + A'dual)'x, outweighs the rest:
        slack at a price, cost(dual) - dual'A x, and what the repair of x costs.
        """
        state, dual = self._state, self._dual
        sums = as_numpy(self._pass.sums)
        support = float(sums[SUPPORT])
        value = float(sums[VALUE])
        loads = as_numpy(self._pass.loads)

        ridge = value + float(dual @ loads) - support
        penalty = float(state.bounds.penalty(loads))
        slack = abs(float(dual @ (loads - state.origin) - self._relative.cost(dual)) - penalty)
        repair = abs(self._objective - state.costs.offset - value - penalty)
        enough = self._steps >= _LEAST_STEPS and slack + repair <= self._options.settle_share * ridge
        small = ridge <= _SMALL * state.settings.tolerance * max(1.0, abs(self._progress.best_bound))
        return enough and not small and self._gamma > self._least

    def snapshot(self) -> MethodState:
        state = super().snapshot()
        return dataclasses.replace(state, numbers={**state.numbers, "steps": self._steps})

    def restore(self, state: MethodState) -> None:
        super().restore(state)
        self._steps = int(state.numbers["steps"])

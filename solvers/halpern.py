"""Block-projected, restarted, reflected Halpern PDHG.

I sources, R coupling rows of all families, E edges. The polytopes stay inside the projection, so the dual has R
entries, each in its interval Y_r (row_bounds.py; y >= 0 for a '<=' row). With rows scaled to ||A_r||_2 = 1 and
z = (x, y):

    x_t = Proj_C(x - tau (c + A'y))
    y_t = argmin over v in Y of  upper v+ - lower v- - v'A (2 x_t - x) + ||v - y||^2 / (2 sigma)
    z  <- (k + 1)/(k + 2) (2 z_t - z) + 1/(k + 2) z_anchor,    y <- the nearest in Y
    tau = eta / w, sigma = eta w, eta < 1 / ||A||_2 (which is 1 where every edge lies in one row, because then A A' = I)

With '<=' rows alone y_t = max(0, y + sigma (A (2 x_t - x) - b)).

Restart (anchor and z become z_t) by the fixed-point residual r^2 = w ||dx||^2/eta + ||dy||^2/(w eta) - 2 dy'A dx, which
also moves the primal weight w. (Applegate et al. 2021, PDLP; Lu and Yang 2024, r2HPDHG.)
Where its rate falls, Newton's method on a shrinking subproblem goes on, on the host (solvers.proximal).

`Halpern.step` makes z_t and r, `Halpern.advance` mixes, restarts or hands over. Limits, proofs and checkpoints are the
business of the loop (solvers.engine.iterate).
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.engine.iterate import Assessment, Finish, Method, MethodState
from solvers.engine.kernel import RESTART, Mix, Pass, Tensor
from solvers.engine.progress import NonFiniteError, Progress
from solvers.engine.proof import Prover
from solvers.engine.tensors import as_numpy, dot, upload
from solvers.iterates import Iterates, RowPart, StartPoint
from solvers.newton_finish import NewtonFinish, PdhgPoint
from solvers.pdhg_state import State
from solvers.proximal.iterates import CellVector, ProximalIterates
from solvers.proximal.outer import Handover
from solvers.restarts import Restarts

#: A start with a gap up to this is better than none: a bound is worth something then, and 0 would have a gap of 1.
_USEFUL = 0.5
#: Try the first proof once the estimated gap is within this factor of the tolerance: the proof uses y_t, whose bound is
#: usually better than the estimate.
_REACH = 2.0


class _Next(enum.Enum):
    """How the method goes on after the next pass. That pass stores x_t in all cases but MIX."""

    MIX = "z becomes a mix of z_t, z and the anchor"
    RESTART = "z and the anchor become z_t"
    HAND_OVER = "Newton's method takes over at z_t"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Step:
    """One pass from z to z_t."""

    dual: Tensor
    """Its prices in the units of the instance, float64[R] on the device."""

    result: Pass

    projected: RowPart
    """The part of z_t in coupling rows; x_t is in the cells if the mix of the pass stores it."""


@dataclass(frozen=True, kw_only=True)
class _Residuals:
    """The numbers of a step by which the host decides."""

    gap: float
    """As estimated."""

    fixed_point: float
    """r of z and z_t."""

    distance_x: float
    """||x_t - x_anchor||."""

    distance_y: float
    """||y_t - y_anchor||."""


class Halpern(Method):
    """PDHG from z and its anchor."""

    def __init__(self, state: State, progress: Progress) -> None:
        self._state = state
        self._progress = progress
        self._prover = Prover(state.lp, state.costs, state.layout, state.kernel, state.context, state.settings)
        self._scale = self._upload(state.scale)
        self._bounds = state.bounds.scaled(state.scale).on(state.kernel.device)

        self._iterates = Iterates(state.kernel, state.layout, state.lp, self._bounds)
        self._restarts = self._first_restarts()
        self._newton = NewtonFinish(state, state.layout, most_edges=state.most_edges)

        self._newton_may_finish = state.newton
        self._handed_over: ProximalIterates | None = None
        """What Newton's method works on."""

        self._next = _Next.MIX
        """The plan for the next pass."""

        self._want_values = False
        """Whether the next pass sums c'x by destination. The estimate is better then but the pass takes longer, so this
        is asked for only near the tolerance."""

    def begin(self) -> Method:
        """The method of the first pass: at a warm start Newton's, where that may take over; else this one."""
        start = self._state.start
        if start is None:
            return self

        # Only PDHG goes on from a checkpoint, as the first method of a run does, and only prices tell what is near.
        one_host = self._state.kernel.device == "cpu" and self._state.context.checkpoints is None
        self._iterates.load(start)
        if not (self._newton_may_finish and one_host and start.dual.any()):
            return self._begin_at(start, gap=math.inf)

        weight = self._state.rules.warm_weight * self._restarts.weight
        handover = self._handover(price=start.dual, weight=weight, iteration=0)
        prove = self._proved_in_cells if self._prover.on_cells else None
        return self._newton.begin(
            handover, self._progress, self._take_back, lambda gap: self._begin_at(start, gap=gap), prove
        )

    def _begin_at(self, start: StartPoint, *, gap: float) -> Method:
        """PDHG from `start`, which is loaded, or from 0 where that is better. gap: as far as it is known there."""
        priced = bool(start.dual.any())
        useful = gap <= _USEFUL or not priced
        warm = self._iterates.start_at(start, self._scale, useful=useful) and priced
        if warm:
            self._restarts.expect_start()
        self._newton.warm = warm
        return self

    def step(self, iteration: int, *, last: bool) -> Assessment:
        """z_t and its residuals."""
        restarts = last or self._next is not _Next.MIX
        self._mix = RESTART if restarts else self._restarts.mix()
        self._step = self._pass(self._mix)
        self._residuals = self._measure(iteration, self._step)

        promise = self._progress.promise
        self._near_tolerance = self._progress.worth_proving(promise, _REACH)
        ready = self._near_tolerance and self._want_values and self._mix.stores_projection
        return Assessment(gap=promise, worth_proving=ready)

    def advance(self, iteration: int) -> Method:
        """Mix, restart or hand over, as planned before the pass, and plan the next one."""
        if self._next is _Next.HAND_OVER:
            return self._hand_over(iteration)

        # Before z moves: the rate is judged at the z of this pass.
        slow = self._newton_may_finish and self._newton.due(iteration, self._residuals.gap, self._here)
        if self._next is _Next.RESTART:
            self._restart()
            restart_next = False
        else:
            self._iterates.combine(self._mix, self._step.projected)
            due = self._restarts.due(iteration, self._residuals.fixed_point)
            # A better estimate (with values) promises a proof, which needs x_t: the next pass has to store it.
            restart_next = due or (self._near_tolerance and self._want_values)

        if slow:
            self._next = _Next.HAND_OVER
        else:
            self._next = _Next.RESTART if restart_next else _Next.MIX
        self._want_values = self._near_tolerance
        return self

    def finish(self, *, last: bool) -> Finish:
        """The proof of x, which is x_t after this pass, with y_t or the best dual so far."""
        self._near_tolerance = False  # the run goes on only where this proof fails
        dual = self._scale * self._step.projected.y
        return self._proved(self._iterates.x, self._iterates.anchor_x, dual, last=last)

    def _proved(self, x: Tensor, scratch: Tensor, dual: Tensor, *, last: bool) -> Finish:
        """scratch: the other primal vector, in whose memory the answer is made."""
        proof = self._prover.prove(x, dual, self._progress, anyway=last)
        return Finish(certificate=proof.certificate, x=lambda: self._prover.answer(proof, x, scratch=scratch))

    def _proved_in_cells(self, cells: CellVector, *, last: bool) -> Finish:
        """The proof of a point of Newton's method with the best dual so far."""
        dual = self._upload(self._progress.best_dual)
        self._progress.forget_bound()  # that of this dual is proved now, rounded down
        return self._proved(*self._iterates.vectors_of(cells), dual, last=last)

    def _pass(self, mix: Mix) -> _Step:
        """z_t; the x of z becomes x_t, or its mix with x and the anchor."""
        w = self._restarts.weight
        tau = self._state.step / w
        sigma = self._state.step * w
        iterates = self._iterates
        z = iterates.z

        dual = self._scale * z.y
        values = self._want_values and self._bounds.ceilings
        result = self._state.kernel.advance(dual, tau, iterates.x, iterates.anchor_x, mix, values=values)
        loads = self._scale * result.loads
        y = self._bounds.proximal_step(z.y, 2 * loads - z.loads, sigma)
        return _Step(dual=dual, result=result, projected=RowPart(y=y, loads=loads))

    def _measure(self, iteration: int, step: _Step) -> _Residuals:
        """Everything that the host decides by, in one reading of the device. Raises NonFiniteError."""
        z = self._iterates.z
        dy = step.projected.y - z.y
        from_anchor = step.projected.y - self._iterates.anchor.y
        gap, scalars = self._progress.measure(
            iteration,
            step.result,
            step.dual,
            movement_y=dot(dy, dy),
            cross=dot(dy, step.projected.loads - z.loads),
            distance_y=dot(from_anchor, from_anchor),
        )

        w = self._restarts.weight
        eta = self._state.step
        squared = w / eta * scalars["movement"] + scalars["movement_y"] / (w * eta) - 2 * scalars["cross"]
        if not math.isfinite(squared):
            raise NonFiniteError(f"fixed-point residual not finite in iteration {iteration}")
        return _Residuals(
            gap=gap,
            fixed_point=math.sqrt(max(0.0, squared)),  # rounding may put the square below 0
            distance_x=math.sqrt(scalars["distance"]),
            distance_y=math.sqrt(scalars["distance_y"]),
        )

    def _restart(self) -> None:
        """z and the anchor become z_t, and the primal weight follows the distance that they moved."""
        residuals = self._residuals
        self._restarts.restarted(distance_x=residuals.distance_x, distance_y=residuals.distance_y)
        self._iterates.restart(self._step.projected)

    def _here(self) -> PdhgPoint:
        """z, for a look at the rate."""
        return PdhgPoint(
            x=self._iterates.cells()["x"],
            price=as_numpy(self._scale * self._iterates.z.y),
            weight=self._restarts.weight,
        )

    def _hand_over(self, iteration: int) -> Method:
        """Newton's method from z_t; both primal vectors are its own from here on."""
        price = as_numpy(self._scale * self._step.projected.y)
        start = self._handover(price=price, weight=self._restarts.weight, iteration=iteration)
        return self._newton.take_over(start, self._progress, self._snapshot_at, self._take_back)

    def _handover(self, *, price: npt.NDArray[np.float64], weight: float, iteration: int) -> Handover:
        cells = self._iterates.cells()
        self._handed_over = ProximalIterates(centre=cells["x"], spare=cells["anchor"])
        return Handover(iterates=self._handed_over, price=price, weight=weight, iteration=iteration)

    def snapshot(self) -> MethodState:
        return MethodState(
            numbers={
                "want_values": self._want_values,
                # In place of a hand-over a resumed run restarts: its switch, made anew, soon finds the rate slow again.
                "restart_next": self._next is not _Next.MIX,
                **self._restarts.numbers(),
            },
            shared=self._iterates.rows_to_save(),
            primal=self._iterates.edges_to_save(self._state.settings.dtype),
        )

    def _snapshot_at(self, price: npt.NDArray[np.float64], loads: npt.NDArray[np.float64]) -> MethodState:
        """Restarted at a point of Newton's method, the x of which lies in both primal vectors."""
        self._restart_at(price, loads)
        return self.snapshot()

    def _take_back(self, price: npt.NDArray[np.float64], loads: npt.NDArray[np.float64]) -> Method:
        """PDHG to the end of the run, from the centre of Newton's method with these prices and loads."""
        assert self._handed_over is not None
        self._iterates.set_cells(self._handed_over.centre)
        self._restart_at(price, loads)
        self._newton_may_finish = False
        return self

    def _restart_at(self, price: npt.NDArray[np.float64], loads: npt.NDArray[np.float64]) -> None:
        y = self._upload(price) / self._scale
        self._iterates.restart(RowPart(y=y, loads=self._upload(loads) * self._scale))
        self._restarts.restarted(distance_x=0.0, distance_y=0.0)
        self._next = _Next.MIX
        self._want_values = False

    def restore(self, state: MethodState) -> None:
        self._restarts.restore(state.numbers)
        self._want_values = bool(state.numbers["want_values"])
        self._next = _Next.RESTART if state.numbers["restart_next"] else _Next.MIX
        self._iterates.restore(state.shared, state.primal)

    def _first_restarts(self) -> Restarts:
        state = self._state
        norm_b = float(self._bounds.sizes.norm())
        largest_norm_c = state.layout.cost_norm
        norm_c = largest_norm_c if state.costs.norm is None else state.costs.norm
        known = norm_b > 0 and norm_c > 0
        return Restarts(
            state.rules,
            norm_ratio=norm_c / norm_b if known else 1.0,
            largest_norm_ratio=largest_norm_c / norm_b if known else 1.0,
        )

    def _upload(self, array: npt.NDArray[np.float64]) -> Tensor:
        return upload(array, self._state.kernel.device)
